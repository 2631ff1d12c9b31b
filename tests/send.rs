//! Public futures and handles can cross threads; proved at compile time.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;

#[derive(Model, Clone, Debug, Default)]
pub struct Author {
    #[field(pk)]
    pub id: i32,
    pub name: String,
    pub books: HasMany<Book>,
}

#[derive(Model, Clone, Debug, Default)]
pub struct Book {
    #[field(pk)]
    pub id: i32,
    pub title: String,
    #[field(related_name = "books")]
    pub author: ForeignKey<Author>,
}

fn crosses<T: Send>(_: T) {}
fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}

#[allow(dead_code, reason = "compiling it is the test")]
fn futures(mut book: Book, author: Author) {
    shared(&Book::all());
    shared(&book);
    crosses(Book::all().into_future());
    crosses(Book::filter(kw!(author__name = "x")).count().into_future());
    crosses(
        Book::get(kw!(id = 1))
            .prefetch_related("author")
            .into_future(),
    );
    crosses(Book::create(kw!(title = "x", author = &author)).into_future());
    crosses(Book::bulk_create(vec![book.clone()]).into_future());
    crosses(Book::all().update(kw!(title = "y")).into_future());
    crosses(Book::all().delete().into_future());
    crosses(author.books.all().into_future());
    crosses(book.author.fetch());
    crosses(book.delete().into_future());
    crosses(book.save().into_future());
    crosses(in_transaction(async |_tx| {
        Book::create(kw!(title = "x", author_id = 1)).await?;
        Ok::<_, Error>(())
    }));
}

#[test]
fn a_transaction_runs_inside_a_spawned_task() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let result: Result<i32> = runtime.block_on(async {
        let models = models![Author, Book];
        Tortoise::init(
            Config::new("sqlite::memory:")
                .models(models)
                .generate_schemas(true),
        )
        .await?;
        let task = tokio::spawn(in_transaction(async |_tx| {
            let author = Author::create(kw!(name = "x")).await?;
            Ok::<_, Error>(author.id)
        }));
        task.await.expect("the task ends")
    });
    assert_eq!(result.expect("committed"), 1);
}
