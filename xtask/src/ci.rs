//! What each command runs, in which order.

use crate::args::{Command, USAGE};
use crate::steps::{Steps, cargo};
use crate::{crates, tidy};
use std::path::Path;
use std::process::{ExitCode, Stdio};

/// Runs a command in the root of the workspace; reports the first failure.
pub(crate) fn run(command: &Command) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the workspace");
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let mut steps = Steps::default();
    let result = match command {
        Command::Ci => ci(&mut steps),
        Command::Tidy => steps.call("tidy", tidy::check),
        Command::Test => test(&mut steps),
        Command::Conformance(words) => return pass_on(&conformance(words)),
        Command::Coverage => coverage(&mut steps),
        Command::Readme { bless } => readme(&mut steps, *bless),
        Command::Mutants { bless } => mutants(&mut steps, *bless),
        Command::Bench(words) => return pass_on(&bench(words)),
        Command::Help => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
    };
    match result {
        Ok(()) => {
            println!("\n{}", steps.summary());
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("\n{}\n\n{message}", steps.summary());
            ExitCode::FAILURE
        }
    }
}

fn ci(steps: &mut Steps) -> Result<(), String> {
    steps.cargo("format", &["fmt", "--all", "--check"])?;
    steps.call("tidy", tidy::check)?;
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    steps.cargo("clippy", &clippy)?;
    test(steps)?;
    let doc = ["doc", "--workspace", "--no-deps"];
    steps.cargo_with("documentation", &doc, &[("RUSTDOCFLAGS", "-D warnings")])?;
    let bare = ["check", "-p", "fast-django", "--no-default-features"];
    steps.cargo("without default features", &bare)?;
    steps.cargo(
        "example quickstart",
        &["run", "--quiet", "--example", "quickstart"],
    )?;
    steps.cargo("example atlas", &["run", "--quiet", "--example", "atlas"])?;
    steps.call("crates of hello world", crates::check)
}

fn test(steps: &mut Steps) -> Result<(), String> {
    if has_nextest() {
        // The conformance suite has a step of its own, which also writes its report.
        let words = [
            "nextest",
            "run",
            "--workspace",
            "-E",
            "not binary(conformance)",
        ];
        steps.cargo("tests", &words)?;
    } else {
        let words = ["test", "--workspace", "--lib", "--bins", "--tests"];
        steps.cargo("tests", &words)?;
    }
    steps.cargo("doc tests", &["test", "--workspace", "--doc"])?;
    readme(steps, false)?;
    coverage(steps)
}

/// The whole suite with its report, which also checks or writes the README's table of backends.
fn readme(steps: &mut Steps, bless: bool) -> Result<(), String> {
    let fixed = [
        "--require",
        "sqlite",
        "--report",
        "target/conformance",
        "--readme",
        "README.md",
    ];
    let bless = bless.then_some("--bless");
    let all: Vec<String> = fixed.into_iter().chain(bless).map(str::to_owned).collect();
    let words = conformance(&all);
    steps.cargo_with("conformance", &borrow(&words), &[COMMAND])
}

/// The wrong drivers over the suite. Part of the tests; alone it also writes their table.
fn mutants(steps: &mut Steps, bless: bool) -> Result<(), String> {
    let words = ["test", "-p", "orm-testkit", "--test", "mutants"];
    let bless = if bless { &[("BLESS", "1")][..] } else { &[] };
    steps.cargo_with("mutants", &words, bless)
}

fn coverage(steps: &mut Steps) -> Result<(), String> {
    let words = conformance(&["--coverage".to_owned()]);
    steps.cargo("coverage", &borrow(&words))
}

/// How a report says to run a case again.
const COMMAND: (&str, &str) = ("ORM_TESTKIT_COMMAND", "cargo xtask conformance");

fn conformance(rest: &[String]) -> Vec<String> {
    let fixed = ["test", "--quiet", "--test", "conformance", "--"];
    fixed
        .into_iter()
        .map(str::to_owned)
        .chain(rest.iter().cloned())
        .collect()
}

fn bench(rest: &[String]) -> Vec<String> {
    let fixed = ["bench", "--bench", "limit", "--"];
    fixed
        .into_iter()
        .map(str::to_owned)
        .chain(rest.iter().cloned())
        .collect()
}

fn borrow(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn has_nextest() -> bool {
    let status = std::process::Command::new(cargo())
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// Runs cargo on our terminal and ends with its exit code.
fn pass_on(words: &[String]) -> ExitCode {
    let mut command = std::process::Command::new(cargo());
    match command.args(words).env(COMMAND.0, COMMAND.1).status() {
        Ok(status) => ExitCode::from(
            status
                .code()
                .and_then(|c| u8::try_from(c).ok())
                .unwrap_or(1),
        ),
        Err(error) => {
            eprintln!("cannot run cargo: {error}");
            ExitCode::FAILURE
        }
    }
}
