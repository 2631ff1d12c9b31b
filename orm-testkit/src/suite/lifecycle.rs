//! Start and end of a program: `Tortoise::init`, schema generation, connections, `run_async`.
//!
//! These cases change state of the whole process, so they run one at a time.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Tag, User};
use crate::{Failure, cases, check};
use orm_core::connection;
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::runtime::try_run_async;
use orm_core::tortoise;

pub(super) const CASES: &[Case] = cases! {
    #[serial] "tortoise::init::makes_tables_and_connects" => makes_tables_and_connects, ["tortoise.init", "tortoise.init.generate_schemas"], needs [CompositeKeys, ForeignKeys, IgnoreConflicts, IndexIfNotExists];
    #[serial] "tortoise::init::without_schemas_makes_no_table" => without_schemas_makes_no_table, ["tortoise.init.generate_schemas"], needs [CompositeKeys, ForeignKeys, IndexIfNotExists];
    #[serial] "tortoise::init::twice_is_safe" => twice_is_safe, ["tortoise.init", "tortoise.init.generate_schemas"], needs [CompositeKeys, ForeignKeys, IndexIfNotExists];
    #[serial] "tortoise::init::bad_urls_are_refused" => bad_urls_are_refused, ["tortoise.init"];
    #[serial] "tortoise::get_connection::default_and_unknown" => default_and_unknown, ["tortoise.get_connection"];
    #[serial] "tortoise::get_connection::before_init" => before_init, ["tortoise.get_connection"];
    #[serial] "tortoise::close_connections::then_queries_are_refused" => then_queries_are_refused, ["tortoise.close_connections"], needs [CompositeKeys, ForeignKeys, IndexIfNotExists];
    #[serial] "tortoise::close_connections::twice_and_again_init" => twice_and_again_init, ["tortoise.close_connections", "tortoise.init"], needs [CompositeKeys, ForeignKeys, IndexIfNotExists];
    #[serial] "run_async::result::value_and_error" => value_and_error, ["run_async"];
    #[serial] "run_async::runtime::inside_one_is_refused" => inside_one_is_refused, ["run_async"];
    #[serial] "run_async::runtime::one_after_the_other" => one_after_the_other, ["run_async"];
};

fn config(cx: &Context) -> Config {
    Config::new(cx.url()).models(models![User, Post, Tag])
}

async fn init(cx: &Context, config: Config) -> Result<()> {
    tortoise::init_with(config, std::slice::from_ref(cx.driver())).await
}

/// After `init` with schemas, models are ready to use, those reached by relations too.
async fn makes_tables_and_connects(cx: &Context) -> CaseResult {
    init(cx, config(cx).generate_schemas(true)).await?;
    let user = User::create(kw!(username = "ann")).await?;
    let post = Post::create(kw!(title = "Hello", author = &user)).await?;
    let tag = Tag::create(kw!(name = "rust")).await?;
    cx.ready();
    post.tags.add(&tag).await?;
    check::eq(
        User::filter(kw!(posts__tags__name = "rust"))
            .count()
            .await?,
        1,
    )?;
    tortoise::close_connections().await?;
    Ok(())
}

/// Without schemas there is no table until they are asked for.
async fn without_schemas_makes_no_table(cx: &Context) -> CaseResult {
    init(cx, config(cx)).await?;
    check::fails(User::all().count().await, ErrorKind::Statement)?;
    cx.ready();
    tortoise::generate_schemas(true).await?;
    check::eq(User::all().count().await?, 0)?;
    tortoise::close_connections().await?;
    Ok(())
}

/// A second `init` keeps the tables and their rows.
async fn twice_is_safe(cx: &Context) -> CaseResult {
    init(cx, config(cx).generate_schemas(true)).await?;
    User::create(kw!(username = "ann")).await?;
    init(cx, config(cx).generate_schemas(true)).await?;
    check::eq(User::all().count().await?, 1)?;
    tortoise::close_connections().await?;
    Ok(())
}

