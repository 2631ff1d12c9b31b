//! Foreign keys and many-to-many: access, links, what a delete does.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Category, City, Country, Post, Tag, User, library, sorted_titles, titles};
use crate::{cases, check};
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "foreign_key::create::with_object_or_key" => with_object_or_key, ["foreign_key.create_with_object", "fields.foreign_key", "fields.foreign_key.model_name"];
    "foreign_key::create::unsaved_object_is_refused" => unsaved_object_is_refused, ["foreign_key.create_with_object"];
    "foreign_key::create::missing_target_is_an_integrity_error" => missing_target, ["foreign_key.create_with_object", "exceptions.integrity_error"], needs [ForeignKeys];
    "foreign_key::access::reverse_side" => reverse_side, ["foreign_key.access", "fields.foreign_key.related_name"];
    "foreign_key::access::reverse_side_narrows" => reverse_side_narrows, ["foreign_key.access"];
    "foreign_key::access::of_an_unsaved_instance_is_refused" => reverse_of_unsaved, ["foreign_key.access"];
    "foreign_key::access::not_loaded_is_an_error" => not_loaded_is_an_error, ["foreign_key.access"];
    "foreign_key::access::fetch_asks_once" => fetch_asks_once, ["foreign_key.access"];
    "foreign_key::access::absent_is_none" => absent_is_none, ["foreign_key.access", "fields.foreign_key.null"];
    "foreign_key::access::a_new_key_drops_the_old_object" => new_key_drops_old_object, ["foreign_key.access"];
    "foreign_key::key::text_keys" => text_keys, ["fields.foreign_key", "fields.char"];
    "foreign_key::self::tree" => tree, ["fields.foreign_key", "fields.foreign_key.related_name"];
    "foreign_key::on_delete::cascade" => cascade, ["fields.foreign_key.on_delete"], needs [ForeignKeys];
    "foreign_key::on_delete::cascade_goes_deep" => cascade_goes_deep, ["fields.foreign_key.on_delete"], needs [ForeignKeys];
    "foreign_key::on_delete::set_null" => set_null, ["fields.foreign_key.on_delete", "fields.foreign_key.null"], needs [ForeignKeys];
    "many_to_many::add::links_and_all_gives_them" => links_and_all_gives_them, ["many_to_many.add", "many_to_many.all", "fields.many_to_many", "fields.many_to_many.model_name"], needs [IgnoreConflicts];
    "many_to_many::add::again_changes_nothing" => again_changes_nothing, ["many_to_many.add"], needs [IgnoreConflicts];
    "many_to_many::add::unsaved_is_refused" => add_unsaved_is_refused, ["many_to_many.add"];
    "many_to_many::add::undone_with_its_transaction" => undone_with_its_transaction, ["many_to_many.add", "in_transaction"], needs [Transactions, IgnoreConflicts];
    "many_to_many::remove::takes_one_link_away" => takes_one_link_away, ["many_to_many.remove"];
    "many_to_many::remove::of_no_member_is_silent" => of_no_member_is_silent, ["many_to_many.remove"];
    "many_to_many::clear::takes_its_own_links_only" => takes_its_own_links_only, ["many_to_many.clear"];
    "many_to_many::all::from_both_sides" => from_both_sides, ["many_to_many.all", "fields.many_to_many.related_name"];
    "many_to_many::all::narrows_like_a_query" => narrows_like_a_query, ["many_to_many.all"];
    "many_to_many::through::has_the_given_name" => has_the_given_name, ["fields.many_to_many.through"];
    "many_to_many::through::links_go_with_their_rows" => links_go_with_their_rows, ["fields.many_to_many.through"], needs [ForeignKeys];
};

/// A foreign key takes the object or its key.
async fn with_object_or_key(_: &Context) -> CaseResult {
    let user = User::create(kw!(username = "ann")).await?;
    let first = Post::create(kw!(title = "Hello", author = &user)).await?;
    let second = Post::create(kw!(title = "Again", author_id = user.id)).await?;
    check::eq(
        (*first.author.key(), *second.author.key()),
        (user.id, user.id),
    )?;
    check::eq(Post::filter(kw!(author = &user)).count().await?, 2)
}

/// An object without a key cannot be referred to; nothing is sent.
async fn unsaved_object_is_refused(cx: &Context) -> CaseResult {
    let nobody = User::default();
    let work = async { Post::create(kw!(title = "x", author = &nobody)).await };
    let (result, sent) = cx.watch(work).await;
    check::fails(result, ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)
}

/// A key that no row has is refused by the database.
async fn missing_target(_: &Context) -> CaseResult {
    let result = Post::create(kw!(title = "x", author_id = 4711)).await;
    let error = check::fails(result, ErrorKind::Integrity)?;
    let kind = error.constraint().map(|constraint| constraint.kind());
    check::eq(kind, Some(ConstraintKind::ForeignKey))?;
    check::eq(Post::all().count().await?, 0)
}

