//! `cargo xtask servers` as a command: what it prints, how it ends, and that no password is shown.

use std::io::Write;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread::JoinHandle;

const VARIABLES: [&str; 4] = [
    "FD_TEST_POSTGRES_URL",
    "FD_TEST_MARIADB_URL",
    "FD_TEST_MYSQL_URL",
    "FD_TEST_PGBOUNCER_URL",
];

/// A folder for the state of one test, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("fd-command-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).expect("a new folder can be made");
        Folder(path)
    }

    /// Runs `cargo xtask servers` with these URLs in the environment, and no other.
    fn servers(&self, words: &[&str], urls: &[(&str, &str)]) -> (Option<i32>, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        let command = command.arg("servers").args(words);
        let command = command
            .envs(urls.iter().copied())
            .env("FD_SERVERS_DIR", &self.0);
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().expect("the command starts");
        let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
        (status.code(), text(stdout), text(stderr))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Left behind, it does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server that greets one client as a certain version of MySQL does, and hangs up.
fn greeter(version: &str) -> (u16, JoinHandle<()>) {
    let mut packet = vec![10];
    packet.extend_from_slice(version.as_bytes());
    packet.extend_from_slice(b"\0\x07\0\0\0abcdefgh\0\xff\xff\x2d\x02\0\xff\x81\x15");
    packet.extend_from_slice(&[0; 10]);
    packet.extend_from_slice(b"123456789012\0caching_sha2_password\0");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client comes");
        let length = u8::try_from(packet.len()).expect("a greeting is short");
        let sent = stream.write_all(&[length, 0, 0, 0]);
        sent.and_then(|()| stream.write_all(&packet))
            .expect("the client listens");
    });
    (port, thread)
}

#[test]
fn nothing_to_end_is_fine() {
    let folder = Folder::new("down");
    for _ in 0..2 {
        let (code, out, _) = folder.servers(&["down"], &[]);
        assert_eq!(
            (code, out.as_str()),
            (Some(0), "nothing that we started runs\n")
        );
    }
}

#[test]
fn a_damaged_state_is_not_taken_for_an_empty_one() {
    let folder = Folder::new("damaged");
    std::fs::write(folder.0.join("state.json"), "{").unwrap();
    for command in ["down", "status"] {
        let (code, _, error) = folder.servers(&[command], &[]);
        assert_eq!(code, Some(1));
        assert!(error.contains("state.json"), "{error}");
    }
}

#[test]
fn a_server_of_the_environment_is_used_and_exported() {
    let folder = Folder::new("named");
    let (port, server) = greeter("9.7.0");
    let url = format!("mysql://root:canary@127.0.0.1:{port}/test?x=1");
    let urls = [("FD_TEST_MYSQL_URL", url.as_str())];
    let (code, out, error) = folder.servers(&["up", "mysql", "--print-env"], &urls);
    server.join().unwrap();
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(out, format!("export FD_TEST_MYSQL_URL='{url}'\n"));
    assert!(
        error.contains("from FD_TEST_MYSQL_URL") && error.contains("9.7.0"),
        "{error}"
    );
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn the_wrong_server_is_refused() {
    let folder = Folder::new("wrong");
    let (port, server) = greeter("5.5.5-10.11.6-MariaDB");
    let url = format!("mysql://root:canary@127.0.0.1:{port}/test");
    let urls = [("FD_TEST_MYSQL_URL", url.as_str())];
    let (code, out, error) = folder.servers(&["up", "mysql"], &urls);
    server.join().unwrap();
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.contains("it is MariaDB 10.11.6-MariaDB"), "{error}");
    assert!(!error.contains("canary"), "{error}");
}

#[test]
fn status_fails_where_a_server_does_not_answer() {
    let folder = Folder::new("status");
    let urls = VARIABLES.map(|variable| {
        let scheme = match variable {
            "FD_TEST_MARIADB_URL" => "mariadb://u:canary@127.0.0.1:1/d",
            "FD_TEST_MYSQL_URL" => "mysql://u:canary@127.0.0.1:1/d",
            _ => "postgres://u:canary@127.0.0.1:1/d",
        };
        (variable, scheme)
    });
    let (code, _, error) = folder.servers(&["status"], &urls);
    assert_eq!(code, Some(1));
    for variable in VARIABLES {
        assert!(
            error.contains(&format!("{variable} does not lead to")),
            "{error}"
        );
    }
    assert!(
        error.contains("cargo xtask servers up") && !error.contains("canary"),
        "{error}"
    );
}
