//! Rules about single source files, and about the fixtures of compile errors.

use super::{Fault, File};
use crate::scan;
use std::collections::BTreeMap;

const MOST_LINES: usize = 800;
const MOST_STDERR_LINES: usize = 20;
const DATABASES: &[&str] = &["sqlite", "libsql", "postgres", "mysql", "mariadb"];

/// The only files of orm-core that may name a database in code.
const MAY_NAME_DATABASES: &[&str] = &[
    "orm-core/src/sql/render.rs",
    "orm-core/src/sql/ddl.rs",
    "orm-core/src/backend/dialect.rs",
    "orm-core/src/error/classify.rs",
];

/// The public names of the error tables, which other files re-export.
const ERROR_TABLES: &[&str] = &["kind_from_sqlstate", "kind_from_mysql", "kind_from_sqlite"];

/// The only shipped file with `unsafe`.
const MAY_BE_UNSAFE: &str = "orm-sqlite/src/ffi.rs";

/// The base line of the benchmark is the C library itself, which cannot be called otherwise.
const BASE_LINE: &str = "benches/limit/raw.rs";

/// Faults of one Rust file; `test` says that it is built for tests only.
pub(crate) fn check(file: &File, test: bool, faults: &mut Vec<Fault>) {
    let path = file.path.as_str();
    let mut fault = |line, message: String| faults.push(Fault::new(path, line, message));
    if path.ends_with("/mod.rs") {
        fault(
            0,
            "name the file after its module: `foo.rs` beside the folder `foo`".into(),
        );
    }
    // What is included into another file cannot begin with an inner comment.
    let fixture = path.contains("/tests/ui/") || path.ends_with("/doctest_setup.rs");
    if !fixture && !file.text.starts_with("//!") {
        fault(
            1,
            "begin with `//!` and one sentence on what lives here".into(),
        );
    }
    let lines = file.text.lines().count();
    if !fixture && lines > MOST_LINES {
        fault(
            0,
            format!("{lines} lines, more than {MOST_LINES}: split it"),
        );
    }
    if path != MAY_BE_UNSAFE && path != BASE_LINE {
        let code = scan::blanked(&file.text, false);
        for (line, _) in scan::words(&code).filter(|(_, word)| *word == "unsafe") {
            fault(line, format!("`unsafe` is for {MAY_BE_UNSAFE} only"));
        }
    }
    if path.starts_with("orm-core/src/") && !test && !MAY_NAME_DATABASES.contains(&path) {
        let code = scan::code(&file.text, true);
        for (line, word) in scan::words(&code).filter(|(_, word)| names_database(word)) {
            let message = format!(
                "`{word}` names a database: say it as a capability or a method of the dialect"
            );
            fault(line, message);
        }
    }
}

fn names_database(word: &str) -> bool {
    let lower = word.to_lowercase();
    !ERROR_TABLES.contains(&word) && DATABASES.iter().any(|name| lower.contains(name))
}

/// Each `tests/ui/*.rs` that must fail has its expected errors beside it, and they are short.
pub(crate) fn check_ui_pairs(files: &[File], faults: &mut Vec<Fault>) {
    let texts: BTreeMap<&str, &str> = files
        .iter()
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    for path in texts.keys().filter(|path| is_failing_fixture(path)) {
        let expected = path.replace(".rs", ".stderr");
        match texts.get(expected.as_str()) {
            None => faults.push(Fault::new(path, 0, format!("{expected} is missing"))),
            Some(text) if text.lines().count() > MOST_STDERR_LINES => {
                let message = format!("the error has more than {MOST_STDERR_LINES} lines");
                faults.push(Fault::new(&expected, 0, message));
            }
            Some(_) => {}
        }
    }
    for path in texts
        .keys()
        .filter(|path| path.contains("tests/ui/") && path.ends_with(".stderr"))
    {
        if !texts.contains_key(path.replace(".stderr", ".rs").as_str()) {
            faults.push(Fault::new(path, 0, "expected errors of no fixture"));
        }
    }
}

/// Files of `tests/ui` fail to compile, but for `ok_….rs` and what lies in folders below.
fn is_failing_fixture(path: &str) -> bool {
    let name = path
        .split_once("tests/ui/")
        .and_then(|(_, name)| name.strip_suffix(".rs"));
    name.is_some_and(|name| !name.contains('/') && !name.starts_with("ok_"))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        check(&file(path, text), false, &mut faults);
        faults.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn each_rule_catches_a_text_that_breaks_it() {
        let broken = [
            (
                "orm-core/src/error/mod.rs",
                "//! Errors.\n".to_owned(),
                "after its module",
            ),
            ("src/lib.rs", "use std::fmt;\n".to_owned(), "begin with"),
            ("src/lib.rs", "//! Long.\n".repeat(801), "more than 800"),
            (
                "src/lib.rs",
                "//! x\nfn f() { unsafe { g() } }\n".to_owned(),
                "ffi.rs only",
            ),
            (
                "orm-core/src/pool.rs",
                "//! x\nfn is_sqlite() {}\n".to_owned(),
                "is_sqlite",
            ),
            (
                "orm-core/src/pool.rs",
                "//! x\nconst S: &str = \"postgres\";\n".to_owned(),
                "postgres",
            ),
        ];
        for (path, text, expected) in broken {
            let found = messages(path, &text);
            assert_eq!(found.len(), 1, "{path}: {found:?}");
            assert!(found[0].contains(expected), "{found:?}");
        }
    }

    #[test]
    fn what_the_rules_allow_is_no_fault() {
        let fine = [
            (
                "orm-sqlite/src/ffi.rs",
                "//! x\nfn f() { unsafe { g() } }\n",
            ),
            (
                "src/lib.rs",
                "//! No unsafe here: \"unsafe\".\nconst S: &str = \"unsafe\";\n",
            ),
            ("orm-core/src/sql/render.rs", "//! x\nfn sqlite() {}\n"),
            (
                "orm-core/src/error.rs",
                "//! On SQLite.\npub use classify::kind_from_mysql;\n",
            ),
            ("orm-sqlite/src/url.rs", "//! x\nfn sqlite() {}\n"),
        ];
        for (path, text) in fine {
            assert_eq!(messages(path, text), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn compile_errors_are_short_and_beside_their_fixture() {
        let run = |files: &[File]| {
            let mut faults = Vec::new();
            check_ui_pairs(files, &mut faults);
            faults
                .into_iter()
                .map(|fault| fault.message)
                .collect::<Vec<_>>()
        };
        let case = || file("tests/ui/a.rs", "//! x");
        assert!(run(&[case()])[0].contains("missing"));
        assert!(
            run(&[case(), file("tests/ui/a.stderr", &"x\n".repeat(21))])[0].contains("20 lines")
        );
        assert!(run(&[case(), file("tests/ui/a.stderr", &"x\n".repeat(20))]).is_empty());
        assert!(run(&[file("tests/ui/b.stderr", "x")])[0].contains("no fixture"));
        assert!(run(&[file("tests/ui/ok_a.rs", "//! x")]).is_empty());
        assert!(run(&[file("tests/ui/support/a.rs", "//! x")]).is_empty());
    }
}
