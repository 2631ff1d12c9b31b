//! Comparisons of every kind of value, orders, and queries that are used again.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Sample, Tag, User, library, noon, sorted_titles, titles, usernames};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "filter::compare::texts_by_code_point" => texts_compare, ["model.filter"];
    "filter::compare::booleans" => booleans_compare, ["model.filter", "fields.boolean"];
    "filter::compare::null_is_never_larger_or_smaller" => null_compares, ["model.filter"];
    "filter::compare::empty_range_matches_nothing" => empty_range, ["model.filter"];
    "filter::logic::empty_conditions_are_neutral" => empty_conditions, ["model.filter"];
    "filter::logic::double_negation" => double_negation, ["model.filter"];
    "filter::relation::many_to_many_path" => many_to_many_path, ["model.filter", "many_to_many.all"];
    "filter::relation::three_tables_away" => three_tables_away, ["model.filter", "foreign_key.access"];
    "filter::lazy::awaited_twice_asks_twice" => awaited_twice, ["model.filter"];
    "filter::names::by_text_like_by_keyword" => by_text, ["model.filter", "queryset.order_by"];
    "filter::get::names_model_in_both_errors" => get_names_model, ["model.get", "exceptions.does_not_exist"];
    "lookup::text::unicode_inside" => unicode_inside, ["model.filter", "fields.text"];
    "lookup::text::backslashes" => backslashes, ["model.filter"];
    "queryset::order_by::nothing_clears" => nothing_clears, ["queryset.order_by"];
    "queryset::order_by::every_kind" => every_kind_orders, ["queryset.order_by"];
    "queryset::order_by::nulls_over_a_relation" => nulls_over_a_relation, ["queryset.order_by"];
    "queryset::limit::counts_parents_only" => limit_with_prefetch, ["queryset.limit", "queryset.prefetch_related"];
    "prefetch::parents::filtered_by_their_children" => filtered_by_children, ["queryset.prefetch_related", "model.filter"];
    "prefetch::parents::given_twice" => parents_twice, ["queryset.prefetch_related"];
};

/// Order of texts is that of their code points, on either side of every comparison.
async fn texts_compare(_: &Context) -> CaseResult {
    let sorted = [
        "",
        " ",
        "A",
        "Z",
        "a",
        "a ",
        "aa",
        "b",
        "\u{e9}",
        "\u{ff21}",
        "\u{1f600}",
    ];
    for name in sorted {
        Tag::create(kw!(name = name)).await?;
    }
    for (place, name) in sorted.iter().enumerate() {
        let place = place as u64;
        check::eq(Tag::filter(kw!(name__lt = *name)).count().await?, place)?;
        check::eq(
            Tag::filter(kw!(name__lte = *name)).count().await?,
            place + 1,
        )?;
        check::eq(
            Tag::filter(kw!(name__gt = *name)).count().await?,
            10 - place,
        )?;
        check::eq(
            Tag::filter(kw!(name__gte = *name)).count().await?,
            11 - place,
        )?;
    }
    check::eq(Tag::filter(kw!(name__range = ("A", "a"))).count().await?, 3)
}

/// Equal, unequal, in a list, and no value at all.
async fn booleans_compare(_: &Context) -> CaseResult {
    for (serial, flag) in [(1, Some(true)), (2, Some(false)), (3, None)] {
        Sample::create(kw!(serial = serial, code = serial.to_string(), flag = flag)).await?;
    }
    check::eq(Sample::get(kw!(flag = true)).await?.serial, 1)?;
    check::eq(Sample::get(kw!(flag = false)).await?.serial, 2)?;
    check::eq(Sample::get(kw!(flag__isnull = true)).await?.serial, 3)?;
    check::eq(Sample::filter(kw!(flag__ne = true)).count().await?, 2)?;
    check::eq(Sample::exclude(kw!(flag = false)).count().await?, 2)?;
    check::eq(
        Sample::filter(kw!(flag__in = [true, false]))
            .count()
            .await?,
        2,
    )?;
    check::eq(Sample::all().update(kw!(sold = true)).await?, 3)?;
    check::eq(Sample::filter(kw!(sold = true)).count().await?, 3)
}

/// A missing value matches no bound, and the complement of the bound has it.
async fn null_compares(cx: &Context) -> CaseResult {
    library(cx).await?;
    for bound in [i32::MIN, 0, 25, i32::MAX] {
        for (inside, outside) in [
            (
                User::filter(kw!(age__gt = bound)),
                User::exclude(kw!(age__gt = bound)),
            ),
            (
                User::filter(kw!(age__lte = bound)),
                User::exclude(kw!(age__lte = bound)),
            ),
            (
                User::filter(kw!(age__range = (0, bound))),
                User::exclude(kw!(age__range = (0, bound))),
            ),
        ] {
            let (inside, outside) = (usernames(inside).await?, usernames(outside).await?);
            check::that(!inside.contains(&"bob".to_owned()), "NULL is in no range")?;
            check::that(outside.contains(&"bob".to_owned()), "and so in the rest")?;
            check::eq(inside.len() + outside.len(), 3)?;
        }
    }
    Ok(())
}

