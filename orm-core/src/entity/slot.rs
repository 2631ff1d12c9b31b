//! Where loaded relations are kept in an instance, without the type of the other model.

use crate::value::Value;
use std::{any::Any, fmt, sync::Arc};

/// A loaded instance or list of instances, shared and without its type.
///
/// With the type here, whether a model is `Send` would depend on the next model, and a chain of
/// some 26 foreign keys would overflow the compiler's recursion limit.
pub type Shared = Arc<dyn Any + Send + Sync>;

/// The slot of a relation to at most one row: `ForeignKey`, `OneToOne`, `HasOne`.
pub trait ToOneSlot {
    /// The key it refers to: of the target for a foreign key, of the owner for a reverse side.
    /// NULL when there is none.
    fn key(&self) -> Value;
    /// Keeps the loaded instance (`Arc<T>`), or that there is none.
    fn put(&mut self, loaded: Option<Shared>);
}

/// The slot of a relation to many rows: `HasMany`, `ManyToMany`.
pub trait ToManySlot {
    /// Keeps the loaded instances (`Arc<Vec<T>>`).
    fn put(&mut self, loaded: Shared);
}

/// The slot of one relation of an instance.
pub enum RelationSlot<'a> {
    /// At most one row.
    One(&'a mut dyn ToOneSlot),
    /// A nullable foreign key that is `None`: nothing to load.
    Absent,
    /// Many rows.
    Many(&'a mut dyn ToManySlot),
}

impl fmt::Debug for RelationSlot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RelationSlot::One(_) => "One",
            RelationSlot::Absent => "Absent",
            RelationSlot::Many(_) => "Many",
        })
    }
}
