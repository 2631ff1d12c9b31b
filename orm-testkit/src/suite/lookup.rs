//! Lookups on text and instants, in every script.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Tag, User, sorted_titles};
use crate::{cases, check};
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "lookup::text::case_matters_unless_i" => case_matters_unless_i, ["model.filter"];
    "lookup::text::case_folds_in_every_script" => case_folds_in_every_script, ["model.filter"];
    "lookup::text::found_where_it_is_asked_for" => found_where_it_is_asked_for, ["model.filter"];
    "lookup::text::wildcards_are_literal" => wildcards_are_literal, ["model.filter"];
    "lookup::text::empty_pattern_matches_every_value" => empty_pattern_matches_every_value, ["model.filter"];
    "lookup::text::equality_is_binary" => equality_is_binary, ["model.filter", "fields.char"];
    "lookup::text::composed_and_decomposed_differ" => composed_and_decomposed_differ, ["model.filter", "fields.text"];
    "lookup::text::regex" => regex, ["model.filter"], needs [Regex];
    "lookup::datetime::parts_are_utc" => parts_are_utc, ["model.filter", "fields.datetime"];
    "lookup::datetime::parts_are_cut" => parts_are_cut, ["model.filter", "fields.datetime"];
    "lookup::datetime::parts_compare" => parts_compare, ["model.filter", "fields.datetime"];
    "lookup::datetime::instants_compare" => instants_compare, ["model.filter", "fields.datetime"];
};

async fn tags(names: &[&str]) -> CaseResult {
    for name in names {
        Tag::create(kw!(name = *name)).await?;
    }
    Ok(())
}

async fn names(query: QuerySet<Tag>) -> CaseResult<Vec<String>> {
    Ok(query
        .order_by("id")
        .await?
        .into_iter()
        .map(|tag| tag.name)
        .collect())
}

/// The plain lookups tell cases apart, those with `i` do not.
async fn case_matters_unless_i(_: &Context) -> CaseResult {
    tags(&["Rust", "rusty", "TRUST"]).await?;
    check::eq(
        names(Tag::filter(kw!(name__contains = "rust"))).await?,
        ["rusty"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__startswith = "Ru"))).await?,
        ["Rust"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__endswith = "UST"))).await?,
        ["TRUST"],
    )?;
    check::eq(names(Tag::filter(kw!(name = "rust"))).await?, [""; 0])?;
    check::eq(
        names(Tag::filter(kw!(name__icontains = "RUST")))
            .await?
            .len(),
        3,
    )?;
    check::eq(
        names(Tag::filter(kw!(name__istartswith = "ru"))).await?,
        ["Rust", "rusty"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__iendswith = "Ust"))).await?,
        ["Rust", "TRUST"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__iexact = "rUST"))).await?,
        ["Rust"],
    )
}

/// Case is ignored beyond ASCII.
async fn case_folds_in_every_script(_: &Context) -> CaseResult {
    tags(&["ÄRGER", "Ωμέγα", "ПРИВЕТ", "Éclair", "日本"]).await?;
    check::eq(
        names(Tag::filter(kw!(name__icontains = "ärg"))).await?,
        ["ÄRGER"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__istartswith = "ωμ"))).await?,
        ["Ωμέγα"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__iexact = "привет"))).await?,
        ["ПРИВЕТ"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__iendswith = "LAIR"))).await?,
        ["Éclair"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__icontains = "本"))).await?,
        ["日本"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__contains = "ärg"))).await?,
        [""; 0],
    )
}

/// The text is found at the beginning, at the end, anywhere, or as the whole, as is asked.
async fn found_where_it_is_asked_for(_: &Context) -> CaseResult {
    tags(&["ab", "abx", "xab", "xabx"]).await?;
    for (query, expected) in [
        (
            Tag::filter(kw!(name__startswith = "ab")),
            &["ab", "abx"][..],
        ),
        (Tag::filter(kw!(name__istartswith = "AB")), &["ab", "abx"]),
        (Tag::filter(kw!(name__endswith = "ab")), &["ab", "xab"]),
        (Tag::filter(kw!(name__iendswith = "AB")), &["ab", "xab"]),
        (Tag::filter(kw!(name__iexact = "AB")), &["ab"]),
        (
            Tag::filter(kw!(name__contains = "ab")),
            &["ab", "abx", "xab", "xabx"],
        ),
        (
            Tag::filter(kw!(name__icontains = "AB")),
            &["ab", "abx", "xab", "xabx"],
        ),
    ] {
        let found = query.order_by("name").await?;
        let names: Vec<_> = found.iter().map(|tag| tag.name.as_str()).collect();
        check::eq(names, expected)?;
    }
    Ok(())
}

