//! What the facade adds to the core: start and stop, connections by name, synchronous callers.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;
use fast_django::orm::{Value, try_run_async};
use serde_json::json;
use std::sync::Mutex;

#[derive(Model, Clone, Debug, Default)]
pub struct Note {
    #[field(pk)]
    pub id: i32,
    pub text: String,
}

/// The connections are those of the process.
static ONE: Mutex<()> = Mutex::new(());

fn alone() -> std::sync::MutexGuard<'static, ()> {
    ONE.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn start() -> Result<()> {
    let config = Config::new("sqlite::memory:")
        .models(models![Note])
        .generate_schemas(true);
    Tortoise::init(config).await
}

#[test]
fn raw_sql_takes_part_in_the_transaction_of_its_task() -> Result<()> {
    let _one = alone();
    run_async(async {
        start().await?;
        let undone: Result<()> = in_transaction(async |_tx| {
            let connection = Tortoise::get_connection("default")?;
            connection
                .execute_query("INSERT INTO note (text) VALUES (?)", vec!["raw".into()])
                .await?;
            assert_eq!(Note::all().count().await?, 1);
            Err(Error::validation("text", "undo"))
        })
        .await;
        assert!(undone.is_err());
        assert_eq!(Note::all().count().await?, 0);
        Ok(())
    })
}

#[test]
fn run_async_can_be_called_again_and_refuses_inside_a_runtime() -> Result<()> {
    let _one = alone();
    for _ in 0..2 {
        let id = run_async(async {
            start().await?;
            Ok::<_, Error>(Note::create(kw!(text = "x")).await?.id)
        })?;
        assert_eq!(id, 1, "each start has a memory of its own");
    }
    let refused = run_async(async { try_run_async(async {}).is_err() });
    assert!(refused, "blocking inside a runtime would deadlock");
    let after = run_async(async { Note::all().await });
    assert!(after.is_err_and(|e| e.to_string().contains("Tortoise::init")));
    Ok(())
}

#[test]
fn a_dictionary_configures_connections_by_name() -> Result<()> {
    let _one = alone();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("other.db");
    run_async(async {
        Tortoise::init(json!({
            "connections": {
                "default": "sqlite::memory:",
                "other": {
                    "engine": "tortoise.backends.sqlite",
                    "credentials": {"file_path": file.to_str()},
                },
            },
        }))
        .await?;
        let other = Tortoise::get_connection("other")?;
        let rows = other.execute_query("SELECT ? + 1", vec![41.into()]).await?;
        assert_eq!(rows.rows()[0][0], Value::I64(42));
        let unknown = Tortoise::get_connection("othr").expect_err("no such name");
        assert!(unknown.to_string().contains("`other`"), "{unknown}");
        Tortoise::close_connections().await?;
        Tortoise::close_connections().await
    })?;
    assert!(file.exists());
    Ok(())
}

#[test]
fn an_unknown_scheme_and_a_missing_folder_say_what_to_do() {
    let _one = alone();
    let error =
        run_async(Tortoise::init("postgres://u:canary@localhost/db")).expect_err("no driver");
    let text = error.to_string();
    assert!(
        text.contains("postgres") && text.contains("Cargo feature"),
        "{text}"
    );
    assert!(!format!("{text} {error:?}").contains("canary"), "{text}");
    let error = run_async(Tortoise::init("sqlite:///no/such/folder/x.db")).expect_err("no folder");
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}
