//! A TCP proxy between driver and server that cuts, stalls, delays and refuses on request.
//!
//! A rule says after what it acts ([`After`]) and what it does ([`Cut`]). It acts once, on the first
//! connection that meets it, unless it is a lasting one; what does not meet it passes untouched.

mod relay;

use relay::Relay;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A direction of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the driver to the server.
    ToServer,
    /// From the server to the driver.
    ToDriver,
}

/// When a rule acts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum After {
    /// So many bytes have passed in this direction since the rule was set. The bytes before pass,
    /// those after do not.
    Bytes(Direction, usize),
    /// These bytes were sent by the driver: they and what follows do not pass.
    Request(Vec<u8>),
    /// These bytes were sent by the driver and have passed, as have so many pieces of the answer.
    /// The next piece does not.
    Answer(Vec<u8>, usize),
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cut {
    /// Closes both sides at once, so that what is under way is thrown away (RST).
    Reset,
    /// Ends the direction in which it acted, as if that side had no more to say; the other one goes
    /// on.
    HalfClose,
    /// Forwards nothing more on this connection, in both directions, and keeps it open.
    Stall,
    /// Goes on after this time.
    Delay(Duration),
}

struct State {
    server: SocketAddr,
    rule: Mutex<Option<Rule>>,
    refuses: AtomicBool,
    accepted: AtomicUsize,
    acted: AtomicUsize,
    /// Raised to close all connections.
    closing: watch::Sender<u64>,
}

struct Rule {
    after: After,
    cut: Cut,
    /// Bytes that have passed in the rule's direction.
    passed: usize,
}

