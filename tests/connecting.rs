//! Connections that cannot be made: the kind of the error, when it comes, and what it says. The
//! password is a canary that must occur nowhere.
#![cfg(all(feature = "mysql", feature = "postgres", feature = "sqlite"))]

#[path = "support/private.rs"]
mod private;

use fast_django::orm::prelude::*;
use fast_django::orm::{ErrorKind, Value};
use private::{Kind, PASSWORD, Private, free_port};
use std::fmt::{Debug, Write};
use std::net::TcpListener;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Everything that anybody logs.
struct Log;

static LOG: Mutex<String> = Mutex::new(String::new());

fn log() -> MutexGuard<'static, String> {
    LOG.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("writing to a String cannot fail");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Line(&mut log()));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut log()));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut log()));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// The connections are those of the process.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    static LOGGED: Once = Once::new();
    LOGGED.call_once(|| {
        tracing::subscriber::set_global_default(Log).expect("the only subscriber");
    });
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A URL that cannot be used, the error's kind, and what the error must say.
struct Wrong<'a>(String, ErrorKind, &'a [&'a str]);

/// Every one fails as it says, within three seconds, and shows no password.
async fn all_fail(table: &[Wrong<'_>]) {
    for Wrong(url, kind, parts) in table {
        let start = Instant::now();
        let config = Config::new(url).connect_timeout(Duration::from_secs(1));
        let config_shown = format!("{config:?}");
        let error = Tortoise::init(config).await.expect_err(url);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(3), "{took:?}: {error}");
        assert_eq!(error.kind(), *kind, "{url}: {error}");
        let shown = error.to_string();
        for part in *parts {
            assert!(shown.contains(part), "`{shown}` does not say `{part}`");
        }
        let mut all = format!("{shown} {error:?} {config_shown}");
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            write!(all, " {error} {error:?}").expect("writing to a String cannot fail");
            cause = error.source();
        }
        assert!(!all.contains("canary"), "{all}");
    }
    assert!(!log().contains("canary"), "{}", log());
}

#[test]
fn urls_that_cannot_be_read_say_how_to_write_them() {
    let _one = alone();
    let wrong = |url: &'static str, parts: &'static [&'static str]| {
        Wrong(url.to_owned(), ErrorKind::Configuration, parts)
    };
    run_async(all_fail(&[
        wrong("postgers://u:canary@h/d", &["`postgers:`", "`postgres:`"]),
        wrong("mariabd://u:canary@h/d", &["`mariabd:`", "`mariadb:`"]),
        wrong("oracle://u:canary@h/d", &["`mysql:`", "Config::backend"]),
        wrong("canary", &["scheme"]),
        wrong("/tmp/canary.db", &["scheme:path"]),
        wrong(
            "postgres://u:canary@h/d?sslmod=require",
            &["`sslmod`", "`sslmode`"],
        ),
        wrong(
            "postgres://u:canary@h/d?pasword=canary",
            &["`pasword`", "`password`"],
        ),
        wrong("mysql://u:canary@h/d?ssl-mode=required", &["`ssl_mode`"]),
        wrong(
            "mysql://u:canary@h/d?conect_timeout=1",
            &["`connect_timeout`"],
        ),
        wrong("sqlite::memory:?busy_timout=1", &["`busy_timeout`"]),
        wrong(
            "postgres://u:canary@h/d?port=none",
            &["`port`", "whole number"],
        ),
        wrong("postgres://u:canary@h:none/d", &["port"]),
        wrong("postgres://u:1/canary@h/d", &["percent-encoded", "%2F"]),
        wrong("mysql://u:1?canary@h/d", &["percent-encoded", "%3F"]),
        wrong(
            "mysql://u:%zz-canary@h/d",
            &["percent-encoding", "password"],
        ),
        wrong("mysql://u:canary@h", &["no database"]),
        wrong("postgres://u:canary@::1/d", &["brackets"]),
    ]));
}

#[cfg(not(feature = "tls"))]
#[test]
fn encryption_names_the_feature_that_it_needs() {
    let _one = alone();
    let parts: &[&str] = &["feature `tls`"];
    run_async(all_fail(&[
        Wrong(
            "postgres://u:canary@h/d?sslmode=require".to_owned(),
            ErrorKind::Configuration,
            parts,
        ),
        Wrong(
            "mysql://u:canary@h/d?ssl_mode=required".to_owned(),
            ErrorKind::Configuration,
            parts,
        ),
    ]));
}

