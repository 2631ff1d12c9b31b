//! Defects that were found once, each with the case that showed it.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;
use fast_django::orm::{ErrorKind, Value};
use std::sync::Mutex;

#[derive(Model, Clone, Debug, Default)]
pub struct Owner {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 20)]
    pub name: String,
    pub age: Option<i32>,
    pub pets: HasMany<Pet>,
}

/// Its field names are those of the parameters in generated code.
#[derive(Model, Clone, Debug, Default)]
pub struct Pet {
    #[field(pk)]
    pub id: i32,
    pub row: i32,
    pub at: DateTime<Utc>,
    #[field(related_name = "pets")]
    pub owner: ForeignKey<Owner>,
}

#[derive(Model, Clone, Debug, Default)]
pub struct Reader {
    #[field(pk)]
    pub id: i32,
    #[field(auto_now)]
    pub seen: DateTime<Utc>,
    pub card: HasOne<Card>,
}

#[derive(Model, Clone, Debug, Default)]
pub struct Card {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "card")]
    pub reader: OneToOne<Reader>,
}

static ONE: Mutex<()> = Mutex::new(());

/// Runs a case on an empty database in memory, alone.
fn case<F: Future<Output = Result<()>>>(future: F) {
    let _one = ONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let result: Result<()> = run_async(async {
        let config = Config::new("sqlite::memory:").models(models![Owner, Pet, Reader, Card]);
        Tortoise::init(config.generate_schemas(true)).await?;
        future.await
    });
    result.expect("the case holds");
}

#[test]
fn excluding_an_always_true_condition_leaves_nothing() {
    case(async {
        Owner::create(kw!(name = "a")).await?;
        Owner::create(kw!(name = "b", age = 3)).await?;
        let none: Vec<i32> = Vec::new();
        assert_eq!(
            Owner::exclude(Owner::age.not_in(none.clone()))
                .count()
                .await?,
            0
        );
        assert_eq!(Owner::exclude(Owner::age.in_(none)).count().await?, 2);
        let empty: Vec<(&str, Value)> = Vec::new();
        assert_eq!(Owner::all().exclude_by(empty).count().await?, 0);
        assert_eq!(Owner::exclude(kw!()).count().await?, 0);
        Ok(())
    });
}

#[test]
fn a_name_of_very_many_relations_is_refused() {
    case(async {
        let deep = format!("{}name", "pets__owner__".repeat(700));
        let error = Owner::filter_by([(deep.as_str(), "x")])
            .await
            .expect_err("too deep");
        assert_eq!(error.kind(), ErrorKind::Field);
        let error = Owner::all()
            .order_by(deep.as_str())
            .await
            .expect_err("too deep");
        assert_eq!(error.kind(), ErrorKind::Field);
        let deep = format!("{}pets", "pets__owner__".repeat(500));
        let error = Owner::all()
            .prefetch_related(deep.as_str())
            .await
            .expect_err("too deep");
        assert_eq!(error.kind(), ErrorKind::Field);
        let deep = format!("{}name", "pets__owner__".repeat(16));
        assert!(Owner::filter_by([(deep.as_str(), "x")]).await?.is_empty());
        Ok(())
    });
}

#[test]
fn a_stored_key_of_zero_is_an_error_and_not_an_unsaved_instance() {
    case(async {
        let connection = Tortoise::get_connection("default")?;
        connection
            .execute_query("INSERT INTO owner (id, name) VALUES (0, 'z')", Vec::new())
            .await?;
        let error = Owner::get(kw!(id = 0))
            .await
            .expect_err("zero means unsaved");
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        assert_eq!(Owner::all().count().await?, 1);
        Ok(())
    });
}

#[test]
fn an_expression_that_overflows_its_column_is_refused() {
    case(async {
        let owner = Owner::create(kw!(name = "a", age = i32::MAX)).await?;
        let error = Owner::all()
            .update(kw!(age = F(age) + 1))
            .await
            .expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::Data, "{error}");
        assert_eq!(Owner::get(kw!(id = owner.id)).await?.age, Some(i32::MAX));
        Ok(())
    });
}

#[test]
fn a_filter_with_a_value_that_cannot_be_stored_names_its_field() {
    case(async {
        let far = DateTime::<Utc>::MAX_UTC;
        let error = Pet::filter(kw!(at__lt = far)).await.expect_err("the year");
        assert!(error.to_string().contains("`at`"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Validation);
        Ok(())
    });
}

/// A model whose key the program chooses: zero is a key.
#[derive(Model, Clone, Debug, Default)]
pub struct Code {
    #[field(pk, generated = false)]
    pub id: i32,
    pub uses: HasMany<Use>,
}

#[derive(Model, Clone, Debug, Default)]
pub struct Use {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "uses")]
    pub code: ForeignKey<Code>,
}

