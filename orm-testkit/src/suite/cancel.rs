//! Cancellation: every public async operation, dropped at every poll until it completes.
//!
//! After each drop the next users of the pool find it clean and store what they are told, a client
//! outside the pool can write at once, and what the operation was to store is there as a whole or
//! not at all; as a whole if it had completed. Pools of one and of two connections.

use super::operation as op;
use super::trial::{self, Bench, Ends, Operation, Polls, Subject, Work};
use crate::case::{Case, CaseResult, Context, Failure};
use crate::fault::Injector;
use crate::models::{Tag, User};
use crate::{Level, cases, check};
use orm_core::backend::{ConnectOptions, ConnectionUrl, Intent};
use orm_core::connection;
use orm_core::entity::Entity;
use orm_core::prelude::*;
use orm_core::sql::ddl::SchemaOptions;
use orm_core::tortoise;
use std::time::Duration;

/// Polls after which an operation must have ended.
const MOST_POLLS: usize = 600;

/// The cases that drop operations at every poll, each with the operations that it drops, by their
/// names in the sources of orm-core: `Type` for one that is awaited itself, `Type::method`, and
/// `module::function`.
pub(super) const OPERATIONS: &[(&str, &[&str])] = &[
    ("cancel::create::at_every_poll", &["Create"]),
    ("cancel::save::at_every_poll", &["Save"]),
    ("cancel::save_new::at_every_poll", &["Save"]),
    (
        "cancel::delete_instance::at_every_poll",
        &["DeleteInstance"],
    ),
    ("cancel::bulk_create::at_every_poll", &["BulkCreate"]),
    ("cancel::bulk_create_plain::at_every_poll", &["BulkCreate"]),
    ("cancel::query::at_every_poll", &["QuerySet"]),
    (
        "cancel::prefetch::at_every_poll",
        &["queryset::fetch_related"],
    ),
    ("cancel::get::at_every_poll", &["Get"]),
    ("cancel::get_or_none::at_every_poll", &["GetOrNone"]),
    ("cancel::first::at_every_poll", &["First"]),
    ("cancel::count::at_every_poll", &["Count"]),
    ("cancel::exists::at_every_poll", &["Exists"]),
    ("cancel::update::at_every_poll", &["Update"]),
    ("cancel::delete::at_every_poll", &["Delete"]),
    ("cancel::add::at_every_poll", &["Link"]),
    ("cancel::remove::at_every_poll", &["Link"]),
    ("cancel::clear::at_every_poll", &["Link"]),
    ("cancel::fetch::at_every_poll", &["ForeignKey::fetch"]),
    ("cancel::fetch_one::at_every_poll", &["HasOne::fetch"]),
    (
        "cancel::nested::at_every_poll",
        &["transaction::in_transaction"],
    ),
    (
        "cancel::nested_fails::at_every_poll",
        &["transaction::in_transaction"],
    ),
    (
        "cancel::transactions_by_name::at_every_poll",
        &[
            "transaction::in_transaction_on",
            "transaction::in_transaction_with",
        ],
    ),
    (
        "cancel::guards::at_every_poll",
        &[
            "transaction::begin",
            "Tx::begin",
            "TxGuard::commit",
            "TxGuard::rollback",
        ],
    ),
    (
        "cancel::guards_by_name::at_every_poll",
        &["transaction::begin_on", "transaction::begin_with"],
    ),
    (
        "cancel::handle::at_every_poll",
        &["Tx::run", "Tx::script", "Tx::scope"],
    ),
    ("cancel::db_run::at_every_poll", &["Db::run"]),
    ("cancel::db_script::at_every_poll", &["Db::script"]),
    ("cancel::db_atomic::at_every_poll", &["Db::atomic"]),
    (
        "cancel::retry::at_every_poll",
        &["transaction::retry", "transaction::retry_if"],
    ),
    (
        "cancel::acquire::at_every_poll",
        &["BaseDBAsyncClient::acquire", "Pool::acquire"],
    ),
    (
        "cancel::close::at_every_poll",
        &["BaseDBAsyncClient::close", "Pool::close"],
    ),
    ("cancel::connect::at_every_poll", &["Backend::connect"]),
    (
        "cancel::client_run::at_every_poll",
        &["BaseDBAsyncClient::run"],
    ),
    (
        "cancel::execute_query::at_every_poll",
        &["BaseDBAsyncClient::execute_query"],
    ),
    (
        "cancel::execute_query_dict::at_every_poll",
        &["BaseDBAsyncClient::execute_query_dict"],
    ),
    (
        "cancel::execute_insert::at_every_poll",
        &["BaseDBAsyncClient::execute_insert"],
    ),
    (
        "cancel::execute_many::at_every_poll",
        &["BaseDBAsyncClient::execute_many"],
    ),
    (
        "cancel::execute_script::at_every_poll",
        &["BaseDBAsyncClient::execute_script"],
    ),
    (
        "cancel::lease::at_every_poll",
        &[
            "Lease::run",
            "Lease::begin",
            "Lease::commit",
            "Lease::savepoint",
            "Lease::rollback_to",
            "Lease::release",
        ],
    ),
    (
        "cancel::lease_rolls_back::at_every_poll",
        &["Lease::rollback", "Lease::run_script"],
    ),
    (
        "cancel::lease_many::at_every_poll",
        &["Lease::execute_many"],
    ),
    (
        "cancel::run_many::at_every_poll",
        &[
            "BaseDBAsyncClient::run_many",
            "Db::run_many",
            "Lease::run_many",
            "Tx::run_many",
        ],
    ),
    (
        "cancel::bulk_without_keys::at_every_poll",
        &["Db::bulk_insert", "Lease::bulk_insert", "Tx::bulk_insert"],
    ),
    ("cancel::raw_begin::at_every_poll", &["Lease::run"]),
    (
        "cancel::scopes::at_every_poll",
        &["connection::scope", "Recorder::scope", "instrument::record"],
    ),
    (
        "cancel::create_tables::at_every_poll",
        &["tortoise::create_tables", "tortoise::create_tables_with"],
    ),
    ("cancel::init::at_every_poll", &["tortoise::init_with"]),
    (
        "cancel::generate_schemas::at_every_poll",
        &["tortoise::generate_schemas"],
    ),
    (
        "cancel::close_connections::at_every_poll",
        &["tortoise::close_connections"],
    ),
];

