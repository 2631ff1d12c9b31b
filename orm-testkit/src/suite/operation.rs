//! The public async operations, each as a function on the rows of a try.
//!
//! An operation that reads checks what it has read, so that another one's rows are noticed.

use super::trial::{Operation, Subject, Work};
use crate::models::{Post, Tag, User};
use orm_core::backend::{Intent, Lease, Sink, Statement, StatementText, Step, TransactionOptions};
use orm_core::entity::Entity;
use orm_core::instrument::{self, Recorder};
use orm_core::prelude::*;
use orm_core::transaction::{self, Db, in_transaction_on, in_transaction_with};
use orm_core::value::Value;
use orm_core::{connection, sql, tortoise};

/// An operation that is kept as a whole or not at all.
pub(super) const fn whole(run: for<'a> fn(&'a Subject) -> Work<'a>) -> Operation {
    Operation {
        run,
        piecemeal: false,
    }
}

/// An operation of several statements, each of which is kept or not.
pub(super) const fn piecemeal(run: for<'a> fn(&'a Subject) -> Work<'a>) -> Operation {
    Operation {
        run,
        piecemeal: true,
    }
}

fn expect(holds: bool, what: &str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::configuration(format!("not so: {what}"))),
    }
}

async fn tag(name: String) -> Result<Tag> {
    Tag::create(kw!(name = name)).await
}

/// An insert of one tag, as core renders it.
fn insert(db: &Db, name: String) -> Result<Statement> {
    let at = Tag::meta().position("name").unwrap_or_default();
    sql::insert(
        Tag::meta(),
        &[at],
        vec![Value::from(name)],
        &[],
        db.dialect(),
    )
}

/// An insert of one tag as text. Names of tries need no quoting.
fn insert_text(name: &str) -> String {
    format!("INSERT INTO kit_tag (name) VALUES ('{name}')")
}

fn select_text(name: &str) -> String {
    format!("SELECT name FROM kit_tag WHERE name = '{name}'")
}

pub(super) fn create(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let made = tag(s.name("a")).await?;
        expect(made.name == s.name("a"), "the new instance has its name")
    })
}

pub(super) fn save(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let mut ann = s.ann.clone();
        ann.age = Some(2);
        ann.save().await
    })
}

pub(super) fn save_new(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let mut new = Tag {
            name: s.name("a"),
            ..Tag::default()
        };
        new.save().await?;
        expect(new.id > 0, "a saved instance has a key")
    })
}

pub(super) fn delete_instance(s: &Subject) -> Work<'_> {
    Box::pin(async { s.blue.delete().await })
}

/// Rows with and without keys of their own: more than one statement.
pub(super) fn bulk_create(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let named = |word: &str, id| Tag {
            id,
            name: s.name(word),
            ..Tag::default()
        };
        let rows = vec![named("a", 0), named("b", s.key(1)), named("c", 0)];
        let made = Tag::bulk_create(rows).await?;
        expect(made.len() == 3, "as many instances as rows")
    })
}

/// Rows that all get their keys from the database.
pub(super) fn bulk_create_plain(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let rows = ["a", "b", "c"].map(|word| Tag {
            name: s.name(word),
            ..Tag::default()
        });
        let made = Tag::bulk_create(rows.to_vec()).await?;
        expect(made.iter().all(|tag| tag.id > 0), "each has a key")
    })
}

pub(super) fn query(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let posts = Post::filter(kw!(author = &s.ann)).order_by("title").await?;
        let titles: Vec<_> = posts.into_iter().map(|post| post.title).collect();
        expect(titles == [s.name("one"), s.name("two")], "its own rows")
    })
}

pub(super) fn prefetch(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let users = User::filter(kw!(id = s.ann.id));
        let users = users.prefetch_related("posts__tags").await?;
        let posts = users.first().map(|ann| ann.posts.get()).transpose()?;
        let mut tags = Vec::new();
        for post in posts.unwrap_or_default() {
            tags.extend(post.tags.get()?.iter().map(|tag| tag.name.clone()));
        }
        expect(tags == [s.name("red")], "its own related rows")
    })
}

pub(super) fn get(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let found = User::get(kw!(username = s.name("ann"))).await?;
        expect(found.id == s.ann.id, "its own row")
    })
}

