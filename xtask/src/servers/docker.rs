//! Servers as services of `compose.yaml`.

use super::Server;
use super::address::Address;
use std::process::{Command, Stdio};

/// The ports that `compose.yaml` publishes on this machine.
fn port(server: Server) -> u16 {
    match server {
        Server::Postgres => 15432,
        Server::MariaDb => 13306,
        Server::MySql => 13307,
        Server::PgBouncer => 16432,
    }
}

/// Starts a service and waits until it is healthy; `None` where Docker does not run. The pooler
/// stands in front of the PostgreSQL of the same file only.
pub(crate) fn start(server: Server, upstream: Option<&Address>) -> Result<Option<Address>, String> {
    let stranger = upstream.is_none_or(|address| address.port != port(Server::Postgres));
    if (server == Server::PgBouncer && stranger) || !runs() {
        return Ok(None);
    }
    compose(&["up", "--detach", "--wait", server.name()])?;
    let (scheme, user, database) = server.defaults();
    Ok(Some(Address::local(scheme, user, port(server), database)))
}

/// Ends a service and removes its data.
pub(crate) fn end(server: Server) -> Result<(), String> {
    compose(&["rm", "--stop", "--force", "--volumes", server.name()])
}

/// Whether the plugin is there and the daemon answers.
fn runs() -> bool {
    [&["compose", "version"][..], &["info"]]
        .iter()
        .all(|words| {
            let mut command = Command::new("docker");
            command
                .args(*words)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        })
}

fn compose(words: &[&str]) -> Result<(), String> {
    let output = Command::new("docker")
        .arg("compose")
        .args(words)
        .output()
        .map_err(|error| format!("cannot run docker: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("docker compose {} failed: {why}", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compose_file_publishes_these_ports() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../compose.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        for server in Server::ALL {
            let service = format!("\n  {}:\n", server.name());
            let (_, rest) = text.split_once(&service).expect(&service);
            let published = format!("\"127.0.0.1:{}:", port(server));
            assert!(rest.contains(&published), "{service}{published}");
        }
    }

    #[test]
    fn the_pooler_is_for_the_postgres_of_the_same_file() {
        let other = Address::local("postgres", "postgres", 5432, "postgres");
        assert_eq!(start(Server::PgBouncer, Some(&other)), Ok(None));
        assert_eq!(start(Server::PgBouncer, None), Ok(None));
    }
}
