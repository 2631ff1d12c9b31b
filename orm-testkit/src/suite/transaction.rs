//! Transactions: commit, rollback, nesting, dropped futures.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Tag, User};
use crate::{Failure, cases, check};
use orm_core::error::{ErrorKind, TransactionError};
use orm_core::prelude::*;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

pub(super) const CASES: &[Case] = cases! {
    "transaction::commit::ok_keeps_all" => ok_keeps_all, ["in_transaction"], needs [Transactions];
    "transaction::commit::returns_the_value_of_the_block" => returns_the_value, ["in_transaction"], needs [Transactions];
    "transaction::commit::unseen_from_outside_before" => unseen_from_outside_before, ["in_transaction"], needs [Transactions];
    "transaction::rollback::err_keeps_nothing" => err_keeps_nothing, ["in_transaction"], needs [Transactions];
    "transaction::rollback::panic_keeps_nothing" => panic_keeps_nothing, ["in_transaction"], needs [Transactions];
    "transaction::rollback::dropped_future_keeps_nothing" => dropped_future_keeps_nothing, ["in_transaction"], needs [Transactions], level Full;
    "transaction::cancel::at_every_poll" => at_every_poll, ["in_transaction"], needs [Transactions, Savepoints], level Full;
    "transaction::cancel::create_at_every_poll" => create_at_every_poll, ["model.create"], level Full;
    "transaction::nested::inner_commits_with_outer" => inner_commits_with_outer, ["in_transaction"], needs [Transactions, Savepoints];
    "transaction::nested::inner_fails_alone" => inner_fails_alone, ["in_transaction"], needs [Transactions, Savepoints];
    "transaction::nested::outer_takes_inner_with_it" => outer_takes_inner_with_it, ["in_transaction"], needs [Transactions, Savepoints];
    "transaction::nested::five_deep" => five_deep, ["in_transaction"], needs [Transactions, Savepoints];
    "transaction::failed::statement_dooms_its_block" => statement_dooms_its_block, ["in_transaction", "exceptions.integrity_error"], needs [Transactions];
    "transaction::failed::nested_block_saves_the_outer" => nested_block_saves_the_outer, ["in_transaction", "exceptions.integrity_error"], needs [Transactions, Savepoints];
    "transaction::task::spawned_is_outside" => spawned_is_outside, ["in_transaction"], needs [Transactions];
    "transaction::task::over_after_the_block" => over_after_the_block, ["in_transaction"], needs [Transactions];
    "transaction::task::joined_queries_take_turns" => joined_queries_take_turns, ["in_transaction"], needs [Transactions];
    "transaction::handle::refused_after_the_end" => refused_after_the_end, ["in_transaction"], needs [Transactions];
    "transaction::concurrent::no_update_is_lost" => no_update_is_lost, ["queryset.update", "in_transaction"], level Full;
    "transaction::concurrent::one_of_many_equal_creates_wins" => one_of_many_wins, ["model.create", "exceptions.integrity_error"], level Full;
};

async fn tag(name: &str) -> Result<Tag> {
    Tag::create(kw!(name = name)).await
}

async fn names() -> CaseResult<Vec<String>> {
    Ok(Tag::all()
        .order_by("name")
        .await?
        .into_iter()
        .map(|tag| tag.name)
        .collect())
}

fn changed_my_mind() -> Error {
    Error::configuration("changed my mind")
}

/// A block that ends well is kept as a whole.
async fn ok_keeps_all(_: &Context) -> CaseResult {
    in_transaction(async |_tx| {
        tag("a").await?;
        tag("b").await?;
        Ok::<_, Error>(())
    })
    .await?;
    check::eq(names().await?, ["a", "b"])
}

/// The value of the block is that of the call.
async fn returns_the_value(_: &Context) -> CaseResult {
    let made = in_transaction(async |_tx| tag("a").await).await?;
    check::eq(Tag::get(kw!(id = made.id)).await?.name, "a")
}

