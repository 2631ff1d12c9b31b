//! The list of aspects in `docs/conformance-cases.md`: numbered without a gap, and every case and
//! test that it names exists.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

use orm_testkit::suite;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// One row of the list.
struct Aspect {
    number: usize,
    held_by: String,
}

fn root() -> PathBuf {
    let kit = Path::new(env!("CARGO_MANIFEST_DIR"));
    kit.parent().unwrap().to_owned()
}

fn aspects() -> Vec<Aspect> {
    let text = std::fs::read_to_string(root().join("docs/conformance-cases.md")).unwrap();
    let mut aspects = Vec::new();
    for line in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let Ok(number) = cells[0].trim_start_matches("| ").parse() else {
            continue;
        };
        let held_by = cells[cells.len() - 1].trim_end_matches(" |").to_owned();
        aspects.push(Aspect { number, held_by });
    }
    aspects
}

/// The parts in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with one row.
fn fault(held_by: &str, cases: &BTreeSet<&str>) -> Option<String> {
    if let Some(feature) = held_by.strip_prefix("later: ") {
        return feature.is_empty().then(|| "no feature".to_owned());
    }
    let names = quoted(held_by);
    if names.is_empty() {
        return Some("nothing holds it".to_owned());
    }
    if held_by.starts_with("awaited: ") {
        let there = names.iter().find(|name| cases.contains(*name));
        return there.map(|name| format!("`{name}` is there: it is no longer awaited"));
    }
    if held_by.starts_with("elsewhere: ") {
        return names.into_iter().find_map(missing_test);
    }
    let unknown = names.iter().find(|name| !cases.contains(*name));
    unknown.map(|name| format!("there is no case `{name}`"))
}

/// Why `file` or `file::test` is no test.
fn missing_test(name: &str) -> Option<String> {
    let (file, test) = name.split_once("::").unwrap_or((name, ""));
    let Ok(text) = std::fs::read_to_string(root().join(file)) else {
        return Some(format!("there is no file `{file}`"));
    };
    let found = test.is_empty() || text.contains(&format!("fn {test}("));
    (!found).then(|| format!("`{file}` has no `{test}`"))
}

#[test]
fn aspects_are_numbered_without_a_gap() {
    let numbers: Vec<usize> = aspects().iter().map(|aspect| aspect.number).collect();
    assert_eq!(numbers, (1..=319).collect::<Vec<_>>());
}

#[test]
fn what_holds_an_aspect_exists() {
    let cases = suite::cases();
    let ids = cases.iter().map(|case| case.id).collect();
    let faults: Vec<String> = aspects()
        .iter()
        .filter_map(|aspect| {
            let fault = fault(&aspect.held_by, &ids)?;
            Some(format!("{}: {fault}", aspect.number))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_kind_of_fault_is_found() {
    let cases = BTreeSet::from(["a::b::c"]);
    let found = |held_by: &str| fault(held_by, &cases).unwrap_or_default();
    assert_eq!(found("`a::b::c`"), "");
    assert!(found("`a::b::c`, `a::b::d`").contains("`a::b::d`"));
    assert_eq!(found("later: streams"), "");
    assert_eq!(found("later: "), "no feature");
    assert!(found("").contains("nothing"));
    assert_eq!(found("awaited: `a::b::d`"), "");
    assert!(found("awaited: `a::b::c`").contains("no longer"));
    assert_eq!(
        found("elsewhere: `orm-testkit/tests/aspects.rs::aspects`"),
        ""
    );
    assert!(found("elsewhere: `orm-testkit/tests/aspects.rs::none`").contains("no `none`"));
    assert!(found("elsewhere: `none.rs`").contains("no file"));
}
