//! The network between driver and server: connections that are cut, stalled, refused or killed.
//!
//! Whatever happens to a connection, a call ends within its limit, says what it knows and no more,
//! is never sent again by itself if it writes, and the pool goes on without help.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Post, Tag, User};
use crate::proxy::{After, Cut, Direction, Proxy};
use crate::{cases, check};
use orm_core::backend::{ConnectOptions, ConnectionUrl, SqlFamily};
use orm_core::connection;
use orm_core::error::{ErrorKind, TimeoutKind};
use orm_core::prelude::*;
use std::future::Future;
use std::time::{Duration, Instant};

pub(super) const CASES: &[Case] = cases! {
    #[network] "net::read::cut_is_no_other_answer" => cut_read, ["model.filter"], level Full;
    #[network] "net::write::cut_at_every_byte" => cut_write, ["model.create"], level Full;
    #[network] "net::write::is_never_sent_again" => never_again, ["model.create"], level Full;
    #[network] "net::commit::cut_at_every_byte" => cut_commit, ["in_transaction"], needs [Transactions], level Full;
    #[network] "net::transaction::cut_inside_stores_nothing" => cut_inside, ["in_transaction"], needs [Transactions], level Full;
    #[network] "net::stall::ends_at_the_limit_of_the_statement" => stall, ["model.create"], level Full;
    #[network] "net::stall::of_a_commit_is_an_unknown_outcome" => stall_commit, ["in_transaction"], needs [Transactions], level Full;
    #[network] "net::half_close::is_a_lost_connection" => half_close, ["model.filter"], level Full;
    #[network] "net::delay::is_only_slow" => delay, ["model.create"], level Full;
    #[network] "net::refuse::fails_in_time_and_recovers" => refuse, ["tortoise.init"], level Full;
    #[network] "net::connect::cut_in_the_handshake" => handshake, ["tortoise.init"], level Full;
    #[network] "net::idle::dead_connections_are_replaced" => idle, ["model.filter"], level Full;
    #[network] "net::kill::by_the_server" => kill, ["in_transaction"], needs [Transactions], level Full;
};

/// Limit of a statement.
const LIMIT: Duration = Duration::from_millis(500);

/// Limit of connecting.
const CONNECT: Duration = Duration::from_secs(2);

/// Longest time for anything here.
const MOST: Duration = Duration::from_secs(6);

/// Bytes between two cuts, a prime, so that they fall on all parts of messages.
const STEP: usize = 5;

/// A pool whose connections pass through a proxy; the case's own client does not.
struct Wire {
    proxy: Proxy,
    pool: Connection,
}

fn options(size: usize) -> ConnectOptions {
    let mut options = ConnectOptions::default();
    options.max_connections = Some(size);
    options.connect_timeout = CONNECT;
    options.acquire_timeout = Duration::from_secs(4);
    options.statement_timeout = Some(LIMIT);
    options
}

impl Wire {
    async fn new(cx: &Context, size: usize) -> CaseResult<Wire> {
        let proxy = proxy(cx).await?;
        let pool = open(cx, &proxy, size).await?;
        Ok(Wire { proxy, pool })
    }

    /// Runs `work` on the pool, which must end in time.
    async fn run<F: Future>(&self, work: F) -> CaseResult<F::Output> {
        in_time(connection::scope(self.pool.clone(), work)).await
    }

    /// The pool lends a good connection and stores what it is told.
    async fn recovers(&self, name: &str) -> CaseResult {
        let name = format!("{name} again");
        self.run(Tag::create(kw!(name = name.as_str())).into_future())
            .await?
            .map_err(|error| Failure::from(error).when("the next user of the pool"))?;
        check::eq(stored(&name).await?, 1)
    }
}

async fn proxy(cx: &Context) -> CaseResult<Proxy> {
    let Some(server) = cx.server() else {
        return Err(Failure::new("no server"));
    };
    let proxy = Proxy::start(server).await;
    proxy.map_err(|error| Failure::new(format!("no proxy: {error}")))
}

