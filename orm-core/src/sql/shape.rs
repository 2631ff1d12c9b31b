//! Texts by shape: rendered once, kept, shared by all threads.

use super::key::BuildWordHasher;
use super::render::{self, Draft};
use super::walk::Walk;
use crate::backend::{Cost, Dialect, Intent, Statement, StatementText};
use crate::error::{Error, Result};
use crate::value::Value;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// Most kept texts; one more and all are dropped, which bounds what made-up shapes can fill.
const MAX_ENTRIES: usize = 1024;
/// Most bytes of kept keys and texts.
const MAX_BYTES: usize = 16 << 20;
/// Shapes with more words than this are rendered each time.
const MAX_WORDS: usize = 8192;
/// Most texts that a thread keeps for itself, and the most words of their keys.
const MAX_NEAR: usize = 256;
const MAX_NEAR_WORDS: usize = 256;

/// A rendered shape.
#[derive(Debug)]
struct Entry {
    text: Arc<StatementText>,
    /// For each placeholder, which of the collected values it takes; `None` = in order.
    order: Option<Box<[u32]>>,
    /// Whether a value stands in the text more than once, so that it cannot be moved.
    repeats: bool,
    intent: Intent,
    cost: Cost,
}

type Texts<E> = HashMap<Box<[u64]>, E, BuildWordHasher>;

#[derive(Default)]
struct Shapes {
    entries: Texts<Arc<Entry>>,
    bytes: usize,
}

static SHAPES: LazyLock<RwLock<Shapes>> = LazyLock::new(RwLock::default);

thread_local! {
    // Taken while in use, so that a second use inside the first gets a new one.
    static WALK: Cell<Option<Box<Walk>>> = const { Cell::new(None) };
    // What this thread has used, so that threads share neither a lock nor a reference count.
    static NEAR: RefCell<Texts<Entry>> = RefCell::default();
}

/// Runs `walk` to collect key and values, then finds the text, or lets `draft` make it.
pub(super) fn statement<T>(
    dialect: &'static dyn Dialect,
    mut query: T,
    walk: impl FnOnce(&mut Walk, &mut T) -> Result<()>,
    draft: impl FnOnce(&mut Walk, &T) -> Result<Draft>,
) -> Result<Statement> {
    let mut buffer = WALK.take().unwrap_or_else(|| Box::new(Walk::new(dialect)));
    buffer.reset(dialect);
    let result = walk(&mut buffer, &mut query).and_then(|()| find(&mut buffer, &query, draft));
    // After an error, values may be left; they must not stay.
    buffer.reset(dialect);
    WALK.set(Some(buffer));
    result
}

fn find<T>(
    walk: &mut Walk,
    query: &T,
    draft: impl FnOnce(&mut Walk, &T) -> Result<Draft>,
) -> Result<Statement> {
    let near = NEAR.with_borrow(|near| {
        let entry = near.get(walk.key.words())?;
        Some(fill(entry, std::mem::take(&mut walk.values)))
    });
    match near {
        Some(statement) => Ok(statement),
        None => find_far(walk, query, draft),
    }
}

/// Looks in the cache of the process, and renders what is not there.
#[cold]
fn find_far<T>(
    walk: &mut Walk,
    query: &T,
    draft: impl FnOnce(&mut Walk, &T) -> Result<Draft>,
) -> Result<Statement> {
    let known = {
        let shapes = SHAPES.read().unwrap_or_else(PoisonError::into_inner);
        shapes.entries.get(walk.key.words()).cloned()
    };
    if let Some(entry) = known {
        keep_near(walk.key.words(), &entry);
        return Ok(fill(&entry, std::mem::take(&mut walk.values)));
    }
    crate::instrument::count_rendered();
    let draft = draft(walk, query)?;
    let entry = Arc::new(finish(draft, walk)?);
    let keep = walk.key.words().len() <= MAX_WORDS;
    if keep {
        let entry = store(walk.key.words(), entry);
        keep_near(walk.key.words(), &entry);
        return Ok(fill(&entry, std::mem::take(&mut walk.values)));
    }
    Ok(fill(&entry, std::mem::take(&mut walk.values)).uncached())
}

fn finish(draft: Draft, walk: &Walk) -> Result<Entry> {
    let (sql, order) = render::place_values(&draft.text, walk.dialect.family());
    let max = walk.dialect.capabilities().max_params as usize;
    if order.len() > max {
        return Err(Error::Unsupported("so many values in one statement"));
    }
    let in_order = order.len() == walk.values.len()
        && order
            .iter()
            .enumerate()
            .all(|(i, slot)| i == *slot as usize);
    let mut seen = vec![false; walk.values.len()];
    let repeats = order
        .iter()
        .any(|slot| std::mem::replace(&mut seen[*slot as usize], true));
    Ok(Entry {
        text: StatementText::new(sql),
        repeats,
        order: (!in_order).then(|| order.into_boxed_slice()),
        intent: draft.intent,
        cost: draft.cost,
    })
}

/// Keeps the entry, or gives back the one that another thread kept meanwhile.
fn store(words: &[u64], entry: Arc<Entry>) -> Arc<Entry> {
    let mut shapes = SHAPES.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(other) = shapes.entries.get(words) {
        return Arc::clone(other);
    }
    let bytes = size_of_val(words) + entry.text.sql().len();
    if shapes.entries.len() >= MAX_ENTRIES || shapes.bytes + bytes > MAX_BYTES {
        *shapes = Shapes::default();
    }
    shapes.bytes += bytes;
    shapes.entries.insert(words.into(), Arc::clone(&entry));
    entry
}

fn keep_near(words: &[u64], entry: &Entry) {
    if words.len() > MAX_NEAR_WORDS {
        return;
    }
    let own = Entry {
        text: entry.text.for_this_thread(),
        order: entry.order.clone(),
        ..*entry
    };
    NEAR.with_borrow_mut(|near| {
        if near.len() >= MAX_NEAR {
            near.clear();
        }
        near.insert(words.into(), own);
    });
}

fn fill(entry: &Entry, values: Vec<Value>) -> Statement {
    let values = match &entry.order {
        None => values,
        Some(order) if entry.repeats => order
            .iter()
            .map(|slot| values[*slot as usize].clone())
            .collect(),
        Some(order) => arrange(order, values),
    };
    Statement::new(Arc::clone(&entry.text), values)
        .with_intent(entry.intent)
        .with_cost(entry.cost)
}

fn arrange(order: &[u32], mut values: Vec<Value>) -> Vec<Value> {
    order
        .iter()
        .map(|slot| values[*slot as usize].take())
        .collect()
}
