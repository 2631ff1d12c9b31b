//! A driver for an engine that lacks transactions, foreign keys, generated keys and more: it must
//! pass its level, with each lack refused by its name.

#[allow(unreachable_pub, reason = "as in a crate of its own")]
mod dialect;
#[allow(unreachable_pub, reason = "as in a crate of its own")]
mod driver;
mod guide;

use async_trait::async_trait;
use driver::GlueBackend;
use orm_core::error::Result;
use orm_testkit::{Backend, Filter, KnownIssue, Level, Sandbox, Verdict, check};
use std::sync::Arc;

// guide: suite
/// GlueSQL, with a database for each case.
#[derive(Debug)]
struct GlueSql;

#[async_trait]
impl Backend for GlueSql {
    fn name(&self) -> &'static str {
        "gluesql"
    }

    fn level(&self) -> Level {
        Level::Core
    }

    fn driver(&self) -> Arc<dyn orm_core::backend::Backend> {
        Arc::new(GlueBackend)
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        Sandbox::open(&GlueBackend, format!("glue:{id}")).await
    }

    fn known_issues(&self) -> &'static [KnownIssue] {
        &KNOWN
    }

    fn version(&self) -> String {
        "0.20".to_owned()
    }
}

const fn known(case: &'static str, reason: &'static str) -> KnownIssue {
    KnownIssue { case, reason }
}

const OWN_ROW: &str = "an UPDATE that leaves a unique column as it is collides with its own row";
const NULL_OR: &str = "NULL OR TRUE is NULL";

/// What the engine does wrong; nothing in the driver can mend it.
static KNOWN: [KnownIssue; 12] = [
    known(
        "errors::statement::missing_table_and_syntax",
        "an unknown column is no error in an empty table",
    ),
    known("fields::datetime::auto_now_add_on_creation_only", OWN_ROW),
    known("fields::datetime::auto_now_on_every_save", OWN_ROW),
    known("inject::name::in_a_dictionary", OWN_ROW),
    known("write::save::null_into_every_kind", OWN_ROW),
    known("write::save::unchanged_is_fine", OWN_ROW),
    known("write::save::writes_its_own_row_only", OWN_ROW),
    known("filter::null::in_with_none_matches_null_rows", NULL_OR),
    known("filter::relation::two_paths_to_one_table", NULL_OR),
    known(
        "filter::list::longer_than_the_parameter_limit",
        "no text becomes a table of values",
    ),
    known(
        "lookup::text::empty_pattern_matches_every_value",
        "the empty text is found nowhere",
    ),
    known(
        "write::update::result_that_does_not_fit",
        "the only integers that take 64-bit values have 64 bits",
    ),
];
// guide: end

#[test]
fn the_poor_driver_passes_its_level() {
    let report = check(Arc::new(GlueSql), &Filter::all());
    let shown = |verdict: Verdict| {
        let records = report.records().iter();
        let found = records.filter(|record| record.verdict == verdict);
        found
            .map(|record| (record.case.id, record.message.as_str()))
            .collect::<Vec<_>>()
    };
    for verdict in [
        Verdict::Silent,
        Verdict::Overclaim,
        Verdict::Underclaim,
        Verdict::Failed,
        Verdict::Xpass,
    ] {
        assert_eq!(shown(verdict), [], "{verdict}");
    }
    // The cases above its level too.
    assert_eq!(
        report
            .records()
            .iter()
            .filter(|record| record.is_failure())
            .count(),
        0
    );
    assert_eq!(shown(Verdict::KnownIssue).len(), KNOWN.len());
    let (supported, refused) = (
        shown(Verdict::Supported).len(),
        shown(Verdict::Refused).len(),
    );
    assert!(
        supported > 150 && refused > 40,
        "{supported} supported, {refused} refused"
    );
}

/// Lines that are neither blank nor a comment.
fn lines(text: &str) -> usize {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    text.lines().filter(code).count()
}

#[test]
fn a_driver_is_small() {
    let (driver, dialect) = (
        lines(include_str!("driver.rs")),
        lines(include_str!("dialect.rs")),
    );
    assert!(driver <= 300, "{driver} lines");
    assert!(dialect <= 100, "{dialect} lines");
}
