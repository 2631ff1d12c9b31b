//! Order, limit, offset, and what ends a query.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Tag, User, library, titles};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "queryset::order_by::ascending_and_descending" => ascending_and_descending, ["queryset.order_by"];
    "queryset::order_by::several_keys" => several_keys, ["queryset.order_by"];
    "queryset::order_by::nulls_first_when_ascending" => nulls_first_when_ascending, ["queryset.order_by"];
    "queryset::order_by::text_by_code_point" => text_by_code_point, ["queryset.order_by"];
    "queryset::order_by::over_a_foreign_key" => over_a_foreign_key, ["queryset.order_by"];
    "queryset::order_by::over_many_rows_is_refused" => over_many_rows_is_refused, ["queryset.order_by"];
    "queryset::order_by::unknown_names_are_refused" => unknown_names_are_refused, ["queryset.order_by"];
    "queryset::order_by::a_later_call_replaces" => a_later_call_replaces, ["queryset.order_by"];
    "queryset::order_by::typed_columns" => typed_columns, ["queryset.order_by"];
    "queryset::limit::at_most_so_many" => at_most_so_many, ["queryset.limit"];
    "queryset::limit::zero_is_empty_and_unasked" => zero_is_empty_and_unasked, ["queryset.limit"];
    "queryset::limit::a_later_call_replaces" => a_later_limit_replaces, ["queryset.limit"];
    "queryset::limit::count_and_exists_honour_it" => count_and_exists_honour_it, ["queryset.limit", "queryset.offset"];
    "queryset::limit::huge_numbers_are_fine" => huge_numbers_are_fine, ["queryset.limit", "queryset.offset"];
    "queryset::offset::without_limit" => without_limit, ["queryset.offset"];
    "queryset::offset::past_the_end_is_empty" => past_the_end_is_empty, ["queryset.offset"];
    "queryset::offset::pages_make_the_whole" => pages_make_the_whole, ["queryset.offset", "queryset.limit"];
    "queryset::first::honours_order_then_key" => honours_order_then_key, ["queryset.order_by"];
    "queryset::exists::asks_for_any_row" => asks_for_any_row, ["model.filter"];
    "queryset::values_list::names_and_order_as_asked" => names_and_order_as_asked, ["model.all"];
    "queryset::values_list::nullable_path_gives_an_option" => nullable_path_gives_an_option, ["model.all"];
    "queryset::statement::one_per_query" => one_per_query, ["model.all", "model.get"];
};

/// `-` in front turns the order round.
async fn ascending_and_descending(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        titles(Post::all().order_by("title")).await?,
        ["Alpha", "Gamma", "beta", "delta"],
    )?;
    check::eq(
        titles(Post::all().order_by("-title")).await?,
        ["delta", "beta", "Gamma", "Alpha"],
    )
}

/// A second key decides between rows that the first one ties.
async fn several_keys(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by(["-views", "title"]);
    check::eq(titles(query).await?, ["Gamma", "beta", "Alpha", "delta"])?;
    let query = Post::all().order_by(["-views", "-title"]);
    check::eq(titles(query).await?, ["beta", "Gamma", "Alpha", "delta"])
}

/// NULL comes before every value, and last when the order is turned round.
async fn nulls_first_when_ascending(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by(["rating", "title"]);
    check::eq(titles(query).await?, ["beta", "delta", "Gamma", "Alpha"])?;
    let query = Post::all().order_by(["-rating", "title"]);
    check::eq(titles(query).await?, ["Alpha", "Gamma", "beta", "delta"])
}

/// Text is ordered by code point, whatever the language of the server.
async fn text_by_code_point(_: &Context) -> CaseResult {
    for name in ["b", "a", "B", "é", "z", "日", "A"] {
        Tag::create(kw!(name = name)).await?;
    }
    let tags = Tag::all().order_by("name").await?;
    let names: Vec<_> = tags.into_iter().map(|tag| tag.name).collect();
    check::eq(names, ["A", "B", "a", "b", "z", "é", "日"])
}

/// The order may come from the target of a foreign key, also one that may be missing.
async fn over_a_foreign_key(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by(["-author__username", "title"]);
    check::eq(titles(query).await?, ["Gamma", "delta", "Alpha", "beta"])?;
    let query = Post::all().order_by(["-editor__username", "title"]);
    check::eq(titles(query).await?, ["Gamma", "Alpha", "beta", "delta"])
}

/// A row has no single place by many related rows; nothing is sent.
async fn over_many_rows_is_refused(cx: &Context) -> CaseResult {
    let (result, sent) = cx
        .watch(User::all().order_by("posts__title").into_future())
        .await;
    check::fails(result, ErrorKind::Field)?;
    check::eq(sent.len(), 0)
}

/// A name that does not exist is refused with the near one; nothing is sent.
async fn unknown_names_are_refused(cx: &Context) -> CaseResult {
    for (wrong, right) in [("-titel", "title"), ("author__usernam", "username")] {
        let (result, sent) = cx.watch(Post::all().order_by(wrong).into_future()).await;
        check::mentions(check::fails(result, ErrorKind::Field)?, &[right])?;
        check::eq(sent.len(), 0)?;
    }
    Ok(())
}

