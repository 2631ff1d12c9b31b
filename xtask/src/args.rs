//! The command line.

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Everything that a change must pass.
    Ci,
    /// The conventions of the workspace.
    Tidy,
    /// All tests.
    Test,
    /// The conformance suite, with arguments for its harness.
    Conformance(Vec<String>),
    /// Only whether every documented item has a case.
    Coverage,
    /// Whether the README's table of backends is that of the suite; or write it.
    Readme {
        /// Write it.
        bless: bool,
    },
    /// Whether the suite finds every mutant, and the table of them is up to date; or write it.
    Mutants {
        /// Write it.
        bless: bool,
    },
    /// The benchmarks, with arguments for them.
    Bench(Vec<String>),
    /// The list of commands.
    Help,
}

pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  ci                    everything a change must pass; stops at the first failure
  tidy                  the conventions of the workspace
  test                  unit, integration, doc and conformance tests, and coverage
  conformance [args]    the conformance suite; `args` go to its harness (a name filter,
                        --list, --exact, --backend NAME, --area NAME, --item NAME,
                        --report DIR, --require NAMES, --allow-not-run NAMES)
  conformance coverage  whether every documented item has a case
  conformance readme [--bless]
                        whether the README's table of backends is up to date; or write it
  conformance mutants [--bless]
                        whether the suite finds every wrong driver, and docs/mutants.md is up
                        to date; or write it
  bench [args]          the benchmarks";

/// Reads the words after `cargo xtask`.
pub(crate) fn parse(words: &[String]) -> Result<Command, String> {
    let Some((name, rest)) = words.split_first() else {
        return Err(USAGE.to_owned());
    };
    let alone = |command| match rest.first() {
        None => Ok(command),
        Some(extra) => Err(format!(
            "`{name}` takes no argument, but `{extra}` was given\n\n{USAGE}"
        )),
    };
    match name.as_str() {
        "ci" => alone(Command::Ci),
        "tidy" => alone(Command::Tidy),
        "test" => alone(Command::Test),
        "conformance" if rest == ["coverage"] => Ok(Command::Coverage),
        "conformance" if rest == ["readme"] => Ok(Command::Readme { bless: false }),
        "conformance" if rest == ["readme", "--bless"] => Ok(Command::Readme { bless: true }),
        "conformance" if rest == ["mutants"] => Ok(Command::Mutants { bless: false }),
        "conformance" if rest == ["mutants", "--bless"] => Ok(Command::Mutants { bless: true }),
        "conformance" => Ok(Command::Conformance(rest.to_vec())),
        "bench" => Ok(Command::Bench(rest.to_vec())),
        "help" | "--help" | "-h" => Ok(Command::Help),
        other => Err(format!("no command `{other}`\n\n{USAGE}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn conformance_arguments_reach_the_harness() {
        assert_eq!(
            parse(&words("conformance limit --exact")),
            Ok(Command::Conformance(words("limit --exact")))
        );
        assert_eq!(parse(&words("conformance coverage")), Ok(Command::Coverage));
        assert_eq!(
            parse(&words("conformance readme --bless")),
            Ok(Command::Readme { bless: true })
        );
    }

    #[test]
    fn unknown_commands_and_arguments_are_refused() {
        assert!(parse(&words("tidyy")).is_err());
        assert!(parse(&words("tidy now")).is_err());
        assert!(parse(&[]).is_err());
    }
}
