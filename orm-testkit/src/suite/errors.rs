//! Kinds of errors, what they carry, and hostile input.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Tag, User, library};
use crate::{cases, check};
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "errors::integrity::says_what_was_broken" => says_what_was_broken, ["exceptions.integrity_error"];
    "errors::integrity::not_null" => not_null, ["exceptions.integrity_error"];
    "errors::integrity::same_kind_on_every_path" => same_kind_on_every_path, ["exceptions.integrity_error"], needs [Transactions];
    "errors::does_not_exist::is_no_database_error" => is_no_database_error, ["exceptions.does_not_exist"];
    "errors::validation::is_no_database_error" => validation_is_no_database_error, ["exceptions.validation_error"];
    "errors::statement::missing_table_and_syntax" => missing_table_and_syntax, ["tortoise.get_connection"];
    "errors::statement::client_works_on" => client_works_on, ["tortoise.get_connection"];
    "errors::text::values_stay_out" => values_stay_out, ["exceptions.integrity_error"];
    "inject::value::stored_as_given" => stored_as_given, ["model.create", "model.filter", "queryset.update"];
    "inject::value::patterns_as_given" => patterns_as_given, ["model.filter"];
    "inject::name::refused_unsent" => refused_unsent, ["model.filter", "queryset.order_by", "queryset.prefetch_related"];
    "inject::name::in_a_dictionary" => in_a_dictionary, ["instance.update_from_dict"];
    "client::query::values_are_bound" => values_are_bound, ["tortoise.get_connection"];
    "client::insert::returns_the_key" => returns_the_key, ["tortoise.get_connection"], needs [ReturningInsert, LastInsertId];
    "client::script::several_statements" => several_statements, ["tortoise.get_connection"];
    "client::many::all_or_nothing" => many_all_or_nothing, ["tortoise.get_connection"], needs [Transactions];
};

/// The kind, the table and the columns of the broken constraint.
async fn says_what_was_broken(cx: &Context) -> CaseResult {
    library(cx).await?;
    let error = check::fails(Tag::create(kw!(name = "rust")).await, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "the question agrees")?;
    let Some(broken) = error.constraint() else {
        return Err(crate::Failure::new("no constraint"));
    };
    check::eq(broken.kind(), ConstraintKind::Unique)?;
    check::eq(broken.columns().collect::<Vec<_>>(), ["name"])?;
    check::that(
        error.as_database().is_some(),
        "the report of the database is kept",
    )
}

/// A NULL where none may be is an integrity error that names the column.
async fn not_null(cx: &Context) -> CaseResult {
    let sql = "INSERT INTO kit_tag (name) VALUES (NULL)";
    let result = cx.client().execute_query(sql, Vec::new()).await;
    let error = check::fails(result.map(|rows| rows.len()), ErrorKind::Integrity)?;
    let kind = error.constraint().map(|constraint| constraint.kind());
    check::eq(kind, Some(ConstraintKind::NotNull))
}

/// The same fault has the same kind, however it came about.
async fn same_kind_on_every_path(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let inside = in_transaction(async |_tx| Tag::create(kw!(name = "rust")).await);
    check::fails(inside.await.map(drop), ErrorKind::Integrity)?;
    rows.web.name = "rust".into();
    let results = [
        Tag::create(kw!(name = "rust")).await.map(drop),
        rows.web.save().await,
        Tag::filter(kw!(name = "web"))
            .update(kw!(name = "rust"))
            .await
            .map(drop),
        Tag::bulk_create(vec![Tag {
            name: "rust".into(),
            ..Tag::default()
        }])
        .await
        .map(drop),
    ];
    for result in results {
        let error = check::fails(result, ErrorKind::Integrity)?;
        check::that(error.is_unique_violation(), &format!("{error}"))?;
    }
    Ok(())
}

