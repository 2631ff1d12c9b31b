//! A server of libSQL's protocol (Hrana 3 over HTTP) on the loopback interface, over a file of
//! SQLite, that can be told to fail. Streams end as those of the real server do: with their
//! request when the client hangs up, after a time without a request, or when their transaction
//! keeps another one waiting for too long.

use super::engine::Stream;
use serde_json::{Value as Json, json};
use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

/// What the server does to the next request.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "not every user of this file injects faults")]
pub(crate) enum Fault {
    /// Nothing: for requests before the one that is meant.
    None,
    /// Answers with this status, and repeats the token in the text.
    Status(u16),
    /// Reads it and says nothing.
    Stall,
    /// Runs it and hangs up.
    NoAnswer,
    /// Runs it and hangs up in the middle of the answer.
    Cut,
    /// Answers with something else.
    Nonsense,
    /// Fails with bytes that are no text.
    NoText,
    /// Forgets all streams first.
    Expire,
}

/// Times after which the server ends a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Without a request.
    pub(crate) idle: Duration,
    /// With a transaction that another one waits for.
    pub(crate) lock: Duration,
    /// Longest wait for a lock, before the statement that needs it fails.
    pub(crate) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            idle: Duration::from_secs(10),
            lock: Duration::from_secs(5),
            patience: Duration::from_secs(10),
        }
    }
}

enum Slot {
    Ready(Stream, u64, Instant),
    Taken,
    Expired,
    TimedOut,
}

struct Shared {
    folder: PathBuf,
    token: Option<String>,
    limits: Limits,
    streams: Mutex<HashMap<u64, Slot>>,
    next: AtomicU64,
    faults: Mutex<VecDeque<Fault>>,
    requests: AtomicUsize,
}

/// A running server. Its drop ends it and removes its file.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[allow(dead_code, reason = "not every user of this file injects faults")]
impl Server {
    /// Starts one that wants this token.
    pub(crate) fn start(token: Option<&str>, limits: Limits) -> Server {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, SeqCst));
        let folder = std::env::temp_dir().join(format!("fd-libsql-{process}-{count}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let shared = Arc::new(Shared {
            folder,
            token: token.map(str::to_owned),
            limits,
            streams: Mutex::default(),
            next: AtomicU64::new(1),
            faults: Mutex::default(),
            requests: AtomicUsize::new(0),
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let state = Arc::clone(&shared);
        // A runtime of its own, since those of the clients come and go.
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.expect("a runtime");
            runtime.block_on(serve(listener, state, stopped));
            runtime.shutdown_timeout(Duration::from_secs(5));
        });
        Server {
            address,
            shared,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        let token = self.shared.token.as_ref();
        let token = token.map_or(String::new(), |token| format!("?authToken={token}"));
        format!("libsql+http://{}{token}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does these to the next requests, in order.
    pub(crate) fn fail(&self, faults: &[Fault]) {
        self.shared.faults.lock().expect("no panic").extend(faults);
    }

    /// Requests so far.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(SeqCst)
    }

    /// Streams that are open.
    pub(crate) fn streams(&self) -> usize {
        let streams = self.shared.streams.lock().expect("no panic");
        let open = |slot: &&Slot| matches!(slot, Slot::Ready(..) | Slot::Taken);
        streams.values().filter(open).count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.shared.streams.lock().expect("no panic").clear();
        let _ = std::fs::remove_dir_all(&self.shared.folder);
    }
}

async fn serve(
    listener: std::net::TcpListener,
    shared: Arc<Shared>,
    mut stopped: watch::Receiver<bool>,
) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = tick.tick() => shared.expire(shared.limits.idle),
            accepted = listener.accept() => {
                let (socket, _) = accepted.expect("a client");
                let _ = socket.set_nodelay(true);
                tokio::spawn(talk(socket, Arc::clone(&shared)));
            }
        }
    }
}

impl Shared {
    fn expire(&self, age: Duration) {
        for slot in self.streams.lock().expect("no panic").values_mut() {
            if matches!(slot, Slot::Ready(_, _, since) if since.elapsed() >= age) {
                *slot = Slot::Expired;
            }
        }
    }