async fn open(cx: &Context, proxy: &Proxy, size: usize) -> CaseResult<Connection> {
    let url = proxy
        .url(cx.url())
        .ok_or_else(|| Failure::new("no host in the URL"))?;
    let url = ConnectionUrl::parse(&url)?;
    let client = cx.driver().connect(&url, &options(size)).await?;
    Ok(Connection::new(connection::DEFAULT, client))
}

#[track_caller]
fn in_time<F: Future>(work: F) -> impl Future<Output = CaseResult<F::Output>> {
    let late = Failure::new(format!("no end within {MOST:?}"));
    async move { tokio::time::timeout(MOST, work).await.map_err(|_| late) }
}

/// How many tags of this name are stored, read beside the proxy.
async fn stored(name: &str) -> CaseResult<u64> {
    Ok(Tag::filter(kw!(name = name)).count().await?)
}

/// The error of a call without an answer, which says whether it may have taken effect.
fn lost(error: &Error, writes: bool) -> CaseResult {
    check::eq(error.kind(), ErrorKind::ConnectionLost)?;
    let unknown = error
        .as_database()
        .is_some_and(|report| report.outcome_unknown());
    check::eq(("outcome unknown", unknown), ("outcome unknown", writes))
}

/// A read whose answer is cut fails, or is read again as a whole.
async fn cut_read(cx: &Context) -> CaseResult {
    let names: Vec<_> = (0..40).map(|n| format!("row {n:02}")).collect();
    for name in &names {
        Tag::create(kw!(name = name.as_str())).await?;
    }
    let wire = Wire::new(cx, 1).await?;
    for bytes in (0..).step_by(97) {
        wire.run(Tag::all().limit(1).into_future()).await??;
        let acted = wire.proxy.acted();
        wire.proxy
            .cut(After::Bytes(Direction::ToDriver, bytes), Cut::Reset);
        let found = wire.run(Tag::all().order_by("name").into_future()).await?;
        wire.proxy.heal();
        match found {
            Ok(tags) => {
                let found: Vec<_> = tags.into_iter().map(|tag| tag.name).collect();
                check::eq(&found, &names)?;
            }
            Err(error) => lost(&error, false)?,
        }
        if wire.proxy.acted() == acted {
            return check::that(acted > 3, "it was cut at several places");
        }
    }
    Ok(())
}

/// Wherever a write is cut, it is stored or not, its error says that nobody knows, and it is there
/// if it was acknowledged.
async fn cut_write(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 1).await?;
    let (mut present, mut absent) = (0, 0);
    for direction in [Direction::ToServer, Direction::ToDriver] {
        for bytes in (0..).step_by(STEP) {
            // The connection is made and set up before the cut.
            wire.run(Tag::all().limit(1).into_future()).await??;
            let acted = wire.proxy.acted();
            let name = format!("{direction:?} {bytes}");
            wire.proxy.cut(After::Bytes(direction, bytes), Cut::Reset);
            let made = wire
                .run(Tag::create(kw!(name = name.as_str())).into_future())
                .await?;
            wire.proxy.heal();
            let was_cut = wire.proxy.acted() > acted;
            match made {
                Ok(_) => check::eq(stored(&name).await?, 1)?,
                Err(error) => {
                    check::that(was_cut, "it fails only when it is cut")?;
                    check::eq(error.kind(), ErrorKind::ConnectionLost)?;
                    let report = error.as_database();
                    let unknown = report.is_some_and(|report| report.outcome_unknown());
                    match settled(&name).await? {
                        0 => absent += 1,
                        1 if unknown => present += 1,
                        other => {
                            return Err(Failure::new(format!(
                                "{name}: {other} rows, outcome unknown: {unknown}"
                            )));
                        }
                    }
                }
            }
            if !was_cut {
                break;
            }
        }
    }
    wire.recovers("cut").await?;
    check::that(present > 0, "some that failed are stored")?;
    check::that(absent > 0, "some that failed are not stored")
}