pub(super) fn get_or_none(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let found = User::get_or_none(kw!(username = s.name("ann"))).await?;
        expect(found.is_some_and(|user| user.id == s.ann.id), "its own row")
    })
}

pub(super) fn first(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let posts = Post::filter(kw!(author = &s.ann)).order_by("title");
        let found = posts.first().await?;
        expect(found.is_some_and(|post| post.id == s.one.id), "its own row")
    })
}

pub(super) fn count(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let count = Post::filter(kw!(author = &s.ann)).count().await?;
        expect(count == 2, "two posts")
    })
}

pub(super) fn exists(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let found = Tag::filter(kw!(name = s.name("red"))).exists().await?;
        let other = Tag::filter(kw!(name = s.name("nothing"))).exists().await?;
        expect(found && !other, "red exists alone")
    })
}

pub(super) fn update(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let posts = Post::filter(kw!(author = &s.ann));
        let updated = posts.update(kw!(views = 7)).await?;
        expect(updated == 2, "two posts")
    })
}

pub(super) fn delete(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let deleted = Tag::filter(kw!(name = s.name("blue"))).delete().await?;
        expect(deleted == 1, "one tag")
    })
}

pub(super) fn add(s: &Subject) -> Work<'_> {
    Box::pin(async { s.one.tags.add([&s.blue, &s.red]).await })
}

pub(super) fn remove(s: &Subject) -> Work<'_> {
    Box::pin(async { s.one.tags.remove(&s.red).await })
}

pub(super) fn clear(s: &Subject) -> Work<'_> {
    Box::pin(async { s.one.tags.clear().await })
}

pub(super) fn fetch(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let one = Post::get(kw!(id = s.one.id)).await?;
        let author = one.author.fetch().await?;
        expect(author.id == s.ann.id, "its own author")
    })
}

/// Three statements, one of them in a nested block.
pub(super) fn nested(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b, c) = (s.name("a"), s.name("b"), s.name("c"));
        in_transaction(async move |_tx| {
            tag(a).await?;
            in_transaction(async move |_tx| tag(b).await).await?;
            tag(c).await
        })
        .await
        .map(drop)
    })
}

/// The nested block fails, the outer one goes on.
pub(super) fn nested_fails(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b, c) = (s.name("a"), s.name("b"), s.name("c"));
        in_transaction(async move |_tx| {
            tag(a).await?;
            let inner: Result<()> = in_transaction(async move |_tx| {
                tag(b).await?;
                Err(Error::Unsaved("Tag"))
            })
            .await;
            match inner {
                Err(Error::Unsaved(_)) => {}
                Err(other) => return Err(other),
                Ok(()) => return Err(Error::configuration("the block did not fail")),
            }
            tag(c).await
        })
        .await
        .map(drop)
    })
}

/// One transaction after the other, with a name and with options.
pub(super) fn transactions_by_name(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b) = (s.name("a"), s.name("b"));
        let block = async move |_tx| tag(a).await;
        in_transaction_on(connection::DEFAULT, block).await?;
        let block = async move |_tx| tag(b).await;
        in_transaction_with(TransactionOptions::new(), block).await?;
        Ok(())
    })
}

pub(super) fn guards(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let outer = begin().await?;
        Tag::create(kw!(name = s.name("a")))
            .using_db(&outer)
            .await?;
        let inner = outer.begin().await?;
        Tag::create(kw!(name = s.name("b")))
            .using_db(&inner)
            .await?;
        inner.rollback().await?;
        let inner = outer.begin().await?;
        Tag::create(kw!(name = s.name("c")))
            .using_db(&inner)
            .await?;
        inner.commit().await?;
        outer.commit().await
    })
}

pub(super) fn guards_by_name(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let first = transaction::begin_on(connection::DEFAULT).await?;
        Tag::create(kw!(name = s.name("a")))
            .using_db(&first)
            .await?;
        first.rollback().await?;
        let second = transaction::begin_with(&TransactionOptions::new()).await?;
        Tag::create(kw!(name = s.name("b")))
            .using_db(&second)
            .await?;
        second.commit().await
    })
}

