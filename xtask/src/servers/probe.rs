//! Asks a server whether it is the right one and lets us in, by a real handshake.

mod mysql;
mod postgres;

use super::Server;
use super::address::Address;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a server may take for each answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) version: String,
    /// The login ended well; otherwise the server asks for a password, which only a driver gives.
    pub(crate) logged_in: bool,
}

/// Connects, logs in, and makes sure that the tests may create databases there.
///
/// # Errors
/// If nothing answers within seconds, if it is another kind of server, or if it refuses us.
pub(crate) fn probe(server: Server, address: &Address) -> Result<Answer, String> {
    let mut stream = connect(address)?;
    match server {
        Server::Postgres | Server::PgBouncer => postgres::probe(&mut stream, address),
        Server::MariaDb | Server::MySql => mysql::probe(&mut stream, address, server),
    }
}

fn connect(address: &Address) -> Result<TcpStream, String> {
    let place = (address.host.as_str(), address.port);
    let found = place
        .to_socket_addrs()
        .map_err(|e| format!("unknown host: {e}"))?;
    let mut last = "unknown host".to_owned();
    for place in found {
        match TcpStream::connect_timeout(&place, PATIENCE) {
            Ok(stream) => {
                let timeout = Some(PATIENCE);
                let set = stream.set_read_timeout(timeout);
                set.and_then(|()| stream.set_write_timeout(timeout))
                    .map_err(|e| e.to_string())?;
                return Ok(stream);
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(last)
}

/// Both ways of a connection; tests put a recorded answer in its place.
trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// The most bytes of one message that a handshake may send us.
const MOST: usize = 1 << 20;

fn read(stream: &mut impl Read, length: usize) -> Result<Vec<u8>, String> {
    if length > MOST {
        return Err(no_server());
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).map_err(lost)?;
    Ok(bytes)
}

fn lost(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => "it does not answer".to_owned(),
        _ => format!("it ended the connection: {error}"),
    }
}

fn no_server() -> String {
    "what answers does not speak the protocol of this server".to_owned()
}

/// The text up to the first zero byte, and what follows it.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == 0)?;
    let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
    Some((text, &bytes[end + 1..]))
}

#[cfg(test)]
mod fake {
    use std::io::{self, Cursor, Read, Write};

    /// A server that says what it was told to say.
    #[derive(Debug)]
    pub(super) struct Script {
        answers: Cursor<Vec<u8>>,
        pub(super) sent: Vec<u8>,
    }

    impl Script {
        pub(super) fn new(answers: Vec<u8>) -> Self {
            Script {
                answers: Cursor::new(answers),
                sent: Vec::new(),
            }
        }
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answers.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.sent.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_port_without_a_server_is_an_error() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let address = Address::local("postgres", "postgres", port, "postgres");
        let error = probe(Server::Postgres, &address).unwrap_err();
        assert!(error.contains("refused"), "{error}");
    }

    #[test]
    fn another_kind_of_server_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").unwrap();
        });
        let address = Address::local("mysql", "root", port, "test");
        let error = probe(Server::MySql, &address).unwrap_err();
        server.join().unwrap();
        assert!(error.contains("does not speak"), "{error}");
    }
}
