//! Conditions: keywords, columns, names at run time, NULL, lists, relations.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, User, library, sorted_titles, usernames};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "filter::kwargs::all_must_hold" => all_must_hold, ["model.filter"];
    "filter::kwargs::chained_calls_are_and" => chained_calls_are_and, ["model.filter"];
    "filter::lazy::nothing_is_sent_before_await" => nothing_is_sent_before_await, ["model.filter", "model.all"];
    "filter::lazy::clones_are_independent" => clones_are_independent, ["model.filter"];
    "filter::all::every_row_and_none" => every_row_and_none, ["model.all"];
    "filter::logic::or_and_not_keep_their_grouping" => or_and_not_keep_their_grouping, ["model.filter"];
    "filter::logic::three_notations_agree" => three_notations_agree, ["model.filter"];
    "filter::null::exclude_is_the_exact_complement" => exclude_is_the_exact_complement, ["model.filter"];
    "filter::null::equals_none_is_is_null" => equals_none_is_is_null, ["model.filter"];
    "filter::null::ne_and_not_in_include_null_rows" => ne_and_not_in_include_null_rows, ["model.filter"];
    "filter::null::in_with_none_matches_null_rows" => in_with_none_matches_null_rows, ["model.filter"];
    "filter::null::isnull_both_ways" => isnull_both_ways, ["model.filter"];
    "filter::list::empty_in_matches_nothing_unasked" => empty_in_matches_nothing_unasked, ["model.filter"];
    "filter::list::empty_not_in_matches_everything" => empty_not_in_matches_everything, ["model.filter"];
    "filter::list::duplicates_change_nothing" => duplicates_change_nothing, ["model.filter"];
    "filter::list::longer_than_the_parameter_limit" => longer_than_the_parameter_limit, ["model.filter"], needs [MaxParams];
    "filter::compare::bounds" => bounds, ["model.filter"];
    "filter::compare::range_includes_both_ends" => range_includes_both_ends, ["model.filter"];
    "filter::compare::column_with_column" => column_with_column, ["model.filter"];
    "filter::compare::nullable_column_with_required" => nullable_column_with_required, ["model.filter"];
    "filter::relation::to_one_path" => to_one_path, ["model.filter", "foreign_key.access"];
    "filter::relation::to_many_never_multiplies_rows" => to_many_never_multiplies_rows, ["model.filter"];
    "filter::relation::one_call_speaks_of_one_row" => one_call_speaks_of_one_row, ["model.filter"];
    "filter::relation::exclude_is_not_exists" => exclude_is_not_exists, ["model.filter"];
    "filter::relation::two_paths_to_one_table" => two_paths_to_one_table, ["model.filter"];
    "filter::relation::nullable_path_keeps_the_complement" => nullable_path_keeps_the_complement, ["model.filter"];
    "filter::relation::foreign_key_by_instance_and_by_key" => foreign_key_by_instance_and_by_key, ["model.filter", "foreign_key.access"];
    "filter::relation::own_key_needs_no_join" => own_key_needs_no_join, ["model.filter"];
    "filter::relation::unsaved_instance_is_refused" => unsaved_instance_is_refused, ["model.filter"];
    "filter::names::unknown_ones_are_refused_with_suggestions" => unknown_ones_are_refused_with_suggestions, ["model.filter"];
    "filter::names::wrong_value_type_is_refused_unsent" => wrong_value_type_is_refused_unsent, ["model.filter"];
    "filter::get::one_row" => one_row, ["model.get"];
    "filter::get::none_is_does_not_exist" => none_is_does_not_exist, ["model.get", "exceptions.does_not_exist"];
    "filter::get::several_is_an_error" => several_is_an_error, ["model.get"];
    "filter::get::or_none_is_none_for_no_row_only" => or_none_is_none_for_no_row_only, ["model.get"];
};

/// All conditions of one call must hold.
async fn all_must_hold(cx: &Context) -> CaseResult {
    library(cx).await?;
    let found = sorted_titles(Post::filter(kw!(views = 10, rating = 1))).await?;
    check::eq(found, ["Gamma"])
}

/// A second `filter` narrows the first.
async fn chained_calls_are_and(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::filter(kw!(views = 10)).filter(kw!(author__username = "ann"));
    check::eq(sorted_titles(query).await?, ["beta"])
}

/// Building a query sends nothing; each await asks anew.
async fn nothing_is_sent_before_await(cx: &Context) -> CaseResult {
    library(cx).await?;
    let (query, sent) = cx
        .watch(async { Post::filter(kw!(views__gt = 1)).order_by("id") })
        .await;
    check::eq(sent.len(), 0)?;
    check::eq(query.clone().await?.len(), 3)?;
    Post::filter(kw!(title = "Alpha")).delete().await?;
    check::eq(query.await?.len(), 2)
}

