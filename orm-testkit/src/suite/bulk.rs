//! Creating many instances at once.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Sample, Tag, User, library};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "bulk::create::returns_all_in_order_with_keys" => returns_all_in_order_with_keys, ["model.bulk_create"], needs [KeySequences, MultiRowInsert, RowsPerInsert];
    "bulk::create::empty_list_sends_nothing" => empty_list_sends_nothing, ["model.bulk_create"];
    "bulk::create::more_rows_than_one_statement_takes" => more_rows_than_one_statement_takes, ["model.bulk_create"], needs [Transactions, MultiRowInsert, RowsPerInsert];
    "bulk::create::all_or_nothing" => all_or_nothing, ["model.bulk_create", "exceptions.integrity_error"], needs [Transactions];
    "bulk::create::validates_before_sending" => validates_before_sending, ["model.bulk_create", "exceptions.validation_error"];
    "bulk::create::part_of_the_open_transaction" => part_of_the_open_transaction, ["model.bulk_create", "in_transaction"], needs [Transactions];
    "bulk::create::nulls_and_values_mixed" => nulls_and_values_mixed, ["model.bulk_create"], needs [MultiRowInsert];
    "bulk::create::chosen_and_generated_keys_mixed" => chosen_and_generated_keys_mixed, ["model.bulk_create"], needs [Transactions];
    "bulk::create::children_of_existing_parents" => children_of_existing_parents, ["model.bulk_create", "fields.foreign_key"], needs [MultiRowInsert];
    "bulk::create::without_keys_stores_the_same_rows" => without_keys_stores_the_same_rows, ["model.bulk_create"], needs [Transactions, MultiRowInsert];
    "bulk::create::sets_automatic_instants" => sets_automatic_instants, ["model.bulk_create", "fields.datetime.auto_now", "fields.datetime.auto_now_add"], needs [MultiRowInsert];
    "bulk::create::one_is_like_create" => one_is_like_create, ["model.bulk_create", "model.create"];
    "bulk::create::ten_thousand_rows" => ten_thousand, ["model.bulk_create"], needs [Transactions, MultiRowInsert];
    "bulk::create::same_instance_twice" => same_instance_twice, ["model.bulk_create", "exceptions.integrity_error"], needs [MultiRowInsert];
    "bulk::create::conflict_names_its_columns" => conflict_names_columns, ["model.bulk_create", "exceptions.integrity_error"], needs [MultiRowInsert];
    "bulk::create::texts_that_look_like_formats" => texts_like_formats, ["model.bulk_create", "fields.text"], needs [MultiRowInsert];
    "bulk::create::few_shapes_of_statement" => few_shapes, ["model.bulk_create"], needs [Transactions, MultiRowInsert];
    "bulk::create::every_bad_row_is_named" => every_bad_row, ["model.bulk_create", "exceptions.validation_error"];
};

fn tag(name: impl Into<String>) -> Tag {
    Tag {
        name: name.into(),
        ..Tag::default()
    }
}

/// The result has the given order, and each instance the key of its row.
async fn returns_all_in_order_with_keys(_: &Context) -> CaseResult {
    let tags = Tag::bulk_create(vec![tag("c"), tag("a"), tag("b")]).await?;
    let names: Vec<_> = tags.iter().map(|tag| tag.name.as_str()).collect();
    check::eq(names, ["c", "a", "b"])?;
    for tag in &tags {
        check::eq(Tag::get(kw!(id = tag.id)).await?.name, tag.name.as_str())?;
    }
    Ok(())
}

/// Nothing to create, nothing to send.
async fn empty_list_sends_nothing(cx: &Context) -> CaseResult {
    let (made, sent) = cx.watch(async { Tag::bulk_create(Vec::new()).await }).await;
    check::eq(made?.len(), 0)?;
    check::eq(sent.len(), 0)
}

/// Any number of rows is split as the database needs it, with few shapes of statement.
async fn more_rows_than_one_statement_takes(cx: &Context) -> CaseResult {
    let users = (0..12_000).map(|n| User {
        username: format!("u{n}"),
        ..User::default()
    });
    let users: Vec<User> = users.collect();
    let (made, sent) = cx.watch(async { User::bulk_create(users).await }).await;
    let made = made?;
    check::eq(made.len(), 12_000)?;
    check::eq(User::all().count().await?, 12_000)?;
    let last = User::get(kw!(id = made[11_999].id)).await?;
    check::eq(last.username, "u11999")?;
    let facts = cx.capabilities();
    if facts.multi_row_insert && facts.returning_insert && facts.rows_per_insert > 1 {
        check::that(sent.len() < 6_000, "rows share statements")?;
    }
    Ok(())
}

