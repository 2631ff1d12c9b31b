//! A statement: its text, shared and numbered, and its values in placeholder order.

use crate::value::Value;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The text of a statement, with a number that is unique in the process.
///
/// Equal texts made twice have different numbers, so a driver may key its cache of prepared
/// statements by [`id`](StatementText::id) alone, without hashing the text.
#[derive(Debug)]
pub struct StatementText {
    id: u64,
    sql: Arc<str>,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl StatementText {
    /// A new text with a new number. Callers keep it (the core caches one for each query shape);
    /// making one for each call would fill the drivers' caches with texts used once.
    pub fn new(sql: impl Into<Arc<str>>) -> Arc<Self> {
        Arc::new(StatementText {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            sql: sql.into(),
        })
    }

    /// The same text with the same number, counted apart.
    pub(crate) fn for_this_thread(&self) -> Arc<Self> {
        Arc::new(StatementText {
            id: self.id,
            sql: Arc::clone(&self.sql),
        })
    }

    /// The number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The text.
    pub fn sql(&self) -> &Arc<str> {
        &self.sql
    }
}

/// What a statement does to the database, which decides where it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Intent {
    /// Only reads: any connection will do, and it may be run again.
    Read,
    /// Writes, or may write.
    #[default]
    Write,
}

/// How much work the planner expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Cost {
    /// A few rows found by key, or one write by key: microseconds on an embedded database.
    Point,
    /// Anything else.
    #[default]
    Scan,
}

/// A statement ready to run.
#[derive(Clone)]
#[non_exhaustive]
pub struct Statement {
    /// The text.
    pub text: Arc<StatementText>,
    /// Values, in placeholder order. As many as the text has placeholders.
    pub values: Vec<Value>,
    /// What it does to the database.
    pub intent: Intent,
    /// How much work it is.
    pub cost: Cost,
    /// Worth keeping prepared. `false` for texts that are used once.
    pub cached: bool,
}

impl Statement {
    /// A statement; [`Intent::Write`] and [`Cost::Scan`] until told otherwise.
    pub fn new(text: Arc<StatementText>, values: Vec<Value>) -> Self {
        Statement {
            text,
            values,
            intent: Intent::Write,
            cost: Cost::Scan,
            cached: true,
        }
    }

    /// Sets the intent.
    #[must_use]
    pub fn with_intent(mut self, intent: Intent) -> Self {
        self.intent = intent;
        self
    }

    /// Sets the expected cost.
    #[must_use]
    pub fn with_cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Says that the text is used once, so that drivers do not keep it prepared.
    #[must_use]
    pub fn uncached(mut self) -> Self {
        self.cached = false;
        self
    }

    /// The text.
    pub fn sql(&self) -> &str {
        self.text.sql()
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -- {:?}", self.sql(), self.values)
    }
}
