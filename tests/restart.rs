//! Servers that are killed and restarted under a program: errors say what is known of the outcome,
//! and the pool recovers by itself.
#![cfg(all(feature = "mysql", feature = "postgres"))]
#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

#[path = "support/private.rs"]
mod private;

use fast_django::orm::prelude::*;
use fast_django::orm::{ErrorKind, Value, try_run_async};
use private::{Kind, Private};
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[derive(Model, Clone, Debug, Default)]
pub struct Event {
    #[field(pk)]
    pub id: i32,
    pub text: String,
}

/// The connections are those of the process.
static ONE: Mutex<()> = Mutex::new(());

async fn execute(sql: &str) -> Result<()> {
    let connection = Tortoise::get_connection("default")?;
    connection.execute_query(sql, Vec::<Value>::new()).await?;
    Ok(())
}

/// Fills the pool with connections that are idle afterwards.
async fn warm_up() -> Result<()> {
    let one = || in_transaction(async |_tx| Event::all().count().await);
    tokio::try_join!(one(), one(), one(), one())?;
    Ok(())
}

/// Waits until the server is busy with three statements that sleep.
async fn until_three_run(kind: Kind) {
    let sql = match kind {
        Kind::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' \
             AND query LIKE '%pg_sleep(30)%' AND pid <> pg_backend_pid()"
        }
        Kind::MariaDb => {
            "SELECT COUNT(*) FROM information_schema.processlist \
             WHERE info LIKE '%SLEEP(30)%' AND id <> CONNECTION_ID()"
        }
    };
    let connection = Tortoise::get_connection("default").expect("it is open");
    let start = Instant::now();
    loop {
        let rows = connection.execute_query(sql, Vec::new()).await;
        if rows.expect("it counts").rows()[0][0] == 3.into() {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "they never ran");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a lost connection left a write in doubt.
fn lost(result: Result<()>) -> bool {
    let error = result.expect_err("the server was killed");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert!(
        !format!("{error} {error:?}").contains("canary"),
        "{error:?}"
    );
    error.as_database().expect("a report").outcome_unknown()
}

async fn story(kind: Kind, server: &mut Private) -> Result<()> {
    let sleep = match kind {
        Kind::Postgres => "pg_sleep(30)",
        Kind::MariaDb => "SLEEP(30)",
    };
    let config = Config::new(server.url("?max_connections=4")).models(models![Event]);
    let config = config.connect_timeout(Duration::from_secs(5));
    Tortoise::init(config.generate_schemas(true)).await?;
    Event::create(kw!(text = "before")).await?;
    warm_up().await?;

    // Killed while a read, a write and a transaction are under way, and one connection is idle.
    let reads = format!("SELECT {sleep} FROM event");
    let writes = match kind {
        Kind::Postgres => format!("INSERT INTO event (text) SELECT 'x' FROM {sleep}"),
        Kind::MariaDb => format!("INSERT INTO event (text) SELECT {sleep}"),
    };
    let (read, write, block, ()) = tokio::join!(
        async { Event::all().count().await.and(execute(&reads).await) },
        execute(&writes),
        in_transaction(async |_tx| {
            Event::create(kw!(text = "in a block")).await?;
            execute(&writes).await
        }),
        async {
            until_three_run(kind).await;
            tokio::task::block_in_place(|| server.kill());
        }
    );
    // Nobody knows whether a write of its own took effect; one in a transaction did not.
    assert!(lost(write), "a write without an answer");
    assert!(!lost(block), "nothing is stored before COMMIT");
    assert!(!lost(read), "a read is never in doubt");

    // Nobody is there: at once, and with the address.
    let start = Instant::now();
    let mut shown = String::new();
    for _ in 0..5 {
        let error = Event::all().count().await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        shown = error.to_string();
    }
    assert!(shown.contains(&server.place()), "{shown}");
    assert!(start.elapsed() < Duration::from_secs(2));

    // It is back, and so are we.
    tokio::task::block_in_place(|| server.resume());
    assert_eq!(Event::all().count().await?, 1);
    assert_eq!(Event::get(kw!(text = "before")).await?.id, 1);
    warm_up().await?;

    // Restarted in good order while every connection was idle. The first statement may meet a
    // connection whose end nobody has noticed, and then says so; the pool looks at the others
    // before it lends them.
    tokio::task::block_in_place(|| {
        server.end();
        server.resume();
    });
    if let Err(error) = Event::all().count().await {
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        let report = error.as_database().expect("a report");
        assert!(!report.outcome_unknown(), "a read is never in doubt");
    }
    for _ in 0..8 {
        warm_up().await?;
    }
    Event::create(kw!(text = "after")).await?;
    assert_eq!(Event::all().count().await?, 2);
    Tortoise::close_connections().await
}

fn runs_through(kind: Kind) {
    let _one = ONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut server = Private::start(kind);
    let result = try_run_async(story(kind, &mut server)).expect("no runtime around");
    result.expect("only what is expected fails");
}

#[test]
fn a_postgres_that_is_killed_and_restarted() {
    runs_through(Kind::Postgres);
}

#[test]
fn a_mariadb_that_is_killed_and_restarted() {
    runs_through(Kind::MariaDb);
}
