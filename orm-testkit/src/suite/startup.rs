//! Starting with several connections, with what is not there, and on other runtimes.
//!
//! These cases change state of the whole process, so they run one at a time.

use crate::case::{Case, CaseResult, Context, Failure};
use crate::models::{Contract, Tag, User};
use crate::{cases, check};
use orm_core::backend::{BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::connection::{self, Connection};
use orm_core::entity::Entity;
use orm_core::error::{Error, ErrorKind};
use orm_core::prelude::*;
use orm_core::runtime::try_run_async;
use orm_core::tortoise;
use std::sync::Arc;

pub(super) const CASES: &[Case] = cases! {
    #[serial] "tortoise::init::database_that_is_not_there" => not_there, ["tortoise.init"];
    #[serial] "tortoise::init::failed_one_changes_nothing" => failed_changes_nothing, ["tortoise.init"], needs [CompositeKeys];
    #[serial] "tortoise::init::wrong_models_are_refused" => wrong_models, ["tortoise.init", "model"];
    #[serial] "tortoise::get_connection::several_by_name" => several_by_name, ["tortoise.get_connection", "tortoise.init"], needs [CompositeKeys];
    #[serial] "tortoise::get_connection::client_of_one_process" => one_client, ["tortoise.get_connection"];
    #[serial] "tortoise::close_connections::without_init" => close_without_init, ["tortoise.close_connections"];
    #[serial] "run_async::runtime::two_programs_in_one_process" => two_programs, ["run_async", "tortoise.init", "tortoise.close_connections"], needs [CompositeKeys];
    "client::runtime::current_thread" => current_thread, ["run_async", "model.create", "model.all"];
    "client::connections::see_one_database" => one_database, ["tortoise.get_connection"], level Full;
    "client::connections::two_of_one_database" => two_clients, ["tortoise.get_connection", "in_transaction"], needs [Transactions];
};

/// Its reverse side does not exist on the other model.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_tag")]
struct SecondTag {
    /// Key.
    #[field(pk)]
    id: i32,
}

fn config(cx: &Context) -> Config {
    Config::new(cx.url()).models(models![Tag])
}

async fn init(cx: &Context, config: Config) -> Result<()> {
    tortoise::init_with(config, std::slice::from_ref(cx.driver())).await
}

/// A database that does not exist is refused, without the password in any message.
async fn not_there(cx: &Context) -> CaseResult {
    tortoise::close_connections().await?;
    let (base, options) = match cx.url().split_once('?') {
        Some((base, options)) => (base, format!("?{options}")),
        None => (cx.url(), String::new()),
    };
    // A folder that is not there, or a database of that name.
    let mut url = format!("{base}_missing/none{options}");
    if let Some((before, _)) = url.split_once("dbname=") {
        url = format!("{before}dbname=kit_missing");
    }
    let result = init(cx, Config::new(url)).await;
    let Err(error) = result else {
        return Err(Failure::new("it is opened"));
    };
    let expected = matches!(error.kind(), ErrorKind::Auth | ErrorKind::Configuration);
    check::that(expected, &format!("{error:?}"))?;
    check::that(connection::all().is_empty(), "nothing is connected")
}

/// A second `init` that fails leaves the first one as it is.
async fn failed_changes_nothing(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Tag::meta()]).await?;
    init(cx, config(cx)).await?;
    Tag::create(kw!(name = "a")).await?;
    check::fails(
        init(cx, Config::new("nosuch://x")).await,
        ErrorKind::Configuration,
    )?;
    let two = config(cx).connection("other", "nosuch://x");
    check::fails(init(cx, two).await, ErrorKind::Configuration)?;
    check::eq(Tag::all().count().await?, 1)?;
    tortoise::close_connections().await?;
    Ok(())
}

/// Models that cannot work together are refused before anything is created.
async fn wrong_models(cx: &Context) -> CaseResult {
    tortoise::close_connections().await?;
    let models = models![Tag, SecondTag];
    let wrong = Config::new(cx.url()).models(models).generate_schemas(true);
    let error = check::fails(init(cx, wrong).await, ErrorKind::Configuration)?;
    check::mentions(error, &["Tag", "SecondTag", "kit_tag"])?;
    check::that(connection::all().is_empty(), "nothing is connected")?;
    let sql = "SELECT 1 FROM kit_tag";
    let rows = cx.client().execute_query(sql, Vec::new()).await;
    check::fails(rows.map(drop), ErrorKind::Statement).map(drop)
}

/// Each connection has its name, and a query runs on the one that it is given.
async fn several_by_name(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Tag::meta()]).await?;
    init(cx, config(cx).connection("archive", cx.url())).await?;
    let archive = connection::get_connection("archive")?;
    check::eq(archive.name(), "archive")?;
    check::that(
        !archive.is_same(&connection::get_connection("default")?),
        "two connections",
    )?;
    Tag::create(kw!(name = "a")).using_db(&archive).await?;
    check::eq(Tag::all().using_db(&archive).count().await?, 1)?;
    check::eq(Tag::all().count().await?, 1)?;
    let error = check::fails(
        connection::get_connection("archives"),
        ErrorKind::Configuration,
    )?;
    check::mentions(error, &["archives", "archive", "default"])?;
    tortoise::close_connections().await?;
    let closed = archive.execute_query("SELECT 1", Vec::new()).await;
    check::that(closed.is_err(), "it is closed too")
}

