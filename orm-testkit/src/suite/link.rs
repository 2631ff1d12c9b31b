//! Relations of one model with itself, links under concurrency, actions of deletes, and the order
//! in which models are made.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Post, Tag, User, library, titles};
use crate::{cases, check};
use orm_core::entity::Entity;
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "many_to_many::self::sides_are_not_mixed_up" => sides_are_not_mixed_up, ["fields.many_to_many", "many_to_many.add", "many_to_many.all"], needs [CompositeKeys, IgnoreConflicts];
    "many_to_many::through::default_name" => default_name, ["fields.many_to_many.through"], needs [CompositeKeys, IgnoreConflicts];
    "many_to_many::add::same_link_from_many_tasks" => same_link_from_many_tasks, ["many_to_many.add"], needs [IgnoreConflicts], level Full;
    "many_to_many::add::many_and_repeated" => many_and_repeated, ["many_to_many.add", "many_to_many.remove"], needs [IgnoreConflicts];
    "many_to_many::add::missing_row_leaves_no_link" => missing_row, ["many_to_many.add", "exceptions.integrity_error"], needs [IgnoreConflicts, ForeignKeys];
    "many_to_many::remove::unsaved_is_refused" => remove_unsaved, ["many_to_many.remove", "many_to_many.clear"];
    "foreign_key::on_delete::no_action" => no_action, ["fields.foreign_key.on_delete"], needs [ForeignKeys];
    "foreign_key::on_delete::restrict_keeps_all_of_many" => restrict_keeps_all, ["fields.foreign_key.on_delete", "queryset.delete"], needs [ForeignKeys];
    "foreign_key::enforced::on_every_connection" => on_every_connection, ["fields.foreign_key", "exceptions.integrity_error"], needs [ForeignKeys], level Full;
    "foreign_key::schema::order_of_models_is_irrelevant" => order_is_irrelevant, ["fields.foreign_key.model_name", "tortoise.init.generate_schemas"];
    "foreign_key::access::two_keys_to_one_model" => two_keys, ["fields.foreign_key.related_name", "foreign_key.access"];
    "foreign_key::access::without_a_reverse_side" => without_a_reverse_side, ["fields.foreign_key.related_name"];
};

/// Follows others and is followed.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_person")]
struct Person {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Name.
    #[field(max_length = 20)]
    name: String,
    /// Whom it follows.
    #[field(related_name = "followers")]
    follows: ManyToMany<Person>,
    /// Who follows it.
    followers: HasMany<Person>,
}

/// Belongs to a shelf, declared before it.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_book")]
struct Book {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Where it stands. The shelf does not lead back.
    #[field(on_delete = NoAction)]
    shelf: ForeignKey<Shelf>,
}

/// Holds books.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_shelf")]
struct Shelf {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Name.
    #[field(max_length = 20)]
    name: String,
}

async fn people(query: QuerySet<Person>) -> CaseResult<Vec<String>> {
    let mut names: Vec<_> = query.await?.into_iter().map(|one| one.name).collect();
    names.sort();
    Ok(names)
}

async fn three_people() -> Result<[Person; 3]> {
    Ok([
        Person::create(kw!(name = "ann")).await?,
        Person::create(kw!(name = "bob")).await?,
        Person::create(kw!(name = "cyd")).await?,
    ])
}

/// Who follows is not followed by that.
async fn sides_are_not_mixed_up(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Person::meta()]).await?;
    let [ann, bob, cyd] = three_people().await?;
    cx.ready();
    ann.follows.add([&bob, &cyd]).await?;
    bob.follows.add(&cyd).await?;
    check::eq(people(ann.follows.all()).await?, ["bob", "cyd"])?;
    check::eq(people(cyd.followers.all()).await?, ["ann", "bob"])?;
    check::eq(people(cyd.follows.all()).await?.len(), 0)?;
    check::eq(people(ann.followers.all()).await?.len(), 0)?;
    check::eq(
        people(Person::filter(kw!(follows__name = "cyd"))).await?,
        ["ann", "bob"],
    )?;
    check::eq(
        people(Person::filter(kw!(followers__name = "ann"))).await?,
        ["bob", "cyd"],
    )?;
    cyd.followers.remove(&ann).await?;
    check::eq(people(ann.follows.all()).await?, ["bob"])?;
    let all = Person::all().prefetch_related(["follows", "followers"]);
    let all = all.order_by("name").await?;
    let count =
        |one: &Person| Ok::<_, Error>((one.follows.get()?.len(), one.followers.get()?.len()));
    let counts: Result<Vec<_>> = all.iter().map(count).collect();
    check::eq(counts?, [(1, 0), (1, 1), (0, 1)])
}

/// Without a name the table in the middle is called after the table and the field.
async fn default_name(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Person::meta()]).await?;
    let [ann, bob, _] = three_people().await?;
    cx.ready();
    ann.follows.add(&bob).await?;
    let sql = "SELECT person_id, person_rel_id FROM kit_person_follows";
    let rows = cx.client().execute_query(sql, Vec::new()).await?;
    let expected: [orm_core::value::Value; 2] = [ann.id.into(), bob.id.into()];
    check::eq(rows.rows(), [expected.to_vec()])
}

/// Tasks that add one link at the same time make one link, and none of them fails.
async fn same_link_from_many_tasks(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (delta, unused) = (rows.delta.clone(), rows.unused.clone());
        tasks.push(tokio::spawn(
            cx.scope(async move { delta.tags.add(&unused).await }),
        ));
    }
    for task in tasks {
        let done = task
            .await
            .map_err(|error| Failure::new(error.to_string()))?;
        done?;
    }
    check::eq(rows.delta.tags.all().count().await?, 1)
}

