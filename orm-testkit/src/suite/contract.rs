//! What the driver contract promises of one connection, asked of the connection itself.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Post, Tag, User};
use crate::{cases, check};
use orm_core::backend::{
    Collect, ConnectOptions, ConnectionUrl, Discard, Health, Intent, Lease, RowAccess, RowSink,
    Sink, SinkFlow, SqlFamily, Statement, StatementText, TransactionOptions,
};
use orm_core::connection;
use orm_core::entity::Entity;
use orm_core::error::{DataError, ErrorKind};
use orm_core::prelude::*;
use orm_core::sql::ddl::SchemaOptions;
use orm_core::tortoise;
use orm_core::value::Value;
use std::any::Any;
use std::time::Duration;

pub(super) const CASES: &[Case] = cases! {
    "contract::row::numbers_keep_every_bit" => numbers_keep_every_bit, ["fields.int", "model"];
    "contract::row::columns_of_one_name" => columns_of_one_name, ["tortoise.get_connection"];
    "contract::row::names_as_written" => names_as_written, ["tortoise.get_connection"];
    "contract::row::text_with_nul_is_whole_or_refused" => nul_is_whole_or_refused, ["fields.text"];
    "contract::row::none_after_the_last" => no_cell_after_the_last, ["tortoise.get_connection"];
    "contract::sink::stop_ends_the_rows" => stop_ends_the_rows, ["tortoise.get_connection"];
    "contract::sink::its_error_is_the_result" => sink_error_is_the_result, ["tortoise.get_connection"];
    "contract::values::as_many_as_placeholders" => as_many_as_placeholders, ["tortoise.get_connection"];
    "contract::done::reads_affect_nothing" => reads_affect_nothing, ["tortoise.get_connection"];
    "contract::claim::update_with_limit" => update_with_limit, ["queryset.update"], needs [UpdateLimit];
    "contract::error::carries_its_statement" => error_carries_its_statement, ["tortoise.get_connection"];
    "contract::script::ends_at_the_first_error" => script_ends_at_the_first_error, ["tortoise.get_connection"];
    "contract::script::nothing_is_fine" => empty_script, ["tortoise.get_connection"];
    "contract::schema::pairs_are_unique" => pairs_are_unique, ["fields.many_to_many.through", "exceptions.integrity_error"], needs [CompositeKeys];
    "contract::dialect::literals_are_their_values" => literals_are_their_values, ["fields.char.default", "fields.char.description"];
    "contract::begin::read_only_whatever_the_connection" => read_only_whatever_the_connection, ["in_transaction"], needs [Transactions, ReadOnlyTransactions];
    "contract::commit::fails_when_nothing_is_kept" => commit_fails, ["in_transaction", "exceptions.integrity_error"], needs [Transactions];
    "contract::rollback::ends_the_transaction" => rollback_ends_the_transaction, ["in_transaction"], needs [Transactions];
    "contract::rollback::without_a_transaction" => rollback_without_a_transaction, ["in_transaction"], needs [Transactions];
    "contract::savepoint::gone_after_release" => gone_after_release, ["in_transaction"], needs [Transactions, Savepoints];
    "contract::savepoint::gone_after_rollback_to" => gone_after_rollback_to, ["in_transaction"], needs [Transactions, Savepoints];
    "contract::lease::dropped_block_frees_its_locks" => dropped_block_frees_its_locks, ["in_transaction"], needs [Transactions], level Full;
    "contract::lease::temporary_tables_do_not_stay" => temporary_tables_do_not_stay, ["tortoise.get_connection"], level Full;
};

/// Numbers and bytes that a narrower type would change.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_wide")]
struct Wide {
    /// Key.
    #[field(pk)]
    id: i32,
    /// 64 bits.
    number: i64,
    /// A double.
    ratio: f64,
}

fn statement(sql: &str) -> Statement {
    Statement::new(StatementText::new(sql), Vec::new()).uncached()
}

async fn all_rows(lease: &mut Lease, sql: &str) -> Result<Vec<Vec<Value>>> {
    let mut sink = Sink::new(Collect::<Vec<Value>>::new(|row| {
        let cells = 0..row.len();
        cells.map(|at| Ok(row.cell(at)?.to_value())).collect()
    }));
    lease
        .run(&statement(sql).with_intent(Intent::Read), &mut sink)
        .await?;
    let rows = sink
        .downcast::<Collect<Vec<Value>>>()
        .map(Collect::into_rows);
    rows.ok_or_else(|| Error::configuration("the driver replaced the sink"))
}

