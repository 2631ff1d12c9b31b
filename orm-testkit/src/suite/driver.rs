//! The rules of the driver contract, on a connection of the pool.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Tag, User, library};
use crate::{cases, check};
use orm_core::backend::{
    Collect, Health, Intent, Lease, RowAccess, RowSink, Sink, SinkFlow, SqlFamily, Statement,
    StatementText, TransactionOptions,
};
use orm_core::error::{Error, ErrorKind, Result};
use orm_core::prelude::*;
use orm_core::value::Value;
use std::any::Any;

pub(super) const CASES: &[Case] = cases! {
    "driver::sink::may_stop" => sink_may_stop, ["tortoise.get_connection"], level Full;
    "driver::sink::error_is_returned" => sink_error, ["tortoise.get_connection"], level Full;
    "driver::sink::stops_a_long_result" => sink_stops_a_long_result, ["tortoise.get_connection"], level Full;
    "driver::row::out_of_range_is_an_error" => out_of_range, ["tortoise.get_connection"], level Full;
    "driver::row::none_and_no_columns" => no_rows, ["tortoise.get_connection"], level Full;
    "driver::row::equal_names_by_position" => equal_names, ["tortoise.get_connection"], level Full;
    "driver::row::every_kind_of_cell" => every_kind_of_cell, ["tortoise.get_connection"], level Full;
    "driver::done::rows_are_those_matched" => rows_matched, ["tortoise.get_connection", "queryset.update"], level Full;
    "driver::script::empty_and_comments" => empty_scripts, ["tortoise.get_connection"], level Full;
    "driver::script::semicolons_in_texts_and_comments" => semicolons, ["tortoise.get_connection"], level Full;
    "driver::script::ends_at_the_first_error" => script_error, ["tortoise.get_connection"], level Full;
    "driver::statement::values_must_match" => values_must_match, ["tortoise.get_connection"], level Full;
    "driver::statement::placeholders_in_texts_are_text" => placeholders_in_texts, ["tortoise.get_connection"], level Full;
    "driver::health::shows_an_open_transaction" => shows_a_transaction, ["in_transaction"], needs [Transactions], level Full;
    "driver::health::usable_after_every_error" => usable_after_errors, ["tortoise.get_connection"], level Full;
    "driver::cache::is_bounded" => cache_is_bounded, ["tortoise.get_connection"], level Full;
    "driver::cache::follows_the_schema" => cache_follows_schema, ["tortoise.get_connection"], level Full;
    "driver::facts::same_on_every_connection" => same_facts, ["tortoise.get_connection"], level Full;
    "driver::render::pure_and_shared" => render_is_pure, ["model.filter"], level Full;
};

fn statement(sql: &str) -> Statement {
    Statement::new(StatementText::new(sql), Vec::new()).uncached()
}

/// Keeps rows until it has enough, or refuses one.
struct Picky {
    rows: Vec<Value>,
    most: usize,
    refuse: bool,
}

impl Picky {
    fn sink(most: usize, refuse: bool) -> Sink {
        let rows = Vec::new();
        Sink::new(Picky { rows, most, refuse })
    }
}

