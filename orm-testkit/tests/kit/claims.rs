//! Claims that are taken away one by one, and claims that do not hold.

use crate::sqlite::Sqlite;
use orm_testkit::layer::{Facts, Layered};
use orm_testkit::{Capability, Filter, Verdict, check};
use std::sync::Arc;

#[test]
fn explore() {
    for capability in Capability::all() {
        let layer = Facts::new(move |facts| *facts = facts.without(capability));
        let report = check(Arc::new(Layered::new(Arc::new(Sqlite), layer)), &Filter::all());
        for record in report.records() {
            if record.verdict != Verdict::Supported {
                println!("@@ {capability} {} {} {}", record.verdict, record.case.id, record.message.chars().take(150).collect::<String>());
            }
        }
    }
}