/// Others see the writes after the commit, not before; the block itself sees them at once.
async fn unseen_from_outside_before(cx: &Context) -> CaseResult {
    let client = cx.client().clone();
    in_transaction(async |_tx| {
        tag("a").await?;
        let inside = Tag::all().count().await?;
        let sql = "SELECT COUNT(*) FROM kit_tag";
        // A spawned task is outside the block.
        let outside = tokio::spawn(async move { client.execute_query(sql, Vec::new()).await });
        let outside = outside.await.expect("the task does not panic")?;
        if inside != 1 || outside.rows()[0][0] != 0_i64.into() {
            return Err(Error::configuration(format!(
                "inside {inside}, outside {outside:?}"
            )));
        }
        Ok(())
    })
    .await?;
    check::eq(names().await?, ["a"])
}

/// A block that ends with an error leaves nothing, and gives its own error back.
async fn err_keeps_nothing(_: &Context) -> CaseResult {
    let result: Result<()> = in_transaction(async |_tx| {
        tag("a").await?;
        Err(changed_my_mind())
    })
    .await;
    let error = check::fails(result, ErrorKind::Configuration)?;
    check::mentions(error, &["changed my mind"])?;
    check::eq(names().await?, [""; 0])
}

/// A panic in the block leaves nothing, and the client works on.
async fn panic_keeps_nothing(cx: &Context) -> CaseResult {
    let block = async {
        in_transaction(async |_tx| {
            tag("a").await?;
            if Tag::all().count().await? > 0 {
                std::panic::panic_any("intended, by the case");
            }
            Ok::<_, Error>(())
        })
        .await
    };
    match CatchUnwind(Box::pin(block)).await {
        Err(_) => {}
        Ok(Ok(())) => return Err(Failure::new("the panic did not go on")),
        Ok(Err(error)) => return Err(error.into()),
    }
    check::eq(names().await?, [""; 0])?;
    tag("b").await?;
    check::that(
        cx.client()
            .execute_query("SELECT 1", Vec::new())
            .await
            .is_ok(),
        "it works on",
    )
}

/// A future that gives the panic of its inner one as an error.
struct CatchUnwind<'a, T>(Pin<Box<dyn Future<Output = T> + Send + 'a>>);

impl<T> Future for CatchUnwind<'_, T> {
    type Output = std::thread::Result<T>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let inner = self.0.as_mut();
        match std::panic::catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

/// A future that is polled at most `left` times and then gives up.
struct Polls<'a, T> {
    inner: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    left: usize,
}

impl<T> Future for Polls<'_, T> {
    type Output = Option<T>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<T>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.inner.as_mut().poll(cx).map(Some)
    }
}

/// Polls at most so often that a case does not run for ever.
const MOST_POLLS: usize = 2_000;

/// A dropped block leaves nothing, and a write can begin soon.
async fn dropped_future_keeps_nothing(_: &Context) -> CaseResult {
    let block = in_transaction(async |_tx| {
        tag("a").await?;
        std::future::pending::<()>().await;
        Ok::<_, Error>(())
    });
    let limit = std::time::Duration::from_millis(50);
    match tokio::time::timeout(limit, block).await {
        Err(_) => {}
        Ok(Ok(())) => return Err(Failure::new("the block ended by itself")),
        Ok(Err(error)) => return Err(error.into()),
    }
    tag("b").await?;
    check::eq(names().await?, ["b"])
}

/// Wherever a block is dropped, it is kept as a whole or not at all, and the next write works.
async fn at_every_poll(cx: &Context) -> CaseResult {
    for left in 0..MOST_POLLS {
        cx.ready();
        let block = in_transaction(async |_tx| {
            tag("a").await?;
            cx.ready();
            in_transaction(async |_tx| tag("b").await).await?;
            tag("c").await
        });
        let polls = Polls {
            inner: Box::pin(block),
            left,
        };
        let done = polls.await.transpose()?.is_some();
        tag("after").await?;
        let found = names().await?;
        let whole = found == ["a", "after", "b", "c"];
        check::that(
            whole || (!done && found == ["after"]),
            &format!("{found:?} after {left} polls"),
        )?;
        if done {
            return Ok(());
        }
        Tag::all().delete().await?;
    }
    Err(Failure::new("the block did not end"))
}

