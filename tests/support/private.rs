//! PostgreSQL and MariaDB of a test's own, from the installed programs, on a free port of
//! 127.0.0.1. Password logins only, and no TLS unless they are given a certificate. Their folder is removed with them.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What must never be shown.
pub(crate) const PASSWORD: &str = "canary-3f9c";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
}

/// A server that is ended when it is dropped.
#[derive(Debug)]
pub(crate) struct Private {
    kind: Kind,
    pub(crate) port: u16,
    process: Option<Child>,
    encrypted: bool,
    folder: TempDir,
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.expect("`id` is there").stdout.starts_with(b"0\n")
}

fn run(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {words}");
}

/// The program of a server, wherever its package puts it.
fn program(name: &str, package: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
        .map(PathBuf::from)
        .to_vec();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        let mut versions: Vec<_> = versions.flatten().map(|v| v.path().join("bin")).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let found = folders.iter().map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is missing: apt-get install {package}"))
}

impl Kind {
    /// The account that the server runs as when we are root.
    fn account(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::MariaDb => "mysql",
        }
    }

    fn command(self, program: &Path) -> Command {
        if !is_root() {
            return Command::new(program);
        }
        let mut command = Command::new("setpriv");
        let account = self.account();
        command.arg(format!("--reuid={account}"));
        command.arg(format!("--regid={account}"));
        command.arg("--clear-groups").arg(program);
        command
    }
}

impl Private {
    /// Makes and starts a server; this takes seconds.
    #[allow(dead_code, reason = "not for the tests of encryption")]
    pub(crate) fn start(kind: Kind) -> Private {
        Private::with_certificate(kind, None)
    }

