//! A TCP relay that counts what the client sends: messages by type, and turns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Messages of the client by their type byte.
    pub(crate) messages: BTreeMap<char, usize>,
    /// How often the client spoke after the server had.
    pub(crate) turns: usize,
    /// Connections made.
    pub(crate) connections: usize,
    server_spoke: bool,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    counts: Arc<Mutex<Counts>>,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    /// Relays to this address; answers are held back for `delay`.
    pub(crate) async fn start(to: (String, u16), delay: Duration) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let counts = Arc::new(Mutex::new(Counts::default()));
        let shared = Arc::clone(&counts);
        let cut = Arc::new(AtomicBool::new(false));
        let cutting = Arc::clone(&cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect((to.0.as_str(), to.1)).await else {
                    continue;
                };
                shared.lock().expect("not poisoned").connections += 1;
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let (shared, cutting) = (Arc::clone(&shared), Arc::clone(&cutting));
                tokio::spawn(async move {
                    // When one direction ends, both do.
                    tokio::select! {
                        () = requests(from_client, to_server, Arc::clone(&shared)) => {}
                        () = answers(from_server, to_client, delay, shared, cutting) => {}
                    }
                });
            }
        });
        Proxy { port, counts, cut }
    }

    /// From now on (or no longer), an answer of the server cuts its connection instead of arriving.
    pub(crate) fn cut_answers(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }

    /// What was counted since the last call.
    pub(crate) fn take(&self) -> Counts {
        let mut counts = self.counts.lock().expect("not poisoned");
        let fresh = Counts {
            server_spoke: true,
            ..Counts::default()
        };
        std::mem::replace(&mut counts, fresh)
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, counts: Arc<Mutex<Counts>>) {
    let mut room = vec![0; 1 << 16];
    let mut pending: Vec<u8> = Vec::new();
    let mut started = false;
    while let Ok(count @ 1..) = from.read(&mut room).await {
        pending.extend_from_slice(&room[..count]);
        {
            let mut counts = counts.lock().expect("not poisoned");
            if std::mem::take(&mut counts.server_spoke) {
                counts.turns += 1;
            }
            // The first message has no type.
            loop {
                let at = usize::from(started);
                let Some(length) = pending.get(at..at + 4) else {
                    break;
                };
                let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
                let whole = at + length;
                if pending.len() < whole {
                    break;
                }
                if started {
                    *counts.messages.entry(pending[0].into()).or_default() += 1;
                }
                started = true;
                pending.drain(..whole);
            }
        }
        if to.write_all(&room[..count]).await.is_err() {
            return;
        }
    }
}

async fn answers(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: Duration,
    counts: Arc<Mutex<Counts>>,
    cut: Arc<AtomicBool>,
) {
    let mut room = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut room).await {
        if cut.load(Ordering::SeqCst) {
            return;
        }
        tokio::time::sleep(delay).await;
        counts.lock().expect("not poisoned").server_spoke = true;
        if to.write_all(&room[..count]).await.is_err() {
            return;
        }
    }
}
