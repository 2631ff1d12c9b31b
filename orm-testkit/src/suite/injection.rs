//! Input that is meant to be taken for something else: values, patterns, names, statements.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Tag, User, library};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::value::Value;

pub(super) const CASES: &[Case] = cases! {
    "inject::value::hundred_texts_in_every_place" => hundred_texts, ["model.create", "model.filter", "queryset.update", "instance.save"];
    "inject::value::hundred_patterns" => hundred_patterns, ["model.filter"];
    "inject::value::in_many_rows" => in_many_rows, ["model.bulk_create"], needs [MultiRowInsert];
    "inject::name::keys_of_filters_and_orders" => names_from_outside, ["model.filter", "queryset.order_by"];
    "inject::name::direction_and_nulls" => order_words, ["queryset.order_by"];
    "inject::list::of_other_types_is_refused_unsent" => mixed_lists, ["model.filter"];
    "inject::client::second_statement_never_runs" => second_statement, ["tortoise.get_connection"];
    "inject::client::bound_values_are_no_text" => bound_values, ["tortoise.get_connection"];
};

/// A hundred hostile texts: each way to end a text with each way to go on.
fn hostile() -> Vec<String> {
    let ends = [
        "'", "\"", "`", "\\'", "''", "%", "$$", "\u{2019}", ")", "\n",
    ];
    let tails = [
        "; DROP TABLE kit_user; --",
        " OR 1=1 --",
        " UNION SELECT id, username FROM kit_user #",
        "||(SELECT 1)||",
        "/*",
        ") OR (1=1",
        "; SELECT pg_sleep(9); --",
        " AND SLEEP(9)#",
        "?1 $1 :a @a %s {0}",
        "\\",
    ];
    let pairs = ends
        .iter()
        .flat_map(|end| tails.iter().map(move |tail| (end, tail)));
    pairs.map(|(end, tail)| format!("{end}{tail}")).collect()
}

/// Every text is stored as it is, found by itself alone, and changed into another one.
async fn hundred_texts(_: &Context) -> CaseResult {
    let texts = hostile();
    check::eq(texts.len(), 100)?;
    for text in &texts {
        let mut made = User::create(kw!(username = text, bio = text)).await?;
        let found = User::get(kw!(username = text, bio__in = [text.as_str(), "x"])).await?;
        check::eq((found.id, found.bio.as_ref()), (made.id, Some(text)))?;
        made.bio = Some(format!("{text}{text}"));
        made.save().await?;
        let changed = User::filter(kw!(bio = format!("{text}{text}")));
        check::eq(changed.update(kw!(bio = text)).await?, 1)?;
    }
    check::eq(User::all().count().await?, 100)?;
    for text in &texts {
        check::eq(User::filter(kw!(bio = text)).delete().await?, 1)?;
    }
    check::eq(User::all().count().await?, 0)
}

/// Every text is a pattern of itself, at each end and inside, with and without case.
async fn hundred_patterns(_: &Context) -> CaseResult {
    let texts = hostile();
    for (number, text) in texts.iter().enumerate() {
        User::create(kw!(
            username = format!("u{number}"),
            bio = format!("<{number}{text}>")
        ))
        .await?;
    }
    for (number, text) in texts.iter().enumerate() {
        let whole = format!("{number}{text}>");
        for (found, name) in [
            (User::filter(kw!(bio__contains = &whole)), "contains"),
            (User::filter(kw!(bio__icontains = &whole)), "icontains"),
            (
                User::filter(kw!(bio__endswith = format!("<{whole}"))),
                "endswith",
            ),
            (
                User::filter(kw!(bio__startswith = format!("<{whole}"))),
                "startswith",
            ),
            (
                User::filter(kw!(bio__iexact = format!("<{whole}"))),
                "iexact",
            ),
        ] {
            check::that(
                found
                    .filter(kw!(username = format!("u{number}")))
                    .exists()
                    .await?,
                &format!("{name} finds {text:?}"),
            )?;
        }
    }
    check::eq(User::all().count().await?, 100)
}

