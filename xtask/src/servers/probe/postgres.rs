//! The start of a PostgreSQL session (manual, "Message Flow" and "Message Formats").

use super::{Answer, Stream, lost, no_server, read, text};
use crate::servers::address::Address;

const PROTOCOL_3_0: u32 = 196_608;
const MAY_CREATE: &str =
    "select 1 from pg_roles where rolname = current_user and (rolsuper or rolcreatedb)";

pub(super) fn probe(stream: &mut impl Stream, address: &Address) -> Result<Answer, String> {
    stream.write_all(&startup(address)).map_err(lost)?;
    let mut version = String::new();
    loop {
        let (kind, body) = message(stream)?;
        match kind {
            b'R' => match body.get(..4) {
                Some([0, 0, 0, 0]) => {}
                Some(_) if address.password.is_some() => {
                    let (version, logged_in) = ("of unknown version".to_owned(), false);
                    return Ok(Answer { version, logged_in });
                }
                Some(_) => return Err(format!("it asks `{}` for a password", address.user)),
                None => return Err(no_server()),
            },
            b'S' => {
                if let Some((name, rest)) = text(&body)
                    && name == "server_version"
                {
                    version = text(rest).map(|(value, _)| value).unwrap_or_default();
                }
            }
            b'E' => return Err(error(&body)),
            b'Z' => break,
            b'K' | b'N' | b'v' => {}
            _ => return Err(no_server()),
        }
    }
    if rows(stream, MAY_CREATE)? == 0 {
        return Err(format!("`{}` may not create databases", address.user));
    }
    // Said goodbye, the server does not log a lost connection.
    let _ = stream.write_all(&framed(b'X', &[]));
    let logged_in = true;
    Ok(Answer { version, logged_in })
}

fn startup(address: &Address) -> Vec<u8> {
    let mut body = PROTOCOL_3_0.to_be_bytes().to_vec();
    for part in ["user", &address.user, "database", &address.database] {
        body.extend_from_slice(part.as_bytes());
        body.push(0);
    }
    body.push(0);
    // The first message has no kind.
    framed(0, &body).split_off(1)
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message of ours is short");
    let mut bytes = vec![kind];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(body);
    bytes
}

fn message(stream: &mut impl Stream) -> Result<(u8, Vec<u8>), String> {
    let head = read(stream, 5)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    let length = usize::try_from(length).ok().and_then(|n| n.checked_sub(4));
    let body = read(stream, length.ok_or_else(no_server)?)?;
    Ok((head[0], body))
}

/// How many rows a statement gives.
fn rows(stream: &mut impl Stream, sql: &str) -> Result<usize, String> {
    let mut body = sql.as_bytes().to_vec();
    body.push(0);
    stream.write_all(&framed(b'Q', &body)).map_err(lost)?;
    let mut count = 0;
    let mut failed = None;
    loop {
        match message(stream)? {
            (b'D', _) => count += 1,
            (b'E', body) => failed = Some(error(&body)),
            (b'Z', _) => return failed.map_or(Ok(count), Err),
            _ => {}
        }
    }
}

/// The field `M` of an error.
fn error(body: &[u8]) -> String {
    let mut rest = body;
    while let Some((&field, after)) = rest.split_first()
        && let Some((value, next)) = text(after)
    {
        if field == b'M' {
            return format!("it refuses: {value}");
        }
        rest = next;
    }
    "it refuses without a reason".to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::fake::Script;
    use super::*;

    fn address() -> Address {
        Address::local("postgres", "ann", 5432, "db")
    }

    fn answers(parts: &[(u8, &[u8])]) -> Script {
        let bytes = parts.iter().flat_map(|(kind, body)| framed(*kind, body));
        Script::new(bytes.collect())
    }

    const IN: (u8, &[u8]) = (b'R', &[0, 0, 0, 0]);
    const VERSION: (u8, &[u8]) = (b'S', b"server_version\x0017.2\0");
    const READY: (u8, &[u8]) = (b'Z', b"I");

    #[test]
    fn a_login_gives_the_version() {
        let row: (u8, &[u8]) = (b'D', &[0, 1, 0, 0, 0, 1, b'1']);
        let mut server = answers(&[IN, VERSION, READY, row, (b'C', b"SELECT 1\0"), READY]);
        let answer = probe(&mut server, &address()).unwrap();
        assert_eq!((answer.version.as_str(), answer.logged_in), ("17.2", true));
        let start = b"\0\0\0\x1e\0\x03\0\0user\0ann\0database\0db\0\0";
        assert_eq!(server.sent[..start.len()], start[..]);
    }

    #[test]
    fn a_user_without_rights_is_refused() {
        let mut server = answers(&[IN, VERSION, READY, (b'C', b"SELECT 0\0"), READY]);
        let error = probe(&mut server, &address()).unwrap_err();
        assert_eq!(error, "`ann` may not create databases");
    }

    #[test]
    fn the_reason_of_a_refusal_is_shown() {
        let body = b"SFATAL\0C3D000\0Mdatabase \"db\" does not exist\0\0";
        let error = probe(&mut answers(&[(b'E', body)]), &address()).unwrap_err();
        assert_eq!(error, "it refuses: database \"db\" does not exist");
    }

    #[test]
    fn a_password_is_left_to_the_driver() {
        let asks: (u8, &[u8]) = (b'R', &[0, 0, 0, 10]);
        let error = probe(&mut answers(&[asks]), &address()).unwrap_err();
        assert_eq!(error, "it asks `ann` for a password");
        let with = Address::parse("postgres://ann:secret@h/db").unwrap();
        assert!(!probe(&mut answers(&[asks]), &with).unwrap().logged_in);
    }

    #[test]
    fn bad_lengths_are_no_panic() {
        for bytes in [
            &b"R\0\0\0\0"[..],
            b"R\xff\xff\xff\xff",
            b"R\0\0",
            b"HTTP/1.1 400 Bad Request",
        ] {
            assert!(probe(&mut Script::new(bytes.to_vec()), &address()).is_err());
        }
    }
}