/// Narrowing a clone leaves the original alone.
async fn clones_are_independent(cx: &Context) -> CaseResult {
    library(cx).await?;
    let base = Post::filter(kw!(views = 10));
    let narrow = base.clone().filter(kw!(title = "beta"));
    check::eq(narrow.count().await?, 1)?;
    check::eq(base.count().await?, 2)
}

/// `all` gives every row, and an empty list for an empty table.
async fn every_row_and_none(cx: &Context) -> CaseResult {
    check::eq(User::all().await?.len(), 0)?;
    library(cx).await?;
    check::eq(usernames(User::all()).await?, ["ann", "bob", "cyd"])
}

/// `(a | b) & !c` means what it says.
async fn or_and_not_keep_their_grouping(cx: &Context) -> CaseResult {
    library(cx).await?;
    let either = Post::title.eq("Alpha") | Post::title.eq("Gamma");
    let query = Post::filter(either.clone() & !Post::views.eq(5));
    check::eq(sorted_titles(query).await?, ["Gamma"])?;
    let query = Post::filter(Post::title.eq("Alpha") | (Post::views.eq(10) & !Post::rating.eq(1)));
    check::eq(sorted_titles(query).await?, ["Alpha", "beta"])?;
    check::eq(
        sorted_titles(Post::filter(!!either)).await?,
        ["Alpha", "Gamma"],
    )
}

/// Keywords, columns and names at run time are the same condition.
async fn three_notations_agree(cx: &Context) -> CaseResult {
    library(cx).await?;
    let keywords = Post::filter(kw!(author__username__startswith = "a", views__gte = 10));
    let columns = Post::filter(Post::author.username.startswith("a") & Post::views.gte(10));
    let names = Post::all()
        .filter_by([("author__username__startswith", "a")])
        .filter_by([("views__gte", 10)]);
    for query in [keywords, columns, names] {
        check::eq(sorted_titles(query).await?, ["beta"])?;
    }
    Ok(())
}

/// A condition and its negation share no row and leave none out, NULL or not.
async fn exclude_is_the_exact_complement(cx: &Context) -> CaseResult {
    library(cx).await?;
    let conditions = [
        Post::rating.eq(1),
        Post::rating.gt(1),
        Post::rating.lte(3),
        Post::rating.in_([1, 2]),
        Post::rating.not_in([1, 2]),
        Post::rating.range((1, 2)),
        Post::rating.eq(1) | Post::views.eq(0),
        !(Post::rating.gt(2) & Post::views.eq(5)),
        Post::published.year().eq(2000),
        Post::editor.username.eq("ann"),
        Post::editor.bio.icontains("RUST"),
        Post::tags.name.eq("rust"),
    ];
    let total = Post::all().count().await?;
    for condition in conditions {
        let with = Post::filter(condition.clone()).count().await?;
        let without = Post::exclude(condition.clone()).count().await?;
        let negated = Post::filter(!condition.clone()).count().await?;
        check::that(
            with + without == total,
            &format!("{with} + {without} is {total} for {condition:?}"),
        )?;
        check::that(
            without == negated,
            &format!("exclude is filter of not for {condition:?}"),
        )?;
    }
    Ok(())
}

/// Comparing with `None` asks for NULL.
async fn equals_none_is_is_null(cx: &Context) -> CaseResult {
    library(cx).await?;
    let none: Option<i32> = None;
    check::eq(
        sorted_titles(Post::filter(kw!(rating = none))).await?,
        ["beta", "delta"],
    )?;
    check::eq(usernames(User::filter(kw!(bio = ""))).await?, ["cyd"])
}

/// A row whose value is NULL differs from every value.
async fn ne_and_not_in_include_null_rows(cx: &Context) -> CaseResult {
    library(cx).await?;
    let expected = ["Alpha", "beta", "delta"];
    check::eq(
        sorted_titles(Post::filter(kw!(rating__not = 1))).await?,
        expected,
    )?;
    check::eq(
        sorted_titles(Post::filter(Post::rating.ne(1))).await?,
        expected,
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(rating__not_in = [1]))).await?,
        expected,
    )
}

/// `None` in a list matches rows with NULL.
async fn in_with_none_matches_null_rows(cx: &Context) -> CaseResult {
    library(cx).await?;
    let list = [Some(3), None];
    check::eq(
        sorted_titles(Post::filter(kw!(rating__in = list))).await?,
        ["Alpha", "beta", "delta"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(rating__not_in = list))).await?,
        ["Gamma"],
    )
}

/// `isnull` asks for NULL, or for a value.
async fn isnull_both_ways(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        sorted_titles(Post::filter(kw!(rating__isnull = true))).await?,
        ["beta", "delta"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(rating__isnull = false))).await?,
        ["Alpha", "Gamma"],
    )
}

