//! Rules about Cargo manifests and the changelog.

use super::{Fault, File};

const DRIVERS: &[&str] = &["orm-sqlite", "orm-postgres", "orm-mysql"];

/// Faults of a driver's manifest: a driver knows orm-core and its own database library, nothing
/// above or beside it.
pub(crate) fn check(file: &File, faults: &mut Vec<Fault>) {
    let Some(driver) = file
        .path
        .strip_suffix("/Cargo.toml")
        .filter(|d| DRIVERS.contains(d))
    else {
        return;
    };
    for (line, name) in dependencies(&file.text) {
        let beside = DRIVERS.contains(&name) && name != driver;
        if beside || ["sea-query", "fast-django", "orm-macros"].contains(&name) {
            let message = format!("{driver} must not depend on {name}");
            faults.push(Fault::new(&file.path, line, message));
        }
    }
}

/// Names in the tables of dependencies (not development), each with its line.
fn dependencies(manifest: &str) -> Vec<(usize, &str)> {
    let mut inside = false;
    let mut found = Vec::new();
    for (number, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_matches(['[', ']']);
            let mut parts = table.rsplit('.');
            let last = parts.next().unwrap_or_default();
            inside = matches!(last, "dependencies" | "build-dependencies");
            if parts.next().is_some_and(|table| table == "dependencies") {
                found.push((number + 1, last));
            }
        } else if inside && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                found.push((number + 1, name.trim_matches('"')));
            }
        }
    }
    found
}

/// The changelog exists and has a section for what is not released yet.
pub(crate) fn check_changelog(files: &[File], faults: &mut Vec<Fault>) {
    let log = files.iter().find(|file| file.path == "CHANGELOG.md");
    let has_section = |file: &File| {
        file.text
            .lines()
            .any(|line| line.starts_with("## Unreleased"))
    };
    if !log.is_some_and(has_section) {
        faults.push(Fault::new(
            "CHANGELOG.md",
            0,
            "a section `## Unreleased` is missing",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    #[test]
    fn drivers_depend_on_nothing_above_or_beside_them() {
        let bad = "[dependencies]\norm-core.workspace = true\nsea-query = \"1\"\n\n[dependencies.orm-mysql]\npath = \"x\"\n";
        let mut faults = Vec::new();
        check(&file("orm-sqlite/Cargo.toml", bad), &mut faults);
        let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [3, 5], "{faults:?}");

        faults.clear();
        let fine = "[dependencies]\norm-core.workspace = true\n[dev-dependencies]\nfast-django.workspace = true\n";
        check(&file("orm-sqlite/Cargo.toml", fine), &mut faults);
        check(&file("orm-core/Cargo.toml", bad), &mut faults);
        assert_eq!(faults, []);
    }

    #[test]
    fn the_changelog_has_an_open_section() {
        for (text, count) in [("# Changelog\n\n## Unreleased\n", 0), ("## 0.1.0\n", 1)] {
            let mut faults = Vec::new();
            check_changelog(&[file("CHANGELOG.md", text)], &mut faults);
            assert_eq!(faults.len(), count);
        }
    }
}
