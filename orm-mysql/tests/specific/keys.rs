//! Keys of inserts: of one row, of many, with a distance of three, beside other writers.

use crate::support::{Database, Server, lease, on_both, rows, script, statement};
use orm_core::backend::{BaseDBAsyncClient, Done, KeySequence, Lease, Sink, TransactionOptions};
use orm_core::connection::{self, Connection};
use orm_core::prelude::*;
use orm_core::value::Value;
use std::sync::Arc;

on_both! {
    the_key_of_one_row_is_reported
    keys_of_many_rows_with_a_distance_of_three
    created_models_have_the_keys_of_their_rows
    keys_of_many_rows_beside_other_writers
}

const TABLE: &str = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, who INT, row_no INT)";

async fn the_key_of_one_row_is_reported(db: Database) {
    let client = db.client().await;
    script(&client, TABLE).await;
    let insert = "INSERT INTO t (who, row_no) VALUES (1, 1)";
    for wanted in 1..4i64 {
        assert_eq!(
            client.execute_insert(insert, Vec::new()).await.unwrap(),
            wanted.into()
        );
    }
    script(&client, "ALTER TABLE t AUTO_INCREMENT = 9000000000").await;
    let key = client.execute_insert(insert, Vec::new()).await.unwrap();
    assert_eq!(key, 9_000_000_000i64.into());
}

/// Inserts rows in one statement and gives the keys that the driver tells.
async fn insert(lease: &mut Lease, server: Server, who: i64, count: usize) -> Vec<i64> {
    let values = (0..count)
        .flat_map(|row| [who.into(), (row as i64).into()])
        .collect();
    let mut sql = format!(
        "INSERT INTO t (who, row_no) VALUES (?, ?){}",
        ", (?, ?)".repeat(count - 1)
    );
    if server == Server::MariaDb {
        sql.push_str(" RETURNING id");
        let collect = |row: &dyn orm_core::backend::RowAccess| Ok(row.cell(0)?.to_value());
        let mut sink = Sink::new(orm_core::backend::Collect::new(collect));
        lease
            .run(&statement(&sql, values), &mut sink)
            .await
            .unwrap();
        let found = sink
            .downcast::<orm_core::backend::Collect<Value>>()
            .unwrap();
        let key = |value| if let Value::I64(key) = value { key } else { 0 };
        return found.into_rows().into_iter().map(key).collect();
    }
    let done: Done = lease
        .run(&statement(&sql, values), &mut Sink::discard())
        .await
        .unwrap();
    let keys: KeySequence = done.keys.unwrap();
    assert_eq!(done.rows_affected, count as u64);
    (0..count).map(|row| keys.key(row).unwrap()).collect()
}

/// The rows that the keys lead to are those that were inserted, in their order.
async fn lead_to(lease: &mut Lease, who: i64, keys: &[i64]) {
    let sql = format!("SELECT id, row_no FROM t WHERE who = {who} ORDER BY row_no");
    let stored = rows(lease, &sql).await;
    let stored: Vec<i64> = stored
        .iter()
        .map(|row| if let Value::I64(key) = row[0] { key } else { 0 })
        .collect();
    assert_eq!(stored, keys);
}

async fn keys_of_many_rows_with_a_distance_of_three(db: Database) {
    let client = db.client().await;
    script(&client, TABLE).await;
    let mut lease = lease(&client).await;
    let keys = insert(&mut lease, db.server, 1, 5).await;
    assert_eq!(keys, [1, 2, 3, 4, 5]);
    // As a member of a cluster has it; on a connection that is in use, inside a transaction.
    lease.begin(&TransactionOptions::new()).await.unwrap();
    rows(
        &mut lease,
        "SET SESSION auto_increment_increment = 3, auto_increment_offset = 1",
    )
    .await;
    let keys = insert(&mut lease, db.server, 2, 4).await;
    assert_eq!(keys[1] - keys[0], 3, "{keys:?}");
    lead_to(&mut lease, 2, &keys).await;
    let keys = insert(&mut lease, db.server, 3, 1).await;
    lead_to(&mut lease, 3, &keys).await;
    lease.commit().await.unwrap();
    drop(lease);
    // The next user's connection counts by one again.
    let mut lease = crate::support::lease(&client).await;
    let keys = insert(&mut lease, db.server, 4, 3).await;
    assert_eq!(keys[2] - keys[0], 2, "{keys:?}");
    lead_to(&mut lease, 4, &keys).await;
}

async fn keys_of_many_rows_beside_other_writers(db: Database) {
    let client = Arc::new(db.client().await);
    script(&client, TABLE).await;
    let writers: Vec<_> = (0..8i64)
        .map(|writer| {
            let (client, server) = (client.clone(), db.server);
            tokio::spawn(async move {
                for round in 0..25i64 {
                    let mut lease = lease(&client).await;
                    let who = writer * 1_000 + round;
                    let keys = insert(&mut lease, server, who, 37).await;
                    lead_to(&mut lease, who, &keys).await;
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
}

#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "word")]
struct Word {
    #[field(pk)]
    id: i32,
    #[field(max_length = 20)]
    text: String,
}

async fn created_models_have_the_keys_of_their_rows(db: Database) {
    let client: Arc<dyn BaseDBAsyncClient> = Arc::new(db.client().await);
    let connection = Connection::new("default", client);
    let models: Vec<_> = models![Word].into_iter().collect();
    orm_core::tortoise::create_tables(&connection, &models, false)
        .await
        .unwrap();
    connection::scope(connection, async {
        for step in [1, 3, 7] {
            let words = in_transaction(async |tx| {
                let set = format!("SET SESSION auto_increment_increment = {step}");
                tx.script(&set).await?;
                let word = |n| Word {
                    id: 0,
                    text: format!("{step} {n}"),
                };
                // More than one statement.
                Word::bulk_create((0..2_500).map(word).collect()).await
            });
            let words = words.await.unwrap();
            assert_eq!(words[2_499].id - words[2_498].id, step);
            for word in [&words[0], &words[999], &words[1_000], &words[2_499]] {
                let stored = Word::get(kw!(id = word.id)).await.unwrap();
                assert_eq!(stored.text, word.text);
            }
            assert_eq!(
                Word::filter(kw!(id__gte = words[0].id))
                    .count()
                    .await
                    .unwrap(),
                2_500
            );
        }
    })
    .await;
}