    /// Rolls back the transactions that are in the way of another one.
    fn steal(&self) {
        for slot in self.streams.lock().expect("no panic").values_mut() {
            if matches!(slot, Slot::Ready(stream, _, _) if !stream.is_autocommit()) {
                *slot = Slot::TimedOut;
            }
        }
    }

    /// The stream of a baton, or a new one; else the answer that says why not.
    async fn acquire(&self, baton: Option<&str>) -> Result<(u64, u64, Stream), Reply> {
        let Some(baton) = baton else {
            let stream = Stream::open(&self.folder.join("data.db")).await;
            let id = self.next.fetch_add(1, SeqCst);
            self.streams
                .lock()
                .expect("no panic")
                .insert(id, Slot::Taken);
            return Ok((id, 0, stream));
        };
        let invalid = || Reply::status(400, "Received an invalid baton".to_owned());
        let (id, seq) = baton.split_once('.').expect("a baton of ours");
        let (id, seq) = (
            id.parse().expect("a number"),
            seq.parse::<u64>().expect("a number"),
        );
        let mut streams = self.streams.lock().expect("no panic");
        let slot = streams.get_mut(&id).ok_or_else(invalid)?;
        match slot {
            Slot::Ready(_, wanted, _) if *wanted == seq => {}
            Slot::Expired => {
                let text = r#"{"message":"The stream has expired due to inactivity","code":"STREAM_EXPIRED"}"#;
                return Err(Reply::status(400, text.to_owned()));
            }
            Slot::TimedOut => {
                streams.remove(&id);
                let error =
                    json!({ "message": "Transaction timed-out", "code": "TRANSACTION_TIMEOUT" });
                return Err(Reply::Refused(error));
            }
            _ => return Err(invalid()),
        }
        match std::mem::replace(slot, Slot::Taken) {
            Slot::Ready(stream, seq, _) => Ok((id, seq + 1, stream)),
            _ => unreachable!("it was ready"),
        }
    }

    fn release(&self, id: u64, seq: u64, stream: Stream, closed: bool) -> Option<String> {
        let mut streams = self.streams.lock().expect("no panic");
        if closed {
            streams.remove(&id);
            return None;
        }
        streams.insert(id, Slot::Ready(stream, seq, Instant::now()));
        Some(format!("{id}.{seq}"))
    }
}

/// An answer.
enum Reply {
    Json(Json),
    Lines(Vec<Json>),
    /// Every request of the pipeline, or the cursor, fails with this.
    Refused(Json),
    Status(u16, String),
    Raw(Vec<u8>),
}

impl Reply {
    fn status(status: u16, body: String) -> Reply {
        Reply::Status(status, body)
    }
}

/// Takes a stream away when the request ends without giving it back.
struct Guard<'a> {
    shared: &'a Shared,
    id: u64,
    cancelled: Arc<AtomicBool>,
    armed: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.armed {
            self.cancelled.store(true, SeqCst);
            self.shared
                .streams
                .lock()
                .expect("no panic")
                .remove(&self.id);
        }
    }
}

async fn talk(mut socket: TcpStream, shared: Arc<Shared>) {
    while let Some((head, body)) = read_request(&mut socket).await {
        shared.requests.fetch_add(1, SeqCst);
        let body: Json = serde_json::from_slice(&body).expect("JSON");
        // The client says good-bye when it likes to.
        let only_closes = body["requests"] == json!([{ "type": "close" }]);
        let fault = match only_closes {
            true => None,
            false => shared.faults.lock().expect("no panic").pop_front(),
        };
        let fault = fault.unwrap_or(Fault::None);
        let given = header(&head, "authorization").unwrap_or_default();
        let wanted = shared.token.as_ref().map(|token| format!("Bearer {token}"));
        let refused = wanted.is_some_and(|wanted| wanted != given);
        let reply = match fault {
            _ if refused => Reply::status(401, format!("Unauthorized: {given}")),
            Fault::Status(status) => Reply::status(status, format!("failed for {given}")),
            Fault::Nonsense => Reply::Json(json!({ "hello": "world" })),
            Fault::NoText => {
                Reply::Raw(b"HTTP/1.1 500 Answer\r\ncontent-length: 2\r\n\r\n\xff\xfe".to_vec())
            }
            Fault::Stall => {
                hung_up(&socket).await;
                return;
            }
            _ => {
                if matches!(fault, Fault::Expire) {
                    shared.expire(Duration::ZERO);
                }
                tokio::select! {
                    reply = answer(&shared, &head, body) => reply,
                    () = hung_up(&socket) => return,
                }
            }
        };
        if matches!(fault, Fault::NoAnswer) {
            return;
        }
        let bytes = encode(&head, reply);
        let cut = matches!(fault, Fault::Cut);
        let length = if cut {
            bytes.len() * 2 / 3
        } else {
            bytes.len()
        };
        if socket.write_all(&bytes[..length]).await.is_err() || cut {
            return;
        }
    }
}

