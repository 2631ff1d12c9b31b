//! The database servers that the tests talk to: finds them, or starts them and ends them again.

mod address;
mod docker;
mod find;
mod install;
mod private;
mod probe;
mod process;
mod programs;
mod run;
mod state;

pub(crate) use run::Run;

use find::{Finder, Found};
use state::{Entry, How, State};
use std::fs::File;
use std::path::{Path, PathBuf};

/// A kind of server, in the order in which they are started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Postgres,
    MariaDb,
    MySql,
    /// A pooler in transaction mode, in front of PostgreSQL.
    PgBouncer,
}

impl Server {
    pub(crate) const ALL: [Server; 4] = [
        Server::Postgres,
        Server::MariaDb,
        Server::MySql,
        Server::PgBouncer,
    ];

    /// As commands and the compose file write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Server::Postgres => "postgres",
            Server::MariaDb => "mariadb",
            Server::MySql => "mysql",
            Server::PgBouncer => "pgbouncer",
        }
    }

    /// As its makers write it.
    fn title(self) -> &'static str {
        match self {
            Server::Postgres => "PostgreSQL",
            Server::MariaDb => "MariaDB",
            Server::MySql => "MySQL",
            Server::PgBouncer => "PgBouncer",
        }
    }

    /// The variable that tells a test where it is.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Server::Postgres => "FD_TEST_POSTGRES_URL",
            Server::MariaDb => "FD_TEST_MARIADB_URL",
            Server::MySql => "FD_TEST_MYSQL_URL",
            Server::PgBouncer => "FD_TEST_PGBOUNCER_URL",
        }
    }

    /// The scheme, administrator and database of a server that nobody has configured.
    fn defaults(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Server::Postgres | Server::PgBouncer => ("postgres", "postgres", "postgres"),
            Server::MariaDb => ("mariadb", "root", "test"),
            Server::MySql => ("mysql", "root", "test"),
        }
    }

    /// # Errors
    /// If no server has this name.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let found = Server::ALL.into_iter().find(|server| server.name() == name);
        found.ok_or_else(|| {
            let names = Server::ALL.map(Server::name).join(", ");
            format!("no server `{name}`; there are {names}")
        })
    }
}

/// What `servers up` was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) servers: Vec<Server>,
    /// Install what is missing.
    pub(crate) install: bool,
    /// Use only what we started ourselves, nothing that runs here already.
    pub(crate) private: bool,
}

impl Wanted {
    pub(crate) fn these(servers: Vec<Server>) -> Self {
        Wanted {
            servers,
            ..Wanted::default()
        }
    }
}

/// Where the state, the logs and the data of servers are.
fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("FD_SERVERS_DIR") {
        return folder.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into());
    Path::new(&target).join("servers")
}

/// The folder, and the lock that keeps two commands from starting or ending servers at once.
fn enter() -> Result<(PathBuf, File), String> {
    let folder = folder();
    let bad = |error: std::io::Error| format!("{}: {error}", folder.display());
    std::fs::create_dir_all(&folder).map_err(bad)?;
    let folder = folder.canonicalize().map_err(bad)?;
    let lock = File::create(folder.join("lock")).map_err(bad)?;
    lock.lock().map_err(bad)?;
    Ok((folder, lock))
}

/// Finds or starts servers, and returns each with its URL.
///
/// # Errors
/// If one is neither there nor can be started: it says for each what to do. Those that could be
/// started keep running.
pub(crate) fn up(wanted: &Wanted, temporary: bool) -> Result<Vec<(Server, String)>, String> {
    let (folder, _lock) = enter()?;
    let mut finder = Finder::new(folder, wanted, temporary)?;
    let mut urls = Vec::new();
    let mut faults = Vec::new();
    for server in Server::ALL {
        // A pooler needs what it stands in front of.
        let upstream = server == Server::Postgres && wanted.servers.contains(&Server::PgBouncer);
        if !wanted.servers.contains(&server) && !upstream {
            continue;
        }
        match finder.find_or_start(server) {
            Ok(Found { url, note }) => {
                eprintln!("{:<10} {note}", server.name());
                urls.push((server, url));
            }
            Err(why) => faults.push(format!("{}: {why}", server.name())),
        }
    }
    if faults.is_empty() {
        return Ok(urls);
    }
    Err(faults.join("\n\n"))
}

/// Ends what we started; `temporary_only` spares what `servers up` started. Returns a line for
/// each. Nothing to end is fine.
pub(crate) fn down(temporary_only: bool) -> Result<String, String> {
    let (folder, _lock) = enter()?;
    let mut state = State::load(&folder)?;
    let mut lines = Vec::new();
    // The last to start depends on the others.
    for entry in state.entries.clone().into_iter().rev() {
        if temporary_only && !entry.temporary {
            continue;
        }
        end(&entry)?;
        state.entries.retain(|left| left.server != entry.server);
        state.save()?;
        lines.push(format!("{:<10} ended", entry.server.name()));
    }
    if lines.is_empty() && !temporary_only {
        lines.push("nothing that we started runs".to_owned());
    }
    Ok(lines.join("\n"))
}

fn end(entry: &Entry) -> Result<(), String> {
    match &entry.how {
        How::Private { process, folder } => private::end(entry.server, process, folder),
        How::Docker => docker::end(entry.server),
    }
}

/// A line for each server: where it is, and whether it answers.
///
/// # Errors
/// The same lines, if one does not answer.
pub(crate) fn status() -> Result<String, String> {
    let (folder, _lock) = enter()?;
    let every = Wanted::these(Server::ALL.to_vec());
    let mut finder = Finder::new(folder, &every, false)?;
    let mut all_up = true;
    let lines = Server::ALL.map(|server| {
        let note = match finder.find(server) {
            Ok(Some(found)) => found.note,
            Ok(None) => {
                all_up = false;
                "not up".to_owned()
            }
            Err(why) => {
                all_up = false;
                why
            }
        };
        format!("{:<10} {note}", server.name())
    });
    let text = lines.join("\n");
    if all_up {
        return Ok(text);
    }
    Err(format!("{text}\n\nstart them: cargo xtask servers up"))
}

/// Lines for a shell that tell tests where the servers are.
pub(crate) fn exports(urls: &[(Server, String)]) -> String {
    let line = |(server, url): &(Server, String)| {
        let quoted = url.replace('\'', r"'\''");
        format!("export {}='{quoted}'\n", server.variable())
    };
    urls.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for server in Server::ALL {
            assert_eq!(Server::parse(server.name()), Ok(server));
        }
        let error = Server::parse("oracle").unwrap_err();
        assert_eq!(
            error,
            "no server `oracle`; there are postgres, mariadb, mysql, pgbouncer"
        );
    }

    #[test]
    fn exports_are_quoted_for_the_shell() {
        let urls = [(Server::MySql, "mysql://it's@h/$x".to_owned())];
        assert_eq!(
            exports(&urls),
            "export FD_TEST_MYSQL_URL='mysql://it'\\''s@h/$x'\n"
        );
    }
}