/// Finding nothing is no fault of the database.
async fn is_no_database_error(_: &Context) -> CaseResult {
    let error = check::fails(User::get(kw!(id = 1)).await, ErrorKind::DoesNotExist)?;
    check::that(
        error.as_database().is_none(),
        "there is no report of the database",
    )?;
    check::that(!error.is_retryable(), "asking again does not help")
}

/// A value that was never sent is no fault of the database.
async fn validation_is_no_database_error(_: &Context) -> CaseResult {
    let error = check::fails(
        User::create(kw!(username = "x".repeat(51))).await,
        ErrorKind::Validation,
    )?;
    check::that(
        error.as_database().is_none() && error.constraint().is_none(),
        "nothing was sent",
    )
}

/// A text that the database cannot run is a `Statement` error.
async fn missing_table_and_syntax(cx: &Context) -> CaseResult {
    for sql in [
        "SELECT * FROM no_such_table",
        "SELEC 1",
        "SELECT no_such_column FROM kit_tag",
    ] {
        let result = cx.client().execute_query(sql, Vec::new()).await;
        check::fails(result.map(|rows| rows.len()), ErrorKind::Statement)?;
    }
    Ok(())
}

/// After an error the client takes the next statement.
async fn client_works_on(cx: &Context) -> CaseResult {
    for _ in 0..20 {
        let refused = cx.client().execute_query("SELEC 1", Vec::new()).await;
        check::that(refused.is_err(), "this is no SQL")?;
        let rows = cx.client().execute_query("SELECT 1", Vec::new()).await?;
        check::eq(rows.len(), 1)?;
    }
    Ok(())
}

/// Neither an error nor its causes show a bound value.
async fn values_stay_out(_: &Context) -> CaseResult {
    Tag::create(kw!(name = "hush-hush")).await?;
    let error = check::fails(
        Tag::create(kw!(name = "hush-hush")).await,
        ErrorKind::Integrity,
    )?;
    let shown = format!("{error} {error:?}");
    check::that(!shown.contains("hush"), &format!("no value in {shown}"))
}

/// Texts that look like SQL, in many dialects.
const HOSTILE: &[&str] = &[
    "'; DROP TABLE kit_user; --",
    "\"; DROP TABLE kit_user; --",
    "`; DROP TABLE kit_user; --",
    "' OR '1'='1",
    "\\'; DELETE FROM kit_user; #",
    "1); DELETE FROM kit_user WHERE (1=1",
    "?1 $1 :name @p1 %s {0}",
    "/* */ UNION SELECT 1 --",
    "'||(SELECT username FROM kit_user)||'",
    "\u{ff07} OR 1=1 --",
    "a\nb\r\nc\td",
    "%' OR '%'='",
];

/// Hostile texts are values: stored, found and updated as they are.
async fn stored_as_given(_: &Context) -> CaseResult {
    for text in HOSTILE {
        let made = User::create(kw!(username = *text, bio = *text)).await?;
        let found = User::get(kw!(username = *text, bio__in = [*text])).await?;
        check::eq((found.id, found.username.as_str()), (made.id, *text))?;
        let changed = User::filter(kw!(username = *text))
            .update(kw!(bio = format!("{text}!")))
            .await?;
        check::eq(changed, 1)?;
        check::eq(
            User::get(kw!(id = made.id)).await?.bio,
            Some(format!("{text}!")),
        )?;
    }
    check::eq(User::all().count().await?, HOSTILE.len() as u64)
}

/// Hostile texts are patterns of themselves.
async fn patterns_as_given(_: &Context) -> CaseResult {
    for text in HOSTILE {
        User::create(kw!(username = *text, bio = format!("<{text}>"))).await?;
    }
    for text in HOSTILE {
        check::eq(User::filter(kw!(bio__contains = *text)).count().await?, 1)?;
        check::eq(
            User::filter(kw!(username__startswith = *text))
                .count()
                .await?,
            1,
        )?;
        check::eq(
            User::filter(kw!(username__iendswith = *text))
                .count()
                .await?,
            1,
        )?;
    }
    Ok(())
}