impl RowSink for Picky {
    fn row(&mut self, row: &dyn RowAccess) -> Result<SinkFlow> {
        self.rows.push(row.cell(0)?.to_value());
        match (self.rows.len() == self.most, self.refuse) {
            (false, _) => Ok(SinkFlow::More),
            (true, false) => Ok(SinkFlow::Stop),
            (true, true) => Err(Error::configuration("not this row")),
        }
    }
    fn restart(&mut self) -> bool {
        self.rows.clear();
        true
    }
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

/// The connection answers, and its pool lends others.
async fn works(cx: &Context, lease: &mut Lease) -> CaseResult {
    check::eq(lease.health(), Health::Clean)?;
    let rows = read(lease, "SELECT 7").await?;
    check::eq(rows, [vec![Value::I64(7)]])?;
    let rows = cx.client().execute_query("SELECT 8", Vec::new()).await?;
    check::eq(rows.len(), 1)
}

async fn read(lease: &mut Lease, sql: &str) -> CaseResult<Vec<Vec<Value>>> {
    fn cells(row: &dyn RowAccess) -> Result<Vec<Value>> {
        (0..row.len())
            .map(|i| Ok(row.cell(i)?.to_value()))
            .collect()
    }
    let mut sink = Sink::new(Collect::new(cells));
    lease.run(&statement(sql), &mut sink).await?;
    let rows = sink.downcast::<Collect<Vec<Value>>>();
    rows.map(Collect::into_rows)
        .ok_or_else(|| Failure::new("the driver replaced the sink"))
}

const NAMES: &str = "SELECT name FROM kit_tag ORDER BY name";

/// A sink that has enough ends the result; that is no error.
async fn sink_may_stop(cx: &Context) -> CaseResult {
    library(cx).await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for most in 1..=4 {
        let mut sink = Picky::sink(most, false);
        lease.run(&statement(NAMES), &mut sink).await?;
        let rows = sink.downcast::<Picky>().map(|sink| sink.rows.len());
        check::eq(rows, Some(most.min(3)))?;
        works(cx, &mut lease).await?;
    }
    Ok(())
}

/// The error of a sink is the error of the call, as it is.
async fn sink_error(cx: &Context) -> CaseResult {
    library(cx).await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for most in 1..=3 {
        let mut sink = Picky::sink(most, true);
        let result = lease.run(&statement(NAMES), &mut sink).await;
        let error = check::fails(result, ErrorKind::Configuration)?;
        check::mentions(error, &["not this row"])?;
        works(cx, &mut lease).await?;
    }
    Ok(())
}

/// Rows that are not wanted are not waited for one by one.
async fn sink_stops_a_long_result(cx: &Context) -> CaseResult {
    let tags = (0..200).map(|n| Tag {
        name: format!("t{n:03}"),
        ..Tag::default()
    });
    for mut tag in tags {
        tag.save().await?;
    }
    let mut lease = cx.client().acquire(Intent::Read).await?;
    // 40 000 rows in no order.
    let sql = "SELECT a.name FROM kit_tag a, kit_tag b";
    for (most, refuse) in [(1, false), (1, true), (1_000, false), (39_999, true)] {
        let mut sink = Picky::sink(most, refuse);
        let result = lease.run(&statement(sql), &mut sink).await;
        check::eq(result.is_err(), refuse)?;
        works(cx, &mut lease).await?;
    }
    Ok(())
}

/// A position beyond the row is an error, not a panic and not a NULL.
async fn out_of_range(cx: &Context) -> CaseResult {
    fn beyond(row: &dyn RowAccess) -> Result<(usize, bool, bool)> {
        let outside = [row.len(), row.len() + 1, usize::MAX];
        let refused = outside.into_iter().all(|at| row.cell(at).is_err());
        let inside = (0..row.len()).all(|at| row.cell(at).is_ok());
        Ok((row.len(), refused, inside))
    }
    library(cx).await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    let mut sink = Sink::new(Collect::new(beyond));
    let sql = statement("SELECT id, name FROM kit_tag");
    lease.run(&sql, &mut sink).await?;
    let rows = sink.downcast::<Collect<(usize, bool, bool)>>();
    check::eq(rows.map(Collect::into_rows), Some(vec![(2, true, true); 3]))?;
    works(cx, &mut lease).await
}

/// A result without rows is empty; a statement without a result is too.
async fn no_rows(cx: &Context) -> CaseResult {
    let client = cx.client();
    let rows = client
        .execute_query("SELECT id, name FROM kit_tag", Vec::new())
        .await?;
    check::eq(
        (rows.len(), rows.is_empty(), rows.rows_affected()),
        (0, true, 0),
    )?;
    let rows = client
        .execute_query("UPDATE kit_tag SET name = 'x'", Vec::new())
        .await?;
    check::eq((rows.len(), rows.rows_affected()), (0, 0))?;
    let rows = client
        .execute_query("CREATE TABLE kit_bare (n INTEGER)", Vec::new())
        .await?;
    check::eq((rows.len(), rows.columns().len()), (0, 0))?;
    let dicts = client
        .execute_query_dict("SELECT n FROM kit_bare", Vec::new())
        .await?;
    check::eq(dicts.len(), 0)
}

/// Columns of one name are all there, in their places.
async fn equal_names(cx: &Context) -> CaseResult {
    library(cx).await?;
    let sql = "SELECT a.name, b.name, a.name AS name FROM kit_tag a, kit_tag b \
               WHERE a.name = 'rust' AND b.name = 'web'";
    let rows = cx.client().execute_query(sql, Vec::new()).await?;
    check::eq(
        rows.rows(),
        [vec!["rust".into(), "web".into(), "rust".into()]],
    )?;
    let names: Vec<&str> = rows.columns().iter().map(AsRef::as_ref).collect();
    check::eq(names, ["name", "name", "name"])
}

/// What a database computes comes as the kind that it is: whole numbers whole, texts as texts.
async fn every_kind_of_cell(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Read).await?;
    let rows = read(
        &mut lease,
        "SELECT 1, -7, 'a', NULL, '', COUNT(*) FROM kit_tag",
    )
    .await?;
    let expected = vec![
        1_i64.into(),
        (-7_i64).into(),
        "a".into(),
        Value::Null,
        "".into(),
        0_i64.into(),
    ];
    check::eq(rows, [expected])?;
    let rows = read(&mut lease, "SELECT MAX(id), MIN(name) FROM kit_tag").await?;
    check::eq(rows, [vec![Value::Null, Value::Null]])
}

