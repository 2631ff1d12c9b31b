//! Cancelling what runs on a connection, from a second one.

use crate::config::{Config, Encryption};
use crate::socket::{Address, Socket};
use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{CancelToken, NoTls};

/// How to reach a server process once more.
#[derive(Clone)]
pub(crate) struct Canceller {
    pub(crate) config: Arc<Config>,
    pub(crate) address: Address,
    /// What the certificate must name.
    #[cfg_attr(
        not(feature = "tls"),
        allow(dead_code, reason = "only certificates name it")
    )]
    pub(crate) hostname: String,
    pub(crate) token: CancelToken,
}

impl Canceller {
    /// Asks the server to stop what runs, and returns when it has been told.
    pub(crate) async fn cancel(&self) -> io::Result<()> {
        let stream = UntilClosed(Socket::connect(&self.address, &self.config).await?);
        let encrypted = matches!(self.address, Address::Tcp(_));
        let sent = match self.config.encryption {
            #[cfg(feature = "tls")]
            Encryption::Verified | Encryption::Unverified if encrypted => {
                let tls = crate::tls::connector(&self.config, &self.hostname)
                    .map_err(|error| io::Error::other(error.to_string()))?;
                self.token.cancel_query_raw(stream, tls).await
            }
            Encryption::Off | Encryption::Verified | Encryption::Unverified => {
                let _ = encrypted;
                self.token.cancel_query_raw(stream, NoTls).await
            }
        };
        sent.map_err(|error| io::Error::other(error.to_string()))
    }
}

/// A socket whose shutdown ends when the peer has closed it too. The server does so after it has
/// signalled the process: from then on the signal cannot hit a later statement.
struct UntilClosed(Socket);

impl AsyncRead for UntilClosed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for UntilClosed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    // Nothing is shut down on our side: a pooler takes half a connection for a closed one.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut room = [0; 64];
            let mut buf = ReadBuf::new(&mut room);
            match ready!(Pin::new(&mut self.0).poll_read(cx, &mut buf)) {
                Ok(()) if !buf.filled().is_empty() => {}
                // The end, or a reset: closed either way.
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
    }
}
