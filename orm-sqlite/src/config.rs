//! What a SQLite URL asks for.

use orm_core::backend::ConnectionUrl;
use orm_core::error::{Error, Result, nearest_names};
use std::{path::PathBuf, time::Duration};

/// Which database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Location {
    /// Private to one connection.
    Memory,
    /// A file.
    File(PathBuf),
}

/// Whether the file may be written and made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    ReadOnly,
    ReadWrite,
    Create,
}

/// Everything that the URL decides.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) location: Location,
    pub(crate) mode: Mode,
    pub(crate) journal_mode: &'static str,
    pub(crate) synchronous: &'static str,
    pub(crate) busy_timeout: Duration,
    pub(crate) cache_size: Option<i64>,
    pub(crate) max_connections: Option<usize>,
    pub(crate) statement_cache: usize,
}

const OPTIONS: [&str; 8] = [
    "mode",
    "journal_mode",
    "synchronous",
    "busy_timeout",
    "cache_size",
    "max_connections",
    "pool_size",
    "statement_cache",
];
const JOURNAL_MODES: [&str; 5] = ["wal", "delete", "truncate", "persist", "memory"];
const SYNCHRONOUS: [&str; 4] = ["normal", "full", "off", "extra"];

impl Config {
    /// Reads a URL.
    pub(crate) fn from_url(url: &ConnectionUrl) -> Result<Self> {
        let mut config = Config {
            location: location(url)?,
            mode: Mode::Create,
            journal_mode: "wal",
            synchronous: "normal",
            busy_timeout: Duration::from_secs(5),
            cache_size: None,
            max_connections: None,
            statement_cache: 256,
        };
        for (name, value) in url.options() {
            config.set(name, value)?;
        }
        if config.location == Location::Memory && config.mode != Mode::Create {
            return Err(wrong("`mode` has no meaning for `:memory:`; remove it"));
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "mode" => {
                self.mode = match value {
                    "ro" => Mode::ReadOnly,
                    "rw" => Mode::ReadWrite,
                    "rwc" => Mode::Create,
                    _ => return Err(wrong("`mode` must be `ro`, `rw` or `rwc`")),
                }
            }
            "journal_mode" => self.journal_mode = one_of(name, value, &JOURNAL_MODES)?,
            "synchronous" => self.synchronous = one_of(name, value, &SYNCHRONOUS)?,
            "busy_timeout" => {
                let millis: u32 = number(name, value, 0)?;
                self.busy_timeout = Duration::from_millis(millis.into());
            }
            // Negative: in units of 1024 bytes, as the pragma has it.
            "cache_size" => self.cache_size = Some(number(name, value, i64::MIN)?),
            "max_connections" | "pool_size" => {
                if self.max_connections.is_some() {
                    return Err(wrong("give `max_connections` or `pool_size`, not both"));
                }
                self.max_connections = Some(number(name, value, 1)?);
            }
            "statement_cache" => self.statement_cache = number(name, value, 1)?,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// The database for messages.
    pub(crate) fn target(&self) -> String {
        match &self.location {
            Location::Memory => ":memory:".to_owned(),
            Location::File(path) => path.display().to_string(),
        }
    }

    /// Whether commits do not wait for the disk, so that they may run on the calling thread.
    pub(crate) fn commits_are_quick(&self) -> bool {
        self.location == Location::Memory
            || self.synchronous == "off"
            || (self.uses_wal() && self.synchronous == "normal")
    }

    /// Whether there is a write-ahead log to look after.
    pub(crate) fn uses_wal(&self) -> bool {
        self.location != Location::Memory && self.journal_mode == "wal"
    }
}

/// Whether this is the URL of a libSQL server, and not of a file.
pub(crate) fn names_a_server(url: &ConnectionUrl) -> bool {
    let host = url.host().is_some_and(|host| host != ":memory");
    url.scheme() == "libsql+http" || (url.scheme() == "libsql" && host)
}

fn location(url: &ConnectionUrl) -> Result<Location> {
    if names_a_server(url) {
        return Err(wrong(
            "this is a libSQL server, whose client is not built in: turn on the Cargo feature \
             `libsql-remote` of fast-django (`remote` of orm-sqlite), or use `sqlite:` with a file",
        ));
    }
    if url.user().is_some() || url.password().is_some() {
        return Err(wrong("a file has no user or password; remove them"));
    }
    let host = url.host().unwrap_or("");
    if url.port().is_some() {
        return Err(wrong(
            "a file has no port; write `sqlite:path` for a path with `:`",
        ));
    }
    // In the form with `//` the last colon is read as the beginning of a port.
    if host == ":memory" && url.path().is_empty() {
        return Ok(Location::Memory);
    }
    let path = format!("{host}{}", url.path());
    match path.as_str() {
        "" => Err(wrong(
            "no file; write `sqlite:path/to/file.db` or `sqlite::memory:`",
        )),
        ":memory:" => Ok(Location::Memory),
        path if path.contains('\0') => Err(wrong("the path contains a NUL character")),
        path => Ok(Location::File(PathBuf::from(path))),
    }
}

fn wrong(message: &str) -> Error {
    Error::configuration(format!("SQLite URL: {message}"))
}

fn unknown(name: &str) -> Error {
    let near = nearest_names(name, OPTIONS);
    let hint = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are `{}`", OPTIONS.join("`, `")),
    };
    wrong(&format!("unknown option `{name}`; {hint}"))
}

fn one_of(name: &str, value: &str, allowed: &'static [&'static str]) -> Result<&'static str> {
    allowed
        .iter()
        .find(|known| known.eq_ignore_ascii_case(value))
        .copied()
        .ok_or_else(|| {
            wrong(&format!(
                "`{name}` must be one of `{}`",
                allowed.join("`, `")
            ))
        })
}