/// A range whose end is before its start holds nothing; its complement everything.
async fn empty_range(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::filter(kw!(views__range = (10, 5))).count().await?, 0)?;
    check::eq(Post::exclude(kw!(views__range = (10, 5))).count().await?, 4)
}

/// No condition changes nothing; its negation matches nothing.
async fn empty_conditions(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::filter(kw!()).count().await?, 4)?;
    check::eq(Post::exclude(kw!()).count().await?, 0)?;
    let none: [(&str, i32); 0] = [];
    check::eq(Post::all().filter_by(none).count().await?, 4)?;
    check::eq(
        Post::filter(all([]))
            .filter(any([Post::views.eq(5)]))
            .count()
            .await?,
        1,
    )
}

/// Twice not is as it was, with NULLs too.
async fn double_negation(cx: &Context) -> CaseResult {
    library(cx).await?;
    for condition in [
        User::age.eq(30),
        User::age.gt(1),
        User::bio.isnull(true),
        User::posts.views.gt(5),
    ] {
        let plain = usernames(User::filter(condition.clone())).await?;
        check::eq(
            usernames(User::filter(!!condition.clone())).await?,
            plain.clone(),
        )?;
        check::eq(usernames(User::exclude(!condition)).await?, plain)?;
    }
    Ok(())
}

/// Links are followed from both sides.
async fn many_to_many_path(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    check::eq(
        sorted_titles(Post::filter(kw!(tags__name = "web"))).await?,
        ["Alpha", "Gamma"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(tags = &rows.rust))).await?,
        ["Alpha", "beta"],
    )?;
    check::eq(
        sorted_titles(Post::exclude(kw!(tags__name__in = ["rust", "web"]))).await?,
        ["delta"],
    )?;
    check::eq(Tag::filter(kw!(posts__title = "Alpha")).count().await?, 2)?;
    check::eq(Tag::filter(kw!(posts__isnull = true)).count().await?, 1)
}

/// A path may go to one, to many and to one again.
async fn three_tables_away(cx: &Context) -> CaseResult {
    library(cx).await?;
    let found = Tag::filter(kw!(posts__author__username = "bob")).await?;
    let names: Vec<_> = found.iter().map(|tag| tag.name.as_str()).collect();
    check::eq(names, ["web"])?;
    let found = User::filter(kw!(posts__tags__posts__editor__username = "ann"));
    check::eq(usernames(found).await?, ["ann", "bob"])?;
    let found = Post::filter(kw!(author__posts__tags__name = "rust"));
    check::eq(sorted_titles(found).await?, ["Alpha", "beta"])
}

/// A query set is a question, not an answer.
async fn awaited_twice(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = User::filter(kw!(is_active = true));
    check::eq(query.clone().await?.len(), 2)?;
    User::filter(kw!(username = "cyd"))
        .update(kw!(is_active = true))
        .await?;
    check::eq(query.clone().await?.len(), 3)?;
    let (result, sent) = cx.watch(async { query.await }).await;
    check::eq((result?.len(), sent.len()), (3, 1))
}

/// Names that come as texts mean what they mean as keywords.
async fn by_text(cx: &Context) -> CaseResult {
    library(cx).await?;
    for (name, value, keyword) in [
        ("title", "Alpha", Post::filter(kw!(title = "Alpha"))),
        (
            "title__icontains",
            "A",
            Post::filter(kw!(title__icontains = "A")),
        ),
        (
            "author__username",
            "bob",
            Post::filter(kw!(author__username = "bob")),
        ),
        ("tags__name", "web", Post::filter(kw!(tags__name = "web"))),
    ] {
        let by_text = sorted_titles(Post::filter_by([(name, value)])).await?;
        check::eq(by_text, sorted_titles(keyword).await?)?;
    }
    let key = String::from("-title");
    check::eq(
        titles(Post::all().order_by(key)).await?,
        titles(Post::all().order_by(-Post::title)).await?,
    )
}

/// None and several: both errors say which model it was.
async fn get_names_model(cx: &Context) -> CaseResult {
    library(cx).await?;
    let none = check::fails(
        Post::get(kw!(title = "none")).await,
        ErrorKind::DoesNotExist,
    )?;
    check::mentions(none, &["Post", "title"])?;
    let several = Post::get(kw!(views = 10)).await;
    check::mentions(
        check::fails(several, ErrorKind::MultipleObjectsReturned)?,
        &["Post"],
    )
}

