//! Runs one case on one backend: its own database, its own runtime, and a deadline.

use crate::backend::{Backend, Sandbox};
use crate::case::{Case, Context, Failure};
use crate::report::Record;
use crate::verdict::{self, Ending, Verdict};
use orm_core::backend::{BaseDBAsyncClient, Capabilities, Capability, ConnectionUrl, Intent};
use orm_core::connection::{self, Connection};
use orm_core::error::{Error, Result};
use orm_core::sql::ddl::SchemaOptions;
use orm_core::tortoise;
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

/// How much longer than the deadline a blocked thread is waited for.
const GRACE: Duration = Duration::from_secs(5);

/// Longest time to remove a database.
const TEARDOWN: Duration = Duration::from_secs(20);

/// Statements that a record shows, the last ones.
const SHOWN: usize = 30;

/// Held by cases that change state of the whole process.
static SERIAL: Mutex<()> = Mutex::new(());

static NEXT: AtomicU32 = AtomicU32::new(0);

/// What came of a case.
#[derive(Debug)]
struct Outcome {
    verdict: Verdict,
    message: String,
    statements: usize,
    sql: Vec<String>,
}

impl Outcome {
    fn failed(message: impl Into<String>) -> Self {
        Outcome {
            verdict: Verdict::Failed,
            message: message.into(),
            statements: 0,
            sql: Vec::new(),
        }
    }
}

/// Runs the case to its end, or to the deadline.
pub(crate) fn run(backend: &Arc<dyn Backend>, case: Case) -> Record {
    let serial = case
        .serial
        .then(|| SERIAL.lock().unwrap_or_else(PoisonError::into_inner));
    let start = Instant::now();
    let deadline = backend.deadline();
    let owned = backend.clone();
    let mut outcome = watched(case.id, deadline + GRACE + TEARDOWN, move || {
        on_runtime(in_sandbox(&*owned, case))
            .unwrap_or_else(|error| Outcome::failed(format!("cannot start a runtime: {error}")))
    })
    .unwrap_or_else(Outcome::failed);
    drop(serial);
    let known = backend.known_issues().iter();
    if let Some(issue) = known.into_iter().find(|issue| issue.case == case.id) {
        if outcome.verdict.is_failure() {
            outcome.verdict = Verdict::KnownIssue;
            outcome.message = format!("{} ({})", issue.reason, outcome.message);
        } else {
            outcome.verdict = Verdict::Xpass;
            outcome.message = format!(
                "passes, but is listed as a known issue ({}): remove it from the list",
                issue.reason
            );
        }
    }
    Record {
        backend: backend.name(),
        case,
        verdict: outcome.verdict,
        advisory: case.level > backend.level(),
        message: outcome.message,
        time: start.elapsed(),
        statements: outcome.statements,
        sql: outcome.sql,
    }
}

/// Runs `body` on a thread of its own, so that one that blocks for ever is noticed too.
pub(crate) fn watched<T: Send + 'static>(
    name: &str,
    limit: Duration,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let (sender, receiver) = mpsc::channel();
    let body = move || {
        let result = catch_unwind(AssertUnwindSafe(body));
        // Nobody listens after the deadline.
        let _ = sender.send(result.map_err(|payload| panic_message(&*payload)));
    };
    let thread = std::thread::Builder::new().name(name.to_owned());
    if let Err(error) = thread.spawn(body) {
        return Err(format!("cannot start a thread: {error}"));
    }
    match receiver.recv_timeout(limit) {
        Ok(result) => result,
        Err(_) => Err(format!(
            "no end after {} s: the thread of `{name}` is blocked",
            limit.as_secs()
        )),
    }
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn on_runtime<F: Future>(work: F) -> std::io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let output = runtime.block_on(work);
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(output)
}

/// An id for a database, unique among processes and in this one.
pub(crate) fn sandbox_id() -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("case_{}_{number}", std::process::id())
}

async fn in_sandbox(backend: &dyn Backend, case: Case) -> Outcome {
    let deadline = backend.deadline();
    let sandbox = match tokio::time::timeout(deadline, backend.provision(&sandbox_id())).await {
        Ok(Ok(sandbox)) => sandbox,
        Ok(Err(error)) => return Outcome::failed(format!("no database: {}", Failure::from(error))),
        Err(_) => return Outcome::failed(format!("no database after {} s", deadline.as_secs())),
    };
    let cx = Context::new(backend.driver(), &sandbox).with_server(backend.server());
    let facts = cx.capabilities();
    let body = tokio::time::timeout(deadline, caught(body(&cx, case, facts)));
    if case.network && cx.server().is_none() {
        drop(body);
        let outcome = without_network(cx.url());
        drop(cx);
        return ended(sandbox, outcome).await;
    }
    let ending = match body.await {
        Ok(Ok(Ok(()))) => Ending::Passed,
        Ok(Ok(Err(failure))) => ending(&cx, &failure),
        Ok(Err(panic)) => Ending::Failed(panic),
        Err(_) => Ending::Failed(format!("no end after {} s", deadline.as_secs())),
    };
    let (mut verdict, mut message) = verdict::judge(&case, facts, ending);
    if verdict == Verdict::Refused
        && let Some(worked) =
            engine_can(backend, cx.client(), &verdict::lacking(&case, facts)).await
    {
        (verdict, message) = (Verdict::Underclaim, worked);
    }
    let recorded = cx.recorder().statements();
    let skipped = recorded.len().saturating_sub(SHOWN);
    let sql = recorded.iter().skip(skipped);
    let outcome = Outcome {
        verdict,
        message,
        statements: cx.statement_count(),
        sql: sql.map(|statement| statement.sql.to_string()).collect(),
    };
    drop(cx);
    ended(sandbox, outcome).await
}

