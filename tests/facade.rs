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

#[derive(Model, Clone, Debug, Default)]
pub struct Slot {
    #[field(pk)]
    pub id: Auto<i64>,
    #[field(default = "")]
    pub label: String,
    #[field(related_name = "below", on_delete = Cascade)]
    pub above: Option<ForeignKey<Slot>>,
    pub below: HasMany<Slot>,
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
fn an_auto_key_is_a_key_from_zero_on() -> Result<()> {
    let _one = alone();
    run_async(async {
        let config = Config::new("sqlite::memory:").models(models![Slot]);
        Tortoise::init(config.generate_schemas(true)).await?;
        let mut zero = Slot::create(kw!(id = 0, label = "zero")).await?;
        zero.label = "nought".to_owned();
        zero.save().await?;
        assert_eq!(Slot::get(kw!(id = 0)).await?.label, "nought");
        assert_eq!(Slot::get(kw!(id = zero.id)).await?.id, Auto::new(0));

        let one = Slot::create(kw!(label = "one", above = &zero)).await?;
        let mut two = Slot {
            above: Some((&zero).into()),
            ..Slot::default()
        };
        let error = two.below.all().await.expect_err("not saved yet");
        assert!(matches!(error, Error::Unsaved(_)), "{error}");
        two.save().await?;
        assert_eq!((one.id, two.id), (Auto::new(1), Auto::new(2)));

        let many = Slot::bulk_create(vec![Slot::default(), Slot::default()]).await?;
        assert_eq!([many[0].id, many[1].id], [Auto::new(3), Auto::new(4)]);
        let chosen = [7, 8].map(|id| Slot {
            id: Auto::new(id),
            ..Slot::default()
        });
        Slot::bulk_create(chosen.into()).await?;
        assert_eq!(Slot::filter(kw!(id__in = [0, 7, 9])).count().await?, 2);

        assert_eq!(zero.below.all().count().await?, 2);
        assert_eq!(Slot::filter(kw!(above = &zero)).count().await?, 2);
        assert_eq!(Slot::filter(kw!(above_id = 0)).count().await?, 2);
        let slots = Slot::filter(kw!(id = 0))
            .prefetch_related("below__above")
            .await?;
        let below = slots[0].below.get()?;
        let above = below[0].above.as_ref().expect("it lies below");
        assert_eq!((below.len(), above.get()?.id), (2, Auto::new(0)));
        let keys = Slot::all()
            .order_by("id")
            .values_list((Slot::id, Slot::above_id));
        assert_eq!(keys.await?[..2], [(zero.id, None), (one.id, Some(zero.id))]);

        let unset = Auto::<i64>::unset();
        let error = Slot::filter(kw!(above_id = unset))
            .await
            .expect_err("no key");
        assert!(matches!(error, Error::Unsaved(_)), "{error}");
        let error = Slot::default().delete().await.expect_err("not saved yet");
        assert!(matches!(error, Error::Unsaved(_)), "{error}");
        zero.delete().await?;
        assert_eq!(Slot::all().count().await?, 4);
        Ok(())
    })
}

#[test]
fn a_write_beside_a_guard_of_its_task_fails_at_once() -> Result<()> {
    let _one = alone();
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("notes.db").display());
    run_async(async {
        let config = Config::new(url).models(models![Note]);
        Tortoise::init(config.generate_schemas(true)).await?;
        let guard = begin().await?;
        let begun = std::time::Instant::now();
        let error = Note::create(kw!(text = "beside")).await.expect_err("held");
        assert!(begun.elapsed() < std::time::Duration::from_secs(1));
        assert!(error.to_string().contains("using_db"), "{error}");
        assert_eq!(Note::all().count().await?, 0, "readers have their own");
        Note::create(kw!(text = "inside")).using_db(&guard).await?;
        guard.commit().await?;
        Note::create(kw!(text = "after")).await?;
        assert_eq!(Note::all().count().await?, 2);
        Tortoise::close_connections().await
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
    for (url, hint) in [
        ("postgers://u:canary@localhost/db", "`postgres:`"),
        ("oracle://u:canary@localhost/db", "`sqlite:`"),
    ] {
        let error = run_async(Tortoise::init(url)).expect_err(url);
        let text = error.to_string();
        assert!(text.contains(hint), "{text}");
        assert!(text.contains("Config::backend"), "{text}");
        assert!(!format!("{text} {error:?}").contains("canary"), "{text}");
    }
    let error = run_async(Tortoise::init("sqlite:///no/such/folder/x.db")).expect_err("no folder");
    assert!(error.to_string().contains("/no/such/folder"), "{error}");
}