/// The count is of rows that matched, changed or not; a read has none.
async fn rows_matched(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    for (sql, expected) in [
        ("INSERT INTO kit_tag (name) VALUES ('a')", 1),
        ("INSERT INTO kit_tag (name) VALUES ('b')", 1),
        ("SELECT name FROM kit_tag", 0),
        ("UPDATE kit_tag SET name = 'a' WHERE name = 'a'", 1),
        ("UPDATE kit_tag SET name = name", 2),
        ("UPDATE kit_tag SET name = 'x' WHERE name = 'none'", 0),
        ("SELECT 1", 0),
        ("DELETE FROM kit_tag WHERE name = 'none'", 0),
        ("DELETE FROM kit_tag", 2),
    ] {
        let intent = match sql.starts_with("SELECT") {
            true => Intent::Read,
            false => Intent::Write,
        };
        let statement = statement(sql).with_intent(intent);
        let done = lease.run(&statement, &mut Sink::discard()).await?;
        check::eq((sql, done.rows_affected), (sql, expected))?;
    }
    Ok(())
}

/// A script without a statement does nothing.
async fn empty_scripts(cx: &Context) -> CaseResult {
    for script in [
        "",
        "  \n\t ",
        "-- nothing",
        "-- nothing\n",
        "/* nothing */",
        "/* ; */ -- ;\n  ",
        ";",
        " ; ;; ",
        "-- first\n;\n/* second */;",
        "SELECT 1; -- end",
        "SELECT 1;;",
    ] {
        if let Err(error) = cx.client().execute_script(script).await {
            return Err(Failure::new(format!("{script:?}: {error}")));
        }
    }
    check::eq(Tag::all().count().await?, 0)
}

/// What is inside a text, a name or a comment ends no statement.
async fn semicolons(cx: &Context) -> CaseResult {
    let script = "\
        INSERT INTO kit_tag (name) VALUES ('a;b');\n\
        -- a comment; with a semicolon and a quote '\n\
        INSERT INTO kit_tag (name) VALUES ('it''s; fine');\n\
        /* another; 'one' */\n\
        INSERT INTO kit_tag (name) /* here; too */ VALUES ('-- no; comment');\n\
        INSERT INTO kit_tag (name) VALUES ('/* none; */')";
    cx.client().execute_script(script).await?;
    let found = Tag::all().order_by("id").await?;
    let names: Vec<_> = found.iter().map(|tag| tag.name.as_str()).collect();
    check::eq(
        names,
        ["a;b", "it's; fine", "-- no; comment", "/* none; */"],
    )
}