/// One bad row in a later part leaves none of the earlier ones.
async fn all_or_nothing(_: &Context) -> CaseResult {
    let mut users: Vec<User> = (0..9_000)
        .map(|n| User {
            username: format!("u{n}"),
            ..User::default()
        })
        .collect();
    users[8_999].username = "u0".into();
    check::fails(
        User::bulk_create(users).await.map(|made| made.len()),
        ErrorKind::Integrity,
    )?;
    check::eq(User::all().count().await?, 0)
}

/// A value that a field cannot hold is found before anything is sent.
async fn validates_before_sending(cx: &Context) -> CaseResult {
    let tags = vec![tag("fine"), tag("x".repeat(31))];
    let (result, sent) = cx.watch(async { Tag::bulk_create(tags).await }).await;
    check::mentions(check::fails(result, ErrorKind::Validation)?, &["name"])?;
    check::eq(sent.len(), 0)
}

/// Inside a transaction it does not commit on its own.
async fn part_of_the_open_transaction(_: &Context) -> CaseResult {
    let result: Result<()> = in_transaction(async |_tx| {
        Tag::bulk_create(vec![tag("a"), tag("b")]).await?;
        Err(Error::configuration("changed my mind"))
    })
    .await;
    check::fails(result, ErrorKind::Configuration)?;
    check::eq(Tag::all().count().await?, 0)
}

/// Rows differ in which fields have a value.
async fn nulls_and_values_mixed(_: &Context) -> CaseResult {
    let user = |name: &str, bio: Option<&str>, age| User {
        username: name.into(),
        bio: bio.map(str::to_owned),
        age,
        ..User::default()
    };
    let users = vec![
        user("a", None, Some(1)),
        user("b", Some(""), None),
        user("c", Some("x"), Some(2)),
    ];
    User::bulk_create(users).await?;
    let stored = User::all().order_by("username").await?;
    let stored: Vec<_> = stored
        .iter()
        .map(|user| (user.bio.as_deref(), user.age))
        .collect();
    check::eq(
        stored,
        [(None, Some(1)), (Some(""), None), (Some("x"), Some(2))],
    )
}

/// Some instances bring a key, the others get one.
async fn chosen_and_generated_keys_mixed(_: &Context) -> CaseResult {
    let chosen = Tag {
        id: 500,
        ..tag("b")
    };
    let made = Tag::bulk_create(vec![tag("a"), chosen, tag("c")]).await?;
    let names: Vec<_> = made.iter().map(|tag| tag.name.as_str()).collect();
    check::eq(names, ["a", "b", "c"])?;
    check::eq(made[1].id, 500)?;
    for tag in &made {
        check::eq(Tag::get(kw!(id = tag.id)).await?.name, tag.name.as_str())?;
    }
    Ok(())
}

/// Without keys the instances stay unsaved ones, and the rows are the same, however many.
async fn without_keys_stores_the_same_rows(cx: &Context) -> CaseResult {
    let text = |i: usize| format!("{i}: \t\n\r\\N \\. ' \" é");
    let users = |range: std::ops::Range<usize>| {
        let user = |i: usize| User {
            username: format!("u{i}"),
            bio: (!i.is_multiple_of(3)).then(|| text(i)),
            age: i.is_multiple_of(2).then_some(7),
            ..User::default()
        };
        range.map(user).collect::<Vec<_>>()
    };
    for range in [0..3, 3..1_000] {
        cx.ready();
        let made = User::bulk_create(users(range)).without_keys().await?;
        check::that(made.iter().all(|user| user.id == 0), "no keys")?;
    }
    let stored = User::all().order_by("id").await?;
    check::eq(stored.len(), 1_000)?;
    for (i, user) in stored.iter().enumerate() {
        check::eq(user.username.as_str(), format!("u{i}"))?;
        check::eq(user.bio.clone(), (!i.is_multiple_of(3)).then(|| text(i)))?;
        check::eq(user.age, i.is_multiple_of(2).then_some(7))?;
    }
    let again = User::bulk_create(users(0..500)).without_keys().await;
    check::fails(again, ErrorKind::Integrity)?;
    check::eq(User::all().count().await?, 1_000)
}

/// Children refer to parents that are already stored.
async fn children_of_existing_parents(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let posts = vec![
        Post::new(kw!(title = "one", author = &rows.cyd))?,
        Post::new(kw!(title = "two", author = &rows.cyd, editor = &rows.bob))?,
    ];
    Post::bulk_create(posts).await?;
    check::eq(Post::filter(kw!(author = &rows.cyd)).count().await?, 2)?;
    check::eq(Post::filter(kw!(editor = &rows.bob)).count().await?, 1)
}

/// Automatic instants are set, the same for all rows of the call.
async fn sets_automatic_instants(_: &Context) -> CaseResult {
    let samples = vec![
        Sample::new(kw!(serial = 1, code = "a"))?,
        Sample::new(kw!(serial = 2, code = "b"))?,
    ];
    let made = Sample::bulk_create(samples).await?;
    check::that(
        made[0].created_at.timestamp() > 1_600_000_000,
        "the instant is set",
    )?;
    check::eq(made[0].created_at, made[1].created_at)?;
    check::eq(made[0].created_at, made[0].changed_at)?;
    check::eq(
        Sample::get(kw!(serial = 2)).await?.created_at,
        made[1].created_at,
    )
}