/// What a handle does, which is all one transaction.
pub(super) fn handle(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let guard = begin().await?;
        let tx = guard.handle();
        let db = Db::from(&tx);
        tx.run(&insert(&db, s.name("a"))?, &mut Sink::discard())
            .await?;
        tx.script(&insert_text(&s.name("b"))).await?;
        tx.scope(async { tag(s.name("c")).await }).await?;
        let rows = tx
            .execute_query(&select_text(&s.name("a")), Vec::new())
            .await?;
        expect(rows.len() == 1, "its own write")?;
        guard.commit().await
    })
}

pub(super) fn db_run(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let db = Db::from(&s.connection);
        let statement = insert(&db, s.name("a"))?;
        db.run(&statement, &mut Sink::discard()).await.map(drop)
    })
}

pub(super) fn db_script(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b) = (insert_text(&s.name("a")), insert_text(&s.name("b")));
        Db::from(&s.connection).script(&format!("{a}; {b}")).await
    })
}

pub(super) fn db_atomic(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b) = (s.name("a"), s.name("b"));
        let block = async move |_tx| {
            tag(a).await?;
            tag(b).await
        };
        Db::from(&s.connection).atomic(block).await.map(drop)
    })
}

/// Two rows in one transaction, which fails between them if told.
fn twice(a: String, b: String, fails: bool) -> Work<'static> {
    let block = async move |_tx| {
        tag(a).await?;
        if fails {
            return Err(Error::Unsaved("Tag"));
        }
        tag(b).await.map(drop)
    };
    Box::pin(in_transaction(block))
}

/// The block fails once with a conflict and is run again as a whole.
pub(super) fn retry(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b) = (s.name("a"), s.name("b"));
        let mut tries = 0;
        transaction::retry_if(
            1,
            |error: &Error| matches!(error, Error::Unsaved(_)),
            move || {
                tries += 1;
                let (a, b, fails) = (a.clone(), b.clone(), tries == 1);
                twice(a, b, fails)
            },
        )
        .await?;
        let c = s.name("c");
        transaction::retry(0, move || tag(c.clone()))
            .await
            .map(drop)
    })
}

pub(super) fn acquire(s: &Subject) -> Work<'_> {
    Box::pin(async {
        drop(s.connection.acquire(Intent::Read).await?);
        let mut lease = s.connection.acquire(Intent::Write).await?;
        let statement = insert(&Db::from(&s.connection), s.name("a"))?;
        lease.run(&statement, &mut Sink::discard()).await.map(drop)
    })
}

pub(super) fn client_run(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let statement = insert(&Db::from(&s.connection), s.name("a"))?;
        let done = s.connection.run(&statement, &mut Sink::discard()).await?;
        expect(done.rows_affected == 1, "one row")
    })
}

pub(super) fn execute_query(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let name = s.name("red");
        let rows = s
            .connection
            .execute_query(&select_text(&name), Vec::new())
            .await?;
        let own = rows.rows().iter().flatten().eq([&Value::from(name)]);
        expect(own, "its own row")
    })
}

pub(super) fn execute_query_dict(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let name = s.name("red");
        let text = select_text(&name);
        let rows = s.connection.execute_query_dict(&text, Vec::new()).await?;
        let own = rows
            .iter()
            .flat_map(|row| row.values())
            .eq([&Value::from(name)]);
        expect(own, "its own row")
    })
}

pub(super) fn execute_insert(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let text = insert_text(&s.name("a"));
        s.connection
            .execute_insert(&text, Vec::new())
            .await
            .map(drop)
    })
}

/// The same text for each set of values, all or none.
pub(super) fn execute_many(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let text = insert(&Db::from(&s.connection), String::new())?;
        let sets = ["a", "b", "c"].map(|word| vec![Value::from(s.name(word))]);
        let many = s.connection.execute_many(text.text.sql(), sets.to_vec());
        expect(many.await? == 3, "three rows")
    })
}

pub(super) fn execute_script(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let (a, b) = (insert_text(&s.name("a")), insert_text(&s.name("b")));
        s.connection.execute_script(&format!("{a}; {b}")).await
    })
}

/// All that a lease does in a transaction of its own.
pub(super) fn lease(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let db = Db::from(&s.connection);
        let mut lease = s.connection.acquire(Intent::Write).await?;
        lease.begin(&TransactionOptions::new()).await?;
        put(&mut lease, &db, s.name("a")).await?;
        lease.savepoint(1).await?;
        put(&mut lease, &db, s.name("b")).await?;
        lease.rollback_to(1).await?;
        lease.savepoint(1).await?;
        put(&mut lease, &db, s.name("c")).await?;
        lease.release(1).await?;
        lease.commit().await
    })
}