/// The statements before the error are done, those after it are not, and the client works on.
async fn script_error(cx: &Context) -> CaseResult {
    let script = "INSERT INTO kit_tag (name) VALUES ('a');\n\
                  INSERT INTO no_such_table (name) VALUES ('b');\n\
                  INSERT INTO kit_tag (name) VALUES ('c')";
    let mut lease = cx.client().acquire(Intent::Write).await?;
    check::fails(lease.run_script(script).await, ErrorKind::Statement)?;
    drop(lease);
    check::eq(Tag::filter(kw!(name = "c")).count().await?, 0)?;
    Tag::create(kw!(name = "d")).await?;
    check::eq(Tag::filter(kw!(name = "d")).count().await?, 1)
}

/// `n` placeholders, separated by commas.
fn holes(cx: &Context, n: usize) -> String {
    let numbered = cx.client().dialect().family() == SqlFamily::Postgres;
    let hole = |at: usize| match numbered {
        true => format!("${}", at + 1),
        false => "?".to_owned(),
    };
    (0..n).map(hole).collect::<Vec<_>>().join(", ")
}

/// A value too few or too many is an error; it is never NULL or that of another statement.
async fn values_must_match(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    let one = format!("INSERT INTO kit_tag (name) VALUES ({})", holes(cx, 1));
    for (sql, values) in [
        (one.as_str(), Vec::new()),
        (one.as_str(), vec![Value::from("b"), Value::from("c")]),
        (
            "INSERT INTO kit_tag (name) VALUES ('d')",
            vec![Value::from("e")],
        ),
    ] {
        let result = cx.client().execute_query(sql, values).await;
        check::that(result.is_err(), "the counts differ")?;
    }
    check::eq(Tag::all().count().await?, 1)?;
    cx.client().execute_query(&one, vec!["f".into()]).await?;
    check::eq(Tag::filter(kw!(name = "f")).count().await?, 1)
}

/// Inside a text, a placeholder is text.
async fn placeholders_in_texts(cx: &Context) -> CaseResult {
    let sql = format!(
        "INSERT INTO kit_user (username, bio, is_active) VALUES ({}, '? $1 :name @p1 %s {{0}}', {})",
        holes(cx, 1),
        match cx.client().dialect().family() {
            SqlFamily::Postgres => "true",
            _ => "1",
        }
    );
    cx.client().execute_query(&sql, vec!["ann".into()]).await?;
    let stored = User::get(kw!(username = "ann")).await?;
    check::eq(stored.bio.as_deref(), Some("? $1 :name @p1 %s {0}"))
}

/// What the driver says of its connection follows what was done to it.
async fn shows_a_transaction(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Write).await?;
    check::eq(lease.health(), Health::Clean)?;
    for commit in [true, false] {
        lease.begin(&TransactionOptions::new()).await?;
        check::eq(lease.health(), Health::InTransaction)?;
        let sql = statement("INSERT INTO kit_tag (name) VALUES ('a')");
        lease.run(&sql, &mut Sink::discard()).await?;
        match commit {
            false => lease.rollback().await?,
            true => {
                let sql = statement("DELETE FROM kit_tag");
                lease.run(&sql, &mut Sink::discard()).await?;
                lease.commit().await?;
            }
        }
        check::eq(lease.health(), Health::Clean)?;
    }
    // Begun by raw SQL, behind the core's back.
    lease.run_script("BEGIN").await?;
    check::eq(lease.health(), Health::InTransaction)?;
    lease
        .run_script("INSERT INTO kit_tag (name) VALUES ('lost')")
        .await?;
    drop(lease);
    check::eq(Tag::all().count().await?, 0)
}

/// Whatever a statement fails with, the connection takes the next one.
async fn usable_after_errors(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    let mut lease = cx.client().acquire(Intent::Write).await?;
    for (sql, kind) in [
        ("SELEC 1", ErrorKind::Statement),
        ("SELECT * FROM no_such_table", ErrorKind::Statement),
        (
            "INSERT INTO kit_tag (name) VALUES ('a')",
            ErrorKind::Integrity,
        ),
        (
            "INSERT INTO kit_tag (name) VALUES (NULL)",
            ErrorKind::Integrity,
        ),
        ("SELECT no_such_column FROM kit_tag", ErrorKind::Statement),
    ] {
        for cached in [false, true] {
            let mut failing = statement(sql);
            failing.cached = cached;
            let result = lease.run(&failing, &mut Sink::discard()).await;
            check::fails(result, kind)?;
            works_alone(&mut lease).await?;
        }
    }
    Ok(())
}