/// A list of one gives what `create` gives.
async fn one_is_like_create(cx: &Context) -> CaseResult {
    let (made, sent) = cx
        .watch(async { Tag::bulk_create(vec![tag("a")]).await })
        .await;
    let made = made?;
    check::eq((made.len(), sent.len()), (1, 1))?;
    let other = Tag::create(kw!(name = "b")).await?;
    check::that(made[0].id != 0 && made[0].id != other.id, "it has its key")?;
    check::eq(Tag::get(kw!(id = made[0].id)).await?.name, "a")
}

/// Each of many rows is stored once, with its own values.
async fn ten_thousand(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let post = |n: i32| Post {
        id: 0,
        title: format!("p{n}"),
        views: n,
        rating: (n % 2 == 0).then_some(n),
        published: None,
        author: ForeignKey::from_key(rows.ann.id),
        editor: None,
        tags: ManyToMany::default(),
    };
    Post::filter(kw!(title__contains = "")).delete().await?;
    cx.ready();
    let made = Post::bulk_create((0..10_000).map(post).collect()).await?;
    let ids: std::collections::HashSet<i32> = made.iter().map(|post| post.id).collect();
    check::eq(ids.len(), 10_000)?;
    let stored = Post::all().order_by("views").await?;
    let sum: i64 = stored.iter().map(|post| i64::from(post.views)).sum();
    check::eq((stored.len(), sum), (10_000, 49_995_000))?;
    check::eq(
        Post::filter(kw!(rating__isnull = true)).count().await?,
        5_000,
    )?;
    for at in [0, 4_999, 9_999] {
        check::eq(stored[at].id, made[at].id)?;
    }
    Ok(())
}

/// An instance without a key makes a row each time it is given; one with a key makes one row.
async fn same_instance_twice(_: &Context) -> CaseResult {
    let post = User {
        username: "ann".into(),
        ..User::default()
    };
    let mut other = post.clone();
    other.username = "bob".into();
    let made = User::bulk_create(vec![post, other]).await?;
    check::that(made[0].id != made[1].id, "two rows")?;
    let twice = vec![made[0].clone(), made[0].clone()];
    let error = check::fails(User::bulk_create(twice).await, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "the key is taken")?;
    check::eq(User::all().count().await?, 2)
}

/// The error of many rows says as much as that of one.
async fn conflict_names_columns(cx: &Context) -> CaseResult {
    Tag::create(kw!(name = "b")).await?;
    cx.ready();
    let tags = vec![tag("a"), tag("b"), tag("c")];
    let error = check::fails(Tag::bulk_create(tags).await, ErrorKind::Integrity)?;
    let broken = error.constraint();
    let columns: Vec<_> = broken.into_iter().flat_map(|c| c.columns()).collect();
    check::eq(columns, ["name"])?;
    check::eq(Tag::all().count().await?, 1)
}

/// What separates or ends values in some format of transfer is text like any other.
async fn texts_like_formats(_: &Context) -> CaseResult {
    let texts = [
        "\t", "\\t", "a\tb", "\n", "\\N", "\\.", "\\", "\"", "\"\"", "'", ",", "\r\n", "{}",
        "{a,b}", "NULL", "null", "[1]", "\u{1}", "\u{7f}", "",
    ];
    let users = texts.iter().enumerate().map(|(n, text)| User {
        username: format!("u{n:02}"),
        bio: Some((*text).to_owned()),
        ..User::default()
    });
    User::bulk_create(users.collect()).await?;
    let stored = User::all().order_by("username").await?;
    let found: Vec<_> = stored
        .iter()
        .filter_map(|user| user.bio.as_deref())
        .collect();
    check::eq(found, texts)
}

/// Many rows need at most two texts: one for full statements and one for the rest.
async fn few_shapes(cx: &Context) -> CaseResult {
    let tags = (0..3_001).map(|n| tag(format!("t{n}"))).collect();
    let (made, sent) = cx.watch(async { Tag::bulk_create(tags).await }).await;
    check::eq(made?.len(), 3_001)?;
    let texts: std::collections::HashSet<_> = sent.into_iter().collect();
    check::that(texts.len() <= 2, &format!("{} texts", texts.len()))
}

/// Every row that cannot be stored is reported, with its place in the list.
async fn every_bad_row(_: &Context) -> CaseResult {
    let tags = vec![tag("x".repeat(31)), tag("fine"), tag("a\0b")];
    let error = check::fails(Tag::bulk_create(tags).await, ErrorKind::Validation)?;
    check::mentions(error, &["0.name", "2.name"])?;
    check::eq(Tag::all().count().await?, 0)
}
