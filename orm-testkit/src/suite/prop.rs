//! Random rows and queries against a reference model, and laws that need none.

use crate::case::{Case, CaseResult, Context};
use crate::cases;
use crate::prop::{self, laws};
use orm_core::transaction::begin;

pub(super) const CASES: &[Case] = cases! {
    "prop::queries::part_1" => queries::<0>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_2" => queries::<1>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_3" => queries::<2>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_4" => queries::<3>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_5" => queries::<4>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_6" => queries::<5>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_7" => queries::<6>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::queries::part_8" => queries::<7>, ["model.filter", "queryset.order_by", "queryset.limit", "queryset.offset", "queryset.prefetch_related"], needs [Transactions];
    "prop::changes::part_1" => changes::<0>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_2" => changes::<1>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_3" => changes::<2>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_4" => changes::<3>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_5" => changes::<4>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_6" => changes::<5>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_7" => changes::<6>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::changes::part_8" => changes::<7>, ["queryset.update", "queryset.delete", "model.filter"], needs [ForeignKeys, Transactions];
    "prop::law::filter_and_exclude_part_the_rows" => laws::filter_and_exclude_part_the_rows, ["model.filter"], needs [Transactions];
    "prop::law::pages_are_the_whole" => laws::pages_are_the_whole, ["queryset.limit", "queryset.offset", "queryset.order_by"], needs [Transactions];
    "prop::law::descending_is_ascending_backwards" => laws::descending_is_ascending_backwards, ["queryset.order_by"], needs [Transactions];
    "prop::law::prefetch_is_the_loop" => laws::prefetch_is_the_loop, ["queryset.prefetch_related", "many_to_many.all"], needs [Transactions];
    "prop::law::bulk_create_is_create_repeated" => laws::bulk_create_is_create_repeated, ["model.bulk_create", "instance.save"], needs [Transactions];
    "prop::law::saved_is_read_back" => laws::saved_is_read_back, ["instance.save"], needs [Transactions];
};

/// One part of the plans that only read.
async fn queries<const PART: u64>(cx: &Context) -> CaseResult {
    cx.ready();
    begin().await?.rollback().await?;
    prop::plans(cx, PART, false).await
}

/// One part of the plans that change rows; each is undone.
async fn changes<const PART: u64>(cx: &Context) -> CaseResult {
    cx.ready();
    begin().await?.rollback().await?;
    prop::plans(cx, PART, true).await
}
