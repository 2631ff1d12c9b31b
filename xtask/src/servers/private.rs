//! Starts installed servers for ourselves: on a free port of this machine, with data that is thrown
//! away.
//!
//! Files are not flushed to the disk. What a server has acknowledged still survives its death, only
//! not that of the machine, so that tests may kill servers.

use super::Server;
use super::address::Address;
use super::install::mysql_root;
use super::probe::probe;
use super::process::{Account, Process, account, is_root, run_as};
use super::programs::Programs;
use super::state::How;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most bytes of the path of a Unix socket (`sun_path` of Linux, less room for the file's name).
const SOCKET_PATH: usize = 80;

/// Starts servers with the programs of this machine.
#[derive(Debug)]
pub(crate) struct Starter {
    folder: PathBuf,
    programs: Programs,
    root: bool,
}

/// What a server is started with.
#[derive(Debug)]
struct Place {
    port: u16,
    data: PathBuf,
    account: Option<Account>,
}

impl Starter {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Starter {
            folder,
            programs: Programs::of_the_system(),
            root: is_root(),
        }
    }

    #[cfg(test)]
    pub(crate) fn with_programs(self, programs: Programs) -> Self {
        Starter { programs, ..self }
    }

    /// Sees what was installed since.
    pub(crate) fn look_again(&mut self) {
        self.programs = Programs::of_the_system();
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a server and waits until it answers; `None` if it is not installed.
    ///
    /// # Errors
    /// If it is installed but does not start: with the end of its log.
    pub(crate) fn start(
        &self,
        server: Server,
        upstream: Option<&Address>,
    ) -> Result<Option<(Address, How)>, String> {
        let started = match server {
            Server::Postgres => self.postgres()?,
            Server::MariaDb => self.mariadb()?,
            Server::MySql => match self.mysql()? {
                Some(started) => Some(started),
                None => self.mysql_in_its_root()?,
            },
            Server::PgBouncer => self.pgbouncer(upstream)?,
        };
        let Some((place, process)) = started else {
            return Ok(None);
        };
        let (scheme, user, database) = server.defaults();
        let address = Address::local(scheme, user, place.port, database);
        if let Err(why) = wait(server, &address, &process) {
            let log = tail(&self.log(server));
            // The first failure is the one to report.
            let _ = end(server, &process, &place.data);
            return Err(format!("{} does not start: {why}\n{log}", server.title()));
        }
        let folder = place.data;
        Ok(Some((address, How::Private { process, folder })))
    }

    fn postgres(&self) -> Result<Option<(Place, Process)>, String> {
        let Some([initdb, postgres]) = self.programs.find_all(["initdb", "postgres"]) else {
            return Ok(None);
        };
        let place = self.place(Server::Postgres, &["postgres", "nobody"])?;
        // Of the locales that know all characters, Linux has one without a package.
        let locale = if cfg!(target_os = "linux") {
            "C.UTF-8"
        } else {
            "C"
        };
        let mut init = place.command(&initdb);
        init.arg("-D")
            .arg(&place.data)
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8"]);
        init.args(["--no-sync", "--locale", locale]);
        finish(init)?;
        let socket = place.socket_folder().unwrap_or_default();
        let mut command = place.command(&postgres);
        command.arg("-D").arg(&place.data);
        for setting in [
            format!("port={}", place.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={socket}"),
            "max_connections=200".to_owned(),
            "fsync=off".to_owned(),
            "full_page_writes=off".to_owned(),
        ] {
            command.arg("-c").arg(setting);
        }
        let process = Process::start(command, &self.log(Server::Postgres))?;
        Ok(Some((place, process)))
    }

    fn mariadb(&self) -> Result<Option<(Place, Process)>, String> {
        let names = ["mariadb-install-db", "mariadbd"];
        let Some([install, mariadbd]) = self.programs.find_all(names) else {
            return Ok(None);
        };
        let place = self.place(Server::MariaDb, &["mysql", "nobody"])?;
        let data = option("datadir", &place.data);
        let mut init = place.command(&install);
        init.args(["--no-defaults", "--skip-test-db", &data]);
        init.arg("--auth-root-authentication-method=normal");
        finish(init)?;
        let mut command = place.command(&mariadbd);
        command
            .args(["--no-defaults", &data])
            .args(place.mysql_options(&place.data));
        let process = Process::start(command, &self.log(Server::MariaDb))?;
        Ok(Some((place, process)))
    }

    fn mysql(&self) -> Result<Option<(Place, Process)>, String> {
        let Some(mysqld) = self.programs.find("mysqld") else {
            return Ok(None);
        };
        // MariaDB's packages have a program of this name too.
        let version = output(Command::new(&mysqld).args(["--no-defaults", "--version"]))?;
        if String::from_utf8_lossy(&version.stdout).contains("MariaDB") {
            return Ok(None);
        }
        let place = self.place(Server::MySql, &["mysql", "nobody"])?;
        let data = option("datadir", &place.data.join("data"));
        let mut init = place.command(&mysqld);
        init.args(["--no-defaults", "--initialize-insecure", &data]);
        finish(init)?;
        let mut command = place.command(&mysqld);
        command.args(["--no-defaults", &data]).args(MYSQL_ONLY);
        command.args(place.mysql_options(&place.data));
        let process = Process::start(command, &self.log(Server::MySql))?;
        Ok(Some((place, process)))
    }

    /// MySQL from the root file system that `mysql.sh` makes. It drops its rights by itself.
    fn mysql_in_its_root(&self) -> Result<Option<(Place, Process)>, String> {
        let root = mysql_root(&self.folder);
        if !self.root || !root.join("complete").exists() {
            return Ok(None);
        }
        let port = free_port(|port| !root.join(format!("srv/{port}")).exists())?;
        let inside = PathBuf::from(format!("/srv/{port}"));
        let place = Place {
            port,
            data: root.join(format!("srv/{port}")),
            account: None,
        };
        let enter = |words: &[&str]| {
            let mut command = Command::new("chroot");
            command.arg(&root).args(words);
            command
        };
        let folder = inside.to_string_lossy().into_owned();
        finish(enter(&[
            "install", "-d", "-o", "mysql", "-m", "700", &folder,
        ]))?;
        let data = option("datadir", &inside.join("data"));
        let common = ["mysqld", "--no-defaults", "--user=mysql", &data];
        let mut init = enter(&common);
        init.arg("--initialize-insecure");
        finish(init)?;
        let mut command = enter(&common);
        command.args(MYSQL_ONLY).args(place.mysql_options(&inside));
        let process = Process::start(command, &self.log(Server::MySql))?;
        Ok(Some((place, process)))
    }

    fn pgbouncer(&self, upstream: Option<&Address>) -> Result<Option<(Place, Process)>, String> {
        let Some(pgbouncer) = self.programs.find("pgbouncer") else {
            return Ok(None);
        };
        let upstream = upstream.ok_or("PostgreSQL, which it stands in front of, is missing")?;
        let place = self.place(Server::PgBouncer, &["postgres", "nobody"])?;
        let file = place.data.join("pgbouncer.ini");
        std::fs::write(&file, pooler(upstream, place.port))
            .map_err(|error| format!("{}: {error}", file.display()))?;
        // It holds the password of the server behind it, if there is one.
        own(&file, 0o600, place.account)?;
        let mut command = place.command(&pgbouncer);
        command.arg(&file);
        let process = Process::start(command, &self.log(Server::PgBouncer))?;
        Ok(Some((place, process)))
    }

    /// A free port and an empty folder that belongs to the account the server runs as.
    fn place(&self, server: Server, accounts: &[&str]) -> Result<Place, String> {
        let account = if self.root {
            let found = account(accounts);
            Some(found.ok_or_else(|| format!("no account of {}", accounts.join(", ")))?)
        } else {
            None
        };
        let ours = account.is_none() || open_to_all(&self.folder);
        let folder = |port| {
            let name = server.name();
            if ours {
                self.folder.join(format!("{name}-{port}"))
            } else {
                let us = std::process::id();
                std::env::temp_dir().join(format!("fast-django-{name}-{port}-{us}"))
            }
        };
        let port = free_port(|port| !folder(port).exists())?;
        let data = folder(port);
        std::fs::create_dir(&data).map_err(|error| format!("{}: {error}", data.display()))?;
        own(&data, 0o700, account)?;
        Ok(Place {
            port,
            data,
            account,
        })
    }

    fn log(&self, server: Server) -> PathBuf {
        self.folder.join(format!("{}.log", server.name()))
    }
}

/// What only MySQL understands. The directory that it would import files from is not part of its
/// core package.
const MYSQL_ONLY: &[&str] = &["--mysqlx=OFF", "--secure-file-priv="];

impl Place {
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(account) = self.account {
            run_as(&mut command, account);
        }
        command.env("LC_ALL", "C");
        command
    }

    /// Where a Unix socket may be, if the path is short enough for one.
    fn socket_folder(&self) -> Option<String> {
        let path = self.data.to_string_lossy().into_owned();
        (path.len() <= SOCKET_PATH).then_some(path)
    }

    /// Options of MariaDB and MySQL; `seen` is the folder as the server sees it.
    fn mysql_options(&self, seen: &Path) -> Vec<String> {
        // A long path would be refused; a relative one is below the data.
        let socket = match self.socket_folder() {
            Some(_) => seen.join("server.sock"),
            None => "server.sock".into(),
        };
        vec![
            format!("--port={}", self.port),
            option("socket", &socket),
            option("pid-file", &seen.join("server.pid")),
            "--bind-address=127.0.0.1".to_owned(),
            "--max-connections=200".to_owned(),
            "--skip-log-bin".to_owned(),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--innodb-doublewrite=OFF".to_owned(),
        ]
    }
}

/// The settings of a pooler in transaction mode. Transactions of a client go round over the
/// connections, so that what relies on the state of a session shows; idle connections end soon, as
/// they keep a database from being dropped.
fn pooler(upstream: &Address, port: u16) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let password = match &upstream.password {
        Some(secret) => format!(" password={}", quoted(&secret.0)),
        None => String::new(),
    };
    format!(
        "[databases]\n* = host={} port={} user={}{password}\n\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\npool_mode = transaction\ndefault_pool_size = 5\n\
         server_round_robin = 1\nserver_idle_timeout = 5\nmax_client_conn = 200\n",
        upstream.host,
        upstream.port,
        quoted(&upstream.user)
    )
}