/// What is stored when the server has noticed that its client is gone.
async fn settled(name: &str) -> CaseResult<u64> {
    match stored(name).await? {
        0 => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            stored(name).await
        }
        count => Ok(count),
    }
}

/// A write without an answer is not tried again, whether it had reached the server or not.
async fn never_again(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 2).await?;
    let ann = User::create(kw!(username = "ann")).await?;
    let lists = [
        (
            "never arrives",
            After::Request(b"never arrives".to_vec()),
            0,
        ),
        (
            "has no answer",
            After::Answer(b"has no answer".to_vec(), 0),
            1,
        ),
    ];
    for (title, after, expected) in lists {
        let acted = wire.proxy.acted();
        // Prepared beforehand where a driver does that, so that the answer cut is the write's.
        for warm in 0..3 {
            let title = format!("warm {warm}");
            wire.run(Post::create(kw!(title = title, author = &ann)).into_future())
                .await??;
        }
        wire.proxy.cut(after, Cut::Reset);
        let made = wire.run(Post::create(kw!(title = title, author = &ann)).into_future());
        match made.await? {
            Ok(post) => return Err(Failure::new(format!("acknowledged: {post:?}"))),
            Err(error) => lost(&error, true)?,
        }
        check::eq(wire.proxy.acted(), acted + 1)?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        check::eq(Post::filter(kw!(title = title)).count().await?, expected)?;
        wire.recovers(title).await?;
    }
    Ok(())
}

/// Wherever a commit is cut, the transaction is there as a whole or not at all, and its error says
/// that nobody knows.
async fn cut_commit(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 1).await?;
    let (mut present, mut absent) = (0, 0);
    for direction in [Direction::ToServer, Direction::ToDriver] {
        for bytes in 0.. {
            let acted = wire.proxy.acted();
            let name = format!("{direction:?} {bytes}");
            let (first, second) = (format!("{name} a"), format!("{name} b"));
            cx.ready();
            let block = in_transaction(async |_tx| {
                Tag::create(kw!(name = first.as_str())).await?;
                Tag::create(kw!(name = second.as_str())).await?;
                wire.proxy.cut(After::Bytes(direction, bytes), Cut::Reset);
                Ok::<_, Error>(())
            });
            let result = wire.run(block).await?;
            wire.proxy.heal();
            let was_cut = wire.proxy.acted() > acted;
            let rows = (settled(&first).await?, stored(&second).await?);
            match (result, rows) {
                (Ok(()), (1, 1)) => {}
                (Err(error), (0, 0) | (1, 1)) if was_cut => {
                    check::eq(error.kind(), ErrorKind::CommitOutcomeUnknown)?;
                    present += rows.0;
                    absent += 1 - rows.0;
                }
                (result, rows) => {
                    return Err(Failure::new(format!("{name}: {result:?} with {rows:?}")));
                }
            }
            if !was_cut {
                break;
            }
        }
    }
    wire.recovers("commit").await?;
    check::that(present > 0, "some whose answer was lost are stored")?;
    check::that(absent > 0, "some that did not arrive are not stored")
}

/// A transaction whose connection is cut stores nothing and goes on nowhere else.
async fn cut_inside(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 2).await?;
    cx.ready();
    let block = in_transaction(async |_tx| {
        Tag::create(kw!(name = "first")).await?;
        wire.proxy.reset_all();
        let second = Tag::create(kw!(name = "second")).await;
        let third = Tag::create(kw!(name = "third")).await;
        match (second, third) {
            (Err(Error::ConnectionLost(_)), Err(Error::Transaction(_))) => Ok(()),
            other => Err(Error::configuration(format!("found {other:?}"))),
        }
    });
    check::fails(wire.run(block).await?, ErrorKind::Transaction)?;
    for name in ["first", "second", "third"] {
        check::eq(stored(name).await?, 0)?;
    }
    wire.recovers("inside").await
}