/// Wherever a create is dropped, its row is there or not, and the next one works.
async fn create_at_every_poll(_: &Context) -> CaseResult {
    for left in 0..MOST_POLLS {
        let polls = Polls {
            inner: Box::pin(async { tag("a").await }),
            left,
        };
        let done = polls.await.transpose()?.is_some();
        tag("after").await?;
        let found = names().await?;
        let stored = found == ["a", "after"];
        check::that(
            stored || (!done && found == ["after"]),
            &format!("{found:?} after {left} polls"),
        )?;
        if done {
            return Ok(());
        }
        Tag::all().delete().await?;
    }
    Err(Failure::new("the create did not end"))
}

/// An inner block that ends well is kept with the outer one.
async fn inner_commits_with_outer(cx: &Context) -> CaseResult {
    in_transaction(async |_tx| {
        tag("a").await?;
        cx.ready();
        in_transaction(async |_tx| tag("b").await).await?;
        tag("c").await
    })
    .await?;
    check::eq(names().await?, ["a", "b", "c"])
}

/// An inner block that fails takes only its own part, if the outer one handles the error.
async fn inner_fails_alone(cx: &Context) -> CaseResult {
    in_transaction(async |_tx| {
        tag("a").await?;
        cx.ready();
        let inner: Result<()> = in_transaction(async |_tx| {
            tag("b").await?;
            Err(changed_my_mind())
        })
        .await;
        match inner {
            Ok(()) => return Err(Error::configuration("the inner block should have failed")),
            Err(error) if error.kind() == ErrorKind::Configuration => {}
            Err(error) => return Err(error),
        }
        tag("c").await
    })
    .await?;
    check::eq(names().await?, ["a", "c"])
}

/// An outer block that fails takes the inner one with it.
async fn outer_takes_inner_with_it(cx: &Context) -> CaseResult {
    let result: Result<()> = in_transaction(async |_tx| {
        cx.ready();
        in_transaction(async |_tx| tag("a").await).await?;
        Err(changed_my_mind())
    })
    .await;
    check::fails(result, ErrorKind::Configuration)?;
    check::eq(names().await?, [""; 0])
}

/// One block in the other; every second one fails.
fn level(depth: u32) -> Pin<Box<dyn Future<Output = Result<()>> + Send>> {
    Box::pin(in_transaction(async move |_tx| {
        tag(&format!("t{depth}")).await?;
        if depth < 5 {
            match level(depth + 1).await {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Configuration => {
                    tag(&format!("e{depth}")).await?;
                }
                Err(error) => return Err(error),
            }
        }
        if depth.is_multiple_of(2) {
            Err(changed_my_mind())
        } else {
            Ok(())
        }
    }))
}

/// Blocks nest to any depth, and each decides for its own part.
async fn five_deep(cx: &Context) -> CaseResult {
    let whole = in_transaction(async |_tx| {
        cx.ready();
        level(1).await
    });
    whole.await?;
    // Level 2 fails and takes 3, 4 and 5 with it.
    check::eq(names().await?, ["e1", "t1"])
}

/// After a statement that the database refused, its block can only end.
async fn statement_dooms_its_block(cx: &Context) -> CaseResult {
    tag("taken").await?;
    cx.ready();
    let mut second = None;
    let result: Result<()> = in_transaction(async |_tx| {
        tag("a").await?;
        let first = tag("taken").await;
        second = Some(cx.watch(async { tag("b").await }).await);
        first.map(drop)
    })
    .await;
    check::fails(result, ErrorKind::Integrity)?;
    let Some((refused, sent)) = second else {
        return Err(Failure::new(
            "the block did not get to its second statement",
        ));
    };
    match refused {
        Err(Error::Transaction(TransactionError::Aborted)) => {}
        other => return Err(Failure::new(format!("found {other:?}"))),
    }
    check::eq(sent.len(), 0)?;
    check::eq(names().await?, ["taken"])
}

