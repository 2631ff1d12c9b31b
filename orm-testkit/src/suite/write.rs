//! Creating, saving, updating, deleting.

use crate::case::{Case, CaseResult, Context};
use crate::models::{
    Category, Contract, Country, Post, Sample, Tag, User, library, noon, sorted_titles, usernames,
};
use crate::{cases, check};
use orm_core::error::{Error, ErrorKind};
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "write::create::returns_what_is_stored" => returns_what_is_stored, ["model.create", "model", "fields.int.pk"];
    "write::create::one_statement" => create_sends_one_statement, ["model.create"];
    "write::create::keys_of_its_own_choice" => keys_of_its_own_choice, ["model.create", "fields.int.pk"];
    "write::save::inserts_then_updates" => inserts_then_updates, ["instance.save"];
    "write::save::writes_its_own_row_only" => writes_its_own_row_only, ["instance.save"];
    "write::save::unchanged_is_fine" => unchanged_is_fine, ["instance.save"];
    "write::save::of_a_deleted_row" => save_of_a_deleted_row, ["instance.save", "exceptions.does_not_exist"];
    "write::save::inserts_a_chosen_key" => inserts_a_chosen_key, ["instance.save"];
    "write::save::null_into_every_kind" => null_into_every_kind, ["instance.save", "fields.text.null"];
    "write::update::counts_matched_rows" => counts_matched_rows, ["queryset.update"];
    "write::update::across_relations" => update_across_relations, ["queryset.update"];
    "write::update::expressions" => expressions, ["queryset.update"];
    "write::update::result_that_does_not_fit" => result_that_does_not_fit, ["queryset.update", "fields.int"];
    "write::update::foreign_key" => update_foreign_key, ["queryset.update"];
    "write::update::limit_and_order" => update_limit_and_order, ["queryset.update", "queryset.limit"], needs [UpdateLimit];
    "write::update::refuses_all_or_nothing" => refuses_all_or_nothing, ["queryset.update", "exceptions.integrity_error"];
    "write::update::validates_before_sending" => update_validates_before_sending, ["queryset.update", "exceptions.validation_error"];
    "write::update::leaves_auto_now_alone" => leaves_auto_now_alone, ["queryset.update", "fields.datetime.auto_now"];
    "write::delete::counts_its_own_rows" => counts_its_own_rows, ["queryset.delete"], needs [ForeignKeys];
    "write::delete::counts_rows_that_cascade_to_each_other" => counts_rows_that_cascade_to_each_other, ["queryset.delete"], needs [ForeignKeys, Transactions];
    "write::delete::across_relations" => delete_across_relations, ["queryset.delete"];
    "write::delete::limit_and_order" => delete_limit_and_order, ["queryset.delete", "queryset.limit"], needs [UpdateLimit];
    "write::delete::instance_once" => instance_once, ["instance.delete", "exceptions.does_not_exist"];
    "write::delete::unsaved_is_refused" => unsaved_is_refused, ["instance.delete"];
    "write::delete::refused_while_referred_to" => refused_while_referred_to, ["instance.delete", "fields.foreign_key.on_delete"], needs [ForeignKeys];
    "write::update_from_dict::sets_fields_and_sends_nothing" => sets_fields_and_sends_nothing, ["instance.update_from_dict"];
    "write::update_from_dict::then_save_persists" => then_save_persists, ["instance.update_from_dict", "instance.save"];
    "write::update_from_dict::refuses_all_or_nothing" => dict_refuses_all_or_nothing, ["instance.update_from_dict"];
    "write::update_from_dict::refuses_key_and_relations" => refuses_key_and_relations, ["instance.update_from_dict"];
    "write::update_from_dict::refuses_wrong_types" => refuses_wrong_types, ["instance.update_from_dict"];
};

/// The created instance has its key and defaults, and equals the row.
async fn returns_what_is_stored(_: &Context) -> CaseResult {
    let user = User::create(kw!(username = "ann")).await?;
    check::that(user.id != 0, "the key is set")?;
    check::eq(
        (user.is_active, user.bio.clone(), user.age),
        (true, None, None),
    )?;
    let stored = User::get(kw!(id = user.id)).await?;
    check::eq((stored.username.as_str(), stored.is_active), ("ann", true))
}

/// Creating takes one statement.
async fn create_sends_one_statement(cx: &Context) -> CaseResult {
    let (user, sent) = cx
        .watch(async { User::create(kw!(username = "ann")).await })
        .await;
    user?;
    check::eq(sent.len(), 1)
}

