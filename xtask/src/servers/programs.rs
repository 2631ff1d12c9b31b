//! Finds installed programs, also where packages put them outside the search path.

use std::path::{Path, PathBuf};

/// The folders to look into.
#[derive(Debug)]
pub(crate) struct Programs {
    folders: Vec<PathBuf>,
}

impl Programs {
    pub(crate) fn new(folders: Vec<PathBuf>) -> Self {
        Programs { folders }
    }

    /// The search path, the folders for administrators, and those of PostgreSQL, newest first.
    pub(crate) fn of_the_system() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = newest_first("/usr/lib/postgresql", "bin");
        folders.extend(std::env::split_paths(&path));
        folders.extend(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from));
        Programs::new(folders)
    }

    pub(crate) fn find(&self, name: &str) -> Option<PathBuf> {
        let paths = self.folders.iter().map(|folder| folder.join(name));
        paths.into_iter().find(|path| path.is_file())
    }

    /// Each of these programs; one that is missing makes the rest useless.
    pub(crate) fn find_all<const N: usize>(&self, names: [&str; N]) -> Option<[PathBuf; N]> {
        let found: Option<Vec<_>> = names.iter().map(|name| self.find(name)).collect();
        found?.try_into().ok()
    }
}

/// `root/<version>/inner` for each version, the highest first.
fn newest_first(root: &str, inner: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(Path::new(root)) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join(inner)))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_come_first() {
        let root = std::env::temp_dir().join(format!("fd-programs-{}", std::process::id()));
        for version in ["9", "15", "17", "common"] {
            std::fs::create_dir_all(root.join(version).join("bin")).unwrap();
        }
        std::fs::write(root.join("15/bin/initdb"), "").unwrap();
        let folders = newest_first(root.to_str().unwrap(), "bin");
        let programs = Programs::new(folders.clone());
        let found = programs.find("initdb");
        let both = programs.find_all(["initdb", "postgres"]);
        std::fs::remove_dir_all(&root).unwrap();
        assert_eq!(
            folders,
            ["17/bin", "15/bin", "9/bin"].map(|end| root.join(end))
        );
        assert_eq!(found, Some(root.join("15/bin/initdb")));
        assert_eq!(both, None);
    }
}