async fn run(lease: &mut Lease, sql: &str) -> Result<()> {
    lease
        .run(&statement(sql), &mut Sink::discard())
        .await
        .map(drop)
}

async fn names(lease: &mut Lease) -> CaseResult<Vec<String>> {
    let rows = all_rows(lease, "SELECT name FROM kit_tag ORDER BY name").await?;
    let texts = rows.into_iter().map(|mut row| match row[0].take() {
        Value::Text(text) => Ok(text),
        other => Err(Failure::new(format!("found {other:?}"))),
    });
    texts.collect()
}

/// 64-bit integers and doubles come back bit by bit.
async fn numbers_keep_every_bit(_: &Context) -> CaseResult {
    let here = connection::default_connection()?;
    tortoise::create_tables_with(&here, &[Wide::meta()], &SchemaOptions::new()).await?;
    let numbers = [i64::MIN, -1, 0, 9_007_199_254_740_993, i64::MAX];
    let ratios = [0.1, -1.5, 1e300, f64::MIN_POSITIVE, f64::MAX];
    for (number, ratio) in numbers.into_iter().zip(ratios) {
        let made = Wide::create(kw!(number = number, ratio = ratio)).await?;
        let found = Wide::get(kw!(id = made.id)).await?;
        check::eq((found.number, found.ratio), (number, ratio))?;
        check::eq(Wide::filter(kw!(number = number)).count().await?, 1)?;
    }
    Ok(())
}

/// Cells are found by position, so two columns may have one name.
async fn columns_of_one_name(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    let sql = "SELECT name AS x, 7 AS x, id AS y FROM kit_tag";
    let rows = cx.client().execute_query(sql, Vec::new()).await?;
    check::eq(rows.rows()[0].len(), 3)?;
    check::eq(rows.rows()[0][0].clone(), "a".into())?;
    check::eq(rows.rows()[0][1].clone(), Value::I64(7))
}

/// Columns have the names that the statement gives them.
async fn names_as_written(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    let sql = "SELECT name AS \"Two Words\" FROM kit_tag";
    let rows = cx.client().execute_query(sql, Vec::new()).await?;
    check::eq(&*rows.columns()[0], "Two Words")
}

/// A NUL that raw SQL brings into a text is refused, or read back, or an error. It ends no text.
async fn nul_is_whole_or_refused(cx: &Context) -> CaseResult {
    let text = match cx.client().dialect().family() {
        SqlFamily::Postgres => "'a' || chr(0) || 'b'",
        SqlFamily::MySql => "CONCAT('a', CHAR(0 USING utf8mb4), 'b')",
        _ => "'a' || char(0) || 'b'",
    };
    let sql = format!("INSERT INTO kit_tag (name) VALUES ({text})");
    let stored = cx.client().execute_query(&sql, Vec::new()).await;
    if stored.is_err() {
        return check::eq(Tag::all().count().await?, 0);
    }
    match Tag::all().await {
        Ok(tags) => check::eq(tags[0].name.as_str(), "a\0b"),
        Err(error) => check::eq(error.kind(), ErrorKind::Data),
    }
}

/// Asks each row for a cell that it does not have.
#[derive(Debug, Default)]
struct Beyond(Vec<bool>);

