//! What errors of the database carry: kind, constraint, columns, statement, and their causes.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Post, Tag, User, library};
use crate::{cases, check};
use orm_core::backend::SqlFamily;
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::prelude::*;
use std::error::Error as _;

pub(super) const CASES: &[Case] = cases! {
    "errors::integrity::key_twice_is_unique" => key_twice, ["exceptions.integrity_error", "fields.int.pk"];
    "errors::integrity::foreign_key_both_ways" => foreign_key_both_ways, ["exceptions.integrity_error", "fields.foreign_key"], needs [ForeignKeys];
    "errors::integrity::not_null_names_the_column" => not_null_column, ["exceptions.integrity_error"];
    "errors::integrity::check_is_named" => check_is_named, ["exceptions.integrity_error"];
    "errors::integrity::several_columns_in_their_order" => several_columns, ["exceptions.integrity_error"];
    "errors::integrity::at_commit" => at_commit, ["exceptions.integrity_error", "in_transaction"], needs [Transactions, ForeignKeys];
    "errors::data::out_of_range_too_long_no_number" => data_errors, ["tortoise.get_connection"];
    "errors::statement::names_what_is_missing" => names_what_is_missing, ["tortoise.get_connection"];
    "errors::text::statement_without_values" => statement_without_values, ["exceptions.integrity_error"];
    "errors::cause::leads_to_the_driver" => leads_to_the_driver, ["exceptions.integrity_error"];
    "errors::retry::only_conflicts" => only_conflicts, ["exceptions.integrity_error", "exceptions.does_not_exist"];
    "errors::type_::crosses_threads" => crosses_threads, ["exceptions.integrity_error"];
    "errors::prefetch::same_kind" => same_kind_in_a_prefetch, ["queryset.prefetch_related"];
};

/// The broken constraint of a raw statement.
async fn broken(cx: &Context, sql: &str) -> CaseResult<Error> {
    let result = cx.client().execute_query(sql, Vec::new()).await;
    check::fails(result.map(|rows| rows.len()), ErrorKind::Integrity)
}

fn kind(error: &Error) -> Option<ConstraintKind> {
    error.constraint().map(|broken| broken.kind())
}

fn columns(error: &Error) -> Vec<&str> {
    let broken = error.constraint().into_iter();
    broken.flat_map(|broken| broken.columns()).collect()
}

/// A key that is taken is a broken unique constraint.
async fn key_twice(_: &Context) -> CaseResult {
    let tag = Tag::create(kw!(name = "a")).await?;
    let again = Tag::create(kw!(id = tag.id, name = "b")).await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    check::eq(kind(&error), Some(ConstraintKind::Unique))?;
    check::that(error.is_unique_violation(), "the question agrees")
}

/// A missing target and a target that is still in use are the same kind.
async fn foreign_key_both_ways(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let missing = Post::create(kw!(title = "x", author_id = rows.cyd.id + 100)).await;
    let error = check::fails(missing.map(drop), ErrorKind::Integrity)?;
    check::eq(kind(&error), Some(ConstraintKind::ForeignKey))?;
    let ann = rows.ann.id;
    let sql = format!("INSERT INTO kit_contract (owner_id) VALUES ({ann})");
    cx.client().execute_query(&sql, Vec::new()).await?;
    let error = check::fails(rows.ann.delete().await, ErrorKind::Integrity)?;
    check::eq(kind(&error), Some(ConstraintKind::ForeignKey))?;
    check::eq(User::all().count().await?, 3)
}

/// The column that may not be NULL is named, on insert and on update.
async fn not_null_column(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    for sql in [
        "INSERT INTO kit_tag (name) VALUES (NULL)",
        "UPDATE kit_tag SET name = NULL",
    ] {
        let error = broken(cx, sql).await?;
        check::eq(kind(&error), Some(ConstraintKind::NotNull))?;
        check::eq(columns(&error), ["name"])?;
    }
    Ok(())
}

