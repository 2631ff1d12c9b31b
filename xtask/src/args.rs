//! The command line.

use crate::servers::{Server, Wanted};

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Everything that a change must pass.
    Ci(Choice),
    /// The conventions of the workspace.
    Tidy,
    /// All tests.
    Test(Choice),
    /// The conformance suite, with arguments for its harness.
    Conformance(Choice, Vec<String>),
    /// Only whether every documented item has a case.
    Coverage,
    /// Whether the README's table of backends is that of the suite; or write it.
    Readme {
        /// Write it.
        bless: bool,
    },
    /// The benchmarks, with arguments for them.
    Bench(Vec<String>),
    /// Finds or starts the servers that tests need; prints lines for a shell if asked.
    ServersUp { wanted: Wanted, print_env: bool },
    /// Ends the servers that we started.
    ServersDown,
    /// Where the servers are.
    ServersStatus,
    /// The list of commands.
    Help,
}

/// Which backends a command tests.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Not these.
    pub(crate) without: Vec<String>,
    /// Install the servers that are missing.
    pub(crate) install: bool,
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
  bench [letters]       SQLite beside its C library; letters choose workloads
  bench servers [letters]
                        PostgreSQL and MariaDB beside their raw drivers
  servers up [names]    find or start postgres, mariadb, mysql and pgbouncer, or those named
      --install         as root: install what is missing, with apt-get
      --private         start our own, whatever runs here already
      --print-env       print the variables that tests read, as lines for a shell
  servers down          end the servers that `servers up` started
  servers status        where the servers are, and whether they answer

ci, test and conformance start the servers they need and end them after; servers that are up they
use as they are. They take two options:
  --install             as above
  --without NAMES       do without these backends (mariadb,mysql)";

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
        "ci" => choice_only(name, rest).map(Command::Ci),
        "tidy" => alone(Command::Tidy),
        "test" => choice_only(name, rest).map(Command::Test),
        "conformance" if rest == ["coverage"] => Ok(Command::Coverage),
        "conformance" if rest == ["readme"] => Ok(Command::Readme { bless: false }),
        "conformance" if rest == ["readme", "--bless"] => Ok(Command::Readme { bless: true }),
        "conformance" => {
            let (choice, rest) = choice(rest)?;
            Ok(Command::Conformance(choice, rest))
        }
        "bench" => Ok(Command::Bench(rest.to_vec())),
        "servers" => servers(rest),
        "help" | "--help" | "-h" => Ok(Command::Help),
        other => Err(format!("no command `{other}`\n\n{USAGE}")),
    }
}

fn servers(words: &[String]) -> Result<Command, String> {
    let (name, rest) = match words.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("", words),
    };
    match (name, rest.first()) {
        ("up", _) => servers_up(rest),
        ("down", None) => Ok(Command::ServersDown),
        ("status", None) => Ok(Command::ServersStatus),
        ("down" | "status", Some(extra)) => Err(format!(
            "`servers {name}` takes no argument, but `{extra}` was given\n\n{USAGE}"
        )),
        _ => Err(format!(
            "`servers` is followed by up, down or status\n\n{USAGE}"
        )),
    }
}

fn servers_up(words: &[String]) -> Result<Command, String> {
    let (mut wanted, mut print_env) = (Wanted::default(), false);
    for word in words {
        match word.as_str() {
            "--install" => wanted.install = true,
            "--private" => wanted.private = true,
            "--print-env" => print_env = true,
            name => wanted.servers.push(Server::parse(name)?),
        }
    }
    if wanted.servers.is_empty() {
        wanted.servers = Server::ALL.to_vec();
    }
    Ok(Command::ServersUp { wanted, print_env })
}

fn choice_only(name: &str, words: &[String]) -> Result<Choice, String> {
    let (choice, rest) = choice(words)?;
    match rest.first() {
        None => Ok(choice),
        Some(extra) => Err(format!("`{name}` does not know `{extra}`\n\n{USAGE}")),
    }
}

/// What `--without a,b` and `--install` choose, and the other words.
fn choice(words: &[String]) -> Result<(Choice, Vec<String>), String> {
    let (mut choice, mut rest) = (Choice::default(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let names = match word.strip_prefix("--without") {
            Some("") => words.next().map(String::as_str),
            Some(inline) if inline.starts_with('=') => Some(&inline[1..]),
            _ if word == "--install" => {
                choice.install = true;
                continue;
            }
            _ => {
                rest.push(word.clone());
                continue;
            }
        };
        let names = names.ok_or_else(|| format!("`--without` needs names\n\n{USAGE}"))?;
        choice.without.extend(names.split(',').map(str::to_owned));
    }
    Ok((choice, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn conformance_arguments_reach_the_harness() {
        let all = Choice::default();
        assert_eq!(
            parse(&words("conformance limit --exact")),
            Ok(Command::Conformance(all, words("limit --exact")))
        );
        assert_eq!(parse(&words("conformance coverage")), Ok(Command::Coverage));
        assert_eq!(
            parse(&words("conformance readme --bless")),
            Ok(Command::Readme { bless: true })
        );
    }

    #[test]
    fn backends_are_chosen_beside_the_arguments_of_the_harness() {
        let (without, install) = (words("mysql mariadb sqlite"), false);
        let some = Choice { without, install };
        assert_eq!(
            parse(&words(
                "conformance --without mysql limit --without=mariadb,sqlite"
            )),
            Ok(Command::Conformance(some, words("limit")))
        );
        let (without, install) = (Vec::new(), true);
        let all = Choice { without, install };
        assert_eq!(parse(&words("ci --install")), Ok(Command::Ci(all)));
    }

    #[test]
    fn unknown_commands_and_arguments_are_refused() {
        assert!(parse(&words("tidyy")).is_err());
        assert!(parse(&words("tidy now")).is_err());
        assert!(parse(&words("test mysql")).is_err());
        assert!(parse(&words("test --without")).is_err());
        assert!(parse(&words("servers")).is_err());
        assert!(parse(&words("servers down all")).is_err());
        assert!(parse(&words("servers up oracle")).is_err());
        assert!(parse(&[]).is_err());
    }

    #[test]
    fn servers_are_all_unless_named() {
        let up = |servers: &[Server], install| {
            let wanted = Wanted {
                servers: servers.to_vec(),
                install,
                private: false,
            };
            let print_env = !install;
            Ok(Command::ServersUp { wanted, print_env })
        };
        assert_eq!(
            parse(&words("servers up --print-env")),
            up(&Server::ALL, false)
        );
        let one = [Server::MySql];
        assert_eq!(parse(&words("servers up --install mysql")), up(&one, true));
        assert_eq!(parse(&words("servers down")), Ok(Command::ServersDown));
    }
}
