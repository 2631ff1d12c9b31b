//! Texts of statements: golden files for each family, and what does not depend on the family.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

mod behaviour;
mod dialects;
mod gates;
mod models;
mod shapes;

use orm_core::backend::Statement;
use orm_core::sql::ddl::create_schema;
use orm_core::value::Value;
use std::fmt::Write;
use std::path::Path;

/// A value, shown; `Debug` of values hides them.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::F64(value) => format!("{value:?}"),
        Value::Text(value) => format!("{value:?}"),
        other => format!("{other:?}"),
    }
}

fn push(out: &mut String, name: &str, statement: orm_core::error::Result<Statement>) {
    writeln!(out, "-- {name}").unwrap();
    match statement {
        Ok(statement) => {
            let mut values: Vec<String> = statement.values.iter().map(shown).collect();
            // Of very long lists the first value tells enough.
            if values.iter().map(String::len).sum::<usize>() > 1_000 {
                values.truncate(1);
            }
            writeln!(out, "{}", statement.sql()).unwrap();
            let (intent, cost) = (statement.intent, statement.cost);
            writeln!(out, "-- [{}] {intent:?} {cost:?}\n", values.join(", ")).unwrap();
        }
        Err(error) => writeln!(out, "-- error: {error}\n").unwrap(),
    }
}

#[test]
fn texts_are_as_in_the_golden_files() {
    for dialect in &dialects::ALL {
        let mut out = String::new();
        for (name, make) in shapes::SHAPES {
            push(&mut out, name, make(dialect));
        }
        for safe in [false, true] {
            writeln!(out, "-- schema, safe = {safe}").unwrap();
            for text in create_schema(&models::ALL, dialect, safe).unwrap() {
                writeln!(out, "{text};").unwrap();
            }
            writeln!(out).unwrap();
        }
        compare(orm_core::backend::Dialect::name(dialect), &out);
    }
}

/// Compares with the golden file, or rewrites it when `BLESS=1`.
fn compare(name: &str, out: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/sql/golden/{name}.sql"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&file, out).unwrap();
    }
    let golden = std::fs::read_to_string(&file).unwrap_or_default();
    for (line, (expected, found)) in golden.lines().zip(out.lines()).enumerate() {
        assert_eq!(expected, found, "{name}.sql, line {}", line + 1);
    }
    assert_eq!(golden, out, "{name}.sql has another length");
}