/// `%`, `_`, `*`, `?`, brackets and backslashes in the argument mean themselves.
async fn wildcards_are_literal(_: &Context) -> CaseResult {
    tags(&["50%", "a_b", "a\\b", "a*b", "[ab]", "a?b", "axb", "it's"]).await?;
    let expected = [
        ("%", "50%"),
        ("_", "a_b"),
        ("\\", "a\\b"),
        ("*", "a*b"),
        ("[a", "[ab]"),
        ("?", "a?b"),
        ("'", "it's"),
    ];
    for (pattern, name) in expected {
        check::eq(
            names(Tag::filter(kw!(name__contains = pattern))).await?,
            [name],
        )?;
        check::eq(
            names(Tag::filter(kw!(name__icontains = pattern))).await?,
            [name],
        )?;
    }
    check::eq(
        names(Tag::filter(kw!(name__startswith = "a_"))).await?,
        ["a_b"],
    )?;
    check::eq(
        names(Tag::filter(kw!(name__endswith = "%"))).await?,
        ["50%"],
    )
}

/// The empty text is part of every text, and of no NULL.
async fn empty_pattern_matches_every_value(_: &Context) -> CaseResult {
    User::create(kw!(username = "a", bio = "")).await?;
    User::create(kw!(username = "b", bio = "x")).await?;
    User::create(kw!(username = "c")).await?;
    check::eq(User::filter(kw!(bio__contains = "")).count().await?, 2)?;
    check::eq(User::filter(kw!(bio__istartswith = "")).count().await?, 2)?;
    check::eq(User::filter(kw!(bio__endswith = "")).count().await?, 2)
}

/// Trailing blanks and case make different texts, also for uniqueness.
async fn equality_is_binary(_: &Context) -> CaseResult {
    tags(&["a", "A", "a ", "á"]).await?;
    for name in ["a", "A", "a ", "á"] {
        check::eq(names(Tag::filter(kw!(name = name))).await?, [name])?;
    }
    Ok(())
}

/// Two spellings of one letter are two texts, kept as they were given.
async fn composed_and_decomposed_differ(_: &Context) -> CaseResult {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}");
    User::create(kw!(username = "a", bio = composed)).await?;
    User::create(kw!(username = "b", bio = decomposed)).await?;
    let found = User::get(kw!(bio = decomposed)).await?;
    check::eq(found.username, "b")?;
    check::eq(found.bio.as_deref(), Some(decomposed))
}

/// Regular expressions, with and without regard to case.
async fn regex(cx: &Context) -> CaseResult {
    tags(&["v1", "v22", "x"]).await?;
    cx.ready();
    let query = Tag::filter(Tag::name.regex("^v[0-9]+$"));
    check::eq(names(query).await?, ["v1", "v22"])?;
    check::eq(names(Tag::filter(Tag::name.iregex("^V1$"))).await?, ["v1"])
}

fn instant(text: &str) -> CaseResult<DateTime<Utc>> {
    text.parse()
        .map_err(|error| crate::Failure::new(format!("{text}: {error}")))
}

async fn dated() -> CaseResult {
    let author = User::create(kw!(username = "ann")).await?;
    let dates = [
        ("new year", "2024-12-31T23:30:00Z"),
        ("leap", "2024-02-29T12:05:07.000250Z"),
        ("old", "1969-07-20T20:17:40Z"),
    ];
    for (title, at) in dates {
        let published = instant(at)?;
        Post::create(kw!(title = title, author = &author, published = published)).await?;
    }
    Post::create(kw!(title = "never", author = &author)).await?;
    Ok(())
}

/// Parts of an instant are those in UTC.
async fn parts_are_utc(_: &Context) -> CaseResult {
    dated().await?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__year = 2024))).await?,
        ["leap", "new year"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__month = 12))).await?,
        ["new year"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__day = 29))).await?,
        ["leap"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__hour = 23))).await?,
        ["new year"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__minute = 17))).await?,
        ["old"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__second = 7))).await?,
        ["leap"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__quarter = 3))).await?,
        ["old"],
    )
}

/// Parts are cut, never rounded: the last microsecond of a year is in that year.
async fn parts_are_cut(_: &Context) -> CaseResult {
    let author = User::create(kw!(username = "ann")).await?;
    let last = instant("2023-12-31T23:59:59.999999Z")?;
    Post::create(kw!(title = "last", author = &author, published = last)).await?;
    let query = Post::filter(kw!(
        published__year = 2023,
        published__quarter = 4,
        published__month = 12,
        published__day = 31,
        published__hour = 23,
        published__minute = 59,
        published__second = 59
    ));
    check::eq(sorted_titles(query).await?, ["last"])
}

/// A part takes the comparisons of a number.
async fn parts_compare(_: &Context) -> CaseResult {
    dated().await?;
    let query = Post::filter(kw!(published__year__gte = 2000, published__month__lt = 6));
    check::eq(sorted_titles(query).await?, ["leap"])?;
    let query = Post::exclude(Post::published.year().eq(2024));
    check::eq(sorted_titles(query).await?, ["never", "old"])
}

/// Instants are compared as instants, before 1970 too.
async fn instants_compare(_: &Context) -> CaseResult {
    dated().await?;
    let leap = instant("2024-02-29T12:05:07.000250Z")?;
    check::eq(
        sorted_titles(Post::filter(kw!(published = leap))).await?,
        ["leap"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__lt = leap))).await?,
        ["old"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(published__gte = leap))).await?,
        ["leap", "new year"],
    )?;
    let same = instant("2024-02-29T14:05:07.000250+02:00")?;
    check::eq(
        sorted_titles(Post::filter(kw!(published = same))).await?,
        ["leap"],
    )
}