/// The reverse side gives the rows that refer to the instance, by each of two relations.
async fn reverse_side(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let user = User::get(kw!(id = rows.ann.id)).await?;
    check::eq(user.posts.all().await?.len(), 2)?;
    check::eq(titles(user.edited.all()).await?, ["Gamma"])?;
    check::eq(rows.cyd.posts.all().await?.len(), 0)
}

/// The reverse side is a query that can be narrowed and ordered.
async fn reverse_side_narrows(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let query = rows.ann.posts.all().order_by("-title");
    check::eq(titles(query).await?, ["beta", "Alpha"])?;
    let query = rows.ann.posts.all().filter(kw!(views__gt = 5));
    check::eq(titles(query).await?, ["beta"])?;
    check::eq(rows.ann.posts.all().limit(1).count().await?, 1)
}

/// An instance without a key has no related rows to ask for; nothing is sent.
async fn reverse_of_unsaved(cx: &Context) -> CaseResult {
    let nobody = User::default();
    let (result, sent) = cx.watch(nobody.posts.all().into_future()).await;
    check::fails(result, ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)
}

/// Reading a relation that no query loaded is an error that names it, never a query.
async fn not_loaded_is_an_error(cx: &Context) -> CaseResult {
    library(cx).await?;
    let post = Post::get(kw!(title = "Alpha")).await?;
    let (result, sent) = cx
        .watch(async { post.author.get().map(|user| user.id) })
        .await;
    let error = check::fails(result, ErrorKind::NotLoaded)?;
    check::mentions(error, &["Post", "author"])?;
    check::eq(sent.len(), 0)?;
    let user = User::get(kw!(username = "ann")).await?;
    check::fails(
        user.posts.get().map(|posts| posts.len()),
        ErrorKind::NotLoaded,
    )?;
    check::fails(post.tags.get().map(|tags| tags.len()), ErrorKind::NotLoaded).map(drop)
}

/// `fetch` loads the target with one statement.
async fn fetch_asks_once(cx: &Context) -> CaseResult {
    library(cx).await?;
    let post = Post::get(kw!(title = "Alpha")).await?;
    let (author, sent) = cx.watch(async { post.author.fetch().await }).await;
    check::eq(author?.username.as_str(), "ann")?;
    check::eq(sent.len(), 1)
}

/// A foreign key that is NULL is `None`.
async fn absent_is_none(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::that(
        Post::get(kw!(title = "Alpha")).await?.editor.is_none(),
        "nobody edited Alpha",
    )?;
    let gamma = Post::get(kw!(title = "Gamma")).await?;
    let Some(editor) = &gamma.editor else {
        return Err(crate::Failure::new("Gamma has an editor"));
    };
    check::eq(editor.fetch().await?.username.as_str(), "ann")
}

/// Setting another key forgets the object of the old one.
async fn new_key_drops_old_object(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let mut posts = Post::filter(kw!(title = "Alpha"))
        .prefetch_related("author")
        .await?;
    let post = &mut posts[0];
    check::eq(post.author.get()?.username.as_str(), "ann")?;
    post.author.set_key(rows.bob.id);
    check::fails(post.author.get().map(|user| user.id), ErrorKind::NotLoaded)?;
    post.save().await?;
    check::eq(
        sorted_titles(rows.bob.posts.all()).await?,
        ["Alpha", "Gamma", "delta"],
    )
}

/// Keys need not be numbers.
async fn text_keys(_: &Context) -> CaseResult {
    let norway = Country::create(kw!(code = "NO", name = "Norway")).await?;
    City::create(kw!(name = "Bergen", country = &norway)).await?;
    City::create(kw!(name = "Oslo", country_id = "NO")).await?;
    check::eq(norway.cities.all().count().await?, 2)?;
    let cities = City::filter(kw!(country__name = "Norway"))
        .prefetch_related("country")
        .await?;
    check::eq(cities[0].country.get()?.code.as_str(), "NO")
}

/// A model may refer to itself.
async fn tree(_: &Context) -> CaseResult {
    let root = Category::create(kw!(name = "root")).await?;
    let left = Category::create(kw!(name = "left", parent = &root)).await?;
    Category::create(kw!(name = "leaf", parent = &left)).await?;
    check::eq(root.children.all().count().await?, 1)?;
    let found = Category::filter(kw!(parent__parent__name = "root")).await?;
    check::eq(found.len(), 1)?;
    check::eq(found[0].name.as_str(), "leaf")?;
    let tops = Category::filter(kw!(parent__isnull = true)).await?;
    check::eq(tops[0].name.as_str(), "root")?;
    check::eq(
        Category::filter(kw!(children__children__name = "leaf"))
            .count()
            .await?,
        1,
    )
}

