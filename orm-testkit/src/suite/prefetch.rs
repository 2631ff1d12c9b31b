//! Loading related rows of many instances at once.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Category, Post, User, library};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "prefetch::foreign_key::one_more_statement" => one_more_statement, ["queryset.prefetch_related"];
    "prefetch::reverse::grouped_by_parent" => grouped_by_parent, ["queryset.prefetch_related"];
    "prefetch::many_to_many::shared_rows_under_each_parent" => shared_rows_under_each_parent, ["queryset.prefetch_related"];
    "prefetch::nested::one_statement_per_level" => one_statement_per_level, ["queryset.prefetch_related"];
    "prefetch::calls::accumulate" => accumulate, ["queryset.prefetch_related"];
    "prefetch::parents::none_needs_no_more" => none_needs_no_more, ["queryset.prefetch_related"];
    "prefetch::parents::order_and_limit_are_theirs" => order_and_limit_are_theirs, ["queryset.prefetch_related", "queryset.limit"];
    "prefetch::parents::more_than_a_statement_takes" => more_than_a_statement_takes, ["queryset.prefetch_related"], needs [Transactions];
    "prefetch::null::absent_needs_no_loading" => absent_needs_no_loading, ["queryset.prefetch_related"];
    "prefetch::names::unknown_is_refused" => unknown_is_refused, ["queryset.prefetch_related"];
    "prefetch::equals::one_by_one" => one_by_one, ["queryset.prefetch_related"];
    "prefetch::self::children_of_children" => children_of_children, ["queryset.prefetch_related"];
};

/// A foreign key costs one statement for all instances.
async fn one_more_statement(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by("title").prefetch_related("author");
    let (posts, sent) = cx.watch(query.into_future()).await;
    let posts = posts?;
    check::eq(sent.len(), 2)?;
    let authors = posts
        .iter()
        .map(|post| Ok(post.author.get()?.username.clone()));
    check::eq(
        authors.collect::<Result<Vec<_>>>()?,
        ["ann", "bob", "ann", "bob"],
    )
}

/// Reverse sides get the rows of their own parent; one without any is loaded and empty.
async fn grouped_by_parent(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = User::all().order_by("username").prefetch_related("posts");
    let (users, sent) = cx.watch(query.into_future()).await;
    let users = users?;
    check::eq(sent.len(), 2)?;
    let mut found = Vec::new();
    for user in &users {
        let mut titles: Vec<_> = user
            .posts
            .get()?
            .iter()
            .map(|post| post.title.as_str())
            .collect();
        titles.sort_unstable();
        found.push(titles);
    }
    check::eq(
        found,
        [vec!["Alpha", "beta"], vec!["Gamma", "delta"], vec![]],
    )
}

/// A row that is linked to two parents is under both.
async fn shared_rows_under_each_parent(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by("title").prefetch_related("tags");
    let (posts, sent) = cx.watch(query.into_future()).await;
    let posts = posts?;
    check::eq(sent.len(), 2)?;
    let mut found = Vec::new();
    for post in &posts {
        let mut names: Vec<_> = post
            .tags
            .get()?
            .iter()
            .map(|tag| tag.name.as_str())
            .collect();
        names.sort_unstable();
        found.push(names);
    }
    check::eq(
        found,
        [vec!["rust", "web"], vec!["web"], vec!["rust"], vec![]],
    )
}

/// A path of two relations costs two more statements.
async fn one_statement_per_level(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = User::all()
        .order_by("username")
        .prefetch_related("posts__tags");
    let (users, sent) = cx.watch(query.into_future()).await;
    check::eq(sent.len(), 3)?;
    let mut links = 0;
    for user in &users? {
        for post in user.posts.get()?.iter() {
            links += post.tags.get()?.len();
        }
    }
    check::eq(links, 4)
}

/// Several names and several calls load all that was named, a shared level once.
async fn accumulate(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = User::filter(kw!(username = "ann"))
        .prefetch_related(["posts__tags", "edited"])
        .prefetch_related("posts__author");
    let (users, sent) = cx.watch(query.into_future()).await;
    let users = users?;
    check::eq(sent.len(), 5)?;
    check::eq(users[0].edited.get()?.len(), 1)?;
    for post in users[0].posts.get()?.iter() {
        check::eq(post.author.get()?.username.as_str(), "ann")?;
        check::that(!post.tags.get()?.is_empty(), "each of them has a tag")?;
    }
    Ok(())
}

