//! Relations between models: forward, reverse, many-to-many, and the table in the middle.

use super::{FieldMeta, ModelMeta};
use std::fmt;

/// What a relation is, seen from the model that declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// A column holds the key of one target.
    ForeignKey,
    /// A foreign key that is unique.
    OneToOne,
    /// Links in a through table.
    ManyToMany,
    /// Reverse side of a foreign key or a many-to-many.
    HasMany,
    /// Reverse side of a one-to-one.
    HasOne,
}

/// What happens to referring rows when their target is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnDelete {
    /// They are deleted too.
    #[default]
    Cascade,
    /// The delete is refused, at once.
    Restrict,
    /// Their key becomes NULL (needs a nullable relation).
    SetNull,
    /// Their key becomes the column's default.
    SetDefault,
    /// The delete is refused at the end of the statement or transaction.
    NoAction,
}

/// One relation of a model.
pub struct RelationMeta {
    /// Name of the struct's field.
    pub name: &'static str,
    /// What it is.
    pub kind: RelationKind,
    /// The model at the other end. A function, so that cycles need no order.
    pub target: fn() -> &'static ModelMeta,
    /// The column that holds the key (ForeignKey and OneToOne only).
    pub column: Option<&'static FieldMeta>,
    /// The row at the other end may be missing.
    pub null: bool,
    /// What deleting the target does.
    pub on_delete: OnDelete,
    /// Name of the reverse side on the target; empty if it has none.
    pub related_name: &'static str,
    /// The table in the middle (ManyToMany only).
    pub through: Option<ThroughMeta>,
}

/// The table in the middle of a many-to-many, seen from the declaring side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ThroughMeta {
    /// Name of the table.
    pub table: &'static str,
    /// Column with the key of the declaring model.
    pub source_column: &'static str,
    /// Column with the key of the target.
    pub target_column: &'static str,
}

impl ThroughMeta {
    /// The same table seen from the other side.
    pub const fn reversed(self) -> ThroughMeta {
        ThroughMeta {
            table: self.table,
            source_column: self.target_column,
            target_column: self.source_column,
        }
    }
}

/// How the rows of a relation are reached from its owner.
#[derive(Clone, Copy, Debug)]
pub enum Reach {
    /// The owner's column holds the target's primary key.
    Forward(&'static FieldMeta),
    /// The target's column holds the owner's primary key.
    Reverse(&'static FieldMeta),
    /// Through a table; `source_column` holds the owner's key.
    Through(ThroughMeta),
}

impl RelationMeta {
    /// The model at the other end.
    pub fn target(&self) -> &'static ModelMeta {
        (self.target)()
    }

    /// Whether it leads to any number of rows.
    pub fn is_to_many(&self) -> bool {
        matches!(self.kind, RelationKind::ManyToMany | RelationKind::HasMany)
    }

    /// For a reverse side: the forward relation on the target that it mirrors, found by
    /// `related_name`. The derive has proved that it exists.
    pub fn forward(&self, owner: &'static ModelMeta) -> Option<&'static RelationMeta> {
        self.target()
            .relations
            .iter()
            .find(|r| r.related_name == self.name && std::ptr::eq(r.target(), owner))
    }

    /// How its rows are reached. `None` only for metadata that `check_models` refuses.
    pub fn reach(&self, owner: &'static ModelMeta) -> Option<Reach> {
        match self.kind {
            RelationKind::ForeignKey | RelationKind::OneToOne => self.column.map(Reach::Forward),
            RelationKind::ManyToMany => self.through.map(Reach::Through),
            RelationKind::HasMany | RelationKind::HasOne => {
                let forward = self.forward(owner)?;
                match forward.through {
                    Some(through) => Some(Reach::Through(through.reversed())),
                    None => forward.column.map(Reach::Reverse),
                }
            }
        }
    }
}

impl fmt::Debug for RelationMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The target's name only: printing the target itself would not end on cycles.
        write!(f, "{}: {:?}({})", self.name, self.kind, self.target().name)
    }
}
