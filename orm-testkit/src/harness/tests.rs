//! Tests of the harness: each verdict and each exit code, over a backend without a database.

use super::*;
use crate::backend::{KnownIssue, Level, Sandbox};
use crate::case::{CaseResult, Context, Failure};
use crate::verdict::Verdict;
use crate::{cases, check_cases};
use async_trait::async_trait;
use orm_core::backend::{BaseDBAsyncClient, Capabilities, Dialect, Intent, Lease};
use orm_core::backend::{SqlFamily, TextSpelling};
use orm_core::error::{Error, Result};
use orm_core::query::{DatePart, Lookup};
use orm_core::value::{ColumnType, Value};
use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

static FACTS: Capabilities = {
    let mut facts = Capabilities::none();
    facts.transactions = true;
    facts
};

/// Claims transactions and nothing else.
#[derive(Debug)]
struct Words;

impl Dialect for Words {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn family(&self) -> SqlFamily {
        SqlFamily::Sqlite
    }
    fn capabilities(&self) -> &'static Capabilities {
        &FACTS
    }
    fn column_type(&self, _: ColumnType) -> Cow<'static, str> {
        Cow::Borrowed("TEXT")
    }
    fn generated_key(&self) -> &'static str {
        ""
    }
    fn text_lookup(&self, _: Lookup) -> Option<TextSpelling> {
        None
    }
    fn date_part(&self, _: DatePart) -> &'static str {
        "{l}"
    }
    fn literal(&self, _: &Value) -> Result<String> {
        Ok("NULL".to_owned())
    }
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl BaseDBAsyncClient for Nowhere {
    fn dialect(&self) -> &'static dyn Dialect {
        &Words
    }
    async fn acquire(&self, _: Intent) -> Result<Lease> {
        Err(Error::configuration("nowhere"))
    }
    async fn close(&self) {}
}

#[derive(Debug)]
struct NoDriver;

#[async_trait]
impl orm_core::backend::Backend for NoDriver {
    fn schemes(&self) -> &'static [&'static str] {
        &["nowhere"]
    }
    async fn connect(
        &self,
        _: &orm_core::backend::ConnectionUrl,
        _: &orm_core::backend::ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        Ok(Arc::new(Nowhere))
    }
}

/// A backend whose serial cases need no database.
#[derive(Clone, Debug)]
struct Fake {
    availability: Availability,
    level: Level,
    deadline: Duration,
    removed: Arc<AtomicUsize>,
    keeps: bool,
}

fn fake() -> Fake {
    Fake {
        availability: Availability::Ready,
        level: Level::Full,
        deadline: Duration::from_secs(20),
        removed: Arc::default(),
        keeps: false,
    }
}

#[async_trait]
impl Backend for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }
    fn availability(&self) -> Availability {
        self.availability.clone()
    }
    fn known_issues(&self) -> &'static [KnownIssue] {
        &[KnownIssue {
            case: "fake::known::issue",
            reason: "a defect",
        }]
    }
    fn level(&self) -> Level {
        self.level
    }
    fn deadline(&self) -> Duration {
        self.deadline
    }
    fn driver(&self) -> Arc<dyn orm_core::backend::Backend> {
        Arc::new(NoDriver)
    }
    async fn provision(&self, _: &str) -> Result<Sandbox> {
        let (removed, keeps) = (self.removed.clone(), self.keeps);
        let sandbox = Sandbox::new(Arc::new(Nowhere), "nowhere:");
        Ok(sandbox.with_teardown(async move {
            if keeps {
                return Err(Error::configuration("cannot be removed"));
            }
            removed.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }))
    }
}

async fn passes(_: &Context) -> CaseResult {
    Ok(())
}
async fn fails(_: &Context) -> CaseResult {
    Err(Failure::new("as intended"))
}
async fn panics(_: &Context) -> CaseResult {
    panic!("as intended")
}
async fn never_ends(_: &Context) -> CaseResult {
    std::future::pending().await
}
async fn refuses_regex(_: &Context) -> CaseResult {
    Err(Error::Unsupported("regex").into())
}
async fn refuses_transactions(_: &Context) -> CaseResult {
    Err(Error::Unsupported("transactions").into())
}