/// Characters of several bytes inside a text are found whole, never in the middle of one.
async fn unicode_inside(_: &Context) -> CaseResult {
    for (name, bio) in [
        ("a", "\u{1f600}\u{1f601}"),
        ("b", "gr\u{f6}\u{df}e"),
        ("c", "e\u{301}te"),
    ] {
        User::create(kw!(username = name, bio = bio)).await?;
    }
    check::eq(
        usernames(User::filter(kw!(bio__contains = "\u{1f601}"))).await?,
        ["a"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__startswith = "\u{1f601}")))
            .await?
            .len(),
        0,
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__contains = "\u{f6}\u{df}"))).await?,
        ["b"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__icontains = "\u{d6}"))).await?,
        ["b"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__contains = "\u{301}"))).await?,
        ["c"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__contains = "\u{e9}")))
            .await?
            .len(),
        0,
    )
}

/// The escape character of patterns is a character, alone, doubled and before a wildcard.
async fn backslashes(_: &Context) -> CaseResult {
    for (name, bio) in [
        ("a", "x\\y"),
        ("b", "x\\\\y"),
        ("c", "x\\%y"),
        ("d", "x%y"),
        ("e", "xy"),
    ] {
        User::create(kw!(username = name, bio = bio)).await?;
    }
    check::eq(
        usernames(User::filter(kw!(bio__contains = "\\"))).await?,
        ["a", "b", "c"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__icontains = "\\\\"))).await?,
        ["b"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__contains = "\\%"))).await?,
        ["c"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__contains = "%"))).await?,
        ["c", "d"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__startswith = "x\\"))).await?,
        ["a", "b", "c"],
    )?;
    check::eq(
        usernames(User::filter(kw!(bio__iendswith = "\\Y"))).await?,
        ["a", "b"],
    )
}

/// An empty order takes an earlier one away.
async fn nothing_clears(cx: &Context) -> CaseResult {
    library(cx).await?;
    let ordered = Post::all().order_by("-title");
    check::mentions(ordered.sql()?, &["ORDER BY"])?;
    let none: [&str; 0] = [];
    for cleared in [ordered.clone().order_by(()), ordered.clone().order_by(none)] {
        check::that(!cleared.sql()?.contains("ORDER BY"), "no order")?;
        check::eq(cleared.await?.len(), 4)?;
    }
    Ok(())
}

/// Every kind of value has an order, with what is missing first.
async fn every_kind_orders(_: &Context) -> CaseResult {
    let day = std::time::Duration::from_secs(86_400);
    Sample::create(kw!(
        serial = 3,
        code = "c",
        flag = true,
        checked_at = noon() + day
    ))
    .await?;
    Sample::create(kw!(
        serial = 1,
        code = "a",
        flag = false,
        checked_at = noon()
    ))
    .await?;
    Sample::create(kw!(serial = 2, code = "b", rank = -1, shelf = "x")).await?;
    let order = async |key: &str| {
        let rows = Sample::all().order_by([key, "serial"]).await?;
        Ok::<Vec<i32>, Error>(rows.into_iter().map(|row| row.serial).collect())
    };
    check::eq(order("serial").await?, [1, 2, 3])?;
    check::eq(order("-code").await?, [3, 2, 1])?;
    check::eq(order("flag").await?, [2, 1, 3])?;
    check::eq(order("-flag").await?, [3, 1, 2])?;
    check::eq(order("checked_at").await?, [2, 1, 3])?;
    check::eq(order("-checked_at").await?, [3, 1, 2])?;
    check::eq(order("rank").await?, [1, 3, 2])?;
    check::eq(order("-shelf").await?, [2, 1, 3])
}

/// What a path does not lead to is missing, and comes first.
async fn nulls_over_a_relation(cx: &Context) -> CaseResult {
    library(cx).await?;
    let found = titles(Post::all().order_by(["editor__username", "title"])).await?;
    check::eq(found, ["Alpha", "beta", "delta", "Gamma"])?;
    let found = titles(Post::all().order_by(["-editor__username", "-title"])).await?;
    check::eq(found, ["Gamma", "delta", "beta", "Alpha"])
}

/// A limit counts parents; each has all its children.
async fn limit_with_prefetch(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = User::all().order_by("username").limit(1).offset(1);
    let users = query.prefetch_related("posts").await?;
    check::eq(users.len(), 1)?;
    check::eq(
        (users[0].username.as_str(), users[0].posts.get()?.len()),
        ("bob", 2),
    )
}

/// A filter over the children chooses parents and leaves none of their children out.
async fn filtered_by_children(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = User::filter(kw!(posts__title = "Alpha")).prefetch_related("posts");
    let users = query.await?;
    check::eq(users.len(), 1)?;
    check::eq(users[0].posts.get()?.len(), 2)
}

/// Rows that lead to one parent each have it, with its own children.
async fn parents_twice(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all()
        .order_by("title")
        .prefetch_related("author__posts");
    let (posts, sent) = cx.watch(async { query.await }).await;
    check::eq(sent.len(), 3)?;
    for post in posts? {
        let author = post.author.get()?;
        check::eq(author.posts.get()?.len(), 2)?;
    }
    Ok(())
}