/// A check that fails is of its own kind and named.
async fn check_is_named(cx: &Context) -> CaseResult {
    let sql = "CREATE TABLE kit_checked (n INTEGER, CONSTRAINT kit_positive CHECK (n > 0))";
    cx.client().execute_query(sql, Vec::new()).await?;
    let error = broken(cx, "INSERT INTO kit_checked (n) VALUES (-1)").await?;
    check::eq(kind(&error), Some(ConstraintKind::Check))?;
    let name = error.constraint().and_then(|broken| broken.constraint());
    check::eq(name, Some("kit_positive"))
}

/// A constraint over several columns names them in its order, not in that of the table.
async fn several_columns(cx: &Context) -> CaseResult {
    let script = "CREATE TABLE kit_grid (a INTEGER, b INTEGER, c INTEGER, \
                  CONSTRAINT kit_cell UNIQUE (c, a)); \
                  INSERT INTO kit_grid (a, b, c) VALUES (1, 2, 3)";
    cx.client().execute_script(script).await?;
    let error = broken(cx, "INSERT INTO kit_grid (a, b, c) VALUES (1, 5, 3)").await?;
    check::eq(kind(&error), Some(ConstraintKind::Unique))?;
    check::eq(columns(&error), ["c", "a"])
}

/// A constraint that is checked at the end refuses the commit: nothing is kept, and the next
/// transaction is a new one.
async fn at_commit(cx: &Context) -> CaseResult {
    cx.ready();
    let refused: Result<()> = in_transaction(async |_tx| {
        let title = "x";
        Post::create(kw!(title = title, author_id = 77))
            .await
            .map(drop)
    })
    .await;
    check::fails(refused, ErrorKind::Integrity)?;
    let script = "CREATE TABLE kit_late (n INTEGER PRIMARY KEY, \
                  other INTEGER REFERENCES kit_late (n) DEFERRABLE INITIALLY DEFERRED)";
    if cx.client().execute_query(script, Vec::new()).await.is_ok() {
        let refused: Result<()> = in_transaction(async |tx| {
            tx.script("INSERT INTO kit_late (n, other) VALUES (1, 9)")
                .await?;
            Tag::create(kw!(name = "inside")).await.map(drop)
        })
        .await;
        let error = check::fails(refused, ErrorKind::Integrity)?;
        check::eq(kind(&error), Some(ConstraintKind::ForeignKey))?;
    }
    check::eq(Tag::all().count().await?, 0)?;
    let kept: Result<()> =
        in_transaction(async |_tx| Tag::create(kw!(name = "next")).await.map(drop)).await;
    kept?;
    check::eq(Tag::all().count().await?, 1)
}

/// A value that its column cannot hold is `Data`, unless the engine stores it: then reading it is.
async fn data_errors(cx: &Context) -> CaseResult {
    User::create(kw!(username = "ann")).await?;
    let long = "x".repeat(60);
    for (column, value) in [
        ("age", "99999999999"),
        ("age", "'many'"),
        ("username", &format!("'{long}'")),
    ] {
        let sql = format!("UPDATE kit_user SET {column} = {value}");
        match cx.client().execute_query(&sql, Vec::new()).await {
            Err(error) => check::eq((&sql, error.kind()), (&sql, ErrorKind::Data))?,
            Ok(_) if column == "age" => {
                check::fails(User::all().await, ErrorKind::Data)?;
                let sql = "UPDATE kit_user SET age = NULL";
                cx.client().execute_query(sql, Vec::new()).await?;
            }
            // A text without a limit in the database: the whole of it is there.
            Ok(_) => check::eq(User::all().await?[0].username.len(), 60)?,
        }
    }
    check::eq(User::all().count().await?, 1)
}