#[test]
fn a_chosen_key_of_zero_is_a_key_wherever_an_instance_is_given() {
    case(async {
        let config = Config::new("sqlite::memory:").models(models![Code, Use]);
        Tortoise::init(config.generate_schemas(true)).await?;
        let code = Code::create(kw!(id = 0)).await?;
        Use::create(kw!(code = &code)).await?;
        assert_eq!(Use::filter(kw!(code = &code)).count().await?, 1);
        assert_eq!(code.uses.all().count().await?, 1);
        Ok(())
    });
}

#[test]
fn fields_may_be_named_like_the_parameters_of_generated_code() {
    case(async {
        let owner = Owner::create(kw!(name = "a")).await?;
        let at = Utc::now();
        let pet = Pet::create(kw!(row = 7, at = at, owner = &owner)).await?;
        assert_eq!(Pet::get(kw!(row = 7)).await?.at, pet.at);
        Ok(())
    });
}

#[test]
fn a_leap_second_is_the_same_in_memory_and_in_the_row() {
    case(async {
        let owner = Owner::create(kw!(name = "a")).await?;
        let day = chrono::NaiveDate::from_ymd_opt(2016, 12, 31).expect("a day");
        let leap = day
            .and_hms_micro_opt(23, 59, 59, 1_999_999)
            .expect("a leap second")
            .and_utc();
        let pet = Pet::create(kw!(row = 1, at = leap, owner = &owner)).await?;
        assert_eq!(Pet::get(kw!(id = pet.id)).await?.at, pet.at);
        Ok(())
    });
}

#[test]
fn planning_a_long_statement_is_not_charged_to_the_one_before() {
    case(async {
        Owner::create(kw!(name = "a")).await?;
        for _ in 0..3 {
            let long = (0..900).fold(Owner::all(), |query, i| query.filter(kw!(id__gt = -i)));
            assert_eq!(long.count().await?, 1);
        }
        let terms = (0..9_000).fold(Owner::id.ne(-1), |all, i| all & Owner::id.ne(-i));
        assert_eq!(Owner::filter(terms).count().await?, 1);
        Ok(())
    });
}

#[test]
fn reading_relations_of_an_unsaved_instance_says_that_it_is_unsaved() {
    let error = Owner::default().pets.get().expect_err("no owner");
    assert_eq!(error.kind(), ErrorKind::Unsaved, "{error}");
}

#[test]
fn a_save_sets_auto_now_of_an_instance_with_an_old_time() {
    case(async {
        let made = Reader::create(kw!()).await?;
        Reader::all()
            .update(kw!(seen = DateTime::<Utc>::UNIX_EPOCH))
            .await?;
        let mut reader = Reader::get(kw!(id = made.id)).await?;
        assert_eq!(reader.seen, DateTime::<Utc>::UNIX_EPOCH);
        reader.save().await?;
        assert!(reader.seen >= made.seen, "{}", reader.seen);
        assert_eq!(Reader::get(kw!(id = made.id)).await?.seen, reader.seen);
        Ok(())
    });
}

#[test]
fn a_prefetched_one_to_one_without_a_row_is_loaded_as_none() {
    case(async {
        let with = Reader::create(kw!()).await?;
        let without = Reader::create(kw!()).await?;
        let card = Card::create(kw!(reader = &with)).await?;
        let readers = Reader::all()
            .order_by("id")
            .prefetch_related("card")
            .await?;
        assert_eq!(readers[0].card.get()?.map(|c| c.id), Some(card.id));
        assert_eq!(readers[1].id, without.id);
        assert!(readers[1].card.get()?.is_none());
        Ok(())
    });
}

/// Dropping alone stops the statement: nobody touches the session again before its lock is free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_statement_stops_it_before_its_session_is_used_again() {
    use orm_core::backend::{
        ConnectionUrl, Connector, Intent, Session, Sink, Statement, StatementText,
    };
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("stop.db").display());
    let url = ConnectionUrl::parse(&url).expect("a URL");
    let connector = orm_sqlite::SqliteConnector::from_url(&url).expect("a connector");
    let mut dropped = connector.connect(Intent::Write).await.expect("opens");
    let mut other = connector.connect(Intent::Write).await.expect("opens");
    let script = "CREATE TABLE t (a INTEGER)";
    dropped.run_script(script).await.expect("a table");
    // Holds the write lock of the file for seconds when nobody stops it.
    let slow = "INSERT INTO t WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c \
                WHERE x < 40000000) SELECT count(*) FROM c";
    let slow = Statement::new(StatementText::new(slow), Vec::new());
    let mut sink = Sink::discard();
    let limit = Duration::from_millis(50);
    let result = tokio::time::timeout(limit, dropped.run(&slow, &mut sink)).await;
    assert!(result.is_err(), "seconds do not fit into 50 ms");
    let begun = Instant::now();
    let quick = Statement::new(StatementText::new("INSERT INTO t VALUES (1)"), Vec::new());
    let done = other
        .run(&quick, &mut sink)
        .await
        .expect("the lock is free");
    assert_eq!(done.rows_affected, 1);
    let waited = begun.elapsed();
    assert!(waited < Duration::from_millis(500), "it waited {waited:?}");
    drop(dropped);
}