fn number<N: std::str::FromStr + PartialOrd + std::fmt::Display>(
    name: &str,
    value: &str,
    least: N,
) -> Result<N> {
    match value.parse::<N>() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(wrong(&format!(
            "`{name}` must be a whole number from {least}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Result<Config> {
        Config::from_url(&ConnectionUrl::parse(url)?)
    }

    fn file(path: &str) -> Location {
        Location::File(PathBuf::from(path))
    }

    #[test]
    fn every_form_of_path() {
        for (url, wanted) in [
            ("sqlite::memory:", Location::Memory),
            ("sqlite://:memory:", Location::Memory),
            ("sqlite:a.db", file("a.db")),
            ("sqlite://a.db", file("a.db")),
            ("sqlite://data/a.db", file("data/a.db")),
            ("sqlite:///var/a%20b.db", file("/var/a b.db")),
            ("file:a.db?mode=ro", file("a.db")),
            ("libsql:a.db", file("a.db")),
        ] {
            assert_eq!(config(url).expect(url).location, wanted, "{url}");
        }
    }

    #[test]
    fn wrong_urls_say_what_to_do() {
        for (url, hint) in [
            ("sqlite:", "sqlite::memory:"),
            ("libsql://db.example.com", "`libsql-remote`"),
            ("libsql+http://127.0.0.1:8080", "`libsql-remote`"),
            ("sqlite:a.db?jurnal_mode=wal", "`journal_mode`"),
            ("sqlite:a.db?mode=fast", "`rwc`"),
            ("sqlite:a.db?busy_timeout=soon", "whole number"),
            ("sqlite:a.db?max_connections=0", "from 1"),
            ("sqlite:a.db?synchronous=maybe", "`normal`"),
            ("sqlite::memory:?mode=ro", "remove it"),
            ("sqlite://u:p@a.db", "no user"),
        ] {
            let error = config(url).expect_err(url).to_string();
            assert!(error.contains(hint), "{url}: {error}");
        }
    }

    /// The rows of the page that begin with options: their names and their last columns.
    fn documented() -> Vec<(String, String)> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/backends/sqlite.md");
        let page = std::fs::read_to_string(page).expect("the page is in the repository");
        let table = page
            .split_once("| option | meaning | default |")
            .expect("a table")
            .1;
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut found = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            assert_eq!(cells.len(), 3, "{row}");
            let names = cells[0].split('`').skip(1).step_by(2);
            found.extend(names.map(|name| (name.to_owned(), cells[2].to_owned())));
        }
        found
    }

    #[test]
    fn every_option_has_a_row_in_the_manual() {
        let documented = documented();
        for option in OPTIONS {
            let row = documented.iter().find(|(name, _)| name == option);
            let (_, default) = row.unwrap_or_else(|| panic!("`{option}` has no row"));
            assert!(!default.is_empty(), "`{option}` has no default");
        }
        for (name, _) in &documented {
            assert!(
                OPTIONS.contains(&name.as_str()),
                "there is no option `{name}`"
            );
        }
    }
}