/// What may fail goes into a block of its own; the outer one works on.
async fn nested_block_saves_the_outer(cx: &Context) -> CaseResult {
    tag("taken").await?;
    cx.ready();
    in_transaction(async |_tx| {
        tag("a").await?;
        cx.ready();
        let inner = in_transaction(async |_tx| tag("taken").await).await;
        match inner {
            Err(error) if error.is_unique_violation() => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(Error::configuration("the inner block should have failed")),
        }
        tag("b").await
    })
    .await?;
    check::eq(names().await?, ["a", "b", "taken"])
}

/// A spawned task is not part of the block of its parent.
async fn spawned_is_outside(cx: &Context) -> CaseResult {
    let client = cx.client().clone();
    in_transaction(async |_tx| {
        let sql = "SELECT COUNT(*) FROM kit_tag";
        tag("a").await?;
        let outside = tokio::spawn(async move { client.execute_query(sql, Vec::new()).await });
        let rows = outside.await.expect("the task does not panic")?;
        if rows.rows()[0][0] != 0_i64.into() {
            return Err(Error::configuration("the task saw the write"));
        }
        Ok(())
    })
    .await?;
    check::eq(names().await?, ["a"])
}

/// What follows the block is outside it.
async fn over_after_the_block(_: &Context) -> CaseResult {
    let result: Result<()> = in_transaction(async |_tx| Err(changed_my_mind())).await;
    check::fails(result, ErrorKind::Configuration)?;
    tag("a").await?;
    check::eq(names().await?, ["a"])
}

/// Queries that are joined in one block run one after the other, without an error.
async fn joined_queries_take_turns(_: &Context) -> CaseResult {
    in_transaction(async |_tx| {
        let (a, b, c) = tokio::join!(tag("a"), tag("b"), Tag::all().count());
        for made in [a, b] {
            made?;
        }
        c?;
        Ok::<_, Error>(())
    })
    .await?;
    check::eq(names().await?, ["a", "b"])
}

/// A handle that outlives its block is refused, and sends nothing.
async fn refused_after_the_end(cx: &Context) -> CaseResult {
    let mut kept = None;
    in_transaction(async |tx| {
        kept = Some(tx);
        Ok::<_, Error>(())
    })
    .await?;
    let Some(tx) = kept else {
        return Err(Failure::new("the block did not run"));
    };
    let (result, sent) = cx.watch(Tag::all().using_db(&tx).into_future()).await;
    check::fails(result, ErrorKind::Transaction)?;
    check::eq(sent.len(), 0)
}

/// Increments by expression from many tasks all count.
async fn no_update_is_lost(cx: &Context) -> CaseResult {
    User::create(kw!(username = "ann", age = 0)).await?;
    let tasks = (0..20)
        .map(|_| tokio::spawn(cx.scope(async { User::all().update(kw!(age = F(age) + 1)).await })));
    for task in tasks.collect::<Vec<_>>() {
        let updated = task
            .await
            .map_err(|error| Failure::new(error.to_string()))?;
        check::eq(updated?, 1)?;
    }
    check::eq(User::get(kw!(username = "ann")).await?.age, Some(20))
}

/// Of many tasks that create the same unique value exactly one succeeds.
async fn one_of_many_wins(cx: &Context) -> CaseResult {
    let tasks = (0..12).map(|_| tokio::spawn(cx.scope(async { tag("same").await })));
    let mut winners = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task
            .await
            .map_err(|error| Failure::new(error.to_string()))?
        {
            Ok(_) => winners += 1,
            Err(error) => check::that(error.is_unique_violation(), &format!("{error}"))?,
        }
    }
    check::eq(winners, 1)
}
