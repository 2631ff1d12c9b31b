//! The start of a MySQL or MariaDB session (manuals, "Connection Phase").

use super::{Answer, Stream, lost, no_server, read, text};
use crate::servers::Server;
use crate::servers::address::Address;

const LONG_PASSWORD: u32 = 1;
const PROTOCOL_41: u32 = 1 << 9;
const SECURE_CONNECTION: u32 = 1 << 15;
const PLUGIN_AUTH: u32 = 1 << 19;
const UTF8MB4: u8 = 45;

/// The first packet of a server.
#[derive(Debug, PartialEq, Eq)]
struct Greeting {
    server: Server,
    version: String,
    plugin: String,
}

pub(super) fn probe(
    stream: &mut impl Stream,
    address: &Address,
    wanted: Server,
) -> Result<Answer, String> {
    let (_, packet) = packet(stream)?;
    let greeting = Greeting::read(&packet)?;
    let version = greeting.version;
    if greeting.server != wanted {
        return Err(format!("it is {} {version}", greeting.server.title()));
    }
    if address.password.is_some() {
        let logged_in = false;
        return Ok(Answer { version, logged_in });
    }
    send(stream, 1, &login(address, &greeting.plugin))?;
    finish(stream)?;
    if !address.database.is_empty() {
        let name = address.database.replace('`', "``");
        let sql = format!("\x03CREATE DATABASE IF NOT EXISTS `{name}`");
        send(stream, 0, sql.as_bytes())?;
        finish(stream)?;
    }
    // Said goodbye, the server does not count an aborted connection.
    let _ = send(stream, 0, &[1]);
    let logged_in = true;
    Ok(Answer { version, logged_in })
}

impl Greeting {
    fn read(packet: &[u8]) -> Result<Self, String> {
        match packet.first() {
            Some(10) => {}
            Some(0xff) => return Err(refusal(packet)),
            _ => return Err(no_server()),
        }
        let (version, rest) = text(&packet[1..]).ok_or_else(no_server)?;
        // Thread, 8 bytes of challenge, a zero; then the lower capabilities.
        let low = rest.get(13..15).ok_or_else(no_server)?;
        let long_password = u32::from(low[0]) & LONG_PASSWORD != 0;
        // Character set, status, upper capabilities, length, 10 bytes reserved, rest of the
        // challenge, which is at least 13 bytes.
        let plugin = match rest.get(20) {
            Some(&length) => {
                let challenge = usize::from(length).saturating_sub(8).max(13);
                let name = rest.get(31 + challenge..).unwrap_or_default();
                text(name).map(|(name, _)| name).unwrap_or_default()
            }
            None => String::new(),
        };
        // MariaDB leaves out the first capability to tell itself apart, and its version may begin
        // with a fixed prefix that old replicas need.
        let mariadb = version.contains("MariaDB") || !long_password;
        Ok(Greeting {
            server: if mariadb {
                Server::MariaDb
            } else {
                Server::MySql
            },
            version: version.trim_start_matches("5.5.5-").to_owned(),
            plugin,
        })
    }
}

/// A login without a password and without a database, which may have to be made first.
fn login(address: &Address, plugin: &str) -> Vec<u8> {
    let flags = LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;
    let mut body = flags.to_le_bytes().to_vec();
    body.extend_from_slice(&(1_u32 << 24).to_le_bytes());
    body.push(UTF8MB4);
    body.extend_from_slice(&[0; 23]);
    body.extend_from_slice(address.user.as_bytes());
    // The end of the name, and an answer of length 0: no password.
    body.extend_from_slice(&[0, 0]);
    body.extend_from_slice(plugin.as_bytes());
    body.push(0);
    body
}

/// Reads until the server agrees or refuses.
fn finish(stream: &mut impl Stream) -> Result<(), String> {
    loop {
        let (number, body) = packet(stream)?;
        match body.first() {
            Some(0) => return Ok(()),
            Some(0xff) => return Err(refusal(&body)),
            // Another way to log in: an empty password is an empty answer in all of them.
            Some(0xfe) => send(stream, number.wrapping_add(1), &[])?,
            // More of the login follows.
            Some(1) => {}
            _ => return Err(no_server()),
        }
    }
}

/// The message of an error packet: code, perhaps `#` and a state, text.
fn refusal(packet: &[u8]) -> String {
    let rest = packet.get(3..).unwrap_or_default();
    let rest = match rest {
        [b'#', _, _, _, _, _, text @ ..] => text,
        text => text,
    };
    format!("it refuses: {}", String::from_utf8_lossy(rest))
}

