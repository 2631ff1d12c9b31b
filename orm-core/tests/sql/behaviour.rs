//! What holds for the texts of every family.

use crate::dialects::ALL;
use crate::models::{POST, TAG, THROUGH, USER};
use crate::shapes::{q, rows};
use orm_core::backend::{Dialect, Statement};
use orm_core::error::ErrorKind;
use orm_core::query::{Predicate, Terms};
use orm_core::sql;
use orm_core::value::Value;

fn lite() -> &'static dyn Dialect {
    &ALL[2]
}

fn select(filter: Predicate) -> Statement {
    sql::select(&mut rows(&USER, vec![filter]), lite()).unwrap()
}

#[test]
fn a_known_shape_renders_nothing() {
    // Other tests render at the same time, so the texts' numbers tell.
    let first = select(q(&USER, "age__gt", 1).or(q(&USER, "name", "a")));
    let second = select(q(&USER, "age__gt", 2).or(q(&USER, "name", "b")));
    assert_eq!(first.text.id(), second.text.id());
    assert_eq!(second.values, [Value::I64(2), Value::from("b")]);
    assert!(orm_core::instrument::rendered_texts() > 0);
}

#[test]
fn lists_of_nearby_lengths_share_a_text() {
    let five = select(q(&USER, "id__in", vec![Value::I64(1); 5]));
    let eight = select(q(
        &USER,
        "id__in",
        (0..8).map(Value::I64).collect::<Vec<_>>(),
    ));
    assert_eq!(five.text.id(), eight.text.id());
    assert_eq!(five.values.len(), 8);
}

#[test]
fn a_million_values_are_one() {
    let many = select(q(
        &USER,
        "id__in",
        (0..1_000_000).map(Value::I64).collect::<Vec<_>>(),
    ));
    assert_eq!(many.values.len(), 1);
    assert!(many.sql().contains("json_each(?)"));
    let select = |dialect| {
        let list = q(&USER, "id__in", vec![Value::I64(1); 1_000_000]);
        sql::select(&mut rows(&USER, vec![list]), dialect)
    };
    let array = select(&ALL[0]).unwrap();
    assert_eq!(array.values.len(), 1);
    assert!(array.sql().contains("= ANY(CAST($1 AS bigint[]))"));
    let table = select(&ALL[1]).unwrap();
    assert_eq!(table.values.len(), 1);
    assert!(table.sql().contains("JSON_TABLE(?"));
}

#[test]
fn values_follow_the_text_when_it_reorders_them() {
    // The compound condition comes first in the tree and second in the sub-query.
    let any = q(&USER, "age", 1).or(q(&USER, "posts__score", 2));
    let all = Predicate::And(Terms::new(vec![
        q(&USER, "posts__title", "a"),
        q(&USER, "age__gt", 5),
        any,
    ]));
    let statement = select(all);
    let at = |part: &str| statement.sql().find(part).unwrap();
    assert!(at("\"title\" = ?") < at("\"score\" = ?"));
    assert!(at("\"score\" = ?") < at("\"age\" > ?"));
    let expected: [Value; 4] = ["a".into(), 1.into(), 2.into(), 5.into()];
    assert_eq!(statement.values, expected);
}

#[test]
fn values_are_moved_out_of_the_tree() {
    let mut query = rows(&USER, vec![q(&USER, "name", "secret")]);
    sql::select(&mut query, lite()).unwrap();
    let Predicate::Compare(_, _, orm_core::query::Operand::Expr(orm_core::query::Expr::Value(v))) =
        &query.filters[0]
    else {
        panic!("a comparison stays one")
    };
    assert!(v.is_null());
}

fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run);
    thread.unwrap().join().unwrap();
}

#[test]
fn wide_and_deep_trees_render_on_a_small_stack() {
    on_a_small_stack(|| {
        let wide = (0..10_000).map(|i| q(&USER, "age__gt", i)).collect();
        let wide = select(Predicate::Or(Terms::new(wide)));
        assert_eq!(wide.values.len(), 10_000);
        let mut deep = q(&USER, "age", 1);
        for i in 0..249 {
            let level = vec![q(&USER, "posts__score", i), deep];
            deep = Predicate::Not(Box::new(Predicate::Or(Terms::new(level))));
        }
        assert_eq!(select(deep).values.len(), 250);
    });
}

#[test]
fn trees_beyond_the_limits_are_refused() {
    on_a_small_stack(|| {
        let mut deep = Predicate::And(Terms::new(vec![q(&USER, "age", 1)]));
        for _ in 0..600 {
            deep = Predicate::And(Terms::new(vec![Predicate::Not(Box::new(deep))]));
        }
        let error = sql::select(&mut rows(&USER, vec![deep]), lite()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
        let wide = (0..10_100).map(|i| q(&USER, "age__gt", i)).collect();
        let wide = Predicate::Or(Terms::new(wide));
        let error = sql::select(&mut rows(&USER, vec![wide]), lite()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Validation);
    });
}

#[test]
fn nul_in_a_text_names_the_column() {
    let error = sql::select(&mut rows(&USER, vec![q(&USER, "name", "a\0b")]), lite()).unwrap_err();
    assert!(error.to_string().contains("`name`"), "{error}");
}

#[test]
fn wrong_numbers_of_values_are_refused() {
    assert!(sql::insert(&USER, &[1, 2], vec![1.into()], &[], lite()).is_err());
    assert!(sql::link(THROUGH, 1.into(), vec![], lite()).is_err());
    assert!(sql::insert_many(&TAG, &[1], 0, vec![], false, lite()).is_err());
}

#[test]
fn every_text_has_as_many_placeholders_as_values() {
    for dialect in &ALL {
        for (name, make) in crate::shapes::SHAPES
            .iter()
            .filter(|(name, _)| *name != "link many")
        {
            let Ok(statement) = make(dialect) else {
                continue;
            };
            let marks = statement.sql().matches(['?', '$']).count();
            assert_eq!(marks, statement.values.len(), "{name}: {}", statement.sql());
        }
    }
    assert_eq!(POST.fields.len(), 7);
}

#[test]
#[allow(
    clippy::print_stdout,
    reason = "a figure for whoever runs it in release mode"
)]
fn a_known_shape_costs_little() {
    let mut best = std::time::Duration::MAX;
    for _ in 0..20 {
        let queries = (0..1000).map(|i| rows(&USER, vec![q(&USER, "id", i)]));
        let mut queries: Vec<_> = queries.collect();
        let start = std::time::Instant::now();
        for query in &mut queries {
            let statement = sql::select(query, lite()).unwrap();
            assert_eq!(statement.values.len(), 1);
        }
        best = best.min(start.elapsed() / 1000);
    }
    println!("{best:?} a statement");
}
