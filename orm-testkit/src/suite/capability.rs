//! Claims that no documented call shows by itself: transactions with options, schemas, limits, and
//! the statements that core builds on a claim.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Sample, Tag};
use crate::{cases, check};
use orm_core::backend::{Collect, Intent, Isolation, Rows, Sink, SqlFamily, TransactionOptions};
use orm_core::connection;
use orm_core::entity::Entity;
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::sql;
use orm_core::sql::ddl::SchemaOptions;
use orm_core::tortoise;
use orm_core::transaction::in_transaction_with;
use orm_core::value::Value;
use std::time::Duration;
use tokio::task::{JoinError, JoinHandle};

pub(super) const CASES: &[Case] = cases! {
    "capability::isolation::holds_what_it_promises" => isolation, ["in_transaction"], needs [Transactions, Isolation], level Full;
    "capability::read_only::reads_and_refuses_writes" => read_only, ["in_transaction"], needs [Transactions, ReadOnlyTransactions];
    "capability::transactional_ddl::is_undone" => ddl_is_undone, ["in_transaction", "tortoise.init.generate_schemas"], needs [Transactions, TransactionalDdl];
    "capability::schema::circle_of_foreign_keys" => circle, ["fields.foreign_key", "tortoise.init.generate_schemas"], needs [ForeignKeys, ForwardReferences, AlterAddForeignKey];
    "capability::schema::descriptions_are_comments" => descriptions, ["fields.int.description", "fields.char.description"], needs [Comments];
    "capability::insert::answers_with_columns" => answers_with_columns, ["model.create"], needs [ReturningInsert];
    "capability::insert::reports_the_key" => reports_the_key, ["model.create"], needs [ReturningInsert, LastInsertId];
    "capability::insert::keys_under_concurrency" => keys_under_concurrency, ["model.bulk_create"], needs [KeySequences, MultiRowInsert], level Full;
    "capability::limits::as_many_values_as_claimed" => values_as_claimed, ["model.filter", "model.bulk_create"], needs [MaxParams], level Full;
    "capability::limits::names_as_long_as_claimed" => names_as_claimed, ["model"], needs [MaxIdentifier], level Full;
};

/// Is in no other case, so that its table is not there.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_draft")]
struct Draft {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Text.
    #[field(max_length = 20)]
    title: String,
}

/// Has a captain, who is in a team.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_team")]
struct Team {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Who leads it.
    #[field(on_delete = SetNull)]
    captain: Option<ForeignKey<Player>>,
}

/// Is in a team.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_player")]
struct Player {
    /// Key.
    #[field(pk)]
    id: i32,
    /// The team.
    #[field(on_delete = Cascade)]
    team: ForeignKey<Team>,
}

/// Longest time to wait for a write that a transaction of another connection may hold up.
const MOMENT: Duration = Duration::from_millis(500);

/// A transaction of each claimed level sees what the level says of commits by others, which it may
/// hold up instead; the other levels are refused.
async fn isolation(cx: &Context) -> CaseResult {
    let facts = cx.capabilities();
    let levels = [
        Isolation::ReadCommitted,
        Isolation::RepeatableRead,
        Isolation::Serializable,
    ];
    for level in levels {
        let mut options = TransactionOptions::new().isolation(level);
        // A database with one writer at a time lets others write only beside a reader.
        options.read_only = facts.read_only_transactions;
        let client = cx.client().clone();
        let before = Tag::all().count().await?;
        let mut write = None;
        cx.ready();
        let seen = in_transaction_with(options, async |_tx| {
            let first = Tag::all().count().await?;
            if !facts.read_only_transactions {
                return Ok((first, None));
            }
            let sql = format!("INSERT INTO kit_tag (name) VALUES ('{level:?}')");
            let mut other =
                tokio::spawn(async move { client.execute_query(&sql, Vec::new()).await });
            let in_time = tokio::time::timeout(MOMENT, &mut other).await;
            let held_up = in_time.is_err();
            write = Some(match in_time {
                Ok(done) => Write::Done(done),
                Err(_) => Write::HeldUp(other),
            });
            Ok((first, Some((Tag::all().count().await?, held_up))))
        });
        let seen: Result<(u64, Option<(u64, bool)>)> = seen.await;
        if !facts.isolation.is_empty() && !facts.isolation.contains(&level) {
            check::fails(seen.map(drop), ErrorKind::Unsupported)?;
            check::eq(cx.sent_since_ready(), 0)?;
            continue;
        }
        let committed = level == Isolation::ReadCommitted;
        match seen {
            // Refusing one of two that conflict keeps the promise too.
            Err(error) if error.is_retryable() && !committed => {}
            seen => {
                let (first, second) = seen?;
                check::eq(first, before)?;
                let Some((second, held_up)) = second else {
                    continue;
                };
                let fine = !(committed && held_up);
                check::that(fine, "a reader of commits holds up nobody")?;
                check::eq((level, second), (level, before + u64::from(committed)))?;
            }
        }
        let write = match write {
            Some(Write::Done(done)) => done,
            Some(Write::HeldUp(other)) => other.await,
            None => return Err(Failure::new("nothing was written")),
        };
        write.map_err(|error| Failure::new(error.to_string()))??;
        check::eq(Tag::all().count().await?, before + 1)?;
    }
    Ok(())
}