/// A second `order_by` replaces the first, it does not add to it.
async fn a_later_call_replaces(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by("views").order_by("title");
    check::eq(titles(query).await?, ["Alpha", "Gamma", "beta", "delta"])
}

/// Columns order as their names do.
async fn typed_columns(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by((-Post::views, Post::title));
    check::eq(titles(query).await?, ["Gamma", "beta", "Alpha", "delta"])?;
    let query = Post::all().order_by((Post::author.username.desc(), Post::title.asc()));
    check::eq(titles(query).await?, ["Gamma", "delta", "Alpha", "beta"])
}

/// A limit keeps the first rows; a larger one than the table is fine.
async fn at_most_so_many(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        titles(Post::all().order_by("title").limit(2)).await?,
        ["Alpha", "Gamma"],
    )?;
    check::eq(Post::all().limit(100).await?.len(), 4)
}

/// `limit(0)` is empty, and the database is not asked, however the query ends.
async fn zero_is_empty_and_unasked(cx: &Context) -> CaseResult {
    library(cx).await?;
    let none = Post::all().limit(0);
    let work = async {
        check::eq(none.clone().await?.len(), 0)?;
        check::eq(none.clone().count().await?, 0)?;
        check::eq(none.clone().exists().await?, false)?;
        check::that(
            none.clone().first().await?.is_none(),
            "there is no first row",
        )?;
        check::eq(none.clone().update(kw!(views = 1)).await?, 0)?;
        check::eq(none.clone().delete().await?, 0)
    };
    let (result, sent) = cx.watch(work).await;
    result?;
    check::eq(sent.len(), 0)?;
    check::eq(Post::all().count().await?, 4)
}

/// The last limit counts.
async fn a_later_limit_replaces(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::all().limit(1).limit(3).await?.len(), 3)
}

/// What is counted or looked for are the rows of the query, its limit included.
async fn count_and_exists_honour_it(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::all().limit(3).count().await?, 3)?;
    check::eq(Post::all().offset(1).count().await?, 3)?;
    check::eq(
        Post::all()
            .order_by("id")
            .offset(3)
            .limit(5)
            .count()
            .await?,
        1,
    )?;
    check::eq(Post::all().offset(4).exists().await?, false)
}

/// The largest numbers mean what they say.
async fn huge_numbers_are_fine(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::all().limit(u64::MAX).await?.len(), 4)?;
    check::eq(Post::all().offset(u64::MAX).await?.len(), 0)
}

/// An offset needs no limit.
async fn without_limit(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        titles(Post::all().order_by("title").offset(3)).await?,
        ["delta"],
    )
}

/// Skipping more rows than there are leaves none.
async fn past_the_end_is_empty(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::all().order_by("id").offset(4).await?.len(), 0)?;
    check::eq(
        Post::all().order_by("id").offset(9).limit(2).await?.len(),
        0,
    )
}

/// Pages of an ordered query give each row once.
async fn pages_make_the_whole(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by(["-views", "id"]);
    let mut pages = Vec::new();
    for page in 0..3 {
        pages.extend(titles(query.clone().limit(2).offset(page * 2)).await?);
    }
    check::eq(pages, titles(query).await?)
}

/// `first` follows the order of the query, and the key where there is none.
async fn honours_order_then_key(cx: &Context) -> CaseResult {
    library(cx).await?;
    let first = Post::all().order_by("-title").first().await?;
    check::eq(first.map(|post| post.title).as_deref(), Some("delta"))?;
    let first = Post::all().first().await?;
    check::eq(first.map(|post| post.title).as_deref(), Some("Alpha"))?;
    check::that(
        Post::filter(kw!(views = 99)).first().await?.is_none(),
        "no row, no first",
    )
}

/// `exists` says whether any row matches.
async fn asks_for_any_row(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::filter(kw!(views = 10)).exists().await?, true)?;
    check::eq(Post::filter(kw!(views = 11)).exists().await?, false)
}

/// Tuples of columns come as asked for.
async fn names_and_order_as_asked(cx: &Context) -> CaseResult {
    library(cx).await?;
    let rows = Post::all()
        .order_by("title")
        .limit(2)
        .values_list((Post::views, Post::title))
        .await?;
    check::eq(rows, [(5, "Alpha".to_owned()), (10, "Gamma".to_owned())])
}

/// A column behind a relation that may be missing comes as an `Option`.
async fn nullable_path_gives_an_option(cx: &Context) -> CaseResult {
    library(cx).await?;
    let rows: Vec<(String, Option<String>)> = Post::filter(kw!(views = 10))
        .order_by("title")
        .values_list((Post::title, Post::editor.username))
        .await?;
    let expected = [
        ("Gamma".to_owned(), Some("ann".to_owned())),
        ("beta".to_owned(), None),
    ];
    check::eq(rows, expected)
}

/// Reading takes one statement.
async fn one_per_query(cx: &Context) -> CaseResult {
    library(cx).await?;
    let work = async {
        Post::filter(kw!(author__username = "ann", tags__name = "rust")).await?;
        User::get(kw!(username = "ann")).await
    };
    let (result, sent) = cx.watch(work).await;
    result?;
    check::eq(sent.len(), 2)
}