/// CASCADE deletes the rows that refer to the deleted one.
async fn cascade(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.bob.delete().await?;
    check::eq(sorted_titles(Post::all()).await?, ["Alpha", "beta"])
}

/// CASCADE reaches every depth.
async fn cascade_goes_deep(_: &Context) -> CaseResult {
    let mut above = Category::create(kw!(name = "0")).await?;
    let root = above.clone();
    for depth in 1..5 {
        above = Category::create(kw!(name = depth.to_string(), parent = &above)).await?;
    }
    root.delete().await?;
    check::eq(Category::all().count().await?, 0)
}

/// SET NULL keeps the rows and takes their key away.
async fn set_null(cx: &Context) -> CaseResult {
    library(cx).await?;
    User::filter(kw!(username = "ann")).delete().await?;
    let gamma = Post::get(kw!(title = "Gamma")).await?;
    check::that(gamma.editor.is_none(), "Gamma stays, without an editor")
}

async fn names(query: QuerySet<Tag>) -> CaseResult<Vec<String>> {
    Ok(query
        .order_by("name")
        .await?
        .into_iter()
        .map(|tag| tag.name)
        .collect())
}

/// What was added is what `all` gives.
async fn links_and_all_gives_them(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    check::eq(names(rows.alpha.tags.all()).await?, ["rust", "web"])?;
    check::eq(names(rows.delta.tags.all()).await?, [""; 0])?;
    cx.ready();
    rows.delta.tags.add(&rows.unused).await?;
    check::eq(names(rows.delta.tags.all()).await?, ["unused"])
}

/// Adding a member again makes no second link and no error.
async fn again_changes_nothing(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.alpha.tags.add(&rows.rust).await?;
    rows.alpha.tags.add(&rows.rust).await?;
    check::eq(rows.alpha.tags.all().count().await?, 2)
}

/// Both sides of a link need a key; nothing is sent.
async fn add_unsaved_is_refused(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let new = Tag {
        name: "new".into(),
        ..Tag::default()
    };
    let (result, sent) = cx.watch(async { rows.alpha.tags.add(&new).await }).await;
    check::fails(result.map(drop), ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)
}

/// A link made in a transaction that fails is not there.
async fn undone_with_its_transaction(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let result: Result<()> = in_transaction(async |_tx| {
        cx.ready();
        rows.delta.tags.add(&rows.rust).await?;
        Err(Error::configuration("changed my mind"))
    })
    .await;
    check::fails(result, ErrorKind::Configuration)?;
    check::eq(rows.delta.tags.all().count().await?, 0)
}

/// Removing takes the link away and leaves the row.
async fn takes_one_link_away(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.alpha.tags.remove(&rows.rust).await?;
    check::eq(names(rows.alpha.tags.all()).await?, ["web"])?;
    check::eq(names(rows.beta.tags.all()).await?, ["rust"])?;
    check::eq(Tag::all().count().await?, 3)
}

/// Removing what is not linked does nothing.
async fn of_no_member_is_silent(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.delta.tags.remove(&rows.rust).await?;
    check::eq(
        Tag::filter(kw!(posts__title__isnull = false))
            .count()
            .await?,
        2,
    )
}

/// Clearing takes all links of this instance and of no other.
async fn takes_its_own_links_only(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.alpha.tags.clear().await?;
    check::eq(rows.alpha.tags.all().count().await?, 0)?;
    check::eq(rows.beta.tags.all().count().await?, 1)?;
    check::eq(rows.gamma.tags.all().count().await?, 1)?;
    check::eq(Tag::all().count().await?, 3)
}

/// The other side sees the same links.
async fn from_both_sides(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let rust = Tag::get(kw!(name = "rust")).await?;
    check::eq(sorted_titles(rust.posts.all()).await?, ["Alpha", "beta"])?;
    check::eq(rows.unused.posts.all().count().await?, 0)
}

/// The links are a query that can be narrowed, ordered and counted.
async fn narrows_like_a_query(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let query = rows.alpha.tags.all().filter(kw!(name__startswith = "w"));
    check::eq(names(query).await?, ["web"])?;
    let query = rows.rust.posts.all().order_by("-title").limit(1);
    check::eq(titles(query).await?, ["beta"])
}

/// The table of the links is the one that `through` names.
async fn has_the_given_name(cx: &Context) -> CaseResult {
    library(cx).await?;
    let rows = cx
        .client()
        .execute_query("SELECT COUNT(*) FROM kit_post_tags", Vec::new())
        .await?;
    check::eq(rows.rows()[0][0].clone(), 4_i64.into())
}

/// Deleting a row takes its links, from either side.
async fn links_go_with_their_rows(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.rust.delete().await?;
    check::eq(names(rows.alpha.tags.all()).await?, ["web"])?;
    rows.gamma.delete().await?;
    check::eq(sorted_titles(rows.web.posts.all()).await?, ["Alpha"])
}