/// The write of another connection, with what its task gives.
enum Write {
    /// It ended while the transaction was open.
    Done(std::result::Result<Result<Rows>, JoinError>),
    /// It waits for the end of the transaction.
    HeldUp(JoinHandle<Result<Rows>>),
}

/// Reads work, a write is `ReadOnly` and leaves nothing.
async fn read_only(_: &Context) -> CaseResult {
    let options = TransactionOptions::new().read_only();
    let count = in_transaction_with(options, async |_tx| Tag::all().count().await);
    check::eq(count.await?, 0)?;
    let write = in_transaction_with(options, async |_tx| Tag::create(kw!(name = "a")).await);
    check::fails(write.await.map(drop), ErrorKind::ReadOnly)?;
    check::eq(Tag::all().count().await?, 0)?;
    Tag::create(kw!(name = "b")).await?;
    check::eq(Tag::all().count().await?, 1)
}

/// A table that was made in a block which fails is not there.
async fn ddl_is_undone(cx: &Context) -> CaseResult {
    let here = connection::default_connection()?;
    let result: Result<()> = in_transaction(async |_tx| {
        cx.ready();
        let options = SchemaOptions::new();
        tortoise::create_tables_with(&here, &[Draft::meta()], &options).await?;
        Draft::create(kw!(title = "x")).await?;
        Err(Error::configuration("changed my mind"))
    })
    .await;
    check::fails(result, ErrorKind::Configuration)?;
    check::fails(Draft::all().count().await, ErrorKind::Statement).map(drop)
}

/// Two tables may refer to each other, and both references are kept.
async fn circle(_: &Context) -> CaseResult {
    let here = connection::default_connection()?;
    let options = SchemaOptions::new();
    tortoise::create_tables_with(&here, &[Team::meta(), Player::meta()], &options).await?;
    let team = Team::create(kw!()).await?;
    let player = Player::create(kw!(team = &team)).await?;
    Team::filter(kw!(id = team.id))
        .update(kw!(captain = &player))
        .await?;
    let lost = Player::create(kw!(team_id = team.id + 1)).await;
    check::fails(lost.map(drop), ErrorKind::Integrity)?;
    let lost = Team::create(kw!(captain_id = player.id + 1)).await;
    check::fails(lost.map(drop), ErrorKind::Integrity)?;
    check::eq(Player::all().delete().await?, 1)?;
    let team = Team::get(kw!(id = team.id)).await?;
    check::eq(team.captain.is_none(), true)
}

/// A description goes into the statements of the schema where they are claimed to take it.
async fn descriptions(cx: &Context) -> CaseResult {
    let statements = sql::ddl::create_schema(&[Sample::meta()], cx.client().dialect(), false)?;
    let text = statements.join("\n");
    let described = text.contains("'serial number'") && text.contains("'short code'");
    check::eq(described, cx.capabilities().comments)
}

/// An insert answers with the columns that it is asked for.
async fn answers_with_columns(cx: &Context) -> CaseResult {
    let name = Tag::meta().position("name").unwrap_or_default();
    let dialect = cx.client().dialect();
    let values = vec![Value::from("a")];
    let insert = sql::insert(
        Tag::meta(),
        &[name],
        values,
        &[Tag::meta().pk, name],
        dialect,
    )?;
    let mut sink = Sink::new(Collect::new(|row| {
        Ok((row.cell(0)?.to_value(), row.cell(1)?.to_value()))
    }));
    cx.client().run(&insert, &mut sink).await?;
    let rows = sink
        .downcast::<Collect<(Value, Value)>>()
        .map(Collect::into_rows);
    let tag = Tag::get(kw!(name = "a")).await?;
    check::eq(rows, Some(vec![(i64::from(tag.id).into(), "a".into())]))
}