const PASSES: &[Case] = cases! { #[serial] "fake::it::passes" => passes, ["model"]; };
const FAILS: &[Case] = cases! { #[serial] "fake::it::fails" => fails, ["model"]; };
const PANICS: &[Case] = cases! { #[serial] "fake::it::panics" => panics, ["model"]; };
const HANGS: &[Case] = cases! { #[serial] "fake::it::hangs" => never_ends, ["model"]; };
const KNOWN: &[Case] = cases! { #[serial] "fake::known::issue" => fails, ["model"]; };
const MENDED: &[Case] = cases! { #[serial] "fake::known::issue" => passes, ["model"]; };
const FAILS_FULL: &[Case] =
    cases! { #[serial] "fake::it::fails_full" => fails, ["model"], level Full; };
const REFUSED: &[Case] =
    cases! { #[serial] "fake::it::refused" => refuses_regex, ["model"], needs [Regex]; };
const SILENT: &[Case] =
    cases! { #[serial] "fake::it::silent" => passes, ["model"], needs [Regex]; };
const CONFUSED: &[Case] =
    cases! { #[serial] "fake::it::confused" => refuses_transactions, ["model"], needs [Regex]; };
const BREAKS: &[Case] = cases! { #[serial] "fake::it::breaks" => fails, ["model"], needs [Regex]; };
const OVERCLAIM: &[Case] =
    cases! { #[serial] "fake::it::over" => fails, ["model"], needs [Transactions]; };
const REFUSES_CLAIMED: &[Case] = cases! { #[serial] "fake::it::claimed" => refuses_transactions, ["model"], needs [Transactions]; };
const UNDECLARED: &[Case] =
    cases! { #[serial] "fake::it::undeclared" => refuses_regex, ["model"]; };
const OTHER_WAY: &[Case] =
    cases! { #[serial] "fake::it::other_way" => passes, ["model"], needs [MultiRowInsert]; };

fn code(cases: &[Case], words: &[&str]) -> u8 {
    code_on(fake(), cases, words)
}

fn code_on(backend: Fake, cases: &[Case], words: &[&str]) -> u8 {
    // Into a file, so that failures which are intended do not show up in our own output.
    let log = std::env::temp_dir().join(format!("orm-testkit-{}.log", std::process::id()));
    let log = format!("--logfile={}", log.display());
    let fixed = ["conformance", log.as_str()];
    let words = fixed.iter().chain(words).map(|word| word.to_string());
    let options = Options::parse(words).expect("the arguments are right");
    run_cases(&[Arc::new(backend)], cases, &options)
}

const ONLY: [&str; 2] = ["--item", "model"];

#[test]
fn each_outcome_has_its_exit_code() {
    assert_eq!(code(PASSES, &ONLY), 0);
    assert_eq!(code(REFUSED, &ONLY), 0);
    for failing in [FAILS, PANICS, SILENT, OVERCLAIM, MENDED] {
        assert_eq!(code(failing, &ONLY), CASE_FAILED, "{}", failing[0].id);
    }
    assert_eq!(code(PASSES, &["--item", "queryset.limit"]), NOTHING_RAN);
    assert_eq!(code(PASSES, &["--require", "other"]), BACKEND_MISSING);
    assert_eq!(code(PASSES, &["--backend", "other"]), BACKEND_MISSING);
    assert_eq!(code(PASSES, &["--coverage"]), COVERAGE_GAP);
    assert_eq!(code(PASSES, &[]), COVERAGE_GAP);
    let nowhere = ["--item", "model", "--report", "/dev/null/report"];
    assert_eq!(code(PASSES, &nowhere), WRONG_ARGUMENTS);
}

#[test]
fn each_outcome_has_its_verdict() {
    for (cases, verdict) in [
        (PASSES, Verdict::Supported),
        (OTHER_WAY, Verdict::Supported),
        (REFUSED, Verdict::Refused),
        (KNOWN, Verdict::KnownIssue),
        (FAILS, Verdict::Failed),
        (PANICS, Verdict::Failed),
        (UNDECLARED, Verdict::Failed),
        (OVERCLAIM, Verdict::Overclaim),
        (REFUSES_CLAIMED, Verdict::Overclaim),
        (SILENT, Verdict::Silent),
        (CONFUSED, Verdict::Silent),
        (BREAKS, Verdict::Silent),
        (MENDED, Verdict::Xpass),
    ] {
        let report = check_cases(Arc::new(fake()), cases);
        let id = cases[0].id;
        assert_eq!(report.verdict(id), Some(verdict), "{id}");
        let failures = report.failures().count();
        assert_eq!(failures, usize::from(verdict.is_failure()), "{id}");
    }
}

#[test]
fn a_known_issue_must_fail() {
    assert_eq!(code(KNOWN, &ONLY), 0);
    assert_eq!(code(MENDED, &ONLY), CASE_FAILED);
}

#[test]
fn a_case_above_the_level_is_shown_and_no_failure() {
    let core = || Fake {
        level: Level::Core,
        ..fake()
    };
    let report = check_cases(Arc::new(core()), FAILS_FULL);
    let record = &report.records()[0];
    assert!(record.advisory && record.verdict == Verdict::Failed && !record.is_failure());
    assert!(report.to_terminal().contains("FAILED (advisory)"));
    assert_eq!(code_on(core(), FAILS_FULL, &ONLY), 0);
    assert_eq!(code(FAILS_FULL, &ONLY), CASE_FAILED);
}

#[test]
fn a_missing_backend_is_never_a_pass() {
    let missing = || Fake {
        availability: Availability::Missing("no server".to_owned()),
        ..fake()
    };
    assert_eq!(code_on(missing(), PASSES, &ONLY), BACKEND_MISSING);
    let required = ["--require", "fake"];
    assert_eq!(code_on(missing(), PASSES, &required), BACKEND_MISSING);
    let allowed = ["--item", "model", "--allow-not-run", "fake"];
    assert_eq!(code_on(missing(), PASSES, &allowed), NOTHING_RAN);
    let report = check_cases(Arc::new(missing()), PASSES);
    assert_eq!(report.verdict(PASSES[0].id), Some(Verdict::NotRun));
    assert!(report.to_terminal().contains("NOT RUN, no server"));
}

#[test]
fn a_case_without_an_end_fails_with_its_name() {
    let hasty = Fake {
        deadline: Duration::from_millis(50),
        ..fake()
    };
    let removed = hasty.removed.clone();
    let report = check_cases(Arc::new(hasty), HANGS);
    assert_eq!(report.verdict(HANGS[0].id), Some(Verdict::Failed));
    assert!(report.records()[0].message.contains("no end after"));
    assert_eq!(
        removed.load(Ordering::Relaxed),
        1,
        "its database is removed"
    );
}

#[test]
fn the_database_is_removed_after_every_outcome() {
    for cases in [PASSES, FAILS, PANICS, REFUSED] {
        let backend = fake();
        let removed = backend.removed.clone();
        check_cases(Arc::new(backend), cases);
        assert_eq!(removed.load(Ordering::Relaxed), 1, "{}", cases[0].id);
    }
    let keeps = Fake {
        keeps: true,
        ..fake()
    };
    let report = check_cases(Arc::new(keeps), PASSES);
    assert_eq!(report.verdict(PASSES[0].id), Some(Verdict::Failed));
    assert!(report.records()[0].message.contains("could not be removed"));
}

#[test]
fn a_blocked_thread_is_noticed_by_its_name() {
    let limit = Duration::from_millis(50);
    let blocked = runner::watched("fake::it::blocks", limit, || {
        loop {
            std::thread::park();
        }
    });
    let message: std::result::Result<(), String> = blocked;
    let message = message.expect_err("it never ends");
    assert!(message.contains("fake::it::blocks"), "{message}");
    assert_eq!(
        runner::watched("fine", Duration::from_secs(20), || 3),
        Ok(3)
    );
}