/// A key that the program chooses is kept, of any type.
async fn keys_of_its_own_choice(_: &Context) -> CaseResult {
    let user = User::create(kw!(id = 77, username = "ann")).await?;
    check::eq(user.id, 77)?;
    let next = User::create(kw!(username = "bob")).await?;
    check::that(next.id != 77 && next.id != 0, "the next key is another one")?;
    Country::create(kw!(code = "NO", name = "Norway")).await?;
    check::eq(Country::get(kw!(code = "NO")).await?.name, "Norway")
}

/// The first save inserts and sets the key, the second one updates the row.
async fn inserts_then_updates(_: &Context) -> CaseResult {
    let mut user = User {
        username: "ann".into(),
        ..User::default()
    };
    user.save().await?;
    check::that(user.id != 0, "the key is set")?;
    user.username = "anna".into();
    user.save().await?;
    check::eq(usernames(User::all()).await?, ["anna"])
}

/// Other rows stay as they are.
async fn writes_its_own_row_only(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    rows.ann.bio = None;
    rows.ann.age = Some(31);
    rows.ann.save().await?;
    let bob = User::get(kw!(username = "bob")).await?;
    check::eq((bob.bio, bob.age), (None, None))?;
    let cyd = User::get(kw!(username = "cyd")).await?;
    check::eq((cyd.bio.as_deref(), cyd.age), (Some(""), Some(20)))?;
    let ann = User::get(kw!(username = "ann")).await?;
    check::eq((ann.bio, ann.age), (None, Some(31)))
}

/// Saving without a change finds its row all the same.
async fn unchanged_is_fine(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    rows.ann.save().await?;
    rows.ann.save().await?;
    check::eq(User::all().count().await?, 3)
}

/// Saving an instance whose row is gone is an error, not silence, and brings no row back.
async fn save_of_a_deleted_row(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    User::filter(kw!(username = "cyd")).delete().await?;
    let error = check::fails(rows.cyd.save().await, ErrorKind::DoesNotExist)?;
    check::mentions(error, &["User"])?;
    check::eq(User::all().count().await?, 2)
}

/// A new instance with a key that the program chose is inserted.
async fn inserts_a_chosen_key(_: &Context) -> CaseResult {
    let mut country = Country {
        code: "NO".into(),
        name: "Norge".into(),
        ..Country::default()
    };
    country.save().await?;
    country.name = "Norway".into();
    country.save().await?;
    let all = Country::all().await?;
    check::eq(all.len(), 1)?;
    check::eq(all[0].name.as_str(), "Norway")
}

/// A value can be taken away again from each kind of field that takes NULL.
async fn null_into_every_kind(_: &Context) -> CaseResult {
    let mut sample = Sample::create(kw!(
        serial = 1,
        code = "a",
        rank = 1,
        shelf = "top",
        remark = "x",
        flag = true,
        checked_at = noon()
    ))
    .await?;
    (sample.rank, sample.shelf, sample.remark) = (None, None, None);
    (sample.flag, sample.checked_at) = (None, None);
    sample.save().await?;
    let stored = Sample::get(kw!(serial = 1)).await?;
    check::eq(
        (stored.rank, stored.shelf, stored.remark),
        (None, None, None),
    )?;
    check::eq((stored.flag, stored.checked_at), (None, None))
}

/// Rows count when they match, changed or not.
async fn counts_matched_rows(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        Post::filter(kw!(views = 10))
            .update(kw!(views = 10))
            .await?,
        2,
    )?;
    check::eq(
        Post::filter(kw!(views = 99)).update(kw!(views = 1)).await?,
        0,
    )?;
    check::eq(Post::all().update(kw!(views = 1, title = "x")).await?, 4)?;
    check::eq(Post::filter(kw!(views = 1, title = "x")).count().await?, 4)
}

/// The rows to update may be chosen over relations of both kinds.
async fn update_across_relations(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::filter(kw!(author__username = "ann", tags__name = "web"));
    check::eq(query.update(kw!(views = 100)).await?, 1)?;
    check::eq(
        sorted_titles(Post::filter(kw!(views = 100))).await?,
        ["Alpha"],
    )?;
    check::eq(
        User::filter(kw!(posts__views = 100))
            .update(kw!(age = 1))
            .await?,
        1,
    )
}

/// New values may be computed from old ones, by the database.
async fn expressions(cx: &Context) -> CaseResult {
    library(cx).await?;
    let step = 3;
    check::eq(
        Post::all().update(kw!(views = F(views) + step * 2)).await?,
        4,
    )?;
    let mut views: Vec<i32> = Post::all()
        .await?
        .into_iter()
        .map(|post| post.views)
        .collect();
    views.sort_unstable();
    check::eq(views, [6, 11, 16, 16])
}

