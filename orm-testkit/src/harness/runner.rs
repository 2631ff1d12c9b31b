//! Runs one case on one backend: its own database, its own runtime, and a deadline.

use super::report::{Record, Verdict};
use crate::backend::Backend;
use crate::case::{Case, Context, Failure};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest time for one case, its database included.
const DEADLINE: Duration = Duration::from_secs(30);

/// Held by cases that change state of the whole process.
static SERIAL: Mutex<()> = Mutex::new(());

static NEXT: AtomicU32 = AtomicU32::new(0);

/// What came of a case body: how many statements it sent, or why it failed.
type Outcome = Result<usize, String>;

/// Runs the case to its end, or to the deadline.
pub(crate) fn run(backend: &Arc<dyn Backend>, case: Case) -> Record {
    let serial = case
        .serial
        .then(|| SERIAL.lock().unwrap_or_else(PoisonError::into_inner));
    let start = Instant::now();
    let outcome = watched(backend.clone(), case);
    drop(serial);
    let known = backend
        .known_issues()
        .iter()
        .find(|issue| issue.case == case.id);
    let statements = outcome.as_ref().copied().unwrap_or_default();
    let verdict = match (outcome, known) {
        (Ok(_), None) => Verdict::Passed,
        (Err(message), None) => Verdict::Failed(message),
        (Err(_), Some(issue)) => Verdict::KnownIssue(issue.reason.to_owned()),
        (Ok(_), Some(issue)) => Verdict::Failed(format!(
            "passes, but is listed as a known issue ({}): remove it from the list",
            issue.reason
        )),
    };
    Record {
        backend: backend.name(),
        case,
        verdict,
        time: start.elapsed(),
        statements,
    }
}

/// Runs the case on a thread of its own, so that one that blocks for ever is noticed too.
fn watched(backend: Arc<dyn Backend>, case: Case) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let body = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| on_runtime(&*backend, case)));
        // Nobody listens after the deadline.
        let _ = sender.send(outcome.unwrap_or_else(|payload| Err(panic_message(&*payload))));
    };
    let thread = std::thread::Builder::new()
        .name(case.id.to_owned())
        .spawn(body);
    if let Err(error) = thread {
        return Err(format!("cannot start a thread: {error}"));
    }
    receiver
        .recv_timeout(DEADLINE)
        .unwrap_or_else(|error| match error {
            RecvTimeoutError::Timeout => Err(format!("no end after {} s", DEADLINE.as_secs())),
            RecvTimeoutError::Disconnected => Err("the thread of the case ended early".to_owned()),
        })
}

fn on_runtime(backend: &dyn Backend, case: Case) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    let outcome = runtime.block_on(in_sandbox(backend, case));
    runtime.shutdown_timeout(Duration::from_secs(1));
    outcome
}

async fn in_sandbox(backend: &dyn Backend, case: Case) -> Outcome {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let id = format!("case_{}_{number}", std::process::id());
    let sandbox = backend
        .provision(&id)
        .await
        .map_err(|error| Failure::from(error).to_string())?;
    let cx = Context::new(backend.driver(), sandbox);
    let result = if case.serial {
        // It starts and ends the connections of the process itself.
        (case.run)(&cx).await
    } else {
        // Outside the scope, so that the statements of the case are its own.
        let tables = cx.create_tables().await;
        tables.map_err(|error| Failure::from(error).to_string())?;
        cx.scope((case.run)(&cx)).await
    };
    cx.client().close().await;
    result
        .map(|()| cx.statement_count())
        .map_err(|failure| failure.to_string())
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
