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
