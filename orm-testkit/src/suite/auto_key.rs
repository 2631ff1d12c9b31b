//! Generated keys whose unset state is not zero.

use crate::case::{Case, CaseResult, Context};
use crate::models::Slot;
use crate::{cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "auto_key::zero::is_stored_and_found" => zero_is_stored_and_found, ["fields.int.pk", "model.create"];
    "auto_key::zero::can_be_referred_to" => zero_can_be_referred_to, ["fields.int.pk", "foreign_key.access"];
    "auto_key::zero::is_updated_and_deleted" => zero_is_updated_and_deleted, ["instance.save", "instance.delete"];
    "auto_key::unset::is_generated" => unset_is_generated, ["fields.int.pk", "instance.save"];
    "auto_key::unset::is_no_value" => unset_is_no_value, ["model.filter"];
    "auto_key::bulk::with_and_without_keys" => with_and_without_keys, ["model.bulk_create"], needs [MultiRowInsert];
};

/// A given key of zero is the row's key, not one that the database makes up.
async fn zero_is_stored_and_found(_: &Context) -> CaseResult {
    let zero = Slot::create(kw!(id = 0, label = "zero")).await?;
    check::eq(zero.id, Auto::new(0))?;
    check::eq(Slot::get(kw!(id = 0)).await?.label.as_str(), "zero")?;
    check::eq(Slot::all().await?[0].id, Auto::new(0))
}

/// Foreign keys, reverse sides and loading treat zero as any other key.
async fn zero_can_be_referred_to(_: &Context) -> CaseResult {
    let zero = Slot::create(kw!(id = 0)).await?;
    let next = Slot::create(kw!(id = 1, before = &zero)).await?;
    check::eq(next.before.as_ref().map(ForeignKey::id), Some(zero.id))?;
    check::eq(zero.next.all().count().await?, 1)?;
    check::eq(Slot::filter(kw!(before_id = 0)).count().await?, 1)?;
    check::eq(Slot::filter(kw!(before = &zero)).count().await?, 1)?;
    let found = Slot::filter(kw!(id = 0)).prefetch_related("next").await?;
    check::eq(found[0].next.get()?.len(), 1)
}

/// A save of an instance whose key is zero updates its row.
async fn zero_is_updated_and_deleted(_: &Context) -> CaseResult {
    let mut zero = Slot::create(kw!(id = 0)).await?;
    zero.label = "changed".to_owned();
    zero.save().await?;
    check::eq(Slot::all().count().await?, 1)?;
    check::eq(Slot::get(kw!(id = 0)).await?.label.as_str(), "changed")?;
    zero.delete().await?;
    check::eq(Slot::all().count().await?, 0)
}

/// An unset key is generated, by `create` and by `save`.
async fn unset_is_generated(_: &Context) -> CaseResult {
    let first = Slot::create(kw!(label = "first")).await?;
    let mut second = Slot::default();
    check::that(!second.id.is_set(), "a new key is unset")?;
    second.save().await?;
    check::that(first.id.is_set() && second.id.is_set(), "both have keys")?;
    check::that(first.id != second.id, "the keys differ")?;
    check::eq(Slot::get(kw!(id = second.id)).await?.id, second.id)
}

/// An unset key cannot be compared with, stored in a foreign key, or asked for related rows.
async fn unset_is_no_value(cx: &Context) -> CaseResult {
    let unset = Slot::default();
    let work = async {
        Slot::filter(kw!(before_id = unset.id))
            .await
            .map(|rows| rows.len())
    };
    let (result, sent) = cx.watch(work).await;
    check::fails(result, ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)?;
    check::fails(
        Slot::create(kw!(before = &unset)).await.map(drop),
        ErrorKind::Unsaved,
    )?;
    check::fails(
        Slot::create(kw!(before_id = unset.id)).await.map(drop),
        ErrorKind::Unsaved,
    )?;
    check::fails(unset.next.all().count().await, ErrorKind::Unsaved)?;
    check::fails(unset.delete().await, ErrorKind::Unsaved).map(drop)
}

/// `bulk_create` generates the keys that are unset and keeps the others, zero among them.
async fn with_and_without_keys(_: &Context) -> CaseResult {
    let given = |id: i64| Slot {
        id: Auto::new(id),
        ..Slot::default()
    };
    let made = Slot::bulk_create(vec![Slot::default(), Slot::default()]).await?;
    check::that(made[0].id < made[1].id, "generated keys ascend")?;
    check::that(made[0].id.is_set(), "they are set")?;
    let kept = Slot::bulk_create(vec![given(0), given(500)]).await?;
    check::eq([kept[0].id, kept[1].id], [Auto::new(0), Auto::new(500)])?;
    check::eq(Slot::filter(kw!(id__in = [0, 500])).count().await?, 2)
}