/// A URL that nobody serves, or that is none, is refused with what there is, and no password.
async fn bad_urls_are_refused(cx: &Context) -> CaseResult {
    for url in ["nosuchdatabase://u:hush@host/x", "no-url-at-all", ""] {
        let error = check::fails(init(cx, Config::new(url)).await, ErrorKind::Configuration)?;
        check::that(
            !error.to_string().contains("hush"),
            "no password in messages",
        )?;
    }
    let scheme = cx.driver().schemes()[0];
    let error = check::fails(
        init(cx, Config::new("nosuch://x")).await,
        ErrorKind::Configuration,
    )?;
    check::mentions(error, &["nosuch", scheme])
}

/// The connection is found by its name; the error for another name lists those that exist.
async fn default_and_unknown(cx: &Context) -> CaseResult {
    init(cx, config(cx)).await?;
    let rows = connection::get_connection("default")?
        .execute_query("SELECT 1", Vec::new())
        .await?;
    check::eq(rows.len(), 1)?;
    let error = check::fails(
        connection::get_connection("defualt"),
        ErrorKind::Configuration,
    )?;
    check::mentions(error, &["defualt", "default"])?;
    tortoise::close_connections().await?;
    Ok(())
}

/// Before `init` there is no connection, and the error says what to do.
async fn before_init(_: &Context) -> CaseResult {
    tortoise::close_connections().await?;
    let error = check::fails(
        connection::get_connection("default"),
        ErrorKind::Configuration,
    )?;
    check::mentions(error, &["init"])?;
    check::fails(User::all().await, ErrorKind::Configuration).map(drop)
}

/// After closing, a query is refused; so is a client that was kept.
async fn then_queries_are_refused(cx: &Context) -> CaseResult {
    init(cx, config(cx).generate_schemas(true)).await?;
    let kept = connection::get_connection("default")?;
    tortoise::close_connections().await?;
    check::fails(User::all().await, ErrorKind::Configuration)?;
    check::that(
        kept.execute_query("SELECT 1", Vec::new()).await.is_err(),
        "it is closed",
    )
}

/// Closing again is fine, and `init` starts anew.
async fn twice_and_again_init(cx: &Context) -> CaseResult {
    init(cx, config(cx).generate_schemas(true)).await?;
    User::create(kw!(username = "ann")).await?;
    tortoise::close_connections().await?;
    tortoise::close_connections().await?;
    init(cx, config(cx)).await?;
    check::eq(User::all().count().await?, 1)?;
    tortoise::close_connections().await?;
    Ok(())
}

/// Runs a function on a thread without a runtime, as the main function of a program is.
async fn on_a_plain_thread<T: Send + 'static>(work: fn() -> T) -> CaseResult<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // The case has ended if nobody listens.
        let _ = sender.send(work());
    });
    receiver
        .await
        .map_err(|_| Failure::new("the thread panicked"))
}

/// The result of the future is that of the call, errors too.
async fn value_and_error(_: &Context) -> CaseResult {
    let value = on_a_plain_thread(|| run_async(async { 6 * 7 })).await?;
    check::eq(value, 42)?;
    let failed = on_a_plain_thread(|| {
        run_async(async { Err::<(), _>(Error::configuration("as intended")) })
    });
    check::fails(failed.await?, ErrorKind::Configuration).map(drop)
}

/// Where a runtime runs already it is refused with an error that says what to do.
async fn inside_one_is_refused(_: &Context) -> CaseResult {
    let refused = try_run_async(async { 1 });
    check::mentions(check::fails(refused, ErrorKind::Configuration)?, &["await"])
}

/// A program may call it several times.
async fn one_after_the_other(_: &Context) -> CaseResult {
    let sum = on_a_plain_thread(|| run_async(async { 1 }) + run_async(async { 2 })).await?;
    check::eq(sum, 3)
}