/// Cases of operations that work on the rows of a try.
macro_rules! operations {
    ($($name:ident, $kept:ident, [$($item:literal),*], [$($need:ident),*];)*) => {
        &[$(Case {
            id: concat!("cancel::", stringify!($name), "::at_every_poll"),
            covers: &[$($item),*],
            needs: &[$($crate::Capability::$need),*],
            level: Level::Full,
            serial: false,
            network: false,
            run: |cx| Box::pin(at_every_poll(cx, op::$kept(op::$name))),
        }),*]
    };
}

pub(super) const CASES: &[Case] = operations! {
    create, whole, ["model.create"], [];
    save, whole, ["instance.save"], [];
    save_new, whole, ["instance.save"], [];
    delete_instance, whole, ["instance.delete"], [];
    bulk_create, whole, ["model.bulk_create"], [Transactions];
    bulk_create_plain, whole, ["model.bulk_create"], [MultiRowInsert];
    query, whole, ["model.filter"], [];
    prefetch, whole, ["queryset.prefetch_related"], [];
    get, whole, ["model.get"], [];
    get_or_none, whole, ["model.get"], [];
    first, whole, ["model.filter"], [];
    count, whole, ["model.filter"], [];
    exists, whole, ["model.filter"], [];
    update, whole, ["queryset.update"], [];
    delete, whole, ["queryset.delete"], [];
    add, whole, ["many_to_many.add"], [IgnoreConflicts];
    remove, whole, ["many_to_many.remove"], [];
    clear, whole, ["many_to_many.clear"], [];
    fetch, whole, ["foreign_key.access"], [];
    nested, whole, ["in_transaction"], [Transactions, Savepoints];
    nested_fails, whole, ["in_transaction"], [Transactions, Savepoints];
    transactions_by_name, piecemeal, ["in_transaction"], [Transactions];
    guards, whole, ["in_transaction"], [Transactions, Savepoints];
    guards_by_name, whole, ["in_transaction"], [Transactions];
    handle, whole, ["in_transaction"], [Transactions];
    db_run, whole, ["model.create"], [];
    db_script, piecemeal, ["tortoise.get_connection"], [];
    db_atomic, whole, ["in_transaction"], [Transactions];
    retry, piecemeal, ["in_transaction"], [Transactions];
    acquire, whole, ["tortoise.get_connection"], [];
    client_run, whole, ["tortoise.get_connection"], [];
    execute_query, whole, ["tortoise.get_connection"], [];
    execute_query_dict, whole, ["tortoise.get_connection"], [];
    execute_insert, whole, ["tortoise.get_connection"], [];
    execute_many, whole, ["tortoise.get_connection"], [Transactions];
    execute_script, piecemeal, ["tortoise.get_connection"], [];
    lease, whole, ["in_transaction"], [Transactions, Savepoints];
    lease_rolls_back, whole, ["in_transaction"], [Transactions];
    lease_many, whole, ["tortoise.get_connection"], [Transactions];
    run_many, piecemeal, ["model.create"], [Transactions];
    bulk_without_keys, piecemeal, ["model.bulk_create"], [Transactions, MultiRowInsert];
    raw_begin, whole, ["tortoise.get_connection"], [];
    scopes, whole, ["model.create"], [];
    create_tables, piecemeal, ["tortoise.init.generate_schemas"], [ForeignKeys, IndexIfNotExists];
};