/// A computed number that the field cannot hold is `Data`, and changes no row.
async fn result_that_does_not_fit(cx: &Context) -> CaseResult {
    library(cx).await?;
    let result = Post::all().update(kw!(views = F(views) + i32::MAX)).await;
    check::fails(result, ErrorKind::Data)?;
    check::eq(Post::filter(kw!(views__lte = 10)).count().await?, 4)
}

/// A foreign key takes an instance, a key, and NULL where it may.
async fn update_foreign_key(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    check::eq(
        Post::filter(kw!(title = "Alpha"))
            .update(kw!(author = &rows.cyd))
            .await?,
        1,
    )?;
    check::eq(
        Post::filter(kw!(title = "beta"))
            .update(kw!(author_id = rows.cyd.id))
            .await?,
        1,
    )?;
    check::eq(
        sorted_titles(Post::filter(kw!(author = &rows.cyd))).await?,
        ["Alpha", "beta"],
    )?;
    let none: Option<i32> = None;
    check::eq(
        Post::filter(kw!(title = "Gamma"))
            .update(kw!(editor_id = none))
            .await?,
        1,
    )?;
    check::eq(Post::filter(kw!(editor__isnull = true)).count().await?, 4)
}

/// A limit with an order holds for updates too.
async fn update_limit_and_order(cx: &Context) -> CaseResult {
    library(cx).await?;
    let query = Post::all().order_by("title").limit(2);
    check::eq(query.update(kw!(rating = 9)).await?, 2)?;
    check::eq(
        sorted_titles(Post::filter(kw!(rating = 9))).await?,
        ["Alpha", "Gamma"],
    )
}

/// An update that breaks a constraint changes no row.
async fn refuses_all_or_nothing(cx: &Context) -> CaseResult {
    library(cx).await?;
    let result = User::all().update(kw!(username = "same")).await;
    let error = check::fails(result, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "it is the unique constraint")?;
    check::eq(usernames(User::all()).await?, ["ann", "bob", "cyd"])
}

/// A text that is too long is refused before it is sent.
async fn update_validates_before_sending(cx: &Context) -> CaseResult {
    let long = "x".repeat(201);
    let work = async { Post::all().update(kw!(title = &long)).await };
    let (result, sent) = cx.watch(work).await;
    let error = check::fails(result, ErrorKind::Validation)?;
    check::mentions(error, &["title"])?;
    check::eq(sent.len(), 0)
}

/// An update of a query set touches `auto_now` only if it is named.
async fn leaves_auto_now_alone(_: &Context) -> CaseResult {
    let before = Sample::create(kw!(serial = 1, code = "a")).await?;
    Sample::all().update(kw!(stock = 1)).await?;
    let after = Sample::get(kw!(serial = 1)).await?;
    check::eq(after.changed_at, before.changed_at)?;
    Sample::all().update(kw!(changed_at = noon())).await?;
    check::eq(Sample::get(kw!(serial = 1)).await?.changed_at, noon())
}

/// The count is that of the table, without rows that go with it.
async fn counts_its_own_rows(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(User::filter(kw!(username = "ann")).delete().await?, 1)?;
    check::eq(sorted_titles(Post::all()).await?, ["Gamma", "delta"])?;
    check::eq(Post::filter(kw!(views = 99)).delete().await?, 0)?;
    check::eq(Post::all().delete().await?, 2)
}

/// The rows to delete may be chosen over relations.
async fn delete_across_relations(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(
        Post::filter(kw!(author__username = "ann", tags__name = "web"))
            .delete()
            .await?,
        1,
    )?;
    check::eq(
        sorted_titles(Post::all()).await?,
        ["Gamma", "beta", "delta"],
    )?;
    check::eq(
        Tag::exclude(kw!(posts__title__isnull = false))
            .delete()
            .await?,
        1,
    )
}

/// A limit with an order holds for deletes too.
async fn delete_limit_and_order(cx: &Context) -> CaseResult {
    library(cx).await?;
    check::eq(Post::all().order_by("-title").limit(1).delete().await?, 1)?;
    check::eq(Post::all().order_by("title").offset(2).delete().await?, 1)?;
    check::eq(sorted_titles(Post::all()).await?, ["Alpha", "Gamma"])
}