/// Many at once, some of which are there already or are given twice; many are taken away at once.
async fn many_and_repeated(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.beta
        .tags
        .add([&rows.rust, &rows.web, &rows.web])
        .await?;
    check::eq(rows.beta.tags.all().count().await?, 2)?;
    rows.beta.tags.add([&rows.unused]).await?;
    rows.beta
        .tags
        .remove([&rows.rust, &rows.unused, &rows.rust])
        .await?;
    check::eq(rows.beta.tags.all().count().await?, 1)?;
    check::eq(rows.alpha.tags.all().count().await?, 2)?;
    let none: [&Tag; 0] = [];
    let (result, sent) = cx.watch(async { rows.beta.tags.add(none).await }).await;
    result?;
    check::eq(sent.len(), 0)
}

/// A link to a row that is gone is refused, and the others of the call are not made.
async fn missing_row(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.unused.delete().await?;
    cx.ready();
    let refused = rows.delta.tags.add([&rows.rust, &rows.unused]).await;
    let error = check::fails(refused, ErrorKind::Integrity)?;
    let kind = error.constraint().map(|broken| broken.kind());
    check::eq(kind, Some(ConstraintKind::ForeignKey))?;
    check::eq(rows.delta.tags.all().count().await?, 0)
}

/// An instance without a row has no links to take away.
async fn remove_unsaved(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let nobody = Tag::default();
    let work = async {
        check::fails(rows.alpha.tags.remove(&nobody).await, ErrorKind::Unsaved)?;
        check::fails(nobody.posts.clear().await, ErrorKind::Unsaved)?;
        check::fails(nobody.posts.remove(&rows.alpha).await, ErrorKind::Unsaved)
    };
    let (result, sent) = cx.watch(work).await;
    result?;
    check::eq(sent.len(), 0)
}

/// NO ACTION refuses to leave a reference to nothing.
async fn no_action(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Book::meta()]).await?;
    let shelf = Shelf::create(kw!(name = "a")).await?;
    let book = Book::create(kw!(shelf = &shelf)).await?;
    let error = check::fails(shelf.delete().await, ErrorKind::Integrity)?;
    let kind = error.constraint().map(|broken| broken.kind());
    check::eq(kind, Some(ConstraintKind::ForeignKey))?;
    check::eq(
        (Shelf::all().count().await?, Book::all().count().await?),
        (1, 1),
    )?;
    book.delete().await?;
    Ok(shelf.delete().await?)
}

/// One row that is still referred to keeps all rows of the delete.
async fn restrict_keeps_all(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Book::meta()]).await?;
    for name in ["a", "b", "c"] {
        Shelf::create(kw!(name = name)).await?;
    }
    Book::create(kw!(shelf = &Shelf::get(kw!(name = "c")).await?)).await?;
    check::fails(Shelf::all().delete().await, ErrorKind::Integrity)?;
    check::eq(Shelf::all().count().await?, 3)
}

/// A key without a target is refused whichever connection of the pool it is sent on.
async fn on_every_connection(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let missing = rows.cyd.id + 1000;
    let mut tasks = Vec::new();
    for number in 0..24 {
        tasks.push(tokio::spawn(cx.scope(async move {
            let title = format!("p{number}");
            Post::create(kw!(title = title, author_id = missing))
                .await
                .map(drop)
        })));
    }
    for task in tasks {
        let result = task
            .await
            .map_err(|error| Failure::new(error.to_string()))?;
        let error = check::fails(result, ErrorKind::Integrity)?;
        let kind = error.constraint().map(|broken| broken.kind());
        check::eq(kind, Some(ConstraintKind::ForeignKey))?;
    }
    check::eq(Post::all().count().await?, 4)
}

/// A model may be named before the one that it refers to, or alone.
async fn order_is_irrelevant(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Book::meta(), Shelf::meta()]).await?;
    let shelf = Shelf::create(kw!(name = "a")).await?;
    Book::create(kw!(shelf = &shelf)).await?;
    check::eq(Book::filter(kw!(shelf__name = "a")).count().await?, 1)
}

/// Two keys of one model to another have a reverse side each.
async fn two_keys(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let written = titles(rows.ann.posts.all().order_by("title")).await?;
    check::eq(written, ["Alpha", "beta"])?;
    check::eq(titles(rows.ann.edited.all()).await?, ["Gamma"])?;
    let both = User::filter(kw!(posts__title = "Alpha", edited__title = "Gamma"));
    check::eq(both.count().await?, 1)?;
    let users = User::all().prefetch_related(["posts", "edited"]);
    let users = users.order_by("username").await?;
    check::eq(
        (users[0].posts.get()?.len(), users[0].edited.get()?.len()),
        (2, 1),
    )?;
    check::eq(
        (users[1].posts.get()?.len(), users[1].edited.get()?.len()),
        (2, 0),
    )
}

/// The target need not lead back: the key itself works.
async fn without_a_reverse_side(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Book::meta()]).await?;
    let shelf = Shelf::create(kw!(name = "a")).await?;
    let book = Book::create(kw!(shelf = &shelf)).await?;
    let read = Book::get(kw!(id = book.id)).await?;
    check::eq(read.shelf.fetch().await?.name.as_str(), "a")?;
    check::eq(Book::filter(kw!(shelf = &shelf)).count().await?, 1)
}