/// A nullable column compares with a required one, either way round; NULL equals nothing.
async fn nullable_column_with_required(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    Post::create(kw!(title = "own", author = &rows.bob, editor = &rows.bob)).await?;
    let own = Post::filter(kw!(author_id = F(editor_id)));
    check::eq(sorted_titles(own).await?, ["own"])?;
    let own = Post::filter(kw!(editor_id = F(author_id)));
    check::eq(sorted_titles(own).await?, ["own"])?;
    let own = Post::filter(Post::author_id.eq(Post::editor_id));
    check::eq(sorted_titles(own).await?, ["own"])?;
    let others = Post::exclude(kw!(author_id = F(editor_id)));
    check::eq(
        sorted_titles(others).await?,
        ["Alpha", "Gamma", "beta", "delta"],
    )
}

/// An empty list matches nothing, and the database is not asked.
async fn empty_in_matches_nothing_unasked(cx: &Context) -> CaseResult {
    library(cx).await?;
    let empty: [i32; 0] = [];
    let (found, sent) = cx
        .watch(Post::filter(kw!(views__in = empty)).into_future())
        .await;
    check::eq(found?.len(), 0)?;
    check::eq(sent.len(), 0)
}

/// The negation of an empty list matches every row.
async fn empty_not_in_matches_everything(cx: &Context) -> CaseResult {
    library(cx).await?;
    let empty: [i32; 0] = [];
    check::eq(Post::filter(kw!(rating__not_in = empty)).count().await?, 4)?;
    check::eq(Post::exclude(kw!(rating__in = empty)).count().await?, 4)
}

/// A value that stands twice in a list does not give its rows twice.
async fn duplicates_change_nothing(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        Post::filter(kw!(views__in = [10, 10, 5, 10])).await?.len(),
        3,
    )
}

/// A list may have more members than a statement may have values.
async fn longer_than_the_parameter_limit(cx: &Context) -> CaseResult {
    library(cx).await?;
    let limit = i32::try_from(cx.capabilities().max_params)
        .unwrap_or(100_000)
        .min(100_000);
    let many: Vec<i32> = (5..limit + 10).collect();
    check::eq(
        Post::filter(kw!(views__in = many.clone())).count().await?,
        3,
    )?;
    check::eq(Post::filter(kw!(views__not_in = many)).count().await?, 1)
}

/// The four comparisons include and leave out their bound as they say.
async fn bounds(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::filter(kw!(views__gt = 5)).count().await?, 2)?;
    check::eq(Post::filter(kw!(views__gte = 5)).count().await?, 3)?;
    check::eq(Post::filter(kw!(views__lt = 5)).count().await?, 1)?;
    check::eq(Post::filter(kw!(views__lte = 5)).count().await?, 2)?;
    check::eq(Post::filter(kw!(title__gt = "Gamma")).count().await?, 2)
}

/// Both ends belong to a range.
async fn range_includes_both_ends(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::filter(kw!(views__range = (5, 10))).count().await?, 3)?;
    check::eq(Post::filter(Post::views.range(0..=5)).count().await?, 2)
}

/// A column may be compared with another one.
async fn column_with_column(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::filter(Post::views.gt(Post::rating));
    check::eq(sorted_titles(query).await?, ["Alpha", "Gamma"])
}

/// A path over foreign keys reaches the columns of the target.
async fn to_one_path(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        sorted_titles(Post::filter(kw!(author__username = "bob"))).await?,
        ["Gamma", "delta"],
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(editor__username = "ann"))).await?,
        ["Gamma"],
    )
}

/// A parent with several matching children comes once.
async fn to_many_never_multiplies_rows(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        usernames(User::filter(kw!(posts__views__gte = 0))).await?,
        ["ann", "bob"],
    )?;
    check::eq(User::filter(kw!(posts__views__gte = 0)).count().await?, 2)?;
    check::eq(
        usernames(User::filter(kw!(posts__tags__name = "rust"))).await?,
        ["ann"],
    )
}

/// Conditions on one path in one call are about the same row; in two calls they are independent.
async fn one_call_speaks_of_one_row(cx: &Context) -> CaseResult {
    library(cx).await?;
    let same = User::filter(kw!(posts__title = "Alpha", posts__views = 10));
    check::eq(same.count().await?, 0)?;
    let apart = User::filter(kw!(posts__title = "Alpha")).filter(kw!(posts__views = 10));
    check::eq(usernames(apart).await?, ["ann"])
}

