//! The layer rule of orm-core: a module names only modules of its own or a lower layer, and two
//! modules never name each other.

use super::{Fault, File, is_test};
use crate::scan;
use std::collections::{BTreeMap, BTreeSet};

/// Modules of orm-core, lowest layer first.
const LAYERS: &[&[&str]] = &[
    &["error"],
    &["value"],
    &["schema", "query"],
    &["instrument", "backend"],
    &["entity"],
    &["columns", "fields"],
    &["pool", "sql", "connection"],
    &["transaction"],
    &["queryset", "relation"],
    &["model"],
    &["tortoise", "runtime", "macros", "__private", "prelude"],
];

const ROOT: &str = "orm-core/src/";

/// Faults of one file: modules without a layer, and names of higher layers.
pub(crate) fn check(file: &File, faults: &mut Vec<Fault>) {
    let Some(module) = module_of(&file.path) else {
        return;
    };
    let Some(own) = layer(module) else {
        let message = format!("module `{module}` has no layer: add it to the list in xtask");
        return faults.push(Fault::new(&file.path, 0, message));
    };
    for (line, name) in named(&file.text) {
        if layer(&name).is_some_and(|other| other > own) {
            let message = format!("`{module}` names `{name}`, which is a higher layer");
            faults.push(Fault::new(&file.path, line, message));
        }
    }
}

/// Faults across files: modules that name each other, directly or in a ring.
pub(crate) fn check_cycles(files: &[File], faults: &mut Vec<Fault>) {
    let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for file in files {
        if let Some(module) = module_of(&file.path).filter(|_| !is_test(files, &file.path)) {
            let others = named(&file.text).into_iter().map(|(_, name)| name);
            names
                .entry(module)
                .or_default()
                .extend(others.filter(|name| name != module));
        }
    }
    for module in names.keys() {
        if reaches(&names, module, module) {
            let message = format!("module `{module}` is part of a ring of modules");
            faults.push(Fault::new(&format!("{ROOT}{module}.rs"), 0, message));
        }
    }
}

fn reaches(names: &BTreeMap<&str, BTreeSet<String>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        for next in names.get(module).into_iter().flatten() {
            if next == to {
                return true;
            }
            if seen.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    false
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|modules| modules.contains(&module))
}

/// The top module that a file of orm-core belongs to; `lib.rs` belongs to none.
fn module_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(ROOT)?;
    let module = rest.split(['/', '.']).next()?;
    (module != "lib").then_some(module)
}

/// The top modules named as `crate::module` or `crate::{module, ..}`, outside tests.
fn named(text: &str) -> Vec<(usize, String)> {
    let code = scan::code(text, false);
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group).map(|head| (line, head))),
            None => found.extend(head(rest).map(|head| (line, head))),
        }
    }
    found
}

fn head(path: &str) -> Option<String> {
    let name: String = path
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

/// First segments of the paths in `{a::b, c::{d, e}}`, given the text behind the opening brace.
fn group_heads(group: &str) -> impl Iterator<Item = String> {
    let mut depth = 1;
    let mut parts = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => parts.push(String::new()),
            _ => parts.last_mut().expect("starts with one part").push(c),
        }
        if depth == 0 {
            break;
        }
    }
    parts.into_iter().filter_map(|part| head(&part))
}

#[cfg(test)]
mod tests {
    use super::super::file;
    use super::*;

    fn messages(path: &str, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        check(&file(path, text), &mut faults);
        faults.into_iter().map(|fault| fault.message).collect()
    }

    #[test]
    fn a_higher_layer_is_a_fault_however_it_is_named() {
        let path = "orm-core/src/error/lookup.rs";
        assert_eq!(messages(path, "use crate::queryset::QuerySet;").len(), 1);
        assert_eq!(messages(path, "use crate::{value::Value, error};").len(), 1);
        assert_eq!(
            messages(path, "fn f() -> crate::model::X { todo() }").len(),
            1
        );
        assert_eq!(
            messages("orm-core/src/model.rs", "use crate::queryset::QuerySet;").len(),
            0
        );
    }

    #[test]
    fn comments_and_tests_may_name_anything() {
        let text =
            "//! See crate::model::Model.\n#[cfg(test)]\nmod tests {\n use crate::model::M;\n}";
        assert_eq!(messages("orm-core/src/value.rs", text).len(), 0);
    }

    #[test]
    fn a_module_without_a_layer_is_a_fault() {
        assert_eq!(messages("orm-core/src/helpers.rs", "").len(), 1);
        assert_eq!(messages("orm-sqlite/src/helpers.rs", "").len(), 0);
    }

    #[test]
    fn modules_of_one_layer_do_not_name_each_other() {
        let schema = file("orm-core/src/schema.rs", "use crate::query::Node;");
        let query = file(
            "orm-core/src/query/path.rs",
            "use crate::schema::ModelMeta;",
        );
        let mut faults = Vec::new();
        check_cycles(&[schema, query], &mut faults);
        assert_eq!(faults.len(), 2, "{faults:?}");
        let alone = file(
            "orm-core/src/query/path.rs",
            "use crate::schema::ModelMeta;",
        );
        faults.clear();
        check_cycles(&[alone], &mut faults);
        assert_eq!(faults, []);
    }
}
