//! What a save and an update write: named fields, forced forms, nothing at all.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Country, Post, Sample, User, library, noon};
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "write::save::named_fields_only" => named_fields_only, ["instance.save"];
    "write::save::named_fields_still_set_auto_now" => named_fields_set_auto_now, ["instance.save", "fields.datetime.auto_now"];
    "write::save::unknown_field_is_refused_unsent" => unknown_field, ["instance.save"];
    "write::save::forced_forms" => forced_forms, ["instance.save", "exceptions.integrity_error", "exceptions.does_not_exist"];
    "write::save::equals_its_row" => equals_its_row, ["instance.save", "model.create"];
    "write::update::nothing_to_set_sends_nothing" => nothing_to_set, ["queryset.update"];
    "write::update::no_row_is_zero" => no_row_is_zero, ["queryset.update", "queryset.delete"];
    "write::update::every_row_without_a_filter" => every_row, ["queryset.update", "queryset.delete"];
    "write::update::the_key_is_refused_unsent" => key_is_refused, ["queryset.update"];
    "write::update::sets_null" => sets_null, ["queryset.update"];
    "write::update::columns_of_the_same_row" => columns_of_the_same_row, ["queryset.update"];
    "write::update::of_an_empty_selection_sends_nothing" => empty_selection, ["queryset.update", "queryset.delete", "queryset.limit"];
};

/// Fields that are not named keep what another writer gave them.
async fn named_fields_only(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let ann = User::filter(kw!(username = "ann"));
    ann.update(kw!(age = 99)).await?;
    rows.ann.bio = Some("changed".into());
    rows.ann.save().only(["bio"]).await?;
    let stored = User::get(kw!(id = rows.ann.id)).await?;
    check::eq(
        (stored.bio.as_deref(), stored.age),
        (Some("changed"), Some(99)),
    )
}

/// The time of the change is kept also by a save of some fields.
async fn named_fields_set_auto_now(_: &Context) -> CaseResult {
    Sample::create(kw!(serial = 1, code = "a")).await?;
    Sample::all().update(kw!(changed_at = noon())).await?;
    let mut sample = Sample::get(kw!(serial = 1)).await?;
    (sample.stock, sample.state) = (3, "unsaved".into());
    sample.save().only(["stock"]).await?;
    let stored = Sample::get(kw!(serial = 1)).await?;
    check::eq((stored.stock, stored.state.as_str()), (3, "new"))?;
    check::that(stored.changed_at > noon(), "the save set it")?;
    check::eq(stored.changed_at, sample.changed_at)
}

/// A field that is not there, or that is the key, is refused with its name.
async fn unknown_field(cx: &Context) -> CaseResult {
    let mut rows = library(cx).await?;
    let work = async {
        for name in ["nick", "id", "posts"] {
            let refused = rows.ann.save().only([name]).await;
            check::mentions(check::fails(refused, ErrorKind::Field)?, &[name])?;
        }
        CaseResult::Ok(())
    };
    let (result, sent) = cx.watch(work).await;
    result?;
    check::eq(sent.len(), 0)
}

/// A forced insert never updates, a forced update never inserts.
async fn forced_forms(_: &Context) -> CaseResult {
    let mut country = Country {
        code: "NO".into(),
        name: "Norge".into(),
        ..Country::default()
    };
    let missing = country.save().force_update().await;
    check::fails(missing, ErrorKind::DoesNotExist)?;
    check::eq(Country::all().count().await?, 0)?;
    country.save().force_create().await?;
    country.name = "Norway".into();
    let again = check::fails(country.save().force_create().await, ErrorKind::Integrity)?;
    check::that(again.is_unique_violation(), "the key is taken")?;
    check::eq(Country::get(kw!(code = "NO")).await?.name, "Norge")?;
    country.save().force_update().await?;
    check::eq(Country::get(kw!(code = "NO")).await?.name, "Norway")
}