async fn works_alone(lease: &mut Lease) -> CaseResult {
    check::eq(lease.health(), Health::Clean)?;
    check::eq(read(lease, "SELECT 7").await?, [vec![Value::I64(7)]])
}

/// Many different texts on one connection: each answers, and few stay prepared.
async fn cache_is_bounded(cx: &Context) -> CaseResult {
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for number in 0..2_000_i64 {
        let text = StatementText::new(format!("SELECT {number} FROM kit_tag WHERE id = -1"));
        let cached = Statement::new(text, Vec::new());
        lease.run(&cached, &mut Sink::discard()).await?;
    }
    let asks = match cx.client().dialect().family() {
        SqlFamily::Postgres => "SELECT COUNT(*) FROM pg_prepared_statements",
        _ => return works(cx, &mut lease).await,
    };
    let rows = read(&mut lease, asks).await?;
    let few = matches!(rows[0][0], Value::I64(count) if count < 1_500);
    check::that(few, "statements are forgotten")?;
    works(cx, &mut lease).await
}

/// A statement that was prepared before the table changed answers with the table as it is.
async fn cache_follows_schema(cx: &Context) -> CaseResult {
    async fn width(lease: &mut Lease, statement: &Statement) -> Result<Option<usize>> {
        let mut sink = Sink::new(Collect::new(|row| Ok(row.len())));
        lease.run(statement, &mut sink).await?;
        let rows = sink.downcast::<Collect<usize>>().map(Collect::into_rows);
        Ok(rows.and_then(|rows| rows.first().copied()))
    }
    let ddl = |sql: &'static str| cx.client().execute_script(sql);
    ddl("CREATE TABLE kit_change (n INTEGER); INSERT INTO kit_change VALUES (1)").await?;
    let all = Statement::new(StatementText::new("SELECT * FROM kit_change"), Vec::new());
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for _ in 0..8 {
        check::eq(width(&mut lease, &all).await?, Some(1))?;
    }
    drop(lease);
    ddl("ALTER TABLE kit_change ADD COLUMN m INTEGER").await?;
    for _ in 0..8 {
        let mut lease = cx.client().acquire(Intent::Read).await?;
        check::eq(width(&mut lease, &all).await?, Some(2))?;
    }
    ddl("DROP TABLE kit_change").await?;
    let mut lease = cx.client().acquire(Intent::Read).await?;
    check::fails(width(&mut lease, &all).await, ErrorKind::Statement)?;
    works(cx, &mut lease).await
}

/// Another client of the database has the same dialect and the same facts.
async fn same_facts(cx: &Context) -> CaseResult {
    use orm_core::backend::{ConnectOptions, ConnectionUrl};
    let url = ConnectionUrl::parse(cx.url())?;
    let other = cx
        .driver()
        .connect(&url, &ConnectOptions::default())
        .await?;
    let (ours, theirs) = (cx.client().dialect(), other.dialect());
    let same = (ours.name(), ours.family(), *ours.capabilities())
        == (theirs.name(), theirs.family(), *theirs.capabilities());
    other.close().await;
    check::that(same, "dialect and capabilities are those of the process")
}

/// A query has the same text each time, on every thread, and asking for it sends nothing.
async fn render_is_pure(cx: &Context) -> CaseResult {
    let query = User::filter(kw!(
        username__icontains = "a",
        posts__views__gt = 1,
        age__in = [1, 2]
    ));
    let query = query
        .exclude(kw!(bio = "x"))
        .order_by(["-age", "id"])
        .limit(3)
        .offset(1);
    let (text, sent) = cx.watch(async { query.sql() }).await;
    let text = text?;
    check::eq(sent.len(), 0)?;
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let query = query.clone();
        tasks.push(tokio::spawn(cx.scope(async move { query.sql() })));
    }
    for task in tasks {
        let other = task
            .await
            .map_err(|error| Failure::new(error.to_string()))?;
        check::eq(other?, text.as_str())?;
    }
    let (result, sent) = cx.watch(async { query.await }).await;
    result?;
    check::eq(sent.len(), 1)?;
    check::eq(&*sent[0], text.as_str())
}