/// A connection that says nothing more holds a call for as long as its limit, and nobody else.
async fn stall(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 1).await?;
    for direction in [Direction::ToServer, Direction::ToDriver] {
        wire.run(Tag::all().limit(1).into_future()).await??;
        wire.proxy.cut(After::Bytes(direction, 0), Cut::Stall);
        let name = format!("stalled {direction:?}");
        let start = Instant::now();
        let made = wire
            .run(Tag::create(kw!(name = name.as_str())).into_future())
            .await?;
        let error = check::fails(made.map(drop), ErrorKind::Timeout)?;
        check::that(
            matches!(error, Error::Timeout(TimeoutKind::Statement, _)),
            "it is the statement's limit",
        )?;
        let unknown = error
            .as_database()
            .is_some_and(|report| report.outcome_unknown());
        check::that(unknown, "its outcome is unknown")?;
        check::that(start.elapsed() < 3 * LIMIT, "it ends at its limit")?;
        // Clean-up has a limit too, of a second.
        wire.recovers(&name).await?;
        check::that(start.elapsed() < MOST, "the place in the pool comes back")?;
    }
    Ok(())
}

/// A commit whose answer does not come within the limit has an unknown outcome.
async fn stall_commit(cx: &Context) -> CaseResult {
    for (direction, rows) in [(Direction::ToServer, 0), (Direction::ToDriver, 1)] {
        let wire = Wire::new(cx, 1).await?;
        let name = format!("stalled {direction:?}");
        cx.ready();
        let block = in_transaction(async |_tx| {
            Tag::create(kw!(name = name.as_str())).await?;
            wire.proxy.cut(After::Bytes(direction, 0), Cut::Stall);
            Ok::<_, Error>(())
        });
        check::fails(wire.run(block).await?, ErrorKind::CommitOutcomeUnknown)?;
        check::eq(stored(&name).await?, rows)?;
        wire.recovers(&name).await?;
    }
    Ok(())
}

/// A side that says no more ends the call at once.
async fn half_close(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 1).await?;
    for direction in [Direction::ToServer, Direction::ToDriver] {
        let name = format!("half {direction:?}");
        // The cut hits the statement itself, and not its preparation.
        let first = format!("{name}, whole");
        wire.run(Tag::create(kw!(name = first)).into_future())
            .await??;
        wire.proxy.cut(After::Bytes(direction, 2), Cut::HalfClose);
        let made = wire
            .run(Tag::create(kw!(name = name.as_str())).into_future())
            .await?;
        match made {
            Ok(_) => return Err(Failure::new("acknowledged without an answer")),
            Err(error) => lost(&error, true)?,
        }
        wire.recovers(&name).await?;
    }
    Ok(())
}

/// Slow is not lost.
async fn delay(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 1).await?;
    for direction in [Direction::ToServer, Direction::ToDriver] {
        let pause = Duration::from_millis(120);
        wire.proxy
            .cut(After::Bytes(direction, 1), Cut::Delay(pause));
        let start = Instant::now();
        let name = format!("late {direction:?}");
        wire.run(Tag::create(kw!(name = name.as_str())).into_future())
            .await??;
        check::that(start.elapsed() >= pause, "it was late")?;
        check::eq(stored(&name).await?, 1)?;
    }
    Ok(())
}

/// Where nobody answers, connecting fails within its limit; when somebody does, the pool works.
async fn refuse(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 2).await?;
    wire.proxy.refuse(true);
    let start = Instant::now();
    match in_time(open(cx, &wire.proxy, 1)).await? {
        Ok(_) => return Err(Failure::new("connected to nobody")),
        Err(failure) => check::mentions(failure, &["ConnectionLost"])?,
    }
    wire.proxy.reset_all();
    for _ in 0..3 {
        let found = wire.run(Tag::all().into_future()).await?;
        check::fails(found.map(drop), ErrorKind::ConnectionLost)?;
    }
    check::that(start.elapsed() < 3 * CONNECT, "it fails in time")?;
    wire.proxy.refuse(false);
    wire.recovers("refused").await
}

