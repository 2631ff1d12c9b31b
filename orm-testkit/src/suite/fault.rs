//! Faults at every call of the driver: an operation that fails, loses its connection, hangs or
//! panics half way.
//!
//! After each the error is of the right kind, what the operation was to store is there as a whole
//! or not at all, nothing was sent again behind the caller's back, and the pool works on.

use super::operation as op;
use super::trial::{Bench, Ends, Operation, Subject, Work};
use crate::case::{Case, CaseResult, Context, Failure};
use crate::fault::{Call, Fault, PANIC};
use crate::models::Tag;
use crate::{Level, cases, check};
use orm_core::backend::Intent;
use orm_core::error::{ErrorKind, TimeoutKind};
use orm_core::prelude::*;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Limit of a statement where calls hang. Long for what works, short for what hangs.
const LIMIT: Duration = Duration::from_millis(200);

/// How much later than its limit a call may end.
const LATE: Duration = Duration::from_secs(2);

/// Cases of one operation each.
macro_rules! operations {
    ($($name:ident, [$($item:literal),*], [$($need:ident),*];)*) => {
        &[$(Case {
            id: concat!("fault::", stringify!($name), "::at_every_call"),
            covers: &[$($item),*],
            needs: &[$($crate::Capability::$need),*],
            level: Level::Full,
            serial: false,
            network: false,
            run: |cx| Box::pin(at_every_call(cx, op::whole(op::$name))),
        }),*]
    };
}

pub(super) const CASES: &[Case] = operations! {
    create, ["model.create"], [];
    save, ["instance.save"], [];
    delete_instance, ["instance.delete"], [];
    bulk_create, ["model.bulk_create"], [Transactions];
    bulk_create_plain, ["model.bulk_create"], [MultiRowInsert];
    query, ["model.filter"], [];
    prefetch, ["queryset.prefetch_related"], [];
    update, ["queryset.update"], [];
    delete, ["queryset.delete"], [];
    add, ["many_to_many.add"], [IgnoreConflicts];
    nested, ["in_transaction"], [Transactions, Savepoints];
    nested_fails, ["in_transaction"], [Transactions, Savepoints];
    guards, ["in_transaction"], [Transactions, Savepoints];
    execute_many, ["tortoise.get_connection"], [Transactions];
};

pub(super) const POOL: &[Case] = cases! {
    "fault::pool::works_after_many_faults" => many_faults, ["model.create"], level Full;
    "fault::transaction::lost_connection_dooms_the_block" => lost_dooms, ["in_transaction"], needs [Transactions], level Full;
    "fault::retry::runs_the_whole_block_or_nothing" => retry_is_whole, ["in_transaction"], needs [Transactions], level Full;
};

/// Has every call of the operation go wrong in every way.
async fn at_every_call(cx: &Context, operation: Operation) -> CaseResult {
    let mut unlimited = Bench::open(cx, 2, None).await?;
    let ends = Ends::of(cx, &mut unlimited, operation).await?;
    let mut limited = Bench::open(cx, 1, Some(LIMIT)).await?;
    for fault in Fault::ALL {
        let bench = match fault.hangs() {
            true => &mut limited,
            false => &mut unlimited,
        };
        for at in 0..ends.calls.len() {
            let when = format!("{fault:?} at call {at}");
            let subject = bench.subject().await?;
            one_fault(bench, &ends, operation, &subject, (at, fault))
                .await
                .map_err(|failure| failure.when(&when))?;
        }
    }
    unlimited.close().await;
    limited.close().await;
    Ok(())
}

async fn one_fault(
    bench: &Bench,
    ends: &Ends,
    operation: Operation,
    subject: &Subject,
    (at, fault): (usize, Fault),
) -> CaseResult {
    bench.injector.arm(at, fault);
    let start = Instant::now();
    let work = bench.inside((operation.run)(subject));
    // Nothing but the caller's own limit ends the wait for a driver that never lends.
    let never_lends = fault.hangs() && ends.calls.get(at) == Some(&Call::Acquire);
    let most = if never_lends { LIMIT } else { LIMIT + LATE };
    let outcome = match tokio::time::timeout(most, caught(work)).await {
        Ok(outcome) => outcome,
        Err(_) if never_lends => {
            bench.injector.disarm();
            bench.no_lock_is_left(subject).await?;
            return bench.pool_is_clean(subject).await;
        }
        Err(_) => return Err(Failure::new(format!("no end within {most:?}"))),
    };
    let calls = bench.injector.calls();
    bench.injector.disarm();
    let Some(hit) = calls.get(at).copied() else {
        let other = format!("it made fewer calls than before: {calls:?}, {outcome:?}");
        return Err(Failure::new(other));
    };
    let within = calls[..at].iter().fold(0, |depth, call| match call {
        Call::Begin => 1,
        Call::Commit | Call::Rollback => 0,
        _ => depth,
    }) > 0;
    right_error(outcome, fault, hit, within)?;
    check::that(start.elapsed() < LIMIT + LATE, "it ends within its limit")?;
    let again = calls[at + 1..].iter().any(|call| call.may_write());
    check::that(!again, "nothing is written after the fault")?;

    let stored = bench.stored(subject).await?;
    ends.admit(&stored, operation, "afterwards")?;
    let took_effect = fault.is_after() && (hit == Call::Commit || (hit.may_write() && !within));
    match took_effect {
        true => check::eq(&stored, &ends.after)?,
        false => check::eq(&stored, &ends.before)?,
    }
    bench.no_lock_is_left(subject).await?;
    bench.pool_is_clean(subject).await
}

