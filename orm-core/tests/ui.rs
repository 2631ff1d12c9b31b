//! What the macros accept and refuse, and what the compiler says about each mistake.

use std::fs;

#[test]
fn macros_accept_and_refuse_what_they_should() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/ok_*.rs");
    for entry in fs::read_dir("tests/ui").expect("the cases are there") {
        let path = entry.expect("the directory can be read").path();
        let name = path
            .file_name()
            .and_then(|n| n.to_str())
            .unwrap_or_default();
        if name.ends_with(".rs") && !name.starts_with("ok_") {
            cases.compile_fail(path);
        }
    }
}

/// A message that does not fit a screen is not read.
const MAX_LINES: usize = 20;

#[test]
fn every_message_is_short() {
    for entry in fs::read_dir("tests/ui").expect("the cases are there") {
        let path = entry.expect("the directory can be read").path();
        if path.extension().is_some_and(|e| e == "stderr") {
            let lines = fs::read_to_string(&path).expect("readable").lines().count();
            assert!(lines <= MAX_LINES, "{}: {lines} lines", path.display());
        }
    }
}
