//! Tests of the reports, over records made by hand.

use super::*;
use crate::backend::Level;
use orm_core::backend::{Capability, Claim};

fn record(backend: &'static str, verdict: Verdict, message: &str) -> Record {
    Record {
        backend,
        case: Case {
            id: "queryset::limit::first",
            covers: &["queryset.limit"],
            needs: &[Capability::Regex],
            level: Level::Core,
            serial: false,
            run: |_| Box::pin(async { Ok(()) }),
        },
        verdict,
        advisory: false,
        message: message.to_owned(),
        time: Duration::from_millis(3),
        statements: 2,
        sql: vec!["SELECT \"a\" < '</script><b>' | ```".to_owned()],
    }
}

fn column(name: &'static str) -> Column {
    let mut facts = Vec::new();
    for (capability, claim) in [
        (Capability::Regex, Claim::Has(false)),
        (Capability::MaxParams, Claim::AtMost(7)),
    ] {
        facts.push(column::Fact {
            capability,
            claim,
            underclaimed: capability == Capability::Regex,
        });
    }
    Column {
        name,
        level: Level::Full,
        driver: "driver 1.2".to_owned(),
        server: "server 3.4".to_owned(),
        missing: (name == "away").then(|| "no <server>".to_owned()),
        facts,
    }
}

fn report(records: Vec<Record>) -> Report {
    let columns = vec![column("one"), column("two"), column("away")];
    Report::new(columns, 1, records, Duration::ZERO)
}

fn cell(records: Vec<Record>) -> String {
    terminal::cell(&report(records).cell("one", |case| case.covers.contains(&"queryset.limit")))
}

#[test]
fn a_cell_says_the_worst_of_its_cases() {
    let one = |verdict| record("one", verdict, "");
    assert_eq!(cell(vec![one(Verdict::Supported)]), "✓ 1/1");
    assert_eq!(cell(vec![one(Verdict::Refused)]), "⊘ refused 1");
    let mixed = vec![one(Verdict::Supported), one(Verdict::Refused)];
    assert_eq!(cell(mixed), "✓ 2/2");
    let known = vec![one(Verdict::Supported), one(Verdict::KnownIssue)];
    assert_eq!(cell(known), "~ 1/2");
    let failed = vec![one(Verdict::Supported), one(Verdict::Overclaim)];
    assert_eq!(cell(failed), "✗ 1/2");
    let silent = vec![one(Verdict::Failed), one(Verdict::Silent)];
    assert_eq!(cell(silent), "! silent 0/2");
    assert_eq!(cell(vec![one(Verdict::NotRun)]), "· NOT RUN");
    assert_eq!(cell(Vec::new()), "·");
}

#[test]
fn an_empty_cell_of_a_backend_that_ran_is_found() {
    let report = report(vec![record("one", Verdict::Supported, "")]);
    let empty = report.empty_cells();
    assert!(!empty.contains(&"one: queryset.limit".to_owned()));
    assert!(empty.contains(&"two: queryset.limit".to_owned()));
    assert!(empty.contains(&"one: queryset.offset".to_owned()));
    assert!(!empty.iter().any(|cell| cell.starts_with("away")));
}

#[test]
fn the_terminal_names_what_did_not_run_and_how_to_run_a_failure_again() {
    let text = report(vec![record("one", Verdict::Silent, "accepted")]).to_terminal();
    assert!(text.contains("away: NOT RUN, no <server>"), "{text}");
    assert!(
        text.contains("SILENT one::queryset::limit::first: accepted"),
        "{text}"
    );
    assert!(
        text.contains("--exact one::queryset::limit::first"),
        "{text}"
    );
    assert!(
        text.contains("UNDERCLAIM one: the engine can `regex`"),
        "{text}"
    );
}

#[test]
fn the_json_has_a_line_per_case_and_the_versions() {
    let json = report(vec![record("one", Verdict::Failed, "no")]).to_json();
    assert_eq!(json["backends"][0]["driver"], "driver 1.2");
    assert_eq!(json["backends"][0]["server"], "server 3.4");
    assert_eq!(
        json["backends"][0]["capabilities"]["max_params"]["claim"],
        "7"
    );
    assert_eq!(json["backends"][2]["not_run"], "no <server>");
    assert_eq!(json["suite"], env!("CARGO_PKG_VERSION"));
    let case = &json["cases"][0];
    assert_eq!(case["verdict"], "FAILED");
    assert_eq!(case["statements"], 2);
    assert_eq!(case["message"], "no");
    assert_eq!(case["needs"][0], "regex");
    assert!(case["sql"][0].as_str().is_some());
}

#[test]
fn the_page_shows_texts_as_texts_and_needs_nothing_else() {
    let hostile = "<img src=x onerror=alert(1)> & \"quoted\" 'too' \u{1b}[31m";
    let page = report(vec![record("one", Verdict::Failed, hostile)]).to_html();
    assert!(!page.contains("<img"), "{page}");
    assert!(
        page.contains("&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quoted&quot; &#39;too&#39;")
    );
    assert!(!page.contains('\u{1b}'));
    // One script of ours, and no text of a statement ends it.
    assert_eq!(page.matches("</script>").count(), 1);
    assert_eq!(page.matches("<script").count(), 1);
    for outside in ["http:", "https:", "url(", "@import", " src=\"", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("data-verdict=\"FAILED\""));
    assert!(page.contains("--exact one::queryset::limit::first"));
    assert!(page.contains("NOT RUN") && page.contains("no &lt;server&gt;"));
}

#[test]
fn the_markdown_keeps_its_tables() {
    let text = report(vec![record("one", Verdict::Failed, "a | b\n# c <b>")]).to_markdown();
    assert!(text.contains(r"a \| b # c \<b\>"), "{text}");
    assert!(
        text.contains("````sql"),
        "the fence is longer than the text's: {text}"
    );
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    assert!(rows.clone().all(|line| cells(line) == 5), "{text}");
    assert_eq!(rows.count(), API_ITEMS.len());
}