/// Without parents there is nothing to load.
async fn none_needs_no_more(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::filter(kw!(views = 99))
        .prefetch_related("tags")
        .prefetch_related("author");
    let (posts, sent) = cx.watch(query.into_future()).await;
    check::eq(posts?.len(), 0)?;
    check::eq(sent.len(), 1)
}

/// Order and limit speak of the parents; all children of those come.
async fn order_and_limit_are_theirs(cx: &Context) -> CaseResult {
    library(cx).await?;
    let users = User::all()
        .order_by("-username")
        .limit(2)
        .prefetch_related("posts")
        .await?;
    let names: Vec<_> = users.iter().map(|user| user.username.as_str()).collect();
    check::eq(names, ["cyd", "bob"])?;
    check::eq(users[1].posts.get()?.len(), 2)
}

/// Any number of parents is loaded, in parts if need be.
async fn more_than_a_statement_takes(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let limit = usize::try_from(cx.capabilities().max_params)
        .unwrap_or(usize::MAX)
        .min(40_000);
    let count = limit + 10;
    let users = (0..count).map(|n| User {
        username: format!("u{n}"),
        ..User::default()
    });
    User::bulk_create(users.collect()).await?;
    let last = User::get(kw!(username = format!("u{}", count - 1))).await?;
    Post::create(kw!(title = "last", author = &last)).await?;
    let users = User::all().order_by("id").prefetch_related("posts").await?;
    check::eq(users.len(), count + 3)?;
    check::eq(users[0].id, rows.ann.id)?;
    check::eq(users[0].posts.get()?.len(), 2)?;
    check::eq(users[count + 2].posts.get()?.len(), 1)
}

/// A foreign key that is NULL stays `None`; if all are, nothing is asked.
async fn absent_needs_no_loading(cx: &Context) -> CaseResult {
    library(cx).await?;
    let posts = Post::all()
        .order_by("title")
        .prefetch_related("editor")
        .await?;
    let names: Vec<_> = posts
        .iter()
        .map(|post| {
            post.editor
                .as_ref()
                .map(|editor| Ok(editor.get()?.username.clone()))
                .transpose()
        })
        .collect::<Result<_>>()?;
    check::eq(names, [None, Some("ann".to_owned()), None, None])?;
    let query = Post::filter(kw!(title = "Alpha")).prefetch_related("editor");
    let (posts, sent) = cx.watch(query.into_future()).await;
    check::eq(posts?.len(), 1)?;
    check::eq(sent.len(), 1)
}

/// A name that is no relation is refused with the near one; nothing is sent.
async fn unknown_is_refused(cx: &Context) -> CaseResult {
    for (wrong, right) in [("tag", "tags"), ("author__post", "posts")] {
        let (result, sent) = cx
            .watch(Post::all().prefetch_related(wrong).into_future())
            .await;
        check::mentions(check::fails(result, ErrorKind::Field)?, &[right])?;
        check::eq(sent.len(), 0)?;
    }
    Ok(())
}

/// Prefetching gives what asking for each instance gives.
async fn one_by_one(cx: &Context) -> CaseResult {
    library(cx).await?;
    for user in User::all().prefetch_related("posts").await? {
        let mut loaded: Vec<_> = user.posts.get()?.iter().map(|post| post.id).collect();
        let mut asked: Vec<_> = user.posts.all().await?.iter().map(|post| post.id).collect();
        loaded.sort_unstable();
        asked.sort_unstable();
        check::eq(loaded, asked)?;
    }
    Ok(())
}

/// A relation to the own model nests as any other.
async fn children_of_children(cx: &Context) -> CaseResult {
    let root = Category::create(kw!(name = "root")).await?;
    let left = Category::create(kw!(name = "left", parent = &root)).await?;
    Category::create(kw!(name = "leaf", parent = &left)).await?;
    let query = Category::filter(kw!(parent__isnull = true)).prefetch_related("children__children");
    let (roots, sent) = cx.watch(query.into_future()).await;
    let roots = roots?;
    check::eq(sent.len(), 3)?;
    let children = roots[0].children.get()?;
    check::eq(children[0].children.get()?[0].name.as_str(), "leaf")
}