impl RowSink for Beyond {
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        self.0.push(row.cell(row.len()).is_err());
        Ok(SinkFlow::More)
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// A cell that is not there is an error, not a panic.
async fn no_cell_after_the_last(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    let mut sink = Sink::new(Beyond::default());
    let read = statement("SELECT name FROM kit_tag").with_intent(Intent::Read);
    lease.run(&read, &mut sink).await?;
    check::eq(
        sink.downcast::<Beyond>().map(|beyond| beyond.0),
        Some(vec![true]),
    )
}

/// Takes so many rows and then stops, or fails.
#[derive(Debug)]
struct First {
    rows: usize,
    seen: usize,
    fails: bool,
}

impl RowSink for First {
    fn row(&mut self, _: &dyn RowAccess) -> Result<SinkFlow> {
        self.seen += 1;
        match self.seen >= self.rows {
            true if self.fails => Err(DataError::new("not this one").into()),
            true => Ok(SinkFlow::Stop),
            false => Ok(SinkFlow::More),
        }
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

async fn three_tags() -> CaseResult {
    for name in ["a", "b", "c"] {
        Tag::create(kw!(name = name)).await?;
    }
    Ok(())
}

/// After `Stop` no row comes, the call succeeds, and the connection takes the next statement.
async fn stop_ends_the_rows(cx: &Context) -> CaseResult {
    three_tags().await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for rows in [1, 2] {
        let mut sink = Sink::new(First {
            rows,
            seen: 0,
            fails: false,
        });
        let read = statement("SELECT id FROM kit_tag").with_intent(Intent::Read);
        lease.run(&read, &mut sink).await?;
        check::eq(sink.downcast::<First>().map(|first| first.seen), Some(rows))?;
        check::eq(names(&mut lease).await?, ["a", "b", "c"])?;
    }
    Ok(())
}

/// An error of the sink ends the statement and is returned; the connection works on.
async fn sink_error_is_the_result(cx: &Context) -> CaseResult {
    three_tags().await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    let mut sink = Sink::new(First {
        rows: 2,
        seen: 0,
        fails: true,
    });
    let read = statement("SELECT id FROM kit_tag").with_intent(Intent::Read);
    let result = lease.run(&read, &mut sink).await;
    check::mentions(check::fails(result, ErrorKind::Data)?, &["not this one"])?;
    check::eq(sink.downcast::<First>().map(|first| first.seen), Some(2))?;
    check::eq(lease.health(), Health::Clean)?;
    check::eq(names(&mut lease).await?, ["a", "b", "c"])
}

/// A statement with fewer or more values than placeholders is refused, and stores nothing.
async fn as_many_as_placeholders(cx: &Context) -> CaseResult {
    let place = match cx.client().dialect().family() {
        SqlFamily::Postgres => ["$1", "$2"],
        _ => ["?", "?"],
    };
    let sql = format!(
        "INSERT INTO kit_category (id, name) VALUES ({}, {})",
        place[0], place[1]
    );
    let values = [Value::I64(1), "a".into(), "b".into()];
    for count in [0, 1, 3] {
        let few = values[..count].to_vec();
        let refused = cx.client().execute_query(&sql, few).await;
        check::that(refused.is_err(), &format!("{count} values are refused"))?;
    }
    cx.client()
        .execute_query(&sql, values[..2].to_vec())
        .await?;
    let rows = cx
        .client()
        .execute_query("SELECT name FROM kit_category", Vec::new())
        .await?;
    check::eq(rows.into_rows(), vec![vec![Value::from("a")]])
}

/// A read affects no row, however many it gives.
async fn reads_affect_nothing(cx: &Context) -> CaseResult {
    three_tags().await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for sql in [
        "SELECT id FROM kit_tag",
        "SELECT id FROM kit_tag WHERE id < 0",
    ] {
        let read = statement(sql).with_intent(Intent::Read);
        let done = lease.run(&read, &mut Sink::new(Discard)).await?;
        check::eq(done.rows_affected, 0)?;
    }
    Ok(())
}

/// Where it is claimed, UPDATE and DELETE take ORDER BY and LIMIT; elsewhere core's statements do
/// without.
async fn update_with_limit(cx: &Context) -> CaseResult {
    three_tags().await?;
    if cx.capabilities().update_limit {
        let mut lease = cx.client().acquire(Intent::Write).await?;
        let sql = "UPDATE kit_tag SET name = 'z' ORDER BY name LIMIT 1";
        run(&mut lease, sql).await?;
        run(&mut lease, "DELETE FROM kit_tag ORDER BY name LIMIT 1").await?;
        return check::eq(names(&mut lease).await?, ["c", "z"]);
    }
    check::eq(Tag::all().order_by("name").limit(1).delete().await?, 1)?;
    check::eq(Tag::all().count().await?, 2)
}

/// An error of a statement has its text.
async fn error_carries_its_statement(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    for sql in [
        "SELECT * FROM no_such_table",
        "SELEC 1",
        "INSERT INTO kit_tag (name) VALUES ('a')",
    ] {
        let result = cx.client().execute_query(sql, Vec::new()).await;
        let Err(error) = result else {
            return Err(Failure::new(format!("`{sql}` was accepted")));
        };
        let report = error.as_database();
        check::eq(report.and_then(|report| report.sql()), Some(sql))?;
    }
    Ok(())
}

/// The first error of a script is its result, and nothing after it runs.
async fn script_ends_at_the_first_error(cx: &Context) -> CaseResult {
    let script = "INSERT INTO no_such_table (name) VALUES ('a');\n\
                  INSERT INTO kit_tag (name) VALUES ('b');";
    let result = cx.client().execute_script(script).await;
    check::fails(result, ErrorKind::Statement)?;
    check::eq(Tag::all().count().await?, 0)
}

/// A script of nothing but blanks and comments is fine.
async fn empty_script(cx: &Context) -> CaseResult {
    for script in ["", " \n", "-- nothing\n", ";", "/* nothing */"] {
        cx.client().execute_script(script).await?;
    }
    Ok(())
}

/// The same link cannot be stored twice.
async fn pairs_are_unique(cx: &Context) -> CaseResult {
    let client = cx.client();
    let author = User::create(kw!(username = "ann")).await?;
    let post = Post::create(kw!(title = "a", author = &author)).await?;
    let (one, other) = (
        Tag::create(kw!(name = "a")).await?,
        Tag::create(kw!(name = "b")).await?,
    );
    for tag in [&one, &other] {
        client
            .execute_query(&pair(post.id, tag.id), Vec::new())
            .await?;
    }
    let again = client
        .execute_query(&pair(post.id, one.id), Vec::new())
        .await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "it is the pair")?;
    check::eq(post.tags.all().count().await?, 2)
}

fn pair(post: i32, tag: i32) -> String {
    format!("INSERT INTO kit_post_tags (post_id, tag_id) VALUES ({post}, {tag})")
}

/// A literal of the dialect, in the place of its value, is that value, or is refused: the schema
/// holds such.
async fn literals_are_their_values(cx: &Context) -> CaseResult {
    let texts = [
        "",
        "it's",
        "''",
        "a\\b",
        "\\'; DROP TABLE kit_tag; --",
        "\"`[]",
        "?1 $1 :name @p %s {l}",
        "a\nb\tc",
        "ß \u{1f980}",
    ];
    let dialect = cx.client().dialect();
    for (at, text) in texts.into_iter().enumerate() {
        let id = [-7, i32::MAX, 1, 2, 3, 4, 5, 6, 7][at];
        let key = dialect.literal(&Value::from(id))?;
        let name = match dialect.literal(&Value::from(text)) {
            Ok(literal) => literal,
            Err(error) => {
                check::eq(error.kind(), ErrorKind::Validation)?;
                continue;
            }
        };
        let sql = format!("INSERT INTO kit_tag (id, name) VALUES ({key}, {name})");
        cx.client().execute_query(&sql, Vec::new()).await?;
        check::eq(Tag::get(kw!(id = id)).await?.name.as_str(), text)?;
    }
    Ok(())
}

/// A read-only transaction refuses writes on a connection that was lent for writing too.
async fn read_only_whatever_the_connection(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    lease.begin(&TransactionOptions::new().read_only()).await?;
    let write = run(&mut lease, "INSERT INTO kit_tag (name) VALUES ('a')").await;
    check::fails(write, ErrorKind::ReadOnly)?;
    lease.rollback().await?;
    // It refuses no longer than the transaction lasts.
    run(&mut lease, "INSERT INTO kit_tag (name) VALUES ('b')").await?;
    check::eq(names(&mut lease).await?, ["b"])
}

/// A commit that keeps nothing fails: here for a reference that is checked at the end, where the
/// database has such.
async fn commit_fails(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    lease.begin(&TransactionOptions::new()).await?;
    lease.rollback().await?;
    let table = "CREATE TABLE kit_late (id INTEGER PRIMARY KEY, tag INTEGER NOT NULL, \
                 FOREIGN KEY (tag) REFERENCES kit_tag (id) DEFERRABLE INITIALLY DEFERRED)";
    if run(&mut lease, table).await.is_err() {
        // The database checks every reference at once.
        check::that(
            run(&mut lease, "SELECT id FROM kit_late").await.is_err(),
            "the table is not there",
        )?;
        return Ok(());
    }
    lease.begin(&TransactionOptions::new()).await?;
    run(&mut lease, "INSERT INTO kit_late (id, tag) VALUES (1, 77)").await?;
    check::fails(lease.commit().await, ErrorKind::Integrity)?;
    lease.rollback().await?;
    check::eq(lease.health(), Health::Clean)?;
    let left = all_rows(&mut lease, "SELECT id FROM kit_late").await?;
    check::eq(left.len(), 0)
}

/// After a rollback the connection has no transaction, and nothing of it.
async fn rollback_ends_the_transaction(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    check::eq(lease.health(), Health::Clean)?;
    lease.begin(&TransactionOptions::new()).await?;
    check::eq(lease.health(), Health::InTransaction)?;
    run(&mut lease, "INSERT INTO kit_tag (name) VALUES ('a')").await?;
    lease.rollback().await?;
    check::eq(lease.health(), Health::Clean)?;
    check::eq(names(&mut lease).await?, [""; 0])
}

/// Rolling back where no transaction is open is fine.
async fn rollback_without_a_transaction(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    lease.begin(&TransactionOptions::new()).await?;
    lease.commit().await?;
    lease.rollback().await?;
    check::eq(lease.health(), Health::Clean)
}

async fn with_savepoint(cx: &Context) -> CaseResult<Lease> {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    lease.begin(&TransactionOptions::new()).await?;
    cx.ready();
    lease.savepoint(1).await?;
    run(&mut lease, "INSERT INTO kit_tag (name) VALUES ('a')").await?;
    Ok(lease)
}

/// A savepoint that was released is no longer there.
async fn gone_after_release(cx: &Context) -> CaseResult {
    let mut lease = with_savepoint(cx).await?;
    lease.release(1).await?;
    check::that(lease.release(1).await.is_err(), "it is gone")
}

/// A savepoint that was gone back to is no longer there.
async fn gone_after_rollback_to(cx: &Context) -> CaseResult {
    let mut lease = with_savepoint(cx).await?;
    lease.rollback_to(1).await?;
    check::eq(names(&mut lease).await?, [""; 0])?;
    check::that(lease.release(1).await.is_err(), "it is gone")
}

/// A block that is dropped is rolled back at once, and not only when its client wants the
/// connection again: another client can write.
async fn dropped_block_frees_its_locks(cx: &Context) -> CaseResult {
    let url = ConnectionUrl::parse(cx.url())?;
    let options = ConnectOptions::default();
    let other = cx.driver().connect(&url, &options).await?;
    let block = in_transaction(async |_tx| {
        Tag::create(kw!(name = "a")).await?;
        std::future::pending::<()>().await;
        Ok::<_, Error>(())
    });
    match tokio::time::timeout(Duration::from_millis(50), block).await {
        Err(_) => {}
        Ok(Ok(())) => return Err(Failure::new("the block ended by itself")),
        Ok(Err(error)) => return Err(error.into()),
    }
    let sql = "INSERT INTO kit_tag (name) VALUES ('a')";
    let write = other.execute_query(sql, Vec::new());
    let written = tokio::time::timeout(Duration::from_secs(4), write).await;
    check::that(
        matches!(written, Ok(Ok(_))),
        &format!("another client writes soon: {written:?}"),
    )?;
    other.close().await;
    check::eq(Tag::all().count().await?, 1)
}

/// A temporary table of raw SQL is not there for the next user of its connection.
async fn temporary_tables_do_not_stay(cx: &Context) -> CaseResult {
    let table = "CREATE TEMPORARY TABLE kit_left (id INTEGER)";
    let read = "SELECT id FROM kit_left";
    let mut lease = cx.client().acquire(Intent::Write).await?;
    if run(&mut lease, table).await.is_err() {
        let kept = run(&mut lease, read).await;
        return check::that(kept.is_err(), "the database has no temporary tables");
    }
    drop(lease);
    let mut lease = cx.client().acquire(Intent::Write).await?;
    check::fails(all_rows(&mut lease, read).await, ErrorKind::Statement).map(drop)
}