/// Hostile texts next to each other in one statement.
async fn in_many_rows(_: &Context) -> CaseResult {
    let texts = hostile();
    let users = texts.iter().map(|text| User {
        username: text.clone(),
        bio: Some(text.clone()),
        ..User::default()
    });
    User::bulk_create(users.collect()).await?;
    let stored = User::all().order_by("id").await?;
    let found: Vec<_> = stored.into_iter().map(|user| user.username).collect();
    check::eq(found, texts)
}

/// A name from outside is one of the model's or is refused; nothing is sent.
async fn names_from_outside(cx: &Context) -> CaseResult {
    for text in hostile() {
        for name in [
            text.clone(),
            format!("title{text}"),
            format!("author__{text}"),
            format!("title__{text}"),
        ] {
            let work = async {
                check::fails(
                    Post::all().exclude_by([(name.as_str(), "x")]).await,
                    ErrorKind::Field,
                )?;
                check::fails(
                    Post::all().order_by(format!("-{name}")).count().await,
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

/// A direction is a minus before the name and nothing else.
async fn order_words(cx: &Context) -> CaseResult {
    for name in [
        "title DESC",
        "title ASC",
        "--title",
        "+title",
        "title NULLS FIRST",
        "1",
        "RANDOM()",
        "t0.title",
        "\"title\"",
        "title,id",
        " title",
        "",
    ] {
        let (result, sent) = cx.watch(async { Post::all().order_by(name).await }).await;
        check::fails(result, ErrorKind::Field)?;
        check::eq(sent.len(), 0)?;
    }
    Ok(())
}

/// A list whose members are not of the field's type is refused with the field's name.
async fn mixed_lists(cx: &Context) -> CaseResult {
    let lists: [(&str, Vec<Value>); 4] = [
        ("id__in", vec![1_i64.into(), "2".into()]),
        ("id__in", vec![1_i64.into(), true.into()]),
        ("title__in", vec!["a".into(), 1_i64.into()]),
        ("author_id__not_in", vec!["1 OR 1=1".into()]),
    ];
    for (name, list) in lists {
        let work = async { Post::filter_by([(name, list)]).await };
        let (result, sent) = cx.watch(work).await;
        let Err(error) = result else {
            return Err(crate::Failure::new(format!("{name} is taken")));
        };
        let refused = matches!(error.kind(), ErrorKind::Validation | ErrorKind::Field);
        check::that(refused, &format!("{error:?}"))?;
        check::mentions(error, &[name.split("__").next().unwrap_or(name)])?;
        check::eq(sent.len(), 0)?;
    }
    Ok(())
}

/// A call for one statement runs one statement: the second is refused with the first.
async fn second_statement(cx: &Context) -> CaseResult {
    library(cx).await?;
    for sql in [
        "SELECT 1; DELETE FROM kit_category",
        "SELECT 1; DELETE FROM kit_category; --",
        "SELECT 1 /* ; */; DELETE FROM kit_category",
        "INSERT INTO kit_category (name) VALUES ('x'); DELETE FROM kit_category",
    ] {
        let insert = "INSERT INTO kit_category (name) VALUES ('kept')";
        cx.client().execute_query(insert, Vec::new()).await?;
        // Refused as a whole, or only its first statement is run.
        let _ = cx.client().execute_query(sql, Vec::new()).await;
        let rows = cx
            .client()
            .execute_query("SELECT 1 FROM kit_category", Vec::new())
            .await?;
        check::that(!rows.is_empty(), sql)?;
    }
    check::eq(Tag::all().count().await?, 3)
}

/// A bound value is a value in raw statements too.
async fn bound_values(cx: &Context) -> CaseResult {
    let hole = match cx.client().dialect().family() {
        orm_core::backend::SqlFamily::Postgres => "$1",
        _ => "?",
    };
    for text in hostile() {
        let sql = format!(
            "INSERT INTO kit_user (username, is_active) SELECT {hole}, is_active FROM kit_user WHERE 1 = 0"
        );
        cx.client()
            .execute_query(&sql, vec![text.as_str().into()])
            .await?;
        let sql = format!("SELECT username FROM kit_user WHERE username = {hole}");
        let rows = cx.client().execute_query(&sql, vec![text.into()]).await?;
        check::eq(rows.len(), 0)?;
    }
    Ok(())
}