pub(super) const LIFECYCLE: &[Case] = cases! {
    "cancel::fetch_one::at_every_poll" => fetch_one, ["foreign_key.access"], needs [ForeignKeys], level Full;
    "cancel::close::at_every_poll" => close, ["tortoise.close_connections"], level Full;
    "cancel::connect::at_every_poll" => connect, ["tortoise.init"], level Full;
    #[serial] "cancel::init::at_every_poll" => init, ["tortoise.init"], needs [ForeignKeys, IndexIfNotExists], level Full;
    #[serial] "cancel::generate_schemas::at_every_poll" => generate_schemas, ["tortoise.init.generate_schemas"], needs [ForeignKeys, IndexIfNotExists], level Full;
    #[serial] "cancel::close_connections::at_every_poll" => close_connections, ["tortoise.close_connections"], needs [ForeignKeys, IndexIfNotExists], level Full;
};

/// Drops the operation at poll 0, 1, 2, … until it completes.
async fn at_every_poll(cx: &Context, operation: Operation) -> CaseResult {
    for size in [1, 2] {
        let mut bench = Bench::open(cx, size, None).await?;
        let ends = Ends::of(cx, &mut bench, operation).await?;
        let mut polls = 0;
        loop {
            let when = format!("dropped after {polls} polls in a pool of {size}");
            let at = |failure: Failure| failure.when(&when);
            let subject = bench.subject().await.map_err(at)?;
            let done = bench
                .inside(Polls::new((operation.run)(&subject), polls))
                .await;
            let done = done
                .transpose()
                .map_err(|error| at(error.into()))?
                .is_some();
            let stored = bench.stored(&subject).await.map_err(at)?;
            match done {
                true => check::eq(&stored, &ends.after).map_err(at)?,
                false => ends.admit(&stored, operation, &when)?,
            }
            bench.no_lock_is_left(&subject).await.map_err(at)?;
            bench.pool_is_clean(&subject).await.map_err(at)?;
            if done {
                break;
            }
            polls += 1;
            check::that(polls < MOST_POLLS, "the operation ends")?;
        }
        // Every call of the driver has yielded before and after.
        check::that(
            polls >= ends.calls.len(),
            "it was dropped around every call",
        )?;
        bench.close().await;
    }
    Ok(())
}

/// A place to sit.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_seat")]
struct Seat {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Who sits there.
    card: HasOne<Card>,
}

/// Says who sits where.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_card")]
struct Card {
    /// Key.
    #[field(pk)]
    id: i32,
    /// The place.
    #[field(related_name = "card")]
    seat: OneToOne<Seat>,
}

async fn fetch_one(cx: &Context) -> CaseResult {
    let here = connection::default_connection()?;
    let options = SchemaOptions::new();
    cx.ready();
    tortoise::create_tables_with(&here, &[Seat::meta(), Card::meta()], &options).await?;
    fn run(_: &Subject) -> Work<'_> {
        Box::pin(async {
            let seat = Seat::create(kw!()).await?;
            let card = Card::create(kw!(seat = &seat)).await?;
            let seat = Seat::get(kw!(id = seat.id)).await?;
            match seat.card.fetch().await? {
                Some(found) if found.id == card.id => Ok(()),
                other => Err(Error::configuration(format!("found {other:?}"))),
            }
        })
    }
    at_every_poll(cx, op::whole(run)).await
}

