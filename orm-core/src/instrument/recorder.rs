//! A recorder of the statements that one task sends, for tests that count them.

use super::Text;
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

tokio::task_local! {
    static RECORDER: Recorder;
}

/// One statement or transaction command that was sent. Without values.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedStatement {
    /// The text. Transaction commands are recorded in standard SQL (`BEGIN`, `SAVEPOINT sp1`),
    /// whatever the driver sends.
    pub sql: Arc<str>,
    /// Whether it is a transaction command.
    pub is_command: bool,
}

/// Keeps the texts of the statements that are sent inside its scope, in order.
///
/// Clones share the texts. Work on other tasks (`tokio::spawn`) is outside the scope unless it is
/// wrapped in [`Recorder::scope`] too.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::instrument::Recorder;
///
/// let recorder = Recorder::new();
/// recorder.scope(User::all().count().into_future()).await?;
/// assert_eq!(recorder.count(), 1);
/// assert!(recorder.texts()[0].contains("COUNT"));
/// # Ok(()) }) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<RecordedStatement>>>);

impl Recorder {
    /// An empty recorder.
    pub fn new() -> Self {
        Recorder::default()
    }

    /// Runs `future` and records what it sends. Of two nested scopes only the inner one records.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        RECORDER.scope(self.clone(), future).await
    }

    /// What was sent so far, transaction commands included.
    pub fn statements(&self) -> Vec<RecordedStatement> {
        self.lock().clone()
    }

    /// The texts so far, without transaction commands.
    pub fn texts(&self) -> Vec<Arc<str>> {
        let kept = self.lock();
        let statements = kept.iter().filter(|kept| !kept.is_command);
        statements.map(|kept| Arc::clone(&kept.sql)).collect()
    }

    /// How many statements were sent so far, without transaction commands.
    pub fn count(&self) -> usize {
        self.lock().iter().filter(|kept| !kept.is_command).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<RecordedStatement>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `future` and returns its output with the statements that it sent, in order.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// use fast_django::orm::instrument::record;
///
/// let (posts, sent) = record(Post::all().prefetch_related("author").into_future()).await;
/// assert_eq!((posts?.len(), sent.len()), (3, 2));
/// # Ok(()) }) }
/// ```
pub async fn record<F: Future>(future: F) -> (F::Output, Vec<RecordedStatement>) {
    let recorder = Recorder::new();
    let output = recorder.scope(future).await;
    (output, recorder.statements())
}

/// Adds the text to the recorder of the current task, if it has one.
#[inline]
pub(super) fn note(text: &Text<'_>) {
    let _ = RECORDER.try_with(|recorder| {
        recorder.lock().push(RecordedStatement {
            sql: text.shared(),
            is_command: text.is_command(),
        });
    });
}