/// What a case about the network comes to where there is none.
fn without_network(url: &str) -> Outcome {
    match ConnectionUrl::parse(url) {
        Ok(url) if url.host().is_some() => {
            Outcome::failed("the URL names a host: `Backend::server` must give its address")
        }
        _ => Outcome {
            verdict: Verdict::NotApplicable,
            ..Outcome::failed("no network between driver and database")
        },
    }
}

/// Removes the database; that this fails is a failure too.
async fn ended(sandbox: Sandbox, mut outcome: Outcome) -> Outcome {
    let end = match tokio::time::timeout(TEARDOWN, sandbox.end()).await {
        Ok(Ok(())) => return outcome,
        Ok(Err(error)) => Failure::from(error).to_string(),
        Err(_) => format!("no end after {} s", TEARDOWN.as_secs()),
    };
    if !outcome.verdict.is_failure() {
        outcome.verdict = Verdict::Failed;
        outcome.message = format!("the database could not be removed: {end}");
    }
    outcome
}

/// Makes the tables and runs the case.
async fn body(cx: &Context, case: Case, facts: &Capabilities) -> Result<(), Failure> {
    if case.serial {
        // It starts and ends the connections of the process itself.
        return cx.recorder().scope((case.run)(cx)).await;
    }
    let needs_constraints = case.needs.contains(&Capability::ForeignKeys);
    let needs_keys = case.needs.contains(&Capability::CompositeKeys);
    let options = SchemaOptions::new()
        .foreign_keys(facts.foreign_keys || needs_constraints)
        .composite_keys(facts.composite_keys || needs_keys);
    let connection = Connection::new(connection::DEFAULT, cx.client().clone());
    // Outside the scope, so that the statements of the case are its own.
    tortoise::create_tables_with(&connection, &crate::models::all(), &options).await?;
    cx.scope((case.run)(cx)).await
}

fn ending(cx: &Context, failure: &Failure) -> Ending {
    let message = failure.to_string();
    match failure.refused() {
        Some(name) => Ending::Refused {
            name,
            sent: cx.sent_since_ready(),
            message,
        },
        None => Ending::Failed(message),
    }
}

/// Polls a future to its end; a panic becomes its message.
async fn caught<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    std::future::poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(payload) => Poll::Ready(Err(panic_message(&*payload))),
        },
    )
    .await
}

/// Whether the engine itself can do all of these; then the text says so.
async fn engine_can(
    backend: &dyn Backend,
    client: &Arc<dyn BaseDBAsyncClient>,
    lacking: &[Capability],
) -> Option<String> {
    if lacking.is_empty() {
        return None;
    }
    let family = client.dialect().family();
    for capability in lacking {
        let statements = backend.probe(family, *capability)?;
        probe(client, &statements).await.ok()?;
    }
    let names: Vec<&str> = lacking.iter().map(|capability| capability.name()).collect();
    Some(format!(
        "the engine can: the dialect may claim `{}`",
        names.join("`, `")
    ))
}

/// Runs statements on one connection, which is thrown away.
pub(crate) async fn probe(
    client: &Arc<dyn BaseDBAsyncClient>,
    statements: &[String],
) -> Result<()> {
    let run = async {
        let mut lease = client.acquire(Intent::Write).await?;
        for statement in statements {
            lease.run_script(statement).await?;
        }
        Ok(())
    };
    match tokio::time::timeout(GRACE, run).await {
        Ok(result) => result,
        Err(_) => Err(Error::configuration("the probe had no answer in time")),
    }
}

/// Makes a sandbox for questions about the backend, asks, and removes it.
pub(crate) async fn ask<T>(
    backend: &dyn Backend,
    question: impl AsyncFnOnce(&Sandbox) -> Result<T>,
) -> Result<T> {
    let sandbox = backend.provision(&sandbox_id()).await?;
    let answer = question(&sandbox).await;
    let end = tokio::time::timeout(TEARDOWN, sandbox.end()).await;
    let answer = answer?;
    end.unwrap_or(Ok(()))?;
    Ok(answer)
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    format!(
        "panicked: {}",
        text.unwrap_or_else(|| "without a message".to_owned())
    )
}
