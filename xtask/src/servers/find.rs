//! The ways to a server, in order: the environment, what we started before, a local one, installed
//! programs, a package, Docker.

use super::address::Address;
use super::install::Installer;
use super::private::Starter;
use super::probe::{Answer, probe};
use super::state::{Entry, How, State};
use super::{Server, Wanted, docker, end, install};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a server that we started, and that still runs, may take to let us in.
const BUSY: Duration = Duration::from_secs(10);

/// A server that answers.
#[derive(Debug)]
pub(crate) struct Found {
    /// What the tests connect to; it may hold a password.
    pub(crate) url: String,
    /// How it was found, without a password.
    pub(crate) note: String,
}

/// Looks for servers, and knows what it has found so far.
#[derive(Debug)]
pub(crate) struct Finder {
    state: State,
    starter: Starter,
    installer: Option<Installer>,
    private: bool,
    temporary: bool,
    variable: fn(&str) -> Option<String>,
    docker: fn(Server, Option<&Address>) -> Result<Option<Address>, String>,
    /// Where PostgreSQL is, for the pooler.
    postgres: Option<Address>,
}

impl Finder {
    pub(crate) fn new(folder: PathBuf, wanted: &Wanted, temporary: bool) -> Result<Self, String> {
        Ok(Finder {
            state: State::load(&folder)?,
            starter: Starter::new(folder),
            installer: wanted.install.then(Installer::default),
            private: wanted.private,
            temporary,
            variable: |name| std::env::var(name).ok().filter(|url| !url.is_empty()),
            docker: docker::start,
            postgres: None,
        })
    }

    /// A server that runs already, wherever it came from.
    ///
    /// # Errors
    /// If the environment names one that does not answer: then nothing else would be right.
    pub(crate) fn find(&mut self, server: Server) -> Result<Option<Found>, String> {
        let found = self.look(server)?;
        if let Some(found) = found.as_ref().filter(|_| server == Server::Postgres) {
            self.postgres = Address::parse(&found.url).ok();
        }
        Ok(found)
    }

    fn look(&self, server: Server) -> Result<Option<Found>, String> {
        if !self.private
            && let Some(url) = (self.variable)(server.variable())
        {
            return named(server, url).map(Some);
        }
        let upstream = self.upstream(server);
        let entry = self.state.find(server);
        if let Some(found) = entry.filter(|e| e.upstream == upstream).and_then(recorded) {
            return Ok(Some(found));
        }
        Ok(if self.private { None } else { local(server) })
    }

    /// What a server stands in front of.
    fn upstream(&self, server: Server) -> Option<String> {
        let postgres = self.postgres.as_ref();
        postgres
            .filter(|_| server == Server::PgBouncer)
            .map(Address::url)
    }

    /// # Errors
    /// If no way leads to the server; it says how to mend that.
    pub(crate) fn find_or_start(&mut self, server: Server) -> Result<Found, String> {
        let found = match self.find(server)? {
            Some(found) => {
                self.keep(server)?;
                found
            }
            None => self.start(server)?,
        };
        if server == Server::Postgres {
            self.postgres = Address::parse(&found.url).ok();
        }
        Ok(found)
    }