/// A connection that is asked for twice is one.
async fn one_client(cx: &Context) -> CaseResult {
    init(cx, config(cx)).await?;
    let one = connection::get_connection("default")?;
    check::that(
        one.is_same(&connection::get_connection("default")?),
        "it is one",
    )?;
    check::that(
        one.is_same(&connection::default_connection()?),
        "it is the default",
    )?;
    tortoise::close_connections().await?;
    Ok(())
}

/// Closing before anything was opened is fine.
async fn close_without_init(_: &Context) -> CaseResult {
    tortoise::close_connections().await?;
    tortoise::close_connections().await?;
    check::that(connection::all().is_empty(), "there is none")
}

/// A whole program twice, each on a runtime of its own that ends with it.
async fn two_programs(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Tag::meta()]).await?;
    let (driver, url) = (cx.driver().clone(), cx.url().to_owned());
    let program = move |name: &'static str, driver: Arc<dyn orm_core::backend::Backend>| {
        let config = Config::new(&url).models(models![Tag]);
        try_run_async(async move {
            tortoise::init_with(config, &[driver]).await?;
            Tag::create(kw!(name = name)).await?;
            let count = Tag::all().count().await?;
            tortoise::close_connections().await?;
            Ok::<u64, Error>(count)
        })
    };
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let first = program("a", driver.clone()).and_then(|count| count);
        let second = program("b", driver).and_then(|count| count);
        // The case has ended if nobody listens.
        let _ = sender.send((first, second));
    });
    let (first, second) = receiver
        .await
        .map_err(|_| Failure::new("the thread panicked"))?;
    check::eq((first?, second?), (1, 2))
}

async fn another_client(
    driver: &Arc<dyn orm_core::backend::Backend>,
    url: &str,
) -> Result<Arc<dyn BaseDBAsyncClient>> {
    let url = ConnectionUrl::parse(url)?;
    driver.connect(&url, &ConnectOptions::default()).await
}

/// Everything works on a runtime of one thread.
async fn current_thread(cx: &Context) -> CaseResult {
    async fn program(
        driver: Arc<dyn orm_core::backend::Backend>,
        url: String,
    ) -> Result<(u64, u64)> {
        let client = another_client(&driver, &url).await?;
        let here = Connection::new(connection::DEFAULT, client.clone());
        let work = async {
            let ann = User::create(kw!(username = "ann")).await?;
            Contract::create(kw!(owner = &ann)).await?;
            let counts = (User::all().count().await?, ann.posts.all().count().await?);
            User::filter(kw!(username = "ann"))
                .update(kw!(age = 3))
                .await?;
            Ok(counts)
        };
        let counts = connection::scope(here, work).await;
        client.close().await;
        counts
    }
    let (driver, url) = (cx.driver().clone(), cx.url().to_owned());
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(program(driver, url)),
            Err(error) => Err(Error::configuration(error.to_string())),
        };
        // The case has ended if nobody listens.
        let _ = sender.send(result);
    });
    let counts = receiver
        .await
        .map_err(|_| Failure::new("the thread panicked"))?;
    check::eq(counts?, (1, 0))?;
    check::eq(User::get(kw!(username = "ann")).await?.age, Some(3))
}

/// Whichever connection of the pool a task gets, it sees what the others have stored.
async fn one_database(cx: &Context) -> CaseResult {
    let mut tasks = Vec::new();
    for number in 0..16 {
        tasks.push(tokio::spawn(cx.scope(async move {
            let name = format!("t{number}");
            let tag = Tag::create(kw!(name = name)).await?;
            Tag::get(kw!(id = tag.id)).await
        })));
    }
    for task in tasks {
        task.await
            .map_err(|error| Failure::new(error.to_string()))??;
    }
    check::eq(Tag::all().count().await?, 16)?;
    check::eq(Tag::meta().table, "kit_tag")
}

/// A transaction is on one client: another client of the same database is outside of it.
async fn two_clients(cx: &Context) -> CaseResult {
    let other = another_client(cx.driver(), cx.url()).await?;
    let there = Connection::new("other", other.clone());
    cx.ready();
    let seen: Result<(u64, u64)> = in_transaction(async |_tx| {
        Tag::create(kw!(name = "a")).await?;
        let inside = Tag::all().count().await?;
        let outside = Tag::all().using_db(&there).count().await?;
        Ok((inside, outside))
    })
    .await;
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => {
            other.close().await;
            return Err(error.into());
        }
    };
    let after = Tag::all().using_db(&there).count().await;
    other.close().await;
    check::eq((seen, after?), ((1, 0), 1))
}