/// The key of an insert comes back one way or the other, and is that of its row.
async fn reports_the_key(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    for text in ["a", "b"] {
        let name = Tag::meta().position("name").unwrap_or_default();
        let (dialect, values) = (cx.client().dialect(), vec![Value::from(text)]);
        // What core sends where the database reports the key by itself.
        let asked = match cx.capabilities().last_insert_id {
            true => &[][..],
            false => &[Tag::meta().pk][..],
        };
        let insert = sql::insert(Tag::meta(), &[name], values, asked, dialect)?;
        let mut sink = Sink::new(Collect::new(|row| Ok(row.cell(0)?.to_value())));
        let done = lease.run(&insert, &mut sink).await?;
        let rows = sink.downcast::<Collect<Value>>().map(Collect::into_rows);
        let first = rows.and_then(|rows| rows.into_iter().next());
        let key = first.or_else(|| done.last_insert_id.map(Value::I64));
        // Asked on the same connection: another one may not be free.
        let ask = "SELECT MAX(id) FROM kit_tag";
        let stored = orm_core::backend::StatementText::new(ask);
        let stored = orm_core::backend::Statement::new(stored, Vec::new()).uncached();
        let mut sink = Sink::new(Collect::new(|row| Ok(row.cell(0)?.to_value())));
        lease.run(&stored, &mut sink).await?;
        let stored = sink.downcast::<Collect<Value>>().map(Collect::into_rows);
        check::eq(key, stored.and_then(|rows| rows.into_iter().next()))?;
    }
    Ok(())
}

/// Many rows at once get their own keys, whoever else inserts meanwhile.
async fn keys_under_concurrency(cx: &Context) -> CaseResult {
    let mut tasks = Vec::new();
    for task in 0..6 {
        tasks.push(tokio::spawn(cx.scope(async move {
            let mut made = Vec::new();
            for round in 0..4 {
                let tags = (0..5).map(|n| Tag {
                    name: format!("{task}-{round}-{n}"),
                    ..Tag::default()
                });
                made.extend(Tag::bulk_create(tags.collect()).await?);
            }
            Ok::<_, Error>(made)
        })));
    }
    for task in tasks {
        let made = task
            .await
            .map_err(|error| Failure::new(error.to_string()))??;
        for tag in made {
            check::eq(Tag::get(kw!(id = tag.id)).await?.name, tag.name)?;
        }
    }
    Ok(())
}

/// One statement takes as many values as the dialect says, and core writes none with more.
async fn values_as_claimed(cx: &Context) -> CaseResult {
    let most = cx.capabilities().max_params as usize;
    Tag::create(kw!(name = format!("t{}", most - 1))).await?;
    let numbered = cx.client().dialect().family() == SqlFamily::Postgres;
    let places: Vec<String> = (1..=most)
        .map(|n| {
            if numbered {
                format!("${n}")
            } else {
                "?".to_owned()
            }
        })
        .collect();
    let places = places.join(", ");
    let sql = format!("SELECT COUNT(*) FROM kit_tag WHERE name IN ({places})");
    let values = (0..most).map(|n| Value::from(format!("t{n}")));
    let rows = cx.client().execute_query(&sql, values.collect()).await?;
    check::eq(rows.rows()[0][0].clone(), Value::I64(1))?;

    let name = Tag::meta().position("name").unwrap_or_default();
    let values = vec![Value::from("a"); most + 1];
    let dialect = cx.client().dialect();
    match sql::insert_many(Tag::meta(), &[name], most + 1, values, false, dialect) {
        // As an array, or as many as fit.
        Ok(insert) => check::that(insert.values.len() <= most, "no more values than claimed"),
        Err(error) => check::eq(error.kind(), ErrorKind::Unsupported),
    }
}

/// Two names that differ in the last of so many bytes are two tables.
async fn names_as_claimed(cx: &Context) -> CaseResult {
    let length = cx.capabilities().max_identifier;
    for last in ["x", "y"] {
        let name = "n".repeat(length.saturating_sub(1)) + last;
        let sql = format!("CREATE TABLE {name} (id INTEGER)");
        cx.client().execute_query(&sql, Vec::new()).await?;
        let sql = format!("SELECT COUNT(*) FROM {name}");
        let rows = cx.client().execute_query(&sql, Vec::new()).await?;
        check::eq(rows.rows()[0][0].clone(), Value::I64(0))?;
    }
    Ok(())
}