/// Waits until the client has closed its side.
async fn hung_up(socket: &TcpStream) {
    let mut byte = [0];
    while !matches!(socket.peek(&mut byte).await, Ok(0) | Err(_)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn answer(shared: &Arc<Shared>, head: &str, body: Json) -> Reply {
    let (id, seq, stream) = match shared.acquire(body["baton"].as_str()).await {
        Ok(found) => found,
        Err(reply) => return reply,
    };
    let cancelled = Arc::new(AtomicBool::new(false));
    let mut guard = Guard {
        shared,
        id,
        cancelled: Arc::clone(&cancelled),
        armed: true,
    };
    let cursor = head.starts_with("POST /v3/cursor ");
    assert!(cursor || head.starts_with("POST /v3/pipeline "), "{head}");
    let (runtime, state) = (tokio::runtime::Handle::current(), Arc::clone(shared));
    let work = tokio::task::spawn_blocking(move || {
        let started = Instant::now();
        let stolen = AtomicBool::new(false);
        let wait = || {
            if started.elapsed() > state.limits.lock && !stolen.swap(true, SeqCst) {
                state.steal();
            }
            std::thread::sleep(Duration::from_millis(2));
            !cancelled.load(SeqCst) && started.elapsed() < state.limits.patience
        };
        let (replies, closed) = runtime.block_on(async {
            if cursor {
                return (stream.cursor(&body["batch"], &wait).await, false);
            }
            let (mut replies, mut closed) = (Vec::new(), false);
            for request in body["requests"].as_array().expect("requests") {
                closed |= request["type"] == "close";
                replies.push(stream.request(request, &wait).await);
            }
            (replies, closed)
        });
        (stream, replies, closed)
    });
    let (stream, mut replies, closed) = work.await.expect("an answer");
    guard.armed = false;
    let baton = shared.release(id, seq, stream, closed);
    if cursor {
        replies.insert(0, json!({ "baton": baton, "base_url": null }));
        return Reply::Lines(replies);
    }
    Reply::Json(json!({ "baton": baton, "base_url": null, "results": replies }))
}

fn encode(head: &str, reply: Reply) -> Vec<u8> {
    let reply = match reply {
        Reply::Refused(error) if head.starts_with("POST /v3/cursor ") => Reply::Lines(vec![
            json!({ "baton": null, "base_url": null }),
            json!({ "type": "step_error", "step": 0, "error": error }),
        ]),
        Reply::Refused(error) => {
            let failed = json!({ "type": "error", "error": error });
            Reply::Json(json!({ "baton": null, "base_url": null, "results": [failed, failed] }))
        }
        other => other,
    };
    match reply {
        Reply::Lines(lines) => {
            let mut out = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            for line in lines {
                let line = format!("{line}\n");
                out.extend(format!("{:x}\r\n{line}\r\n", line.len()).bytes());
            }
            out.extend(b"0\r\n\r\n");
            out
        }
        Reply::Json(body) => with_length(200, &body.to_string()),
        Reply::Status(status, body) => with_length(status, &body),
        Reply::Raw(bytes) => bytes,
        Reply::Refused(_) => unreachable!("it was turned into one of the others"),
    }
}

fn with_length(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Answer\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes()
}

async fn read_request(socket: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        let plain = bytes.starts_with(b"POST") || bytes.len() < 4;
        if !plain || socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).expect("a head");
    let length = header(&head, "content-length").expect("a length");
    let length = length.parse().expect("a number");
    while body.len() < length {
        if socket.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some((head, body))
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned()).next()
}
