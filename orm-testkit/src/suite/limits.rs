//! Sizes: long lists, many rows, deep conditions.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Contract, Tag, User};
use crate::{cases, check};
use orm_core::backend::{Intent, Sink, Statement, StatementText};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use std::collections::HashSet;

pub(super) const CASES: &[Case] = cases! {
    "limits::list::seventy_thousand_values" => seventy_thousand, ["model.filter"], level Full;
    "limits::list::around_the_limit_of_values" => values_in_a_list, ["model.filter"], needs [MaxParams];
    "limits::rows::a_hundred_thousand" => hundred_thousand_rows, ["model.all"], level Full;
    "limits::filter::deep_conditions" => deep_conditions, ["model.filter"];
    "limits::statement::text_of_a_megabyte" => long_statement, ["tortoise.get_connection"];
};

/// A list beyond 16-bit counts matches exactly its members.
async fn seventy_thousand(_: &Context) -> CaseResult {
    for name in ["a", "b", "c"] {
        Tag::create(kw!(name = name)).await?;
    }
    let mut ids: Vec<i32> = (1_000_000..1_070_000).collect();
    check::eq(Tag::filter(kw!(id__in = ids.clone())).count().await?, 0)?;
    ids.push(Tag::get(kw!(name = "b")).await?.id);
    let found = Tag::filter(kw!(id__in = ids.clone())).await?;
    check::eq(found.len(), 1)?;
    check::eq(found[0].name.as_str(), "b")?;
    check::eq(Tag::filter(kw!(id__not_in = ids.clone())).count().await?, 2)?;
    let texts: Vec<String> = (0..70_000).map(|n| format!("t{n}")).collect();
    check::eq(Tag::filter(kw!(name__in = texts.clone())).count().await?, 0)?;
    check::eq(Tag::exclude(kw!(name__in = texts)).count().await?, 3)
}

/// A list around the largest number of bound values works on either side of it.
async fn values_in_a_list(cx: &Context) -> CaseResult {
    let tag = Tag::create(kw!(name = "a")).await?;
    let most = i32::try_from(cx.capabilities().max_params).unwrap_or(i32::MAX);
    for length in [most - 1, most, most + 1] {
        let ids: Vec<i32> = (tag.id..tag.id + length).collect();
        let both = Tag::filter(kw!(id__in = ids, name = "a"));
        check::eq(both.count().await?, 1)?;
    }
    Ok(())
}

/// Every row of a large result arrives, each once.
async fn hundred_thousand_rows(cx: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let first: Vec<Contract> = (0..10).map(|_| contract(&ann)).collect();
    for mut row in first {
        row.save().await?;
    }
    // 10, 110, 12 210, 100 000 rows.
    for limit in [100, 12_100, 87_790] {
        let sql = format!(
            "INSERT INTO kit_contract (owner_id) \
             SELECT a.owner_id FROM kit_contract a, kit_contract b LIMIT {limit}"
        );
        cx.client().execute_query(&sql, Vec::new()).await?;
    }
    let rows = Contract::all().await?;
    check::eq(rows.len(), 100_000)?;
    let ids: HashSet<i32> = rows.iter().map(|row| row.id).collect();
    check::eq(ids.len(), 100_000)?;
    check::that(
        rows.iter().all(|row| *row.owner.key() == ann.id),
        "each row is whole",
    )
}

fn contract(owner: &User) -> Contract {
    Contract {
        id: 0,
        owner: ForeignKey::from_key(owner.id),
    }
}

/// Conditions may be nested deeply; beyond what every database takes they are refused unsent.
async fn deep_conditions(cx: &Context) -> CaseResult {
    for name in ["a", "b"] {
        Tag::create(kw!(name = name)).await?;
    }
    let nested = |depth: i32| {
        // Each turn adds three levels; an even number of negations undo each other.
        (0..depth).fold(Tag::name.eq("a"), |condition, level| {
            !(condition | Tag::id.eq(-1 - level)) & Tag::id.gt(-1)
        })
    };
    let found = Tag::filter(nested(160)).await?;
    let names: Vec<_> = found.iter().map(|tag| tag.name.as_str()).collect();
    check::eq(names, ["a"])?;
    let (result, sent) = cx.watch(async { Tag::filter(nested(5_000)).await }).await;
    check::mentions(check::fails(result, ErrorKind::Validation)?, &["nested"])?;
    check::eq(sent.len(), 0)
}

/// A statement whose text is long is a statement, and leaves a connection that works.
async fn long_statement(cx: &Context) -> CaseResult {
    let text = "x".repeat(1 << 20);
    let sql = format!("SELECT '{text}'");
    let mut lease = cx.client().acquire(Intent::Read).await?;
    for sql in [sql.as_str(), "SELECT 1"] {
        let statement = Statement::new(StatementText::new(sql), Vec::new()).uncached();
        lease.run(&statement, &mut Sink::discard()).await?;
    }
    Ok(())
}