    /// As above, with a certificate and its key in PEM, where it is MariaDB.
    pub(crate) fn with_certificate(kind: Kind, certificate: Option<(&str, &str)>) -> Private {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if is_root() {
            run(Command::new("chown").arg(kind.account()).arg(folder.path()));
        }
        let mut server = Private {
            kind,
            port: free_port(),
            process: None,
            encrypted: certificate.is_some(),
            folder,
        };
        if let Some((chain, key)) = certificate {
            for (name, text) in [("chain.pem", chain), ("key.pem", key)] {
                std::fs::write(server.folder.path().join(name), text).expect("writes");
            }
        }
        server.initialise();
        server.resume();
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn initialise(&self) {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        match self.kind {
            Kind::Postgres => {
                std::fs::write(path("password"), PASSWORD).expect("writes");
                let mut command = self.kind.command(&program("initdb", "postgresql"));
                command.args(["-U", "postgres", "--auth=scram-sha-256", "--no-sync"]);
                command.args(["-E", "UTF8", "--locale=C", "-D", &path("data")]);
                command.arg(format!("--pwfile={}", path("password")));
                run(&mut command);
            }
            Kind::MariaDb => {
                let install = program("mariadb-install-db", "mariadb-server");
                let mut command = self.kind.command(&install);
                command.args(["--no-defaults", "--skip-test-db"]);
                command.arg("--auth-root-authentication-method=normal");
                command.arg(format!("--datadir={}", path("data")));
                run(&mut command);
                let sql = format!(
                    "CREATE DATABASE test;\n\
                     CREATE USER fd@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n\
                     GRANT ALL ON test.* TO fd@'127.0.0.1';\n\
                     GRANT ALL ON fd_none.* TO fd@'127.0.0.1';\n"
                );
                std::fs::write(path("init.sql"), sql).expect("writes");
            }
        }
    }

    /// Starts the server, again after [`end`](Private::end), and waits until it lets clients in.
    pub(crate) fn resume(&mut self) {
        let (data, folder) = (self.data(), self.folder.path().display().to_string());
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = self.kind.command(&program("postgres", "postgresql"));
                command.arg("-D").arg(&data).args(["-k", &folder]);
                for setting in [
                    "fsync=off",
                    "listen_addresses=127.0.0.1",
                    "max_connections=10",
                    "superuser_reserved_connections=0",
                    "max_wal_senders=0",
                ] {
                    command.args(["-c", setting]);
                }
                command.args(["-p", &self.port.to_string()]);
                command
            }
            Kind::MariaDb => {
                let mut command = self.kind.command(&program("mariadbd", "mariadb-server"));
                command.args(["--no-defaults", "--bind-address=127.0.0.1"]);
                // The fewest that it takes.
                command.args(["--max-connections=10", "--skip-log-bin"]);
                if self.encrypted {
                    command.arg(format!("--ssl-cert={folder}/chain.pem"));
                    command.arg(format!("--ssl-key={folder}/key.pem"));
                } else {
                    command.arg("--skip-ssl");
                }
                command.arg(format!("--datadir={}", data.display()));
                command.arg(format!("--socket={folder}/s"));
                command.arg(format!("--port={}", self.port));
                let first = self.folder.path().join("init.sql");
                if first.exists() {
                    command.arg(format!("--init-file={}", first.display()));
                }
                command
            }
        };
        let log = self.folder.path().join("log");
        let log = std::fs::File::options().append(true).create(true).open(log);
        command.stderr(log.expect("a log")).stdout(Stdio::null());
        self.process = Some(command.spawn().expect("the server starts"));
        self.wait();
        // It is read as the server starts, and so must not be read again.
        let _ = std::fs::remove_file(self.folder.path().join("init.sql"));
    }

    /// Until the server's own client is let in: nothing of ours has touched it then.
    fn wait(&mut self) {
        let start = Instant::now();
        while !self.is_ready() {
            let process = self.process.as_mut().expect("it was started");
            let ended = process.try_wait().expect("it can be asked");
            let late = start.elapsed() > Duration::from_secs(60);
            if ended.is_some() || late {
                let log = std::fs::read_to_string(self.folder.path().join("log"));
                panic!("the server did not start: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_ready(&self) -> bool {
        if TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            return false;
        }
        let port = self.port.to_string();
        let status = match self.kind {
            Kind::Postgres => Command::new(program("pg_isready", "postgresql-client"))
                .args(["-q", "-h", "127.0.0.1", "-p", &port])
                .status(),
            Kind::MariaDb => Command::new(program("mariadb", "mariadb-client"))
                .args(["--no-defaults", "-h127.0.0.1", "-ufd", "-P", &port])
                .args(["-e", "SELECT 1", "test"])
                .env("MYSQL_PWD", PASSWORD)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status(),
        };
        status.expect("the client is installed").success()
    }

    /// Ends the server as a power cut would, without a word to its clients.
    pub(crate) fn kill(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let parent = process.id().to_string();
        // PostgreSQL has a process for each client.
        let children = Command::new("ps")
            .args(["-o", "pid=", "--ppid", &parent])
            .output();
        let children = String::from_utf8(children.expect("`ps` is there").stdout).expect("ASCII");
        let pids = std::iter::once(parent.as_str()).chain(children.split_whitespace());
        // One command for all: a child that outlives its parent would say good-bye.
        let mut kill = Command::new("kill");
        // Children may have ended with their parent.
        let _ = kill.arg("-KILL").args(pids).stderr(Stdio::null()).status();
        let _ = process.wait();
    }

    #[allow(dead_code, reason = "only the tests of restarts end it")]
    /// Asks the server to end, and waits until it has.
    pub(crate) fn end(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let signal = match self.kind {
            Kind::Postgres => "-INT",
            Kind::MariaDb => "-TERM",
        };
        let pid = process.id().to_string();
        let _ = Command::new("kill").args([signal, &pid]).status();
        let _ = process.wait();
    }

    /// The address, as messages have it.
    pub(crate) fn place(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The URL of a user with a password, with options such as `?max_connections=2`.
    pub(crate) fn url(&self, options: &str) -> String {
        let place = self.place();
        match self.kind {
            Kind::Postgres => format!("postgres://postgres:{PASSWORD}@{place}/postgres{options}"),
            Kind::MariaDb => format!("mariadb://fd:{PASSWORD}@{place}/test{options}"),
        }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
    }
}