/// The error says what happened, and whether the write may have taken effect.
fn right_error(
    outcome: std::thread::Result<Result<()>>,
    fault: Fault,
    hit: Call,
    within: bool,
) -> CaseResult {
    let result = match outcome {
        Err(panic) => {
            let own = panic
                .downcast_ref::<&str>()
                .is_some_and(|text| *text == PANIC);
            let planned = matches!(fault, Fault::Panic | Fault::PanicAfter);
            return check::that(own && planned, "the panic is the one on purpose");
        }
        Ok(result) => result,
    };
    let expected = match fault {
        Fault::Panic | Fault::PanicAfter => {
            return Err(Failure::new(format!("the panic became {result:?}")));
        }
        // The block's own error is kept when its rollback goes wrong.
        _ if matches!(hit, Call::Rollback | Call::RollbackTo) => {
            return check::that(result.is_err(), "it fails");
        }
        Fault::Error => ErrorKind::Operational,
        _ if hit == Call::Commit => ErrorKind::CommitOutcomeUnknown,
        Fault::Lost | Fault::AnswerLost => ErrorKind::ConnectionLost,
        _ => ErrorKind::Timeout,
    };
    let error = check::fails(result, expected)?;
    if let Error::Timeout(kind, _) = &error {
        check::eq(*kind, TimeoutKind::Statement)?;
    }
    if fault != Fault::Error {
        let unknown = error
            .as_database()
            .is_some_and(|report| report.outcome_unknown());
        let expected = hit == Call::Commit || (hit.may_write() && !within);
        check::eq(("outcome unknown", unknown), ("outcome unknown", expected))?;
    }
    Ok(())
}

/// Polls a future to its end; a panic is its result.
async fn caught<F: Future>(work: F) -> std::thread::Result<F::Output> {
    let mut work = pin!(work);
    std::future::poll_fn(|cx| {
        match std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    })
    .await
}

/// Many lost connections and hanging calls one after the other, and the pool lends all that it has.
async fn many_faults(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 1, None).await?;
    let subject = bench.subject().await?;
    for round in 0..40 {
        let fault = [Fault::Lost, Fault::AnswerLost, Fault::Error][round % 3];
        bench.injector.arm(1, fault);
        let name = format!("many {round}");
        let made = bench
            .inside(Tag::create(kw!(name = name)).into_future())
            .await;
        check::that(made.is_err(), "the fault is reported")?;
    }
    bench.injector.disarm();
    bench.no_lock_is_left(&subject).await?;
    bench.pool_is_clean(&subject).await
}

/// A block whose connection is lost goes no further: not on another connection either.
async fn lost_dooms(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 2, None).await?;
    let subject = bench.subject().await?;
    let (a, b) = (subject.name("a"), subject.name("b"));
    cx.ready();
    bench.injector.arm(2, Fault::Lost);
    let block = in_transaction(async move |_tx| {
        let first = Tag::create(kw!(name = a)).await;
        let second = Tag::create(kw!(name = b)).await;
        match (first, second) {
            (Err(Error::ConnectionLost(_)), Err(Error::Transaction(_))) => Ok(()),
            (Err(refused @ Error::Unsupported(_)), _) => Err(refused),
            other => Err(Error::configuration(format!("found {other:?}"))),
        }
    });
    let result = bench.inside(block).await;
    check::fails(result, ErrorKind::Transaction)?;
    bench.injector.disarm();
    let stored = bench.stored(&subject).await?;
    let own = stored.iter().any(|row| row == "tag a" || row == "tag b");
    check::that(!own, "nothing of the block is stored")?;
    bench.no_lock_is_left(&subject).await?;
    bench.pool_is_clean(&subject).await
}

/// One row in a transaction.
fn block(name: String) -> Work<'static> {
    let block = async move |_tx| Tag::create(kw!(name = name)).await.map(drop);
    Box::pin(in_transaction(block))
}

/// A lost commit is never run again by itself; a conflict runs the whole block again.
async fn retry_is_whole(cx: &Context) -> CaseResult {
    let mut bench = Bench::open(cx, 1, None).await?;
    let subject = bench.subject().await?;
    cx.ready();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let name = subject.name("a");
    // Acquire, begin, insert, commit.
    bench.injector.arm(3, Fault::AnswerLost);
    let work = orm_core::transaction::retry(3, move || {
        counted.fetch_add(1, Ordering::SeqCst);
        block(name.clone())
    });
    let result = bench.inside(work).await;
    check::fails(result, ErrorKind::CommitOutcomeUnknown)?;
    check::eq(runs.load(Ordering::SeqCst), 1)?;
    let begun = bench.injector.calls();
    let inserts = begun
        .iter()
        .filter(|call| **call == Call::Run(Intent::Write));
    check::eq(inserts.count(), 1)?;
    bench.injector.disarm();
    let stored = bench.stored(&subject).await?;
    check::eq(stored.iter().filter(|row| *row == "tag a").count(), 1)?;
    bench.pool_is_clean(&subject).await
}