/// Hostile texts are no names: refused in every place that takes one; nothing is sent.
async fn refused_unsent(cx: &Context) -> CaseResult {
    for text in HOSTILE {
        for name in [
            (*text).to_owned(),
            format!("title{text}"),
            format!("title__{text}"),
        ] {
            let work = async {
                let all = Post::all;
                check::fails(
                    all().filter_by([(name.as_str(), "x")]).await,
                    ErrorKind::Field,
                )?;
                check::fails(all().order_by(name.as_str()).await, ErrorKind::Field)?;
                check::fails(
                    all().prefetch_related(name.as_str()).await,
                    ErrorKind::Field,
                )
            };
            let (result, sent) = cx.watch(work).await;
            result?;
            check::eq(sent.len(), 0)?;
        }
    }
    Ok(())
}

/// A hostile key of a dictionary is an unknown field.
async fn in_a_dictionary(_: &Context) -> CaseResult {
    let mut user = User::create(kw!(username = "ann")).await?;
    for text in HOSTILE {
        let mut data = serde_json::Map::new();
        data.insert((*text).to_owned(), "x".into());
        let data = serde_json::Value::Object(data);
        check::that(user.update_from_dict(data).is_err(), "this is no field")?;
    }
    user.save().await?;
    check::eq(user.username.as_str(), "ann")
}

/// A statement of one's own takes values; rows come by position and by name.
async fn values_are_bound(cx: &Context) -> CaseResult {
    library(cx).await?;
    let sql = bound(cx, "SELECT id, name FROM kit_tag WHERE name = ?");
    let rows = cx.client().execute_query(&sql, vec!["web".into()]).await?;
    check::eq(rows.len(), 1)?;
    check::eq(rows.rows()[0][1].clone(), "web".into())?;
    let rows = cx
        .client()
        .execute_query_dict(&sql, vec!["rust".into()])
        .await?;
    check::eq(rows[0].get("name").cloned(), Some("rust".into()))
}

/// The text with the placeholders of the database, given `?`.
fn bound(cx: &Context, sql: &str) -> String {
    let mut number = 0;
    let mut out = String::new();
    for c in sql.chars() {
        if c == '?' && cx.client().dialect().family() == orm_core::backend::SqlFamily::Postgres {
            number += 1;
            out.push_str(&format!("${number}"));
        } else {
            out.push(c);
        }
    }
    out
}

/// An insert of one's own gives the generated key.
async fn returns_the_key(cx: &Context) -> CaseResult {
    let returning = if cx.capabilities().returning_insert {
        " RETURNING id"
    } else {
        ""
    };
    let sql = bound(
        cx,
        &format!("INSERT INTO kit_tag (name) VALUES (?){returning}"),
    );
    let key = cx
        .client()
        .execute_insert(&sql, vec!["made".into()])
        .await?;
    let tag = Tag::get(kw!(name = "made")).await?;
    check::eq(key, i64::from(tag.id).into())
}

/// A script may hold several statements; a semicolon in a text ends none.
async fn several_statements(cx: &Context) -> CaseResult {
    let script =
        "INSERT INTO kit_tag (name) VALUES ('a;b');\nINSERT INTO kit_tag (name) VALUES ('c');";
    cx.client().execute_script(script).await?;
    check::eq(Tag::filter(kw!(name__in = ["a;b", "c"])).count().await?, 2)
}

/// One statement for many sets of values is kept whole or not at all.
async fn many_all_or_nothing(cx: &Context) -> CaseResult {
    let sql = bound(cx, "INSERT INTO kit_tag (name) VALUES (?)");
    let sets = |names: &[&str]| {
        names
            .iter()
            .map(|name| vec![(*name).into()])
            .collect::<Vec<_>>()
    };
    check::eq(cx.client().execute_many(&sql, sets(&["a", "b"])).await?, 2)?;
    let refused = cx.client().execute_many(&sql, sets(&["c", "a"])).await;
    check::fails(refused, ErrorKind::Integrity)?;
    check::eq(Tag::all().count().await?, 2)
}