/// Wherever connecting is cut or stalls, it fails within its limit.
async fn handshake(cx: &Context) -> CaseResult {
    let proxy = proxy(cx).await?;
    let url = proxy
        .url(cx.url())
        .ok_or_else(|| Failure::new("no host in the URL"))?;
    let url = ConnectionUrl::parse(&url)?;
    for bytes in (0..).step_by(29) {
        let acted = proxy.acted();
        proxy.cut(After::Bytes(Direction::ToDriver, bytes), Cut::Reset);
        let client = in_time(cx.driver().connect(&url, &options(1))).await?;
        proxy.heal();
        match client {
            Ok(client) => {
                client.execute_query("SELECT 1", Vec::new()).await?;
                client.close().await;
            }
            Err(error) => check::eq(error.kind(), ErrorKind::ConnectionLost)?,
        }
        if proxy.acted() == acted {
            break;
        }
    }
    // A proxy of its own: what closes late on the other one must not be what is cut.
    let proxy = self::proxy(cx).await?;
    let url = proxy
        .url(cx.url())
        .ok_or_else(|| Failure::new("no host in the URL"))?;
    let url = ConnectionUrl::parse(&url)?;
    proxy.cut(After::Bytes(Direction::ToDriver, 0), Cut::Stall);
    let start = Instant::now();
    let client = in_time(cx.driver().connect(&url, &options(1))).await?;
    let error = check::fails(client.map(drop), ErrorKind::Timeout)?;
    check::that(
        matches!(error, Error::Timeout(TimeoutKind::Connect, _)),
        "it is the limit of connecting",
    )?;
    check::that(start.elapsed() < CONNECT + LIMIT, "it ends at its limit")
}

/// Connections that died while nobody used them fail at most one call each.
async fn idle(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 2).await?;
    for round in 0..3 {
        let read = || Tag::all().into_future();
        let both = async { tokio::join!(read(), read()) };
        let (first, second) = wire.run(both).await?;
        first?;
        second?;
        wire.proxy.reset_all();
        tokio::time::sleep(Duration::from_millis(50)).await;
        for _ in 0..2 {
            if let Err(error) = wire.run(read()).await? {
                lost(&error, false)?;
            }
        }
        wire.recovers(&format!("idle {round}")).await?;
    }
    Ok(())
}

/// A session that the server ends is a lost connection, and the next user has another one.
async fn kill(cx: &Context) -> CaseResult {
    let wire = Wire::new(cx, 1).await?;
    let (own, kill) = match cx.client().dialect().family() {
        SqlFamily::Postgres => ("SELECT pg_backend_pid()", "SELECT pg_terminate_backend"),
        _ => ("SELECT CONNECTION_ID()", "KILL "),
    };
    cx.ready();
    let block = in_transaction(async |tx| {
        Tag::create(kw!(name = "killed")).await?;
        let rows = tx.execute_query(own, Vec::new()).await?;
        let id = rows.rows().iter().flatten().next();
        let id = match id {
            Some(orm_core::value::Value::I64(id)) => *id,
            other => return Err(Error::configuration(format!("found {other:?}"))),
        };
        let sql = match kill.ends_with(' ') {
            true => format!("{kill}{id}"),
            false => format!("{kill}({id})"),
        };
        cx.client().execute_script(&sql).await?;
        tokio::time::sleep(Duration::from_millis(50)).await;
        Tag::create(kw!(name = "after")).await.map(drop)
    });
    check::fails(wire.run(block).await?, ErrorKind::ConnectionLost)?;
    check::eq((stored("killed").await?, stored("after").await?), (0, 0))?;
    wire.recovers("kill").await?;
    // Outside a transaction, between two statements.
    let rows = wire.pool.execute_query(own, Vec::new()).await?;
    if let Some(orm_core::value::Value::I64(id)) = rows.rows().iter().flatten().next() {
        let sql = match kill.ends_with(' ') {
            true => format!("{kill}{id}"),
            false => format!("{kill}({id})"),
        };
        cx.client().execute_script(&sql).await?;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    if let Err(error) = wire.run(Tag::all().into_future()).await? {
        lost(&error, false)?;
    }
    wire.recovers("kill between").await
}
