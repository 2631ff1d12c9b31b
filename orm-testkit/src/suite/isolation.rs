//! Isolation levels: of each claimed one, that what it forbids does not happen.

use super::concurrency::{Job, MEET, Meeting, age, all_of, conflict, set_age, user};
use crate::case::{Case, CaseResult, Context};
use crate::models::User;
use crate::{cases, check};
use orm_core::backend::{Isolation, TransactionOptions};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::transaction::in_transaction_with;

pub(super) const CASES: &[Case] = cases! {
    "tx::isolation::no_dirty_read" => no_dirty_read, ["in_transaction"], needs [Transactions, Isolation], level Full;
    "tx::isolation::no_unrepeatable_read" => no_unrepeatable_read, ["in_transaction"], needs [Transactions, Isolation], level Full;
    "tx::isolation::no_lost_update" => no_lost_update, ["in_transaction"], needs [Transactions, Isolation], level Full;
    "tx::isolation::no_write_skew" => no_write_skew, ["in_transaction"], needs [Transactions, Isolation], level Full;
};

/// The levels that are claimed, from this one on. One that is not claimed is refused here.
fn levels(cx: &Context, from: Isolation) -> CaseResult<Vec<Isolation>> {
    let all = [
        Isolation::ReadCommitted,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ];
    let claimed = cx.capabilities().isolation;
    let at = all.iter().position(|level| *level == from).unwrap_or(0);
    match claimed.is_empty() {
        // The call itself is to be refused.
        true => Ok(vec![from]),
        false => Ok(all[at..]
            .iter()
            .copied()
            .filter(|level| claimed.contains(level))
            .collect()),
    }
}

fn with(level: Isolation) -> TransactionOptions {
    TransactionOptions::new().isolation(level)
}

/// What is not committed is not seen.
async fn no_dirty_read(cx: &Context) -> CaseResult {
    for level in levels(cx, Isolation::ReadCommitted)? {
        let ann = user(&format!("ann {level:?}"), 1).await?.id;
        cx.ready();
        let writer = in_transaction_with(with(level), async |_tx| {
            set_age(ann, 2).await?;
            let reader = tokio::spawn(cx.scope(async move { age(ann).await }));
            match tokio::time::timeout(MEET, reader).await {
                // A reader that waits sees nothing.
                Err(_) => {}
                Ok(seen) => match seen.expect("the task does not panic")? {
                    1 => {}
                    dirty => return Err(Error::configuration(format!("saw {dirty}"))),
                },
            }
            Err::<(), _>(Error::Unsaved("User"))
        });
        check::fails(writer.await, ErrorKind::Unsaved)?;
        check::eq(age(ann).await?, 1)?;
    }
    Ok(())
}

/// A row that is read twice is the same, whatever others commit.
async fn no_unrepeatable_read(cx: &Context) -> CaseResult {
    for level in levels(cx, Isolation::RepeatableRead)? {
        let ann = user(&format!("ann {level:?}"), 1).await?.id;
        cx.ready();
        let mut options = with(level);
        // Where writers run one after the other, only a reader can be overtaken.
        options.read_only = cx.capabilities().read_only_transactions;
        let reader = in_transaction_with(options, async |_tx| {
            let first = age(ann).await?;
            let writer = tokio::spawn(cx.scope(async move { set_age(ann, 2).await }));
            let written = tokio::time::timeout(MEET, writer).await;
            let seen = (
                first,
                age(ann).await?,
                User::filter(kw!(age = 2)).count().await?,
            );
            Ok::<_, Error>((written.is_ok(), seen))
        });
        let (_, seen) = reader.await?;
        check::eq((level, seen), (level, (1, 1, 0)))?;
        User::filter(kw!(age = 2)).update(kw!(age = 3)).await?;
    }
    Ok(())
}

/// Reads a number, meets the other, and writes one more.
fn read_then_write(level: Isolation, id: i32, meeting: Meeting) -> Job {
    let block = async move |_tx| {
        let found = age(id).await?;
        meeting.wait().await;
        set_age(id, found + 1).await
    };
    Box::pin(in_transaction_with(with(level), block))
}

/// Of two that read a number and write one more, both count or one is told.
async fn no_lost_update(cx: &Context) -> CaseResult {
    for level in levels(cx, Isolation::Serializable)? {
        let ann = user(&format!("ann {level:?}"), 0).await?.id;
        cx.ready();
        let meeting = Meeting::new();
        let jobs = (0..2).map(|_| read_then_write(level, ann, meeting.clone()));
        let mut committed = 0;
        for result in all_of(cx, jobs.collect()).await? {
            committed += i32::from(!conflict(&result)?);
        }
        check::that(committed > 0, "one of them commits")?;
        check::eq(age(ann).await?, committed)?;
    }
    Ok(())
}

/// Each sees that two are on duty, and takes one of them off.
fn leave(level: Isolation, own: i32, meeting: Meeting) -> Job {
    let block = async move |_tx| {
        let on_duty = User::filter(kw!(age = 1)).count().await?;
        meeting.wait().await;
        match on_duty {
            2.. => set_age(own, 0).await,
            _ => Ok(()),
        }
    };
    Box::pin(in_transaction_with(with(level), block))
}

/// Two that read the same rows and write different ones do not both go by what they have read.
async fn no_write_skew(cx: &Context) -> CaseResult {
    for level in levels(cx, Isolation::Serializable)? {
        let ann = user("ann", 1).await?.id;
        let bob = user("bob", 1).await?.id;
        cx.ready();
        let meeting = Meeting::new();
        let jobs = vec![
            leave(level, ann, meeting.clone()),
            leave(level, bob, meeting),
        ];
        let mut losers = 0;
        for result in all_of(cx, jobs).await? {
            losers += i32::from(conflict(&result)?);
        }
        check::that(losers < 2, "one of them commits")?;
        check::eq(User::filter(kw!(age = 1)).count().await?, 1)?;
    }
    Ok(())
}