#[test]
fn hosts_that_refuse_or_stay_silent_are_named() {
    let _one = alone();
    // Takes connections, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = listener.local_addr().expect("an address").to_string();
    let closed = format!("127.0.0.1:{}", free_port());
    for scheme in ["postgres", "mysql", "mariadb"] {
        let url = |host: &str| format!("{scheme}://u:canary@{host}/fd_d");
        run_async(all_fail(&[
            Wrong(
                url(&closed),
                ErrorKind::ConnectionLost,
                &[&closed, "fd_d", "refused", "server"],
            ),
            Wrong(
                url("no-such-host.invalid"),
                ErrorKind::ConnectionLost,
                &["no-such-host.invalid:", "fd_d"],
            ),
            Wrong(
                url(&silent),
                ErrorKind::Timeout,
                &[&silent, "fd_d", "1s", "connect_timeout"],
            ),
            // Longer than what the program says, which it overrules.
            Wrong(
                url(&silent) + "?connect_timeout=2",
                ErrorKind::Timeout,
                &[&silent, "2s"],
            ),
        ]));
    }
}

/// Opens all connections that the server has room for, and runs `then` while they are open.
async fn crowded(server: &Private, then: impl AsyncFnOnce()) {
    let mut config = Config::new(server.url("?max_connections=1"));
    for number in 1..10 {
        config = config.connection(format!("c{number}"), server.url("?max_connections=1"));
    }
    Tortoise::init(config).await.expect("there is room");
    let one = Tortoise::get_connection("c9").expect("it is open");
    let rows = one.execute_query("SELECT 1", Vec::<Value>::new()).await;
    assert_eq!(rows.expect("it works").len(), 1);
    then().await;
    Tortoise::close_connections().await.expect("closes");
}

#[test]
fn what_a_postgres_refuses_is_said() {
    let _one = alone();
    let server = Private::start(Kind::Postgres);
    let (good, place) = (server.url(""), server.place());
    let tls = if cfg!(feature = "tls") {
        (ErrorKind::ConnectionLost, "no encryption")
    } else {
        (ErrorKind::Configuration, "feature `tls`")
    };
    run_async(async {
        all_fail(&[
            Wrong(
                good.replace(PASSWORD, "canary-wrong"),
                ErrorKind::Auth,
                &[&place, "`postgres`", "check user and password"],
            ),
            Wrong(
                good.replace(&format!(":{PASSWORD}"), ""),
                ErrorKind::Auth,
                &[&place, "asks for a password"],
            ),
            Wrong(
                good.replace("postgres:canary", "nobody:canary"),
                ErrorKind::Auth,
                &[&place, "`nobody`"],
            ),
            Wrong(
                good.replace(&format!("{place}/postgres"), &format!("{place}/fd_none")),
                ErrorKind::Auth,
                &[&place, "`fd_none`", "create the database"],
            ),
            Wrong(server.url("?sslmode=require"), tls.0, &[tls.1, "sslmode"]),
        ])
        .await;
        crowded(&server, async || {
            all_fail(&[Wrong(
                good.clone(),
                ErrorKind::Resource,
                &[&place, "`postgres`", "max_connections"],
            )])
            .await;
        })
        .await;
    });
}

#[test]
fn what_a_mariadb_refuses_is_said() {
    let _one = alone();
    let server = Private::start(Kind::MariaDb);
    let (good, place) = (server.url(""), server.place());
    let tls = if cfg!(feature = "tls") {
        (ErrorKind::ConnectionLost, "no encryption")
    } else {
        (ErrorKind::Configuration, "feature `tls`")
    };
    run_async(async {
        all_fail(&[
            Wrong(
                good.replace(PASSWORD, "canary-wrong"),
                ErrorKind::Auth,
                &[&place, "`fd`", "check user and password"],
            ),
            Wrong(
                good.replace(&format!(":{PASSWORD}"), ""),
                ErrorKind::Auth,
                &[&place, "`fd`"],
            ),
            Wrong(
                good.replace("/test", "/fd_none"),
                ErrorKind::Auth,
                &[&place, "fd_none", "create it"],
            ),
            Wrong(
                server.url("?ssl_mode=required"),
                tls.0,
                &[tls.1, "ssl_mode"],
            ),
        ])
        .await;
        crowded(&server, async || {
            let parts: &[&str] = &[&place, "test", "max_connections"];
            all_fail(&[Wrong(good.clone(), ErrorKind::Resource, parts)]).await;
        })
        .await;
    });
}
