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
const NO_BEGIN: &str = "text of `BEGIN` is an error: there are no transactions";
const NOT_IN_ITS_SQL: &str = "the engine's SQL lacks what the case writes itself";
const FEW_WORDS: &str = "its errors have no code and name no column";
const OTHER_TYPES: &str = "numbers and texts are kept in other types than were asked for";
const SMALL: &str = "lists and conditions are small";
const ROW_BY_ROW: &str = "rows go one by one, and without transactions not all or none";
const AT_ONCE: &str = "a result is made as a whole, and a database with its first use";

/// What the engine does wrong; nothing in the driver can mend it.
static KNOWN: [KnownIssue; 54] = [
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
    known("cancel::raw_begin::at_every_poll", NO_BEGIN),
    known("conn::session::raw_transaction_does_not_leak", NO_BEGIN),
    known("cancel::save::at_every_poll", OWN_ROW),
    known("driver::done::rows_are_those_matched", OWN_ROW),
    known("fault::save::at_every_call", OWN_ROW),
    known("inject::value::hundred_texts_in_every_place", OWN_ROW),
    known("names::script::capitals_and_other_scripts", OWN_ROW),
    known("write::save::equals_its_row", OWN_ROW),
    known(
        "conn::session::temporary_table_does_not_leak",
        NOT_IN_ITS_SQL,
    ),
    known("driver::row::equal_names_by_position", NOT_IN_ITS_SQL),
    known(
        "driver::statement::placeholders_in_texts_are_text",
        NOT_IN_ITS_SQL,
    ),
    known("errors::integrity::check_is_named", NOT_IN_ITS_SQL),
    known(
        "errors::integrity::several_columns_in_their_order",
        NOT_IN_ITS_SQL,
    ),
    known("limits::rows::a_hundred_thousand", NOT_IN_ITS_SQL),
    known("names::quoted::quotes_and_placeholders", NOT_IN_ITS_SQL),
    known(
        "schema::create::again_is_safe_and_keeps_rows",
        NOT_IN_ITS_SQL,
    ),
    known("schema::indexes::there_and_not_doubled", NOT_IN_ITS_SQL),
    known("schema::tables::columns_and_null", NOT_IN_ITS_SQL),
    known("schema::tables::named_as_the_model_says", NOT_IN_ITS_SQL),
    known("errors::cause::leads_to_the_driver", FEW_WORDS),
    known("errors::data::out_of_range_too_long_no_number", FEW_WORDS),
    known("errors::integrity::not_null_names_the_column", FEW_WORDS),
    known("errors::statement::names_what_is_missing", FEW_WORDS),
    known("errors::text::statement_without_values", FEW_WORDS),
    known("fields::float::exact", OTHER_TYPES),
    known(
        "fields::int::too_large_is_refused_and_never_wraps",
        OTHER_TYPES,
    ),
    known("text::bytes::not_utf8_is_a_data_error", OTHER_TYPES),
    known("limits::filter::deep_conditions", SMALL),
    known("limits::list::around_the_limit_of_values", SMALL),
    known("limits::list::seventy_thousand_values", SMALL),
    known("driver::sink::stops_a_long_result", AT_ONCE),
    known("tortoise::init::database_that_is_not_there", AT_ONCE),
    known("auto_key::bulk::with_and_without_keys", ROW_BY_ROW),
    known("bulk::create::children_of_existing_parents", ROW_BY_ROW),
    known("bulk::create::conflict_names_its_columns", ROW_BY_ROW),
    known("bulk::create::nulls_and_values_mixed", ROW_BY_ROW),
    known("bulk::create::same_instance_twice", ROW_BY_ROW),
    known("bulk::create::sets_automatic_instants", ROW_BY_ROW),
    known("bulk::create::texts_that_look_like_formats", ROW_BY_ROW),
    known("cancel::bulk_create_plain::at_every_poll", ROW_BY_ROW),
    known("fault::bulk_create_plain::at_every_call", ROW_BY_ROW),
    known("inject::value::in_many_rows", ROW_BY_ROW),
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
