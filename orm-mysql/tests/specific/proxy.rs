//! A proxy that writes down the commands that pass, and cuts where it is told.

use orm_core::backend::ConnectionUrl;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Commands of the protocol.
pub(crate) const QUERY: u8 = 3;
pub(crate) const PREPARE: u8 = 22;
pub(crate) const EXECUTE: u8 = 23;
pub(crate) const CLOSE: u8 = 25;

/// Between the tests and a server.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    port: u16,
    commands: Arc<Mutex<Vec<u8>>>,
    /// Answers are kept back, and the connection cut.
    cut_answers: Arc<AtomicBool>,
}

impl Proxy {
    /// Starts one before the server of this URL.
    pub(crate) async fn start(url: &str) -> Proxy {
        let url = ConnectionUrl::parse(url).unwrap();
        let server = (url.host().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Proxy {
            port: listener.local_addr().unwrap().port(),
            commands: Arc::default(),
            cut_answers: Arc::default(),
        };
        let this = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone()).await.unwrap();
                tokio::spawn(this.clone().pass(client, server));
            }
        });
        proxy
    }

    /// The URL through the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (address, path) = rest.split_once('/').unwrap();
        let login = address.rsplit_once('@').map_or("", |(login, _)| login);
        format!("{scheme}://{login}@127.0.0.1:{}/{path}", self.port)
    }

    /// The commands since the last call.
    pub(crate) fn commands(&self) -> Vec<u8> {
        std::mem::take(&mut self.commands.lock().unwrap())
    }

    /// From now on requests arrive, and their answers do not.
    pub(crate) fn cut_answers(&self, cut: bool) {
        self.cut_answers.store(cut, Ordering::Relaxed);
    }

    async fn pass(self, client: TcpStream, server: TcpStream) {
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = server.into_split();
        let commands = self.commands.clone();
        let requests = async move {
            loop {
                let mut head = [0; 4];
                if from_client.read_exact(&mut head).await.is_err() {
                    return;
                }
                let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
                let mut body = vec![0; length];
                if from_client.read_exact(&mut body).await.is_err() {
                    return;
                }
                if let (0, Some(command)) = (head[3], body.first()) {
                    commands.lock().unwrap().push(*command);
                }
                if to_server.write_all(&head).await.is_err()
                    || to_server.write_all(&body).await.is_err()
                {
                    return;
                }
            }
        };
        let answers = async move {
            let mut buffer = vec![0; 65_536];
            loop {
                match from_server.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) if self.cut_answers.load(Ordering::Relaxed) => return,
                    Ok(n) => {
                        if to_client.write_all(&buffer[..n]).await.is_err() {
                            return;
                        }
                    }
                }
            }
        };
        tokio::select! { () = requests => {}, () = answers => {} }
    }
}
