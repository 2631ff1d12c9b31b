//! What each command runs, in which order.

use crate::args::{Choice, Command, USAGE};
use crate::backends::{Selection, TESTED, features};
use crate::servers::{self, Run};
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
        Command::Ci(choice) => ci(&mut steps, choice),
        Command::Tidy => steps.call("tidy", tidy::check),
        Command::Test(choice) => test(&mut steps, choice),
        Command::Conformance(choice, words) => return alone(conformance_alone(choice, words)),
        Command::Coverage => coverage(&mut steps),
        Command::Readme { bless } => readme(&mut steps, *bless),
        Command::Mutants { bless } => mutants(&mut steps, *bless),
        Command::Bench(words) => return alone(bench(words)),
        Command::ServersUp { wanted, print_env } => {
            let up = servers::up(wanted, false);
            return say(up.map(|urls| {
                if *print_env {
                    servers::exports(&urls)
                } else {
                    String::new()
                }
            }));
        }
        Command::ServersDown => return say(servers::down(false)),
        Command::ServersStatus => return say(servers::status()),
        Command::Help => return say(Ok(USAGE.to_owned())),
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

fn say(result: Result<String, String>) -> ExitCode {
    match result {
        Ok(text) if text.is_empty() => ExitCode::SUCCESS,
        Ok(text) => {
            println!("{}", text.trim_end());
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a command that had our terminal to itself.
fn alone(result: Result<ExitCode, String>) -> ExitCode {
    result.unwrap_or_else(|message| say(Err(message)))
}

fn ci(steps: &mut Steps, choice: &Choice) -> Result<(), String> {
    steps.cargo("format", &["fmt", "--all", "--check"])?;
    steps.call("tidy", tidy::check)?;
    let features = features(TESTED);
    let features = borrow(&features);
    let clippy = [&["clippy", "--workspace", "--all-targets"], &features[..]].concat();
    steps.cargo("clippy", &[&clippy[..], &["--", "-D", "warnings"]].concat())?;
    test(steps, choice)?;
    let doc = [&["doc", "--workspace", "--no-deps"], &features[..]].concat();
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

fn test(steps: &mut Steps, choice: &Choice) -> Result<(), String> {
    let selection = Selection::new(TESTED, &choice.without)?;
    let result = on_servers(steps, &selection, choice.install, test_on);
    for name in selection.left_out() {
        steps.remark(format!("NOT RUN: {name}, because of --without"));
    }
    result
}

/// Runs steps while the servers of these backends are up.
fn on_servers(
    steps: &mut Steps,
    selection: &Selection,
    install: bool,
    work: impl FnOnce(&mut Steps, &Selection) -> Result<(), String>,
) -> Result<(), String> {
    let mut run = None;
    let needed = selection.needs(install);
    if !needed.servers.is_empty() {
        steps.call("servers", || {
            run = Some(Run::begin(needed)?);
            Ok(String::new())
        })?;
    }
    let mut env = run.as_ref().map_or(Vec::new(), |run| run.env().to_vec());
    env.push(selection.left_out_variable());
    steps.set_env(&env);
    let result = work(steps, selection);
    steps.set_env(&[]);
    // Servers end whatever the steps did.
    result.and(run.map_or(Ok(()), Run::end))
}

fn test_on(steps: &mut Steps, selection: &Selection) -> Result<(), String> {
    let features = features(TESTED);
    let features = borrow(&features);
    if has_nextest() {
        let words = [&["nextest", "run", "--workspace"], &features[..]].concat();
        // The conformance suite has a step of its own, which also writes its report.
        let most = ["-E", "not binary(conformance)"];
        steps.cargo("tests", &[&words[..], &most].concat())?;
    } else {
        let words = ["test", "--workspace", "--lib", "--bins", "--tests"];
        steps.cargo("tests", &[&words[..], &features].concat())?;
    }
    let remote = [
        "test",
        "-p",
        "orm-sqlite",
        "--features",
        "remote",
        "--test",
        "remote",
    ];
    steps.cargo("remote libSQL", &remote)?;
    let doc = [&["test", "--workspace", "--doc"], &features[..]].concat();
    steps.cargo("doc tests", &doc)?;
    suite(steps, selection, false)?;
    coverage(steps)
}

/// The README's table of backends, checked or written.
fn readme(steps: &mut Steps, bless: bool) -> Result<(), String> {
    let selection = Selection::new(TESTED, &[])?;
    on_servers(steps, &selection, false, |steps, selection| {
        suite(steps, selection, bless)
    })
}

/// The whole suite with its report, which also checks or writes the README's table of backends.
fn suite(steps: &mut Steps, selection: &Selection, bless: bool) -> Result<(), String> {
    let names = selection.names().join(",");
    let left_out = selection.left_out().join(",");
    let mut words = vec!["--require", &names, "--report", "target/conformance"];
    words.extend(["--readme", "README.md"]);
    if bless {
        words.push("--bless");
    }
    if !left_out.is_empty() {
        words.extend(["--allow-not-run", &left_out]);
    }
    let words = conformance(&words);
    steps.cargo_with("conformance", &borrow(&words), &[COMMAND])
}

/// The wrong drivers over the suite. Part of the tests; alone it also writes their table.
fn mutants(steps: &mut Steps, bless: bool) -> Result<(), String> {
    let words = ["test", "-p", "orm-testkit", "--test", "mutants"];
    let bless = if bless { &[("BLESS", "1")][..] } else { &[] };
    steps.cargo_with("mutants", &words, bless)
}

fn coverage(steps: &mut Steps) -> Result<(), String> {
    let words = conformance(&["--coverage"]);
    steps.cargo("coverage", &borrow(&words))
}

/// How a report says to run a case again.
const COMMAND: (&str, &str) = ("ORM_TESTKIT_COMMAND", "cargo xtask conformance");

fn conformance(rest: &[&str]) -> Vec<String> {
    let features = features(TESTED);
    let fixed = ["test", "--quiet", "--test", "conformance"];
    let words = fixed.into_iter().chain(features.iter().map(String::as_str));
    let words = words.chain(["--"]).chain(rest.iter().copied());
    words.map(str::to_owned).collect()
}

/// The suite with arguments for its harness, on the servers of the backends that these name.
fn conformance_alone(choice: &Choice, words: &[String]) -> Result<ExitCode, String> {
    let selection = Selection::new(TESTED, &choice.without)?.only(&named(words));
    let names = selection.names().join(",");
    if names.is_empty() {
        return Err("`--backend` and `--without` leave no backend".to_owned());
    }
    let mut rest = borrow(words);
    if !selection.left_out().is_empty() {
        rest.extend(["--backend", &names]);
    }
    let mut needed = selection.needs(choice.install);
    let idle = ["--list", "--coverage", "--help"];
    if words.iter().any(|word| idle.contains(&word.as_str())) {
        needed.servers.clear();
    }
    let run = Run::begin(needed)?;
    let mut env = run.env().to_vec();
    env.push(selection.left_out_variable());
    let code = pass_on(&conformance(&rest), &env);
    run.end().and(code)
}

/// The backends that `--backend` names in the words of the harness.
fn named(words: &[String]) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let list = match word.strip_prefix("--backend") {
            Some("") => words.get(at + 1).map(String::as_str),
            Some(inline) => inline.strip_prefix('='),
            None => None,
        };
        names.extend(list.into_iter().flat_map(|list| list.split(',')));
    }
    names
}

/// The benchmarks: `servers` beside the raw drivers of servers, else SQLite beside its library.
fn bench(rest: &[String]) -> Result<ExitCode, String> {
    if let Some((first, letters)) = rest.split_first()
        && first == "servers"
    {
        let selection = Selection::new(TESTED, &[])?.only(&["postgres", "mariadb"]);
        // Of our own: they do not wait for the disk, which would hide the rest.
        let mut needed = selection.needs(false);
        needed.private = true;
        let run = Run::begin(needed)?;
        let fixed = ["run", "--profile", "bench", "-p", "bench-servers", "--"];
        let code = pass_on(&with(&fixed, letters), run.env());
        return run.end().and(code);
    }
    pass_on(&with(&["bench", "--bench", "limit", "--"], rest), &[])
}

fn with(fixed: &[&str], rest: &[String]) -> Vec<String> {
    let fixed = fixed.iter().map(|word| (*word).to_owned());
    fixed.chain(rest.iter().cloned()).collect()
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

/// Runs cargo on our terminal; its exit code is ours.
fn pass_on(words: &[String], env: &[(String, String)]) -> Result<ExitCode, String> {
    let env = env.iter().map(|(name, value)| (name, value));
    let status = std::process::Command::new(cargo())
        .args(words)
        .envs(env)
        .env(COMMAND.0, COMMAND.1)
        .status();
    let status = status.map_err(|error| format!("cannot run cargo: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backends_of_the_harness_are_seen() {
        let words = [
            "limit",
            "--backend",
            "sqlite,mysql",
            "--backend=mariadb",
            "--backends",
        ];
        let words = words.map(str::to_owned);
        assert_eq!(named(&words), ["sqlite", "mysql", "mariadb"]);
    }
}
