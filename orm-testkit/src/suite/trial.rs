//! One try of an operation on rows of its own, and what must hold after it was cut short.

use crate::case::{CaseResult, Context, Failure};
use crate::check;
use crate::fault::{Call, Injector};
use crate::models::{Post, Tag, User};
use orm_core::backend::{BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::connection;
use orm_core::prelude::*;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

/// How soon a client outside the pool must be able to write after an operation was cut short.
pub(super) const SOON: Duration = Duration::from_secs(1);

/// Longest wait of the pool under test.
const ACQUIRE: Duration = Duration::from_secs(2);

/// An operation under way.
pub(super) type Work<'a> = Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>>;

/// An operation on the rows of a subject.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    /// Begins it.
    pub(super) run: for<'a> fn(&'a Subject) -> Work<'a>,
    /// Whether a part of its rows may be stored, when it is cut short.
    pub(super) piecemeal: bool,
}

/// The rows that one try works on. Their names end with its number, so that what a try before it
/// stores late is not taken for its own.
#[derive(Debug)]
pub(super) struct Subject {
    /// The pool under test.
    pub(super) connection: Connection,
    number: u32,
    /// Wrote both posts. Is 1.
    pub(super) ann: User,
    /// On `one`.
    pub(super) red: Tag,
    /// On nothing.
    pub(super) blue: Tag,
    /// Tagged red.
    pub(super) one: Post,
}

impl Subject {
    /// A name of this try.
    pub(super) fn name(&self, word: &str) -> String {
        format!("{word}-{}", self.number)
    }

    /// A key of this try, below those that are generated.
    pub(super) fn key(&self, offset: i32) -> i32 {
        let number = i32::try_from(self.number).unwrap_or(0);
        -(number * 10 + offset)
    }
}

/// A pool under test, and a client apart from it.
#[derive(Debug)]
pub(super) struct Bench {
    /// Counts the calls of the pool, and makes them fail.
    pub(super) injector: Injector,
    /// The pool, under the injector.
    pub(super) pool: Connection,
    outside: Connection,
    next: u32,
}

impl Bench {
    /// Opens a pool of this size, with a limit for statements if one is given.
    pub(super) async fn open(
        cx: &Context,
        size: usize,
        statement_timeout: Option<Duration>,
    ) -> CaseResult<Bench> {
        let mut options = ConnectOptions::default();
        options.max_connections = Some(size);
        options.acquire_timeout = ACQUIRE;
        options.statement_timeout = statement_timeout;
        let injector = Injector::new();
        let pool = injector.over(connect(cx, &options).await?);
        let outside = connect(cx, &ConnectOptions::default()).await?;
        Ok(Bench {
            injector,
            pool: Connection::new(connection::DEFAULT, pool),
            outside: Connection::new(connection::DEFAULT, outside),
            next: u32::try_from(size).unwrap_or_default() * 10_000,
        })
    }

    /// The same refusal, with what the transaction around it has sent left out of the account.
    async fn refuses_to_nest(&self, cx: &Context) -> Failure {
        let nest = async {
            let outer = begin().await?;
            cx.ready();
            outer.begin().await?.rollback().await
        };
        match self.inside(nest).await {
            Ok(()) => Failure::new("it was refused, and is accepted now"),
            Err(error) => error.into(),
        }
    }

    /// Closes both clients.
    pub(super) async fn close(self) {
        self.pool.close().await;
        self.outside.close().await;
    }

    /// Runs `work` on the pool.
    pub(super) async fn inside<F: Future>(&self, work: F) -> F::Output {
        connection::scope(self.pool.clone(), work).await
    }

    /// Runs `work` on the client apart.
    pub(super) async fn outside<F: Future>(&self, work: F) -> F::Output {
        connection::scope(self.outside.clone(), work).await
    }

    /// The rows of the next try.
    pub(super) async fn subject(&mut self) -> CaseResult<Subject> {
        let number = self.next;
        self.next += 1;
        let name = |word: &str| format!("{word}-{number}");
        let rows = async {
            let ann = User::create(kw!(username = name("ann"), age = 1)).await?;
            let red = Tag::create(kw!(name = name("red"))).await?;
            let blue = Tag::create(kw!(name = name("blue"))).await?;
            let one = Post::create(kw!(title = name("one"), author = &ann)).await?;
            Post::create(kw!(title = name("two"), author = &ann)).await?;
            let sql = format!(
                "INSERT INTO kit_post_tags (post_id, tag_id) VALUES ({}, {})",
                one.id, red.id
            );
            connection::default_connection()?
                .execute_query(&sql, Vec::new())
                .await?;
            Ok::<_, Error>(Subject {
                connection: self.pool.clone(),
                number,
                ann,
                red,
                blue,
                one,
            })
        };
        Ok(self.outside(rows).await?)
    }

    /// Every row of a try as a text, read from outside, in order.
    pub(super) async fn stored(&self, subject: &Subject) -> CaseResult<Vec<String>> {
        let end = format!("-{}", subject.number);
        let bare = |name: &str| name.trim_end_matches(&end).to_owned();
        let read = async {
            let mut rows = Vec::new();
            for user in User::filter(kw!(username__endswith = end.as_str())).await? {
                rows.push(format!("user {} {:?}", bare(&user.username), user.age));
            }
            let posts = Post::filter(kw!(title__endswith = end.as_str()));
            for post in posts.prefetch_related("tags").await? {
                rows.push(format!("post {} {}", bare(&post.title), post.views));
                for tag in post.tags.get()? {
                    rows.push(format!("link {} {}", bare(&post.title), bare(&tag.name)));
                }
            }
            for tag in Tag::filter(kw!(name__endswith = end.as_str())).await? {
                rows.push(format!("tag {}", bare(&tag.name)));
            }
            rows.sort();
            Ok::<_, Error>(rows)
        };
        Ok(self.outside(read).await?)
    }

