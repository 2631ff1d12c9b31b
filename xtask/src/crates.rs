//! How many crates a hello-world program compiles.

use crate::steps::cargo;
use std::collections::BTreeSet;
use std::process::Command;

/// Most crates that a program with the default features may pull in.
const MOST: usize = 95;

/// Counts the crates of the facade with default features, itself included.
pub(crate) fn check() -> Result<String, String> {
    let words = [
        "tree",
        "-p",
        "fast-django",
        "-e",
        "normal,build",
        "--prefix",
        "none",
        "--no-dedupe",
    ];
    let output = Command::new(cargo())
        .args(words)
        .output()
        .map_err(|error| format!("cannot run cargo tree: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let count = distinct(&String::from_utf8_lossy(&output.stdout));
    match count {
        0 => Err("cargo tree listed no crate".to_owned()),
        1..=MOST => Ok(format!("{count} crates, at most {MOST}")),
        _ => Err(format!(
            "a hello-world program needs {count} crates, more than {MOST}"
        )),
    }
}

/// Distinct pairs of name and version.
fn distinct(tree: &str) -> usize {
    let pairs = tree.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    pairs.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_listed_twice_counts_once() {
        let tree =
            "app v0.1.0 (/x)\nserde v1.0.1\nsyn v2.0.0\nserde v1.0.1 (proc-macro)\n\nsyn v1.0.0\n";
        assert_eq!(distinct(tree), 4);
    }
}
