//! Rows by COPY, in its text format: what the columns' types are is left to the server, so a table
//! that was altered meanwhile cannot be filled with bytes of another type.

use crate::session::{PostgresSession, Progress, State, Stop};
use crate::value::copy_value;
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use orm_core::backend::{BulkRows, Done};
use orm_core::error::{DataError, Error, Result};
use std::pin::pin;

/// Fewer rows are faster in one INSERT, which needs one round trip and not two.
pub(crate) const THRESHOLD: usize = 200;

/// Bytes that are handed over at once.
const BLOCK: usize = 1 << 16;

impl PostgresSession {
    /// Copies the rows into their table.
    pub(crate) async fn copy(&mut self, rows: &BulkRows<'_>) -> Result<Done> {
        let sql = copy_sql(rows);
        let mut progress = Progress::default();
        let result = self.copy_rows(&sql, rows, &mut progress).await;
        if let Err(Stop::Own(_)) = &result
            && self.state == State::Open
        {
            // Taking back what was sent is an error for the server.
            self.state = State::Failed;
        }
        result.map_err(|stop| self.conclude(stop, None, true, progress))
    }

    async fn copy_rows(
        &mut self,
        sql: &str,
        rows: &BulkRows<'_>,
        progress: &mut Progress,
    ) -> Result<Done, Stop> {
        let prepared = match self.copies.get(sql) {
            Some(known) => known.clone(),
            None => {
                let prepared = self.client.prepare(sql).await?;
                self.copies.put(sql.to_owned(), prepared.clone());
                prepared
            }
        };
        progress.sent = true;
        let sink = match self.client.copy_in::<_, Bytes>(&prepared).await {
            Ok(sink) => sink,
            Err(error) => {
                // The driver ends a copy that did not begin by one message too many, so its count
                // of answers is wrong from here on.
                self.give_up();
                return Err(error.into());
            }
        };
        let mut sink = pin!(sink);
        let mut block = BytesMut::with_capacity(BLOCK + BLOCK / 4);
        let mut buffer = BytesMut::new();
        for row in rows.values.chunks(rows.columns.len().max(1)) {
            for (i, value) in row.iter().enumerate() {
                if i > 0 {
                    block.put_u8(b'\t');
                }
                // Dropping the sink takes back what was sent.
                copy_value(value, &mut buffer, &mut block).map_err(|refused| {
                    let column = rows.columns.get(i).copied().unwrap_or_default();
                    Stop::Own(Error::from(
                        DataError::new(refused.to_string()).at("", column),
                    ))
                })?;
            }
            block.put_u8(b'\n');
            if block.len() >= BLOCK {
                sink.send(block.split().freeze()).await?;
            }
        }
        sink.send(block.freeze()).await?;
        Ok(Done::rows(sink.finish().await?))
    }
}

fn copy_sql(rows: &BulkRows<'_>) -> String {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let columns: Vec<String> = rows.columns.iter().map(|column| quoted(column)).collect();
    format!(
        "COPY {} ({}) FROM STDIN",
        quoted(rows.table),
        columns.join(", ")
    )
}