/// Whatever a create or a save returns is what a read gives.
async fn equals_its_row(_: &Context) -> CaseResult {
    let fine = noon() + std::time::Duration::from_nanos(123_456_789);
    let mut made = Sample::create(kw!(serial = 1, code = "a", checked_at = fine)).await?;
    let stored = Sample::get(kw!(serial = 1)).await?;
    check::eq(format!("{made:?}"), format!("{stored:?}"))?;
    made.checked_at = Some(fine + std::time::Duration::from_nanos(1_001));
    made.due_at = fine;
    made.save().await?;
    let stored = Sample::get(kw!(serial = 1)).await?;
    check::eq(format!("{made:?}"), format!("{stored:?}"))
}

/// Without an assignment there is nothing to do.
async fn nothing_to_set(cx: &Context) -> CaseResult {
    library(cx).await?;
    let (result, sent) = cx.watch(async { User::all().update(kw!()).await }).await;
    check::eq(result?, 0)?;
    check::eq(sent.len(), 0)
}

/// No matching row is no error.
async fn no_row_is_zero(cx: &Context) -> CaseResult {
    library(cx).await?;
    let nobody = || User::filter(kw!(username = "nobody"));
    check::eq(nobody().update(kw!(age = 1)).await?, 0)?;
    check::eq(nobody().delete().await?, 0)?;
    check::eq(User::all().count().await?, 3)
}

/// Without a filter every row counts.
async fn every_row(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    check::eq(User::all().update(kw!(bio = "x")).await?, 3)?;
    check::eq(User::filter(kw!(bio = "x")).count().await?, 3)?;
    rows.alpha.tags.clear().await?;
    rows.beta.tags.clear().await?;
    rows.gamma.tags.clear().await?;
    check::eq(Post::all().delete().await?, 4)?;
    check::eq(Post::all().delete().await?, 0)
}

/// The key of rows cannot be updated.
async fn key_is_refused(cx: &Context) -> CaseResult {
    library(cx).await?;
    let work = async {
        User::filter(kw!(username = "ann"))
            .update(kw!(id = 99))
            .await
    };
    let (result, sent) = cx.watch(work).await;
    check::mentions(check::fails(result, ErrorKind::Field)?, &["id"])?;
    check::eq(sent.len(), 0)
}

/// NULL can be set for all rows at once.
async fn sets_null(cx: &Context) -> CaseResult {
    library(cx).await?;
    let (text, number): (Option<String>, Option<i32>) = (None, None);
    check::eq(User::all().update(kw!(bio = text, age = number)).await?, 3)?;
    let empty = User::filter(kw!(bio__isnull = true, age__isnull = true));
    check::eq(empty.count().await?, 3)
}

/// An expression reads the old values of its row, whatever else the update sets.
async fn columns_of_the_same_row(cx: &Context) -> CaseResult {
    library(cx).await?;
    let alpha = || Post::filter(kw!(title = "Alpha"));
    check::eq(alpha().update(kw!(rating = F(views) * 2)).await?, 1)?;
    check::eq(alpha().get(kw!(title = "Alpha")).await?.rating, Some(10))?;
    // NULL in an expression is NULL.
    let beta = || Post::filter(kw!(title = "beta"));
    check::eq(beta().update(kw!(rating = F(rating) + 1)).await?, 1)?;
    check::eq(Post::get(kw!(title = "beta")).await?.rating, None)
}

/// What selects nothing for certain asks for nothing.
async fn empty_selection(cx: &Context) -> CaseResult {
    library(cx).await?;
    let work = async {
        let nobody: [i32; 0] = [];
        let changed = User::filter(kw!(id__in = nobody))
            .update(kw!(age = 1))
            .await?;
        let deleted = User::filter(kw!(id__in = nobody)).delete().await?;
        let limited = User::all().limit(0).delete().await?;
        Ok::<_, Error>((changed, deleted, limited))
    };
    let (result, sent) = cx.watch(work).await;
    check::eq(result?, (0, 0, 0))?;
    check::eq(sent.len(), 0)?;
    check::eq(User::all().count().await?, 3)
}