/// A client that is closed half way is closed, and another one of the same database works.
async fn close(cx: &Context) -> CaseResult {
    for polls in 0..MOST_POLLS {
        let bench = Bench::open(cx, 2, None).await?;
        let held = bench.pool.acquire(Intent::Write).await?;
        let done = Polls::new(bench.pool.close(), polls).await.is_some();
        drop(held);
        if done {
            check::that(
                bench.pool.acquire(Intent::Read).await.is_err(),
                "a closed client lends nothing",
            )?;
        }
        // Closing again ends it, whatever the first call had done.
        tokio::time::timeout(trial::SOON, bench.pool.close())
            .await
            .map_err(|_| Failure::new("closing again did not end"))?;
        let name = format!("closed {polls}");
        bench
            .outside(Tag::create(kw!(name = name)).into_future())
            .await?;
        bench.close().await;
        if done {
            return Ok(());
        }
    }
    Err(Failure::new("closing did not end"))
}

/// Opening a client half way leaves nothing that is in the way.
async fn connect(cx: &Context) -> CaseResult {
    let bench = Bench::open(cx, 1, None).await?;
    let (driver, url) = (
        Injector::new().driver(cx.driver().clone()),
        ConnectionUrl::parse(cx.url())?,
    );
    for polls in 0..MOST_POLLS {
        let options = ConnectOptions::default();
        let client = Polls::new(driver.connect(&url, &options), polls)
            .await
            .transpose()?;
        let name = format!("connect {polls}");
        let write = bench.outside(Tag::create(kw!(name = name)).into_future());
        tokio::time::timeout(trial::SOON, write)
            .await
            .map_err(|_| Failure::new(format!("no write after {polls} polls")))??;
        if let Some(client) = client {
            client.execute_query("SELECT 1", Vec::new()).await?;
            client.close().await;
            bench.close().await;
            return Ok(());
        }
    }
    Err(Failure::new("connecting did not end"))
}

fn config(cx: &Context) -> Config {
    let models = models![User, Tag];
    Config::new(cx.url())
        .models(models)
        .acquire_timeout(Duration::from_secs(4))
}

/// An `init` that was dropped is followed by one that works.
async fn init(cx: &Context) -> CaseResult {
    let driver = [Injector::new().driver(cx.driver().clone())];
    for polls in 0..MOST_POLLS {
        let start = config(cx).generate_schemas(true);
        let work = tortoise::init_with(start.clone(), &driver);
        let done = Polls::new(work, polls).await.transpose()?.is_some();
        if !done {
            tortoise::init_with(start, &driver).await?;
        }
        Tag::create(kw!(name = format!("init {polls}"))).await?;
        check::eq(Tag::all().count().await?, polls as u64 + 1)?;
        tortoise::close_connections().await?;
        if done {
            return Ok(());
        }
    }
    Err(Failure::new("`init` did not end"))
}

/// Making the tables half way is followed by making the rest.
async fn generate_schemas(cx: &Context) -> CaseResult {
    let driver = [Injector::new().driver(cx.driver().clone())];
    tortoise::init_with(config(cx), &driver).await?;
    for polls in 0..MOST_POLLS {
        let work = tortoise::generate_schemas(true);
        let done = Polls::new(work, polls).await.transpose()?.is_some();
        if !done && polls % 2 == 0 {
            continue;
        }
        tortoise::generate_schemas(true).await?;
        Tag::create(kw!(name = format!("schema {polls}"))).await?;
        if done {
            tortoise::close_connections().await?;
            return Ok(());
        }
    }
    Err(Failure::new("it did not end"))
}

/// Closing half way is followed by closing, and by `init`.
async fn close_connections(cx: &Context) -> CaseResult {
    let driver = [Injector::new().driver(cx.driver().clone())];
    for polls in 0..MOST_POLLS {
        tortoise::init_with(config(cx).generate_schemas(true), &driver).await?;
        Tag::create(kw!(name = format!("close {polls}"))).await?;
        let done = Polls::new(tortoise::close_connections(), polls).await;
        let done = done.transpose()?.is_some();
        tortoise::close_connections().await?;
        check::that(Tag::all().await.is_err(), "it is closed")?;
        if done {
            return Ok(());
        }
    }
    Err(Failure::new("closing did not end"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_case_is_in_the_list_of_operations() {
        let listed: BTreeSet<_> = OPERATIONS.iter().map(|(case, _)| *case).collect();
        let cases: BTreeSet<_> = CASES.iter().chain(LIFECYCLE).map(|case| case.id).collect();
        assert_eq!(listed, cases);
        assert_eq!(listed.len(), OPERATIONS.len());
    }
}