/// Deleting takes the row away; a second time there is none to delete.
async fn instance_once(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    rows.delta.delete().await?;
    check::eq(
        sorted_titles(Post::all()).await?,
        ["Alpha", "Gamma", "beta"],
    )?;
    check::fails(rows.delta.delete().await, ErrorKind::DoesNotExist).map(drop)
}

/// An instance without a key cannot be deleted; nothing is sent.
async fn unsaved_is_refused(cx: &Context) -> CaseResult {
    let nobody = User::default();
    let (result, sent) = cx.watch(async { nobody.delete().await }).await;
    check::fails(result, ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)
}

/// RESTRICT refuses the delete and keeps both rows.
async fn refused_while_referred_to(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    Contract::create(kw!(owner = &rows.cyd)).await?;
    let error = check::fails(rows.cyd.delete().await, ErrorKind::Integrity)?;
    let kind = error.constraint().map(|constraint| constraint.kind());
    check::eq(kind, Some(orm_core::error::ConstraintKind::ForeignKey))?;
    check::eq(
        (User::all().count().await?, Contract::all().count().await?),
        (3, 1),
    )
}

/// The fields of the dictionary change in place; nothing is sent.
async fn sets_fields_and_sends_nothing(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let data =
        serde_json::json!({ "username": "anna", "bio": null, "age": 31, "is_active": false });
    let (result, sent) = cx.watch(async { rows.ann.update_from_dict(data) }).await;
    result?;
    check::eq(sent.len(), 0)?;
    let ann = &rows.ann;
    check::eq(
        (ann.username.as_str(), &ann.bio, ann.age),
        ("anna", &None, Some(31)),
    )?;
    check::eq(ann.is_active, false)?;
    check::eq(User::filter(kw!(username = "ann")).count().await?, 1)
}

/// What the dictionary set is stored by the next save.
async fn then_save_persists(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let data =
        serde_json::json!({ "title": "Omega", "views": 1, "published": "2024-02-29T12:00:00Z" });
    rows.alpha.update_from_dict(data)?;
    rows.alpha.save().await?;
    let stored = Post::get(kw!(title = "Omega")).await?;
    check::eq((stored.id, stored.views), (rows.alpha.id, 1))?;
    check::eq(
        stored.published.map(|at| at.timestamp()),
        Some(1_709_208_000),
    )
}

/// One unknown name keeps every field as it was; all unknown names are reported.
async fn dict_refuses_all_or_nothing(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let data = serde_json::json!({ "username": "x", "usrname": "y", "agee": 1 });
    let error = rows.ann.update_from_dict(data).err();
    let error = error.ok_or_else(|| crate::Failure::new("unknown names were accepted"))?;
    check::mentions(&error, &["usrname", "agee"])?;
    check::eq(
        (rows.ann.username.as_str(), rows.ann.age),
        ("ann", Some(30)),
    )
}

/// The key and the reverse sides of relations cannot be set this way.
async fn refuses_key_and_relations(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let id = rows.ann.id;
    for data in [
        serde_json::json!({ "id": 99 }),
        serde_json::json!({ "posts": [] }),
    ] {
        check::that(
            rows.ann.update_from_dict(data).is_err(),
            "this name is refused",
        )?;
    }
    check::eq(rows.ann.id, id)
}

/// Values that the field cannot hold are refused, all of them together.
async fn refuses_wrong_types(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let long = "x".repeat(51);
    let data = serde_json::json!({ "username": long, "age": "old", "is_active": null });
    match rows.ann.update_from_dict(data) {
        Err(Error::Validation(found)) => {
            let mut fields: Vec<_> = found
                .issues()
                .iter()
                .map(|issue| issue.field.to_string())
                .collect();
            fields.sort();
            check::eq(fields, ["age", "is_active", "username"])?;
        }
        other => return Err(crate::Failure::new(format!("found {other:?}"))),
    }
    check::eq(
        (rows.ann.username.as_str(), rows.ann.age),
        ("ann", Some(30)),
    )
}

/// A row that matched counts, also when the database deleted it along with another one first.
async fn counts_rows_that_cascade_to_each_other(cx: &Context) -> CaseResult {
    let root = Category::create(kw!(name = "root")).await?;
    let leaf = Category::create(kw!(name = "leaf", parent = &root)).await?;
    Category::create(kw!(name = "twig", parent = &leaf)).await?;
    Category::create(kw!(name = "other")).await?;
    cx.ready();
    let named = Category::filter(Category::name.ne("other"));
    check::eq(named.delete().await?, 3)?;
    check::eq(Category::all().count().await?, 1)
}
