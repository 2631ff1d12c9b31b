//! Servers of a test's own: a PostgreSQL that wants passwords and offers TLS, and a PgBouncer.
//! Their folder is removed with them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A process that is stopped when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    process: Child,
    // After the process, which writes into it.
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The immediate stop: nothing in the folder is worth keeping.
        let pid = self.process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &pid]).status();
        let _ = self.process.wait();
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A command, as the user `postgres` if we are root, whom the servers refuse.
fn unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id")
        .arg("-u")
        .output()
        .expect("`id` is there");
    id.stdout.starts_with(b"0\n")
}

/// A folder that the servers may write into.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if is_root() {
        let path = folder.path().to_str().expect("UTF-8");
        let status = Command::new("chown").args(["postgres:", path]).status();
        assert!(status.expect("`chown` is there").success());
    }
    folder
}

fn binary(name: &str) -> PathBuf {
    let output = Command::new("pg_config").arg("--bindir").output();
    let output = output.expect("`pg_config` is missing: install PostgreSQL's server and client");
    let folder = String::from_utf8(output.stdout).expect("UTF-8");
    let path = Path::new(folder.trim()).join(name);
    assert!(
        path.exists(),
        "{} is missing: install PostgreSQL's server",
        path.display()
    );
    path
}

impl Server {
    /// A PostgreSQL with these certificates whose user `postgres` has the password `canary`.
    pub(crate) fn postgres(chain: &str, key: &str) -> Server {
        let folder = folder();
        let data = folder.path().join("data");
        let password = folder.path().join("password");
        std::fs::write(&password, "canary\n").expect("writes");
        let made = unprivileged(&binary("initdb"))
            .args([
                "-U",
                "postgres",
                "--auth=scram-sha-256",
                "--no-sync",
                "-E",
                "UTF8",
            ])
            .args(["--locale=C", "-D"])
            .arg(&data)
            .arg(format!("--pwfile={}", password.display()))
            .stdout(Stdio::null())
            .status();
        assert!(made.expect("initdb runs").success());
        for (name, text) in [("server.crt", chain), ("server.key", key)] {
            let path = data.join(name);
            std::fs::write(&path, text).expect("writes");
            let path = path.to_str().expect("UTF-8");
            Command::new("chmod")
                .args(["600", path])
                .status()
                .expect("chmod");
            if is_root() {
                Command::new("chown")
                    .args(["postgres:", path])
                    .status()
                    .expect("chown");
            }
        }
        let port = free_port();
        let process = unprivileged(&binary("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string(), "-c", "ssl=on", "-c", "fsync=off"])
            .arg("-k")
            .arg(folder.path())
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "max_connections=20",
            ])
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        Server {
            port,
            process,
            folder,
        }
        .answering()
    }

    /// A PgBouncer in transaction mode with two connections to this server.
    pub(crate) fn pgbouncer((host, port): &(String, u16)) -> Server {
        let program = [
            "/usr/sbin/pgbouncer",
            "/usr/bin/pgbouncer",
            "/usr/local/bin/pgbouncer",
        ];
        let program = program.iter().map(Path::new).find(|path| path.exists());
        let program = program.expect("PgBouncer is missing: `apt-get install pgbouncer`");
        let folder = folder();
        let own_port = free_port();
        let path = folder.path().display();
        let config = format!(
            "[databases]\n* = host={host} port={port} user=postgres\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own_port}\nunix_socket_dir =\n\
             auth_type = any\nauth_file = {path}/users\npool_mode = transaction\n\
             default_pool_size = 2\nlogfile = {path}/log\n"
        );
        std::fs::write(folder.path().join("ini"), config).expect("writes");
        std::fs::write(folder.path().join("users"), "\"postgres\" \"\"\n").expect("writes");
        let process = unprivileged(program)
            .arg("-q")
            .arg(folder.path().join("ini"))
            .stderr(Stdio::null())
            .spawn()
            .expect("the pooler starts");
        Server {
            port: own_port,
            process,
            folder,
        }
        .answering()
    }

    /// The folder of its Unix socket.
    pub(crate) fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    fn answering(self) -> Server {
        let start = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let folder = self.folder.path().display();
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "no answer ({folder})"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        self
    }
}
