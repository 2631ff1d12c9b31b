//! Opening a connection: one host after another, each failure in words that say what to do.

use crate::cancel::Canceller;
use crate::config::{Config, Encryption, Host, StatementMode, Target, address};
use crate::error;
use crate::session::PostgresSession;
use crate::socket::{self, Address, Socket};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result, TimeoutKind};
use std::{
    future::poll_fn,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::TlsConnect;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};

/// Oldest server whose grammar is what this driver writes.
const OLDEST: u32 = 12;

/// Limit of one attempt when the URL says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why a connection ended, written by the task that reads from it.
pub(crate) type Farewell = Arc<OnceLock<String>>;

/// What is known of a connection once it stands.
struct Opened {
    client: Client,
    farewell: Farewell,
    version: Option<String>,
}

/// Opens a connection to the first host that will do.
pub(crate) async fn connect(config: &Arc<Config>) -> Result<PostgresSession> {
    let mut failed = None;
    for place in &config.hosts {
        match connect_host(config, place).await {
            Ok(session) => return Ok(session),
            // Wrong credentials are wrong everywhere.
            Err(error) if !worth_another_host(&error) => return Err(error),
            Err(error) => failed = Some(error),
        }
    }
    Err(failed.unwrap_or_else(|| Error::configuration("PostgreSQL URL: no host")))
}

fn worth_another_host(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionLost | ErrorKind::Timeout | ErrorKind::Resource | ErrorKind::ReadOnly
    )
}

async fn connect_host(config: &Arc<Config>, place: &(Host, u16)) -> Result<PostgresSession> {
    let name = address(place);
    let addresses = socket::look_up(&place.0, place.1)
        .await
        .map_err(|error| unreachable_host(config, &name, &error.to_string()))?;
    let whole = config.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
    // Part of the time for each, so that a silent host does not use up that of the others.
    let attempts = u32::try_from(config.hosts.len().max(1) * addresses.len().max(1));
    let limit = whole / attempts.unwrap_or(u32::MAX);
    let mut failed = unreachable_host(config, &name, "the name has no address");
    for address in addresses {
        let attempt = connect_address(config, place, address);
        match tokio::time::timeout(limit, attempt).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) if !worth_another_host(&error) => return Err(error),
            Ok(Err(error)) => failed = error,
            Err(_) => {
                let message = format!(
                    "no answer from {name} within {limit:?} (database `{}`): check host, port \
                     and firewall, or raise `connect_timeout`",
                    config.database
                );
                failed =
                    Error::Timeout(TimeoutKind::Connect, Box::new(DatabaseError::new(message)));
            }
        }
    }
    Err(failed)
}

async fn connect_address(
    config: &Arc<Config>,
    place: &(Host, u16),
    address: Address,
) -> Result<PostgresSession> {
    let name = crate::config::address(place);
    let stream = Socket::connect(&address, config)
        .await
        .map_err(|error| unreachable_host(config, &name, &error.to_string()))?;
    let hostname = match &place.0 {
        Host::Tcp(host) => host.clone(),
        Host::Unix(_) => String::new(),
    };
    let encrypted = matches!(address, Address::Tcp(_)) && config.encryption != Encryption::Off;
    let driver = driver_config(config, encrypted);
    let opened = match config.encryption {
        #[cfg(feature = "tls")]
        Encryption::Verified | Encryption::Unverified if encrypted => {
            open(&driver, stream, crate::tls::connector(config, &hostname)?).await
        }
        Encryption::Off | Encryption::Verified | Encryption::Unverified => {
            open(&driver, stream, NoTls).await
        }
    };
    let opened = opened.map_err(|error| error::connecting(error, config, &name))?;
    check_version(opened.version.as_deref(), &name)?;
    if config.statement_mode == StatementMode::Unnamed {
        // Poolers keep this setting for each of their clients.
        let set = opened.client.batch_execute("SET TimeZone = 'UTC'").await;
        set.map_err(|error| error::connecting(error, config, &name))?;
    }
    check_target(&opened.client, config, &name).await?;
    let canceller = Canceller {
        config: Arc::clone(config),
        address,
        hostname,
        token: opened.client.cancel_token(),
    };
    Ok(PostgresSession::new(
        opened.client,
        opened.farewell,
        canceller,
        Arc::clone(config),
    ))
}

fn driver_config(config: &Config, encrypted: bool) -> tokio_postgres::Config {
    let mut driver = tokio_postgres::Config::new();
    driver
        .user(&config.user)
        .dbname(&config.database)
        .application_name(&config.application_name)
        .ssl_mode(if encrypted {
            SslMode::Require
        } else {
            SslMode::Disable
        });
    if let Some(password) = &config.password {
        driver.password(password);
    }
    if let Some(options) = config.startup_options() {
        driver.options(options);
    }
    driver
}

async fn open<T>(
    driver: &tokio_postgres::Config,
    stream: Socket,
    tls: T,
) -> std::result::Result<Opened, tokio_postgres::Error>
where
    T: TlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = driver.connect_raw(stream, tls).await?;
    let version = connection.parameter("server_version").map(str::to_owned);
    let farewell = Farewell::default();
    tokio::spawn(serve(connection, Arc::clone(&farewell)));
    Ok(Opened {
        client,
        farewell,
        version,
    })
}

/// Moves bytes between the client and the socket until one of them ends.
async fn serve<S, T>(mut connection: Connection<S, T>, farewell: Farewell)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|cx| connection.poll_message(cx)).await {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                let code = notice.code().code();
                tracing::debug!(target: "fast_django::postgres", code, "{}", notice.message());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                // Before the connection is dropped, so that those who wait for it can read it.
                let _ = farewell.set(error::words(&error));
                return;
            }
            None => return,
        }
    }
}

fn unreachable_host(config: &Config, name: &str, why: &str) -> Error {
    let message = format!(
        "cannot connect to {name} (database `{}`): {why}; is a server listening there?",
        config.database
    );
    Error::database(ErrorKind::ConnectionLost, DatabaseError::new(message))
}

/// Refuses servers that would not understand what this driver writes.
fn check_version(version: Option<&str>, name: &str) -> Result<()> {
    let Some(version) = version else {
        return Ok(());
    };
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    match digits.parse::<u32>() {
        Ok(major) if major < OLDEST => Err(Error::configuration(format!(
            "the server at {name} is PostgreSQL {version}, which is too old: use {OLDEST} or newer"
        ))),
        _ => Ok(()),
    }
}

async fn check_target(client: &Client, config: &Config, name: &str) -> Result<()> {
    if config.target == Target::Any {
        return Ok(());
    }
    let answer = client.simple_query("SHOW transaction_read_only").await;
    let answer = answer.map_err(|error| error::connecting(error, config, name))?;
    let read_only = answer.iter().any(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0) == Some("on"),
        _ => false,
    });
    if read_only == (config.target == Target::ReadOnly) {
        return Ok(());
    }
    let found = if read_only {
        "only reads"
    } else {
        "also writes"
    };
    Err(Error::database(
        ErrorKind::ReadOnly,
        DatabaseError::new(format!(
            "the server at {name} {found}, which `target_session_attrs` does not allow"
        )),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_servers_are_refused_and_new_ones_are_not() {
        for version in ["9.6.24", "11.22 (Debian)"] {
            let error = check_version(Some(version), "h:1").expect_err(version);
            assert!(error.to_string().contains("12 or newer"), "{error}");
        }
        for version in [
            "12.1",
            "15.20 (Debian 15.20-0+deb12u1)",
            "19devel",
            "pooled",
        ] {
            assert!(check_version(Some(version), "h:1").is_ok(), "{version}");
        }
    }
}
