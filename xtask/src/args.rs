//! The command line.

use crate::servers::{Server, Wanted};

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Everything that a change must pass, on all backends but these.
    Ci(Vec<String>),
    /// The conventions of the workspace.
    Tidy,
    /// All tests, on all backends but these.
    Test(Vec<String>),
    /// The conformance suite, on all backends but these, with arguments for its harness.
    Conformance(Vec<String>, Vec<String>),
    /// Only whether every documented item has a case.
    Coverage,
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

pub(crate) const USAGE: &str = "\
usage: cargo xtask <command>

  ci                    everything a change must pass; stops at the first failure
  tidy                  the conventions of the workspace
  test                  unit, integration, doc and conformance tests, and coverage
  conformance [args]    the conformance suite; `args` go to its harness (a name filter,
                        --list, --exact, --backend NAME, --report DIR, --require NAMES)
  conformance coverage  whether every documented item has a case
  bench [args]          the benchmarks
  servers up [names]    find or start postgres, mariadb, mysql and pgbouncer, or those named
      --install         as root: install what is missing, with apt-get
      --private         start our own, whatever runs here already
      --print-env       print the variables that tests read, as lines for a shell
  servers down          end the servers that `servers up` started
  servers status        where the servers are, and whether they answer

ci, test and conformance start the servers they need and end them after; servers that are up they
use as they are. With `--without NAMES` (mariadb,mysql) they do without these backends.";

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
        "ci" => without_only(name, rest).map(Command::Ci),
        "tidy" => alone(Command::Tidy),
        "test" => without_only(name, rest).map(Command::Test),
        "conformance" if rest == ["coverage"] => Ok(Command::Coverage),
        "conformance" => {
            let (without, rest) = split_without(rest)?;
            Ok(Command::Conformance(without, rest))
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

fn without_only(name: &str, words: &[String]) -> Result<Vec<String>, String> {
    let (without, rest) = split_without(words)?;
    match rest.first() {
        None => Ok(without),
        Some(extra) => Err(format!("`{name}` does not know `{extra}`\n\n{USAGE}")),
    }
}

/// The backends of `--without a,b`, and the other words.
fn split_without(words: &[String]) -> Result<(Vec<String>, Vec<String>), String> {
    let (mut without, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let names = match word.strip_prefix("--without") {
            Some("") => words.next().map(String::as_str),
            Some(inline) if inline.starts_with('=') => Some(&inline[1..]),
            _ => {
                rest.push(word.clone());
                continue;
            }
        };
        let names = names.ok_or_else(|| format!("`--without` needs names\n\n{USAGE}"))?;
        without.extend(names.split(',').map(str::to_owned));
    }
    Ok((without, rest))
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
            Ok(Command::Conformance(Vec::new(), words("limit --exact")))
        );
        assert_eq!(
            parse(&words(
                "conformance --without mysql limit --without=mariadb,sqlite"
            )),
            Ok(Command::Conformance(
                words("mysql mariadb sqlite"),
                words("limit")
            ))
        );
        assert_eq!(parse(&words("conformance coverage")), Ok(Command::Coverage));
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
