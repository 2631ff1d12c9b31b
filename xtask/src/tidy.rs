//! The conventions of the workspace as checks: each takes a file's path and text, and says what is
//! wrong with it.

mod layers;
mod manifest;
mod source;

use crate::scan;
use std::path::{Path, PathBuf};

/// One broken rule, with the file and, where it helps, the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    path: String,
    line: usize,
    message: String,
}

impl Fault {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Fault {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }
}

/// A file of the workspace: its path from the root, with `/`, and its text.
#[derive(Debug)]
pub(crate) struct File {
    path: String,
    text: String,
}

/// Checks the whole workspace, which is the current folder.
pub(crate) fn check() -> Result<String, String> {
    let files = read_workspace(Path::new("."))?;
    let faults = faults(&files);
    if faults.is_empty() {
        return Ok(format!("{} files are tidy", files.len()));
    }
    let lines = faults.iter().map(|fault| match fault.line {
        0 => format!("{}: {}", fault.path, fault.message),
        line => format!("{}:{line}: {}", fault.path, fault.message),
    });
    Err(lines.collect::<Vec<_>>().join("\n"))
}

fn faults(files: &[File]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in files {
        if file.path.ends_with(".rs") {
            let test = is_test(files, &file.path);
            source::check(file, test, &mut faults);
            if !test {
                layers::check(file, &mut faults);
            }
        }
        manifest::check(file, &mut faults);
    }
    layers::check_cycles(files, &mut faults);
    source::check_ui_pairs(files, &mut faults);
    manifest::check_changelog(files, &mut faults);
    faults
}

/// Whether a file is a module behind `#[cfg(test)]` in the file above it.
fn is_test(files: &[File], path: &str) -> bool {
    let Some((folder, name)) = path.trim_end_matches(".rs").rsplit_once('/') else {
        return false;
    };
    let above = [
        format!("{folder}.rs"),
        format!("{folder}/lib.rs"),
        format!("{folder}/main.rs"),
    ];
    let parent = files.iter().find(|file| above.contains(&file.path));
    parent.is_some_and(|parent| {
        let code = scan::blanked(&parent.text, false);
        let mut marks = code.split("#[cfg(test)]").skip(1);
        marks.any(|rest| {
            let item = rest.split(['{', ';']).next().unwrap_or_default();
            rest[item.len()..].starts_with(';') && item.trim().ends_with(&format!("mod {name}"))
        })
    })
}

fn read_workspace(root: &Path) -> Result<Vec<File>, String> {
    let mut paths = Vec::new();
    walk(root, &mut paths).map_err(|error| format!("cannot list the workspace: {error}"))?;
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let relative = path.strip_prefix(root).unwrap_or(&path);
        let path = relative.to_string_lossy().replace('\\', "/");
        Ok(File { path, text })
    };
    paths.into_iter().map(read).collect()
}

/// Collects the text files that a rule is about. Build output and hidden folders are skipped.
fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, paths)?;
            }
        } else if [".rs", ".toml", ".md", ".stderr"]
            .iter()
            .any(|end| name.ends_with(end))
        {
            paths.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_behind_cfg_test_are_tests() {
        let files = [
            file(
                "orm-core/src/pool.rs",
                "//! x\nmod lease;\n#[cfg(test)]\npub(crate) mod fake;\n",
            ),
            file(
                "orm-core/src/pool/fake.rs",
                "//! x\nuse crate::model::M;\nconst A: &str = \"sqlite\";\n",
            ),
            file(
                "orm-core/src/pool/lease.rs",
                "//! x\nuse crate::model::M;\n",
            ),
            file("CHANGELOG.md", "## Unreleased\n"),
        ];
        let found: Vec<_> = faults(&files).into_iter().map(|fault| fault.path).collect();
        assert_eq!(found, ["orm-core/src/pool/lease.rs"]);
    }

    #[test]
    fn this_workspace_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("in a workspace");
        let files = read_workspace(root).expect("the workspace can be read");
        assert!(files.iter().any(|file| file.path == "xtask/src/tidy.rs"));
        assert_eq!(faults(&files), []);
    }
}
