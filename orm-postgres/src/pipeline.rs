//! Statements that are sent together: one round trip for all of them.

use crate::error;
use crate::session::{PostgresSession, Progress, Stop, counts, other_count, read};
use crate::value::Param;
use orm_core::backend::{Intent, Session, Statement, Step};
use orm_core::error::Result;
use std::future::{Future, poll_fn};
use std::{pin::Pin, task::Poll};
use tokio_postgres::Client;

/// Most statements that are sent before the first is answered.
pub(crate) const TOGETHER: usize = 64;

impl PostgresSession {
    /// Runs several statements in one round trip.
    pub(crate) async fn run_window(&mut self, steps: &mut [Step<'_>]) -> Result<()> {
        if self.is_broken() {
            return Err(self.gone(None, false));
        }
        let mut prepared = Vec::with_capacity(steps.len());
        let statements: Vec<&Statement> = steps.iter().map(|step| step.statement).collect();
        self.in_flight = true;
        for statement in statements {
            let text = &statement.text;
            error::check_count(statement.values.len(), text.sql())
                .inspect_err(|_| self.in_flight = false)?;
            match self.prepared(text).await {
                Ok(statement) => prepared.push(statement),
                Err(error) => {
                    self.in_flight = false;
                    let stop = Stop::Driver(error);
                    let sql = Some(text.sql());
                    return Err(self.conclude(stop, sql, false, Progress::default()));
                }
            }
        }
        let mut progress = vec![Progress::default(); steps.len()];
        let client = &self.client;
        let sent = steps.iter_mut().zip(&prepared).zip(&mut progress);
        let ended = together(sent.map(|((s, prepared), p)| send(client, prepared, s, p))).await;
        self.in_flight = false;
        let mut failed = None;
        for ((step, end), progress) in steps.iter_mut().zip(ended).zip(progress) {
            let Err(stop) = end else { continue };
            if self.may_repeat(&stop, step.statement, progress) {
                self.forget();
                step.done = Some(self.run(step.statement, step.sink).await?);
                continue;
            }
            let writes = step.statement.intent == Intent::Write;
            let sql = Some(step.statement.text.sql());
            let error = self.conclude(stop, sql, writes, progress);
            failed.get_or_insert(error);
        }
        failed.map_or(Ok(()), Err)
    }
}

/// One statement of several that are sent together.
async fn send<'s>(
    client: &Client,
    prepared: &tokio_postgres::Statement,
    step: &mut Step<'s>,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let values = step.statement.values.iter().map(Param);
    let wanted = prepared.params().len();
    if wanted != values.len() {
        let sql = step.statement.text.sql();
        return Err(Stop::Own(other_count(wanted, values.len(), sql)));
    }
    progress.sent = true;
    let stream = client.query_raw(prepared, values).await?;
    let done = read(stream, step.sink, progress, counts(step.statement)).await?;
    step.done = Some(done);
    Ok(())
}

/// Polls all futures in their order, so that what they send is sent in their order too.
async fn together<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut running: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut ended: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    poll_fn(|cx| {
        let mut pending = false;
        for (future, end) in running.iter_mut().zip(&mut ended) {
            if end.is_none() {
                match future.as_mut().poll(cx) {
                    Poll::Ready(output) => *end = Some(output),
                    Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    ended.into_iter().flatten().collect()
}