/// A missing table or column is named in the message, and the statement is there.
async fn names_what_is_missing(cx: &Context) -> CaseResult {
    for (sql, name) in [
        ("SELECT 1 FROM no_such_table", "no_such_table"),
        ("SELECT no_such_column FROM kit_tag", "no_such_column"),
    ] {
        let result = cx.client().execute_query(sql, Vec::new()).await;
        let error = check::fails(result.map(|rows| rows.len()), ErrorKind::Statement)?;
        check::mentions(&error, &[name])?;
        let kept = error.as_database().and_then(|database| database.sql());
        check::eq(kept, Some(sql))?;
    }
    Ok(())
}

/// An error has the statement with its placeholders, the code of the database, and no value.
async fn statement_without_values(_: &Context) -> CaseResult {
    Tag::create(kw!(name = "hush-hush")).await?;
    let again = Tag::create(kw!(name = "hush-hush")).await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    let Some(database) = error.as_database() else {
        return Err(Failure::new("no report of the database"));
    };
    check::mentions(
        database.sql().unwrap_or_default(),
        &["INSERT INTO", "kit_tag"],
    )?;
    check::that(database.code().is_some(), "the code is kept")?;
    let mut texts = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}"),
    ];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        cause = error.source();
    }
    let hidden = texts.iter().all(|text| !text.contains("hush"));
    check::that(hidden, &format!("no value in {texts:?}"))
}

/// What the database itself said is kept: its code and its message; a cause, where the driver has
/// an error of its own, is no copy of the error.
async fn leads_to_the_driver(cx: &Context) -> CaseResult {
    let result = cx.client().execute_query("SELEC 1", Vec::new()).await;
    let error = check::fails(result.map(|rows| rows.len()), ErrorKind::Statement)?;
    let Some(database) = error.as_database() else {
        return Err(Failure::new("no report of the database"));
    };
    check::that(
        database.code().is_some_and(|code| !code.is_empty()),
        "a code",
    )?;
    check::that(!database.message().is_empty(), "a message")?;
    let copy = error
        .source()
        .map(|cause| cause.to_string() == error.to_string());
    check::eq(copy.unwrap_or(false), false)
}

/// Trying again is for conflicts between transactions alone.
async fn only_conflicts(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "a")).await?;
    let raw = cx.client().execute_query("SELEC 1", Vec::new()).await;
    for result in [
        Tag::create(kw!(name = "a")).await.map(drop),
        Tag::get(kw!(name = "b")).await.map(drop),
        Tag::create(kw!(name = "x".repeat(31))).await.map(drop),
        raw.map(drop),
    ] {
        match result {
            Err(error) => check::that(!error.is_retryable(), &format!("{error}"))?,
            Ok(()) => return Err(Failure::new("no error")),
        }
    }
    Ok(())
}

/// An error may be sent to another thread, cloned and kept.
async fn crosses_threads(_: &Context) -> CaseResult {
    fn kept<T: std::error::Error + Clone + Send + Sync + 'static>(error: T) -> T {
        error
    }
    Tag::create(kw!(name = "a")).await?;
    let error = Tag::create(kw!(name = "a")).await.map(drop);
    let error = kept(check::fails(error, ErrorKind::Integrity)?);
    let copy = error.clone();
    let text = std::thread::spawn(move || copy.to_string()).join();
    check::eq(text.ok(), Some(error.to_string()))
}

/// A table that is missing on the way has the kind that it has at the beginning.
async fn same_kind_in_a_prefetch(cx: &Context) -> CaseResult {
    library(cx).await?;
    let cascade = match cx.client().dialect().family() {
        SqlFamily::Postgres => " CASCADE",
        _ => "",
    };
    let sql = format!("DROP TABLE kit_post_tags{cascade}");
    cx.client().execute_query(&sql, Vec::new()).await?;
    let direct = Tag::filter(kw!(posts__title = "Alpha")).await;
    check::fails(direct, ErrorKind::Statement)?;
    let within = Post::all().prefetch_related("tags").await;
    check::fails(within, ErrorKind::Statement)?;
    check::eq(Post::all().count().await?, 4)
}