/// Ends a server and throws its data away.
pub(crate) fn end(server: Server, process: &Process, data: &Path) -> Result<(), String> {
    // For these two it means at once; the others do not know it.
    process.end(match server {
        Server::Postgres | Server::PgBouncer => "QUIT",
        Server::MariaDb | Server::MySql => "TERM",
    })?;
    match std::fs::remove_dir_all(data) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", data.display()))
        }
        _ => Ok(()),
    }
}

fn wait(server: Server, address: &Address, process: &Process) -> Result<(), String> {
    let start = Instant::now();
    loop {
        match probe(server, address) {
            Ok(_) => return Ok(()),
            Err(_) if !process.runs() => return Err("it ended".to_owned()),
            Err(why) if start.elapsed() > PATIENCE => return Err(why),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// A port that nobody listens on and that suits. None of those that systems give to connections:
/// one of these could take it before the server does.
fn free_port(suits: impl Fn(u16) -> bool) -> Result<u16, String> {
    // Commands that run at the same time begin at different places.
    let start = u16::try_from(std::process::id() % 10_000).expect("it is below 10 000");
    let ports = (0..10_000).map(|step| 20_000 + (start + step) % 10_000);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok() && suits(*port);
    let found = ports.into_iter().find(free);
    found.ok_or_else(|| "no port from 20000 to 29999 is free".to_owned())
}

fn option(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

fn output(command: &mut Command) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .output()
        .map_err(|error| format!("cannot run {name}: {error}"))
}

fn finish(mut command: Command) -> Result<(), String> {
    let output = output(&mut command)?;
    if output.status.success() {
        return Ok(());
    }
    let both = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&both);
    Err(format!("{command:?} failed:\n{}", last_lines(&text)))
}

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let end = last_lines(&String::from_utf8_lossy(&text));
    format!("the end of {}:\n{end}", log.display())
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Whether every account may enter a folder.
#[cfg(unix)]
fn open_to_all(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let open = |folder: &Path| {
        let data = std::fs::metadata(folder);
        data.is_ok_and(|data| data.permissions().mode() & 0o001 != 0)
    };
    folder.ancestors().all(open)
}

#[cfg(not(unix))]
fn open_to_all(_: &Path) -> bool {
    true
}

/// Sets who may use a file or folder, and whose it is.
#[cfg(unix)]
fn own(path: &Path, mode: u32, account: Option<Account>) -> Result<(), String> {
    use std::os::unix::fs::{PermissionsExt, chown};
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path, mode)
        .and_then(|()| match account {
            Some(Account { uid, gid }) => chown(path, Some(uid), Some(gid)),
            None => Ok(()),
        })
        .map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(not(unix))]
fn own(_: &Path, _: u32, _: Option<Account>) -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pooler_is_in_transaction_mode_and_quotes_its_upstream() {
        let upstream = Address::parse("postgres://ann:it's@db.example:6000/x").unwrap();
        let text = pooler(&upstream, 7000);
        let database = "* = host=db.example port=6000 user='ann' password='it''s'\n";
        assert!(text.contains(database), "{text}");
        assert!(
            text.contains("\nlisten_port = 7000\n") && text.contains("\npool_mode = transaction\n")
        );
    }

    #[test]
    fn a_port_in_use_is_not_free() {
        let first = free_port(|_| true).unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", first)).unwrap();
        let second = free_port(|_| true).unwrap();
        assert_ne!(first, second);
        let third = free_port(|port| port != second).unwrap();
        assert!(third != first && third != second && (20_000..30_000).contains(&third));
    }

    #[test]
    fn a_server_that_ends_at_once_is_an_error() {
        let log = std::env::temp_dir().join(format!("fd-ends-{}", std::process::id()));
        let mut command = Command::new("sh");
        command.args(["-c", "echo broken; sleep 0.1; exit 1"]);
        let process = Process::start(command, &log).unwrap();
        let address = Address::local("postgres", "postgres", 1, "postgres");
        let error = wait(Server::Postgres, &address, &process).unwrap_err();
        let shown = tail(&log);
        std::fs::remove_file(&log).unwrap();
        assert_eq!(error, "it ended");
        assert!(shown.ends_with("\nbroken"), "{shown}");
    }

    #[cfg(unix)]
    #[test]
    fn a_closed_folder_above_is_noticed() {
        let top = std::env::temp_dir().join(format!("fd-closed-{}", std::process::id()));
        let below = top.join("below");
        std::fs::create_dir_all(&below).unwrap();
        own(&below, 0o755, None).unwrap();
        own(&top, 0o755, None).unwrap();
        let open = open_to_all(&below);
        own(&top, 0o700, None).unwrap();
        let closed = !open_to_all(&below);
        std::fs::remove_dir_all(&top).unwrap();
        assert!(open && closed);
    }
}