/// A transaction that is rolled back, and raw text after it.
pub(super) fn lease_rolls_back(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let db = Db::from(&s.connection);
        let mut lease = s.connection.acquire(Intent::Write).await?;
        lease.begin(&TransactionOptions::new()).await?;
        put(&mut lease, &db, s.name("a")).await?;
        lease.rollback().await?;
        lease.run_script(&insert_text(&s.name("b"))).await
    })
}

pub(super) fn lease_many(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let statement = insert(&Db::from(&s.connection), String::new())?;
        let sets = ["a", "b", "c"].map(|word| vec![Value::from(s.name(word))]);
        let mut lease = s.connection.acquire(Intent::Write).await?;
        let matched = lease.execute_many(&statement, sets.to_vec()).await?;
        expect(matched == 3, "three rows")
    })
}

async fn put(lease: &mut Lease, db: &Db, name: String) -> Result<()> {
    let statement = insert(db, name)?;
    lease.run(&statement, &mut Sink::discard()).await.map(drop)
}

/// A transaction that is begun with raw text and left open: it is undone with the lease.
/// Two inserts together: in a transaction, and outside.
pub(super) fn run_many(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let db = Db::pick(None)?;
        db.atomic(async |tx| two_inserts(&Db::from(tx), [s.name("a"), s.name("b")]).await)
            .await?;
        two_inserts(&db, [s.name("c"), s.name("d")]).await
    })
}

async fn two_inserts(db: &Db, names: [String; 2]) -> Result<()> {
    let [first, second] = names;
    let (first, second) = (insert(db, first)?, insert(db, second)?);
    let (mut one, mut two) = (Sink::discard(), Sink::discard());
    let mut steps = [Step::new(&first, &mut one), Step::new(&second, &mut two)];
    db.run_many(&mut steps).await?;
    let done = steps.iter().filter_map(|step| step.done);
    expect(
        done.map(|done| done.rows_affected).sum::<u64>() == 2,
        "two rows",
    )
}

/// As many rows as a driver may load by a protocol of its own, in a transaction and outside.
pub(super) fn bulk_without_keys(s: &Subject) -> Work<'_> {
    Box::pin(async {
        // One by one, so many would take too many calls.
        let together = Db::pick(None)?.dialect().capabilities().multi_row_insert;
        let count = if together { 200 } else { 2 };
        let rows = |word: &str| {
            let row = |i| Tag {
                name: s.name(&format!("{word}{i}")),
                ..Tag::default()
            };
            (0..count).map(row).collect::<Vec<_>>()
        };
        Tag::bulk_create(rows("a")).without_keys().await?;
        transaction::in_transaction(async |_tx| {
            Tag::bulk_create(rows("b")).without_keys().await.map(drop)
        })
        .await
    })
}

pub(super) fn raw_begin(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let mut lease = s.connection.acquire(Intent::Write).await?;
        let begin = Statement::new(StatementText::new("BEGIN"), Vec::new()).uncached();
        lease.run(&begin, &mut Sink::discard()).await?;
        put(&mut lease, &Db::from(&s.connection), s.name("a")).await
    })
}

/// Work under a connection of its own, with its statements recorded.
pub(super) fn scopes(s: &Subject) -> Work<'_> {
    Box::pin(async {
        let work = connection::scope(s.connection.clone(), async { tag(s.name("a")).await });
        let (made, sent) = instrument::record(work).await;
        made?;
        expect(sent.len() == 1, "one statement is recorded")?;
        let recorder = Recorder::new();
        recorder.scope(async { Tag::all().limit(1).await }).await?;
        expect(recorder.count() == 1, "one statement is recorded")
    })
}

/// Tables that are there already.
pub(super) fn create_tables(s: &Subject) -> Work<'_> {
    Box::pin(async {
        tortoise::create_tables(&s.connection, &[Tag::meta()], true).await?;
        let options = sql::ddl::SchemaOptions::new().safe(true);
        tortoise::create_tables_with(&s.connection, &[Tag::meta()], &options).await
    })
}
