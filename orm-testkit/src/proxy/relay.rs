//! One connection of the proxy: both directions, and what the rule does to them.

use super::{After, Cut, Direction, Rule, State};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Most bytes of one piece.
const PIECE: usize = 16 * 1024;

/// What becomes of a piece that was read.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// All of it passes.
    Pass,
    /// So many of its bytes pass, then the cut.
    Cut(usize, Cut),
}

/// A connection under way.
pub(super) struct Relay {
    state: Arc<State>,
    /// The last bytes of the driver, in which a name may have begun.
    tail: Vec<u8>,
    /// Pieces of the answer since the driver has sent the name.
    answers: Option<usize>,
}

/// Closes a connection with a reset, so that the peer gets an error and not an end.
pub(super) fn reset(stream: TcpStream) {
    // It is closed in any case; without the option the peer sees an end.
    let _ = stream.set_zero_linger();
}

impl Relay {
    /// Relays until one side ends, or the rule says so.
    pub(super) async fn run(driver: TcpStream, state: Arc<State>) {
        let Ok(server) = TcpStream::connect(state.server).await else {
            return reset(driver);
        };
        for stream in [&driver, &server] {
            // Only makes cases quicker.
            let _ = stream.set_nodelay(true);
        }
        let mut closing = state.closing.subscribe();
        closing.mark_unchanged();
        let mut relay = Relay {
            state,
            tail: Vec::new(),
            answers: None,
        };
        let (from_driver, to_driver) = driver.into_split();
        let (from_server, to_server) = server.into_split();
        let mut sides = Sides {
            from_driver,
            to_driver,
            from_server,
            to_server,
        };
        let reset_both = tokio::select! {
            ended = relay.pump(&mut sides) => ended.unwrap_or(true),
            _ = closing.changed() => true,
        };
        if reset_both {
            sides.reset();
        }
    }

    /// Whether both sides are to be reset at the end.
    async fn pump(&mut self, sides: &mut Sides) -> io::Result<bool> {
        let (mut up, mut down) = (vec![0; PIECE], vec![0; PIECE]);
        let (mut up_open, mut down_open) = (true, true);
        while up_open || down_open {
            let (direction, count) = tokio::select! {
                count = sides.from_driver.read(&mut up), if up_open => (Direction::ToServer, count?),
                count = sides.from_server.read(&mut down), if down_open => (Direction::ToDriver, count?),
            };
            let (piece, out, open) = match direction {
                Direction::ToServer => (&up[..count], &mut sides.to_server, &mut up_open),
                Direction::ToDriver => (&down[..count], &mut sides.to_driver, &mut down_open),
            };
            if count == 0 {
                *open = false;
                out.shutdown().await?;
                continue;
            }
            let (passes, cut) = match self.fate(direction, piece) {
                Fate::Pass => (count, None),
                Fate::Cut(passes, cut) => (passes, Some(cut)),
            };
            out.write_all(&piece[..passes]).await?;
            match cut {
                None => {}
                Some(Cut::Reset) => return Ok(true),
                Some(Cut::HalfClose) => {
                    *open = false;
                    out.shutdown().await?;
                }
                Some(Cut::Stall) => std::future::pending().await,
                Some(Cut::Delay(pause)) => {
                    wait(pause).await;
                    out.write_all(&piece[passes..]).await?;
                }
            }
        }
        Ok(false)
    }

    /// What becomes of a piece. A rule that acts is used up.
    fn fate(&mut self, direction: Direction, piece: &[u8]) -> Fate {
        let mut slot = self.state.rule();
        let Some(rule) = &mut *slot else {
            self.answers = None;
            self.tail.clear();
            return Fate::Pass;
        };
        let passes = passing(rule, direction, piece, &mut self.tail, &mut self.answers);
        let Some(passes) = passes else {
            return Fate::Pass;
        };
        let cut = rule.cut;
        *slot = None;
        drop(slot);
        self.answers = None;
        self.tail.clear();
        self.state.acted.fetch_add(1, Ordering::SeqCst);
        Fate::Cut(passes, cut)
    }
}

/// How many bytes of the piece pass, if the rule acts in it.
fn passing(
    rule: &mut Rule,
    direction: Direction,
    piece: &[u8],
    tail: &mut Vec<u8>,
    answers: &mut Option<usize>,
) -> Option<usize> {
    match &rule.after {
        After::Bytes(at, most) => {
            if *at != direction {
                return None;
            }
            let left = most.saturating_sub(rule.passed);
            rule.passed += piece.len();
            (piece.len() > left).then_some(left)
        }
        After::Request(name) => {
            (direction == Direction::ToServer && seen(tail, piece, name)).then_some(0)
        }
        After::Answer(name, pieces) => match direction {
            Direction::ToServer => {
                if answers.is_none() && seen(tail, piece, name) {
                    *answers = Some(0);
                }
                None
            }
            Direction::ToDriver => {
                let count = answers.as_mut()?;
                *count += 1;
                (*count > *pieces).then_some(0)
            }
        },
    }
}

/// Whether the name ends in this piece. Keeps what the next piece needs to know.
fn seen(tail: &mut Vec<u8>, piece: &[u8], name: &[u8]) -> bool {
    tail.extend_from_slice(piece);
    let found = tail.windows(name.len().max(1)).any(|part| part == name);
    let keep = name.len().saturating_sub(1);
    let cut = tail.len().saturating_sub(keep);
    tail.drain(..cut);
    found
}

async fn wait(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// Both sockets.
struct Sides {
    from_driver: OwnedReadHalf,
    to_driver: OwnedWriteHalf,
    from_server: OwnedReadHalf,
    to_server: OwnedWriteHalf,
}

impl Sides {
    fn reset(self) {
        for (read, write) in [
            (self.from_driver, self.to_driver),
            (self.from_server, self.to_server),
        ] {
            if let Ok(stream) = read.reunite(write) {
                reset(stream);
            }
        }
    }
}