fn packet(stream: &mut impl Stream) -> Result<(u8, Vec<u8>), String> {
    let head = read(stream, 4)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
    let length = usize::try_from(length).map_err(|_| no_server())?;
    Ok((head[3], read(stream, length)?))
}

fn send(stream: &mut impl Stream, number: u8, body: &[u8]) -> Result<(), String> {
    stream.write_all(&framed(number, body)).map_err(lost)
}

fn framed(number: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a packet of ours is short");
    let mut bytes = length.to_le_bytes()[..3].to_vec();
    bytes.push(number);
    bytes.extend_from_slice(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::fake::Script;
    use super::*;

    const OK: &[u8] = &[0, 0, 0, 2, 0, 0, 0];

    fn greeting(version: &str, low: [u8; 2], plugin: &str) -> Vec<u8> {
        let mut bytes = vec![10];
        bytes.extend_from_slice(version.as_bytes());
        bytes.extend_from_slice(&[0, 7, 0, 0, 0]);
        bytes.extend_from_slice(b"12345678\0");
        bytes.extend_from_slice(&low);
        bytes.extend_from_slice(&[45, 2, 0, 0xff, 0x81, 21]);
        bytes.extend_from_slice(&[0; 10]);
        bytes.extend_from_slice(b"123456789012\0");
        bytes.extend_from_slice(plugin.as_bytes());
        bytes.push(0);
        bytes
    }

    fn answers(parts: &[&[u8]]) -> Script {
        let bytes = parts.iter().flat_map(|body| framed(0, body));
        Script::new(bytes.collect())
    }

    fn address() -> Address {
        Address::local("mysql", "root", 3306, "te`st")
    }

    #[test]
    fn greetings_tell_the_servers_apart() {
        let (mysql, mariadb) = ([0xff, 0xff], [0xfe, 0xf7]);
        for (version, low, server, shown) in [
            ("9.7.0", mysql, Server::MySql, "9.7.0"),
            (
                "8.0.44-0ubuntu0.24.04.1",
                mysql,
                Server::MySql,
                "8.0.44-0ubuntu0.24.04.1",
            ),
            (
                "5.5.5-10.11.6-MariaDB-1",
                mariadb,
                Server::MariaDb,
                "10.11.6-MariaDB-1",
            ),
            (
                "11.8.2-MariaDB-ubu2404",
                mariadb,
                Server::MariaDb,
                "11.8.2-MariaDB-ubu2404",
            ),
            ("8.0.0-renamed", mariadb, Server::MariaDb, "8.0.0-renamed"),
        ] {
            let read = Greeting::read(&greeting(version, low, "caching_sha2_password")).unwrap();
            assert_eq!((read.server, read.version.as_str()), (server, shown));
            assert_eq!(read.plugin, "caching_sha2_password");
        }
    }

    #[test]
    fn short_greetings_are_no_panic() {
        let whole = greeting("9.7.0", [0xff, 0xff], "x");
        for end in 0..whole.len() {
            // Old servers end early; what matters is that nothing is read past the end.
            let _ = Greeting::read(&whole[..end]);
        }
        assert!(Greeting::read(&whole[..10]).is_err());
    }

    #[test]
    fn a_login_makes_the_database() {
        let hello = greeting("9.7.0", [0xff, 0xff], "caching_sha2_password");
        let switch = b"\xfemysql_native_password\0salt\0";
        let mut server = answers(&[&hello, switch, OK, OK]);
        let answer = probe(&mut server, &address(), Server::MySql).unwrap();
        assert_eq!((answer.version.as_str(), answer.logged_in), ("9.7.0", true));
        let sent = String::from_utf8_lossy(&server.sent);
        assert!(
            sent.contains("CREATE DATABASE IF NOT EXISTS `te``st`"),
            "{sent}"
        );
    }

    #[test]
    fn the_other_server_and_refusals_are_errors() {
        let hello = greeting(
            "5.5.5-10.11.6-MariaDB",
            [0xfe, 0xf7],
            "mysql_native_password",
        );
        let other = probe(&mut answers(&[&hello]), &address(), Server::MySql).unwrap_err();
        assert_eq!(other, "it is MariaDB 10.11.6-MariaDB");

        let denied = b"\xff\x15\x04#28000Access denied for user 'root'";
        let error = probe(&mut answers(&[&hello, denied]), &address(), Server::MariaDb);
        assert_eq!(
            error.unwrap_err(),
            "it refuses: Access denied for user 'root'"
        );

        let full = b"\xff\x10\x04Too many connections";
        let error = probe(&mut answers(&[full]), &address(), Server::MySql);
        assert_eq!(error.unwrap_err(), "it refuses: Too many connections");
    }
}