    /// What was started for a test run stays when somebody asks for it.
    fn keep(&mut self, server: Server) -> Result<(), String> {
        match self.state.find(server) {
            Some(entry) if entry.temporary && !self.temporary => {
                let mut entry = entry.clone();
                entry.temporary = false;
                self.state.put(entry)
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, server: Server) -> Result<Found, String> {
        // What is recorded but of no use would keep its port and its data.
        if let Some(entry) = self.state.find(server) {
            end(entry)?;
        }
        let upstream = self.postgres.as_ref();
        let mut started = self.starter.start(server, upstream)?;
        if started.is_none()
            && let Some(installer) = &mut self.installer
        {
            installer.install(server, self.starter.folder())?;
            self.starter.look_again();
            started = self.starter.start(server, upstream)?;
        }
        let (address, how) = match started {
            Some(started) => started,
            None => match (self.docker)(server, upstream)? {
                Some(address) => (address, How::Docker),
                None => return Err(install::hint(server)),
            },
        };
        let Answer { version, .. } = probe(server, &address)?;
        let entry = Entry {
            server,
            url: address.url(),
            version,
            how,
            upstream: self.upstream(server),
            temporary: self.temporary,
        };
        let note = format!("started {}: {}", shown(&entry), entry.url);
        let url = entry.url.clone();
        self.state.put(entry)?;
        Ok(Found { url, note })
    }
}

/// The server of an environment variable.
fn named(server: Server, url: String) -> Result<Found, String> {
    let variable = server.variable();
    let bad = |why: String| format!("{variable} does not lead to {}: {why}", server.title());
    let address = Address::parse(&url).map_err(bad)?;
    let answer = probe(server, &address).map_err(|why| bad(format!("{address}: {why}")))?;
    let doubt = if answer.logged_in {
        ""
    } else {
        "; it asks for the password, which is for the tests to give"
    };
    let note = format!("from {variable}: {address} ({}{doubt})", answer.version);
    Ok(Found { url, note })
}

/// What we started before, if it still answers.
fn recorded(entry: &Entry) -> Option<Found> {
    if let How::Private { process, .. } = &entry.how
        && !process.runs()
    {
        return None;
    }
    let address = Address::parse(&entry.url).ok()?;
    // One that another command keeps busy is not to be taken for dead, and ended.
    let start = Instant::now();
    while probe(entry.server, &address).is_err() {
        if start.elapsed() > BUSY {
            return None;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let (url, note) = (
        entry.url.clone(),
        format!("up, {}: {}", shown(entry), entry.url),
    );
    Some(Found { url, note })
}

fn shown(entry: &Entry) -> String {
    let version = &entry.version;
    match &entry.how {
        How::Private { process, .. } => format!("our process {} ({version})", process.pid),
        How::Docker => format!("with Docker ({version})"),
    }
}

/// A server on its usual port that lets us in.
fn local(server: Server) -> Option<Found> {
    let (scheme, administrator, database) = server.defaults();
    let (port, users) = match server {
        Server::Postgres => {
            let us = std::env::var("USER").unwrap_or_default();
            (5432, vec![administrator.to_owned(), "root".to_owned(), us])
        }
        Server::MariaDb | Server::MySql => (3306, vec![administrator.to_owned()]),
        // The mode of a pooler that somebody else runs is not known.
        Server::PgBouncer => return None,
    };
    users
        .iter()
        .filter(|user| !user.is_empty())
        .find_map(|user| {
            let address = Address::local(scheme, user, port, database);
            let answer = probe(server, &address).ok()?;
            let url = address.url();
            let note = format!("local: {url} ({})", answer.version);
            Some(Found { url, note })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::programs::Programs;

    /// A finder that sees no environment, no local server and no program.
    fn blind(name: &str) -> (Finder, PathBuf) {
        let folder = std::env::temp_dir().join(format!("fd-find-{name}-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let wanted = Wanted {
            private: true,
            ..Wanted::default()
        };
        let mut finder = Finder::new(folder.clone(), &wanted, true).unwrap();
        finder.starter = finder.starter.with_programs(Programs::new(Vec::new()));
        finder.docker = |_, _| Ok(None);
        (finder, folder)
    }

    #[test]
    fn a_url_that_leads_nowhere_is_an_error_without_its_password() {
        let (mut finder, folder) = blind("url");
        finder.private = false;
        finder.variable = |_| Some("mysql://root:canary@127.0.0.1:1/test".to_owned());
        let error = finder.find_or_start(Server::MySql).unwrap_err();
        std::fs::remove_dir_all(folder).unwrap();
        assert!(
            error.starts_with("FD_TEST_MYSQL_URL does not lead to MySQL: "),
            "{error}"
        );
        assert!(
            error.contains("127.0.0.1:1/") && !error.contains("canary"),
            "{error}"
        );
    }

    #[test]
    fn what_is_missing_fails_with_the_command_to_install_it() {
        let (mut finder, folder) = blind("none");
        let errors = Server::ALL.map(|server| finder.find_or_start(server).unwrap_err());
        std::fs::remove_dir_all(folder).unwrap();
        for (error, package) in
            errors
                .iter()
                .zip(["postgresql", "mariadb-server", "debootstrap", "pgbouncer"])
        {
            assert!(
                error.contains(&format!("`apt-get install {package}")),
                "{error}"
            );
        }
    }

    #[test]
    fn docker_comes_after_installed_programs() {
        let (mut finder, folder) = blind("docker");
        finder.docker = |_, _| Err("asked Docker".to_owned());
        let error = finder.find_or_start(Server::MariaDb).unwrap_err();
        std::fs::remove_dir_all(folder).unwrap();
        assert_eq!(error, "asked Docker");
    }

    #[test]
    fn a_pooler_in_front_of_another_server_is_not_used() {
        let (mut finder, folder) = blind("pooler");
        let address = Address::local("postgres", "postgres", 6000, "postgres");
        assert_eq!(finder.upstream(Server::PgBouncer), None);
        finder.postgres = Some(address.clone());
        assert_eq!(finder.upstream(Server::PgBouncer), Some(address.url()));
        assert_eq!(finder.upstream(Server::MariaDb), None);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_died_is_not_found_again() {
        let (mut finder, folder) = blind("died");
        let process = crate::servers::process::Process {
            pid: std::process::id(),
            born: "another time".to_owned(),
        };
        let how = How::Private {
            process,
            folder: folder.join("data"),
        };
        let entry = Entry {
            server: Server::Postgres,
            url: "postgres://postgres@127.0.0.1:1/postgres".to_owned(),
            version: "17".to_owned(),
            how,
            upstream: None,
            temporary: true,
        };
        finder.state.put(entry).unwrap();
        assert!(finder.find(Server::Postgres).unwrap().is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