/// A proxy of one server. Dropping it closes its connections and its port.
pub struct Proxy {
    state: Arc<State>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port of this machine.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(server: SocketAddr) -> io::Result<Proxy> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            server,
            rule: Mutex::new(None),
            refuses: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
            acted: AtomicUsize::new(0),
            closing: watch::channel(0).0,
        });
        let task = tokio::spawn(accept(listener, state.clone()));
        Ok(Proxy {
            state,
            address,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same URL with this proxy in place of the server.
    ///
    /// `None` when the URL names no host.
    pub fn url(&self, url: &str) -> Option<String> {
        through(url, self.address)
    }

    /// Cuts once, as soon as a connection meets the condition. Counts from now.
    pub fn cut(&self, after: After, cut: Cut) {
        *self.state.rule() = Some(Rule {
            after,
            cut,
            passed: 0,
        });
    }

    /// Forgets the rule; connections that stall stay so.
    pub fn heal(&self) {
        *self.state.rule() = None;
    }

    /// Whether new connections are refused: reset as soon as they are made.
    pub fn refuse(&self, refuses: bool) {
        self.state.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Resets all connections now.
    pub fn reset_all(&self) {
        self.state.closing.send_modify(|round| *round += 1);
    }

    /// How many connections were made through it so far, refused ones included.
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(Ordering::SeqCst)
    }

    /// How often a rule has acted.
    pub fn acted(&self) -> usize {
        self.state.acted.load(Ordering::SeqCst)
    }
}

impl State {
    fn rule(&self) -> MutexGuard<'_, Option<Rule>> {
        self.rule.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.reset_all();
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("address", &self.address)
            .field("server", &self.state.server)
            .finish_non_exhaustive()
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    // A port that accepts no more shows as a failed connection of the driver.
    while let Ok((driver, _)) = listener.accept().await {
        state.accepted.fetch_add(1, Ordering::SeqCst);
        if state.refuses.load(Ordering::SeqCst) {
            relay::reset(driver);
            continue;
        }
        tokio::spawn(Relay::run(driver, state.clone()));
    }
}

/// The URL with another host and port.
fn through(url: &str, address: SocketAddr) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (login, host) = match authority.rsplit_once('@') {
        Some((login, host)) => (format!("{login}@"), host),
        None => (String::new(), authority),
    };
    (!host.is_empty()).then(|| format!("{scheme}://{login}{address}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(2);

    /// A server that answers each message with the same bytes in capitals.
    async fn server() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((mut peer, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut buffer = [0; 64];
                    while let Ok(count @ 1..) = peer.read(&mut buffer).await {
                        let answer = buffer[..count].to_ascii_uppercase();
                        if peer.write_all(&answer).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        address
    }

    async fn ask(peer: &mut TcpStream, text: &str) -> io::Result<String> {
        peer.write_all(text.as_bytes()).await?;
        let mut buffer = [0; 64];
        let count = peer.read(&mut buffer).await?;
        Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
    }

    async fn pair() -> (Proxy, TcpStream) {
        let proxy = Proxy::start(server().await).await.expect("a proxy");
        let peer = TcpStream::connect(proxy.address()).await.expect("connects");
        (proxy, peer)
    }

    #[tokio::test]
    async fn what_meets_no_rule_passes() {
        let (proxy, mut peer) = pair().await;
        proxy.cut(After::Request(b"commit".to_vec()), Cut::Reset);
        assert_eq!(ask(&mut peer, "begin").await.expect("passes"), "BEGIN");
        assert_eq!((proxy.accepted(), proxy.acted()), (1, 0));
    }

    #[tokio::test]
    async fn a_named_request_is_cut_before_the_server_sees_it() {
        let (proxy, mut peer) = pair().await;
        proxy.cut(After::Request(b"commit".to_vec()), Cut::Reset);
        ask(&mut peer, "begin").await.expect("passes");
        assert!(ask(&mut peer, "commit").await.is_err());
        assert_eq!(proxy.acted(), 1);
        let mut next = TcpStream::connect(proxy.address()).await.expect("connects");
        assert_eq!(ask(&mut next, "commit").await.expect("once"), "COMMIT");
    }

    #[tokio::test]
    async fn a_name_in_two_pieces_is_found() {
        let (proxy, mut peer) = pair().await;
        proxy.cut(After::Request(b"commit".to_vec()), Cut::Reset);
        assert_eq!(ask(&mut peer, "com").await.expect("passes"), "COM");
        assert!(ask(&mut peer, "mit").await.is_err());
    }

    #[tokio::test]
    async fn an_answer_is_lost_after_the_request_has_passed() {
        let (proxy, mut peer) = pair().await;
        proxy.cut(After::Answer(b"commit".to_vec(), 0), Cut::Reset);
        assert_eq!(ask(&mut peer, "begin").await.expect("passes"), "BEGIN");
        assert!(ask(&mut peer, "commit").await.is_err());
        assert_eq!(proxy.acted(), 1);
    }

    #[tokio::test]
    async fn bytes_before_the_cut_pass() {
        let (proxy, mut peer) = pair().await;
        proxy.cut(After::Bytes(Direction::ToDriver, 3), Cut::HalfClose);
        assert_eq!(ask(&mut peer, "begin").await.expect("three"), "BEG");
        let mut rest = Vec::new();
        let end = timeout(SOON, peer.read_to_end(&mut rest)).await;
        assert_eq!(end.expect("in time").expect("an end"), 0);
    }

    #[tokio::test]
    async fn a_stall_keeps_the_connection_open_and_a_delay_goes_on() {
        let (proxy, mut peer) = pair().await;
        proxy.cut(After::Bytes(Direction::ToServer, 0), Cut::Stall);
        let wait = Duration::from_millis(60);
        assert!(timeout(wait, ask(&mut peer, "begin")).await.is_err());
        let mut next = TcpStream::connect(proxy.address()).await.expect("connects");
        let pause = Cut::Delay(wait);
        proxy.cut(After::Bytes(Direction::ToServer, 0), pause);
        let start = std::time::Instant::now();
        assert_eq!(ask(&mut next, "begin").await.expect("late"), "BEGIN");
        assert!(start.elapsed() >= wait);
    }

    #[tokio::test]
    async fn connections_are_refused_and_reset_on_request() {
        let (proxy, mut peer) = pair().await;
        ask(&mut peer, "begin").await.expect("passes");
        proxy.reset_all();
        let mut byte = [0];
        let end = timeout(SOON, peer.read(&mut byte)).await.expect("in time");
        assert!(end.is_err() || end.is_ok_and(|count| count == 0));
        proxy.refuse(true);
        let next = TcpStream::connect(proxy.address()).await;
        let answer = async { ask(&mut next?, "begin").await };
        let answer = timeout(SOON, answer).await.expect("in time");
        assert!(answer.map_or(true, |text| text.is_empty()));
    }

    #[test]
    fn urls_are_led_through() {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 77));
        let led = |url| through(url, address).unwrap_or_default();
        assert_eq!(
            led("db://u:p%40@h:1/n?a=b"),
            "db://u:p%40@127.0.0.1:77/n?a=b"
        );
        assert_eq!(led("db://h"), "db://127.0.0.1:77");
        assert_eq!(led("db://h?dbname=x"), "db://127.0.0.1:77?dbname=x");
        assert_eq!(through("file:///a.db", address), None);
        assert_eq!(through("file:a.db", address), None);
    }
}