/// Excluding over many rows keeps those without any match, childless ones included.
async fn exclude_is_not_exists(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        usernames(User::exclude(kw!(posts__title = "Alpha"))).await?,
        ["bob", "cyd"],
    )?;
    check::eq(
        sorted_titles(Post::exclude(kw!(tags__name = "rust"))).await?,
        ["Gamma", "delta"],
    )
}

/// Two relations to one table never mix.
async fn two_paths_to_one_table(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::filter(kw!(author__username = "bob", editor__username = "ann"));
    check::eq(sorted_titles(query).await?, ["Gamma"])?;
    let query = Post::filter(Post::author.username.eq("ann") | Post::editor.username.eq("ann"));
    check::eq(sorted_titles(query).await?, ["Alpha", "Gamma", "beta"])
}

/// Excluding over a relation that may be missing keeps the rows where it is.
async fn nullable_path_keeps_the_complement(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::exclude(kw!(editor__username = "ann"));
    check::eq(sorted_titles(query).await?, ["Alpha", "beta", "delta"])?;
    check::eq(Post::filter(kw!(editor__isnull = true)).count().await?, 3)
}

/// A foreign key is compared with an instance or with its key.
async fn foreign_key_by_instance_and_by_key(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let expected = ["Alpha", "beta"];
    check::eq(
        sorted_titles(Post::filter(kw!(author = &rows.ann))).await?,
        expected,
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(author_id = rows.ann.id))).await?,
        expected,
    )
}

/// A condition on the key of the target is one on the own column.
async fn own_key_needs_no_join(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let query = Post::filter(kw!(author__id = rows.ann.id));
    let (found, sent) = cx.watch(query.into_future()).await;
    check::eq(found?.len(), 2)?;
    check::eq(sent.len(), 1)?;
    check::that(!sent[0].to_uppercase().contains("JOIN"), "no join is sent")
}

/// An instance without a key cannot be part of a condition; nothing is sent.
async fn unsaved_instance_is_refused(cx: &Context) -> CaseResult {
    let nobody = User::default();
    let (result, sent) = cx
        .watch(Post::filter(kw!(author = &nobody)).into_future())
        .await;
    check::fails(result, ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)
}

/// A name that does not exist is refused with the names that are close; nothing is sent.
async fn unknown_ones_are_refused_with_suggestions(cx: &Context) -> CaseResult {
    let names = [
        ("titel", "title"),
        ("author__usrname", "username"),
        ("title__icontain", "icontains"),
        ("tag__name", "tags"),
    ];
    for (wrong, right) in names {
        let (result, sent) = cx
            .watch(Post::all().filter_by([(wrong, "x")]).into_future())
            .await;
        let error = check::fails(result, ErrorKind::Field)?;
        check::mentions(error, &[wrong, right])?;
        check::eq(sent.len(), 0)?;
    }
    Ok(())
}

/// A value of a type that the column cannot hold is refused; nothing is sent.
async fn wrong_value_type_is_refused_unsent(cx: &Context) -> CaseResult {
    let (result, sent) = cx
        .watch(Post::all().filter_by([("views", "many")]).into_future())
        .await;
    check::that(result.is_err(), "text is no number")?;
    check::eq(sent.len(), 0)
}

/// `get` gives the one instance that matches.
async fn one_row(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let found = User::get(kw!(username = "ann")).await?;
    check::eq(found.id, rows.ann.id)?;
    check::eq(found.bio.as_deref(), Some("likes rust"))?;
    check::eq((found.age, found.is_active), (Some(30), true))
}

/// No match is `DoesNotExist`, with the model's name and without the value.
async fn none_is_does_not_exist(cx: &Context) -> CaseResult {
    library(cx).await?;
    let result = User::get(kw!(username = "secret-name")).await;
    let error = check::fails(result, ErrorKind::DoesNotExist)?;
    check::that(error.is_does_not_exist(), "the question agrees")?;
    check::mentions(&error, &["User"])?;
    check::that(
        !error.to_string().contains("secret-name"),
        "values stay out of messages",
    )
}

/// Two matches are `MultipleObjectsReturned`.
async fn several_is_an_error(cx: &Context) -> CaseResult {
    library(cx).await?;
    let result = Post::get(kw!(views = 10)).await;
    let error = check::fails(result, ErrorKind::MultipleObjectsReturned)?;
    check::mentions(error, &["Post"])
}

/// `get_or_none` is `None` for no row, and still an error for several.
async fn or_none_is_none_for_no_row_only(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::that(
        User::get_or_none(kw!(username = "zoe")).await?.is_none(),
        "nobody is found",
    )?;
    check::that(
        User::get_or_none(kw!(username = "ann")).await?.is_some(),
        "Ann is found",
    )?;
    let result = Post::get_or_none(kw!(views = 10)).await;
    check::fails(result, ErrorKind::MultipleObjectsReturned).map(drop)
}