    /// Nothing of the try holds a lock: a client outside the pool writes to its rows at once, and
    /// to those that it would have made.
    pub(super) async fn no_lock_is_left(&self, subject: &Subject) -> CaseResult {
        let end = format!("-{}", subject.number);
        let write = async {
            for word in ["a", "b", "c"] {
                match Tag::create(kw!(name = subject.name(word))).await {
                    Ok(_) => {}
                    // It is stored: not by a transaction that is still open.
                    Err(error) if error.is_unique_violation() => {}
                    Err(error) => return Err(error),
                }
            }
            User::filter(kw!(username__endswith = end.as_str()))
                .update(kw!(age = 90))
                .await?;
            Post::filter(kw!(title__endswith = end.as_str()))
                .update(kw!(views = 90))
                .await?;
            Ok(())
        };
        match tokio::time::timeout(SOON, self.outside(write)).await {
            Ok(result) => Ok(result?),
            Err(_) => Err(Failure::new(format!(
                "after {SOON:?} a client outside the pool still cannot write: \
                 a transaction was left open"
            ))),
        }
    }

    /// The next users of the pool find it clean: what they store is seen from outside, and each
    /// reads its own row. Core has kept the rules of the driver contract.
    pub(super) async fn pool_is_clean(&self, subject: &Subject) -> CaseResult {
        let user = async |word: &str| {
            let name = subject.name(word);
            let made = Tag::create(kw!(name = name.as_str())).await?;
            let found = Tag::get(kw!(id = made.id)).await?;
            Ok::<_, Error>((found.name == name, name))
        };
        let (first, second) = self
            .inside(async { tokio::join!(user("next"), user("last")) })
            .await;
        check::eq(self.injector.broken_rules(), [""; 0])?;
        for result in [first, second] {
            let (own, name) = result?;
            check::that(own, "a user of the pool reads its own row")?;
            let stored = self.outside(Tag::filter(kw!(name = name)).into_future());
            check::that(
                stored.await?.len() == 1,
                "what the next user of the pool stores is seen from outside",
            )?;
        }
        Ok(())
    }
}

/// Opens another client of the case's database.
pub(super) async fn connect(
    cx: &Context,
    options: &ConnectOptions,
) -> Result<Arc<dyn BaseDBAsyncClient>> {
    let url = ConnectionUrl::parse(cx.url())?;
    cx.driver().connect(&url, options).await
}

/// What an operation finds and leaves, seen from outside.
#[derive(Debug)]
pub(super) struct Ends {
    /// Before it begins.
    pub(super) before: Vec<String>,
    /// When it has ended.
    pub(super) after: Vec<String>,
    /// The calls of the driver that it makes.
    pub(super) calls: Vec<Call>,
}

impl Ends {
    /// Runs the operation undisturbed. What the database does not claim is refused here.
    pub(super) async fn of(
        cx: &Context,
        bench: &mut Bench,
        operation: Operation,
    ) -> CaseResult<Ends> {
        let subject = bench.subject().await?;
        let before = bench.stored(&subject).await?;
        cx.ready();
        bench.injector.disarm();
        match bench.inside((operation.run)(&subject)).await {
            Err(Error::Unsupported("savepoints")) => {
                check::eq(bench.stored(&subject).await?, before)?;
                return Err(bench.refuses_to_nest(cx).await);
            }
            other => other?,
        }
        let calls = bench.injector.calls();
        let after = bench.stored(&subject).await?;
        bench.no_lock_is_left(&subject).await?;
        bench.pool_is_clean(&subject).await?;
        Ok(Ends {
            before,
            after,
            calls,
        })
    }

    /// What is stored is what an operation leaves that was done or not, and nothing in between.
    pub(super) fn admit(&self, stored: &[String], operation: Operation, when: &str) -> CaseResult {
        let whole = stored == self.before || stored == self.after;
        let part = stored.iter().all(|row| self.after.contains(row))
            && self.before.iter().all(|row| stored.contains(row));
        if whole || (operation.piecemeal && part) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{when}: stored {stored:?}, expected {:?} or {:?}",
            self.before, self.after
        )))
    }
}

/// A future that is polled at most so many times, and dropped then.
pub(super) struct Polls<'a, T> {
    /// The future; `None` once it was dropped.
    pub(super) inner: Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>>,
    /// How many polls are left.
    pub(super) left: usize,
}

impl<'a, T> Polls<'a, T> {
    /// `work`, dropped after so many polls.
    pub(super) fn new(work: impl Future<Output = T> + Send + 'a, left: usize) -> Self {
        Polls {
            inner: Some(Box::pin(work)),
            left,
        }
    }
}

impl<T> Future for Polls<'_, T> {
    type Output = Option<T>;
    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Option<T>> {
        if self.left == 0 {
            self.inner = None;
        }
        self.left = self.left.saturating_sub(1);
        match &mut self.inner {
            None => Poll::Ready(None),
            Some(inner) => inner.as_mut().poll(cx).map(Some),
        }
    }
}
