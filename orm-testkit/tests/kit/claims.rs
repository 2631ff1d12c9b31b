//! Claims that are taken away one by one, and claims that do not hold.

use crate::sqlite::Sqlite;
use orm_core::backend::Isolation;
use orm_testkit::layer::{Facts, Layered};
use orm_testkit::{Capability, Filter, Level, Report, Verdict, WhenOff, check};
use std::sync::Arc;

fn with(facts: Facts, filter: &Filter) -> Report {
    check(Arc::new(Layered::new(Arc::new(Sqlite), facts)), filter)
}

fn without(capability: Capability, filter: &Filter) -> Report {
    let facts = Facts::new(move |facts| *facts = facts.without(capability));
    with(facts, filter)
}

fn shown(report: &Report) -> String {
    let records = report.records().iter();
    let lines = records.map(|r| format!("{} {}: {}\n", r.verdict, r.case.id, r.message));
    lines.collect()
}

#[test]
fn a_claim_that_is_taken_away_is_refused_or_replaced_and_never_silent() {
    for capability in Capability::all() {
        let report = without(capability, &Filter::all().needs(capability));
        assert!(!report.records().is_empty(), "no case needs {capability}");
        for record in report.records() {
            let expected: &[Verdict] = match WhenOff::of(capability) {
                // SQLite never claims this one, so its probe decides.
                WhenOff::Refused => &[Verdict::Refused, Verdict::Underclaim],
                WhenOff::OtherWay => &[Verdict::Supported, Verdict::Refused],
            };
            assert!(
                expected.contains(&record.verdict),
                "without {capability}: {}",
                shown(&report)
            );
        }
    }
}

#[test]
fn a_driver_that_claims_nothing_has_no_silent_and_no_failed_case() {
    let nothing = Facts::new(|facts| {
        for capability in Capability::all().filter(|capability| !capability.is_limit()) {
            // A key that cannot come back would leave no case of writing.
            if capability != Capability::LastInsertId {
                *facts = facts.without(capability);
            }
        }
    });
    let report = with(nothing, &Filter::all());
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{}", shown(&report));
    let supported = report.records().iter();
    let supported = supported.filter(|record| record.verdict == Verdict::Supported);
    assert!(supported.count() > 120, "{}", shown(&report));
}

#[test]
fn the_engine_itself_shows_what_could_be_claimed() {
    let report = without(
        Capability::Savepoints,
        &Filter::all().id("nested::inner_fails_alone"),
    );
    let record = &report.records()[0];
    assert_eq!(record.verdict, Verdict::Underclaim);
    assert!(record.message.contains("savepoints"), "{}", record.message);
    assert!(!record.is_failure());
}

#[test]
fn claims_that_do_not_hold_are_found() {
    let found = |facts: Facts, id: &str| {
        let report = with(facts, &Filter::all().id(id));
        assert_eq!(report.records().len(), 1, "{id}");
        assert_eq!(report.failures().count(), 1, "{}", shown(&report));
        report.records()[0].verdict
    };
    let levels = Facts::new(|facts| {
        facts.isolation = &[Isolation::ReadCommitted, Isolation::Serializable];
    });
    assert_eq!(found(levels, "capability::isolation"), Verdict::Overclaim);
    let comments = Facts::new(|facts| facts.comments = true);
    assert_eq!(
        found(comments, "descriptions_are_comments"),
        Verdict::Overclaim
    );
    let values = Facts::new(|facts| facts.max_params = 40_000);
    assert_eq!(found(values, "as_many_values"), Verdict::Overclaim);
    let altering = Facts::new(|facts| {
        facts.forward_references = false;
        facts.alter_add_foreign_key = true;
    });
    assert_eq!(
        found(altering, "circle_of_foreign_keys"),
        Verdict::Overclaim
    );
}

#[test]
fn the_layer_alone_changes_nothing() {
    let report = with(Facts::new(|_| {}), &Filter::all());
    for record in report.records() {
        let fine = matches!(record.verdict, Verdict::Supported | Verdict::Refused);
        assert!(fine, "{}", shown(&report));
    }
    assert!(
        report.empty_cells().is_empty(),
        "{:?}",
        report.empty_cells()
    );
    // A method of the dialect that the layer did not pass on would show in the texts.
    let plain = check(Arc::new(Sqlite), &Filter::all());
    let alike = plain.records().iter().zip(report.records());
    for (plain, layered) in alike.filter(|(plain, _)| plain.case.level == Level::Core) {
        assert_eq!(plain.case.id, layered.case.id);
        assert_eq!(plain.sql, layered.sql, "{}", plain.case.id);
    }
}
