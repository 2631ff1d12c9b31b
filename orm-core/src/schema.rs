//! What a model is, as static data: fields, relations, indexes. No SQL, no async, no drivers.

mod check;
mod relation;

pub use check::check_models;
pub use check::closure_over_relations;
pub use relation::OnDelete;
pub use relation::Reach;
pub use relation::RelationKind;
pub use relation::RelationMeta;
pub use relation::ThroughMeta;

use crate::value::{ColumnType, Value};
use std::fmt;

/// A model: its table, its fields in declaration order, its relations.
#[derive(Debug)]
pub struct ModelMeta {
    /// Name of the struct.
    pub name: &'static str,
    /// Name of the table.
    pub table: &'static str,
    /// The model's doc comment.
    pub description: &'static str,
    /// Columns in declaration order; a foreign key is the column `<name>_id`.
    pub fields: &'static [FieldMeta],
    /// Relations in declaration order, forward and reverse.
    pub relations: &'static [RelationMeta],
    /// Position of the primary key in `fields`.
    pub pk: usize,
    /// Default ordering, such as `["-created_at", "id"]`.
    pub ordering: &'static [&'static str],
    /// Groups of field names that are unique together.
    pub unique_together: &'static [&'static [&'static str]],
    /// Groups of field names with an index of their own.
    pub indexes: &'static [&'static [&'static str]],
}

/// One column of a model.
pub struct FieldMeta {
    /// Name of the struct's field; for a foreign key `author`, this is `author_id`.
    pub name: &'static str,
    /// Name of the column.
    pub column: &'static str,
    /// What the column holds.
    pub ty: ColumnType,
    /// Takes NULL.
    pub null: bool,
    /// Is the primary key.
    pub pk: bool,
    /// The database assigns the value of an unset key.
    pub generated: bool,
    /// Has a unique constraint.
    pub unique: bool,
    /// Has an index.
    pub index: bool,
    /// Is set to the current time on every save.
    pub auto_now: bool,
    /// Is set to the current time on creation.
    pub auto_now_add: bool,
    /// Makes the default of a field that `create` is not given.
    pub default: Option<fn() -> Value>,
    /// Description: the option of that name, else the doc comment.
    pub description: &'static str,
    /// For the column of a foreign key: position of the relation in the model's `relations`.
    pub relation: Option<usize>,
}

impl ModelMeta {
    /// The primary key.
    pub fn pk(&self) -> &'static FieldMeta {
        &self.fields[self.pk]
    }

    /// The field of this name; `pk` is the primary key whatever its name.
    pub fn field(&self, name: &str) -> Option<&'static FieldMeta> {
        if let Some(field) = self.fields.iter().find(|field| field.name == name) {
            return Some(field);
        }
        (name == "pk").then(|| self.pk())
    }

    /// Position of this field in `fields`.
    pub fn position(&self, name: &str) -> Option<usize> {
        if let Some(at) = self.fields.iter().position(|field| field.name == name) {
            return Some(at);
        }
        (name == "pk").then_some(self.pk)
    }

    /// The relation of this name.
    pub fn relation(&self, name: &str) -> Option<&'static RelationMeta> {
        self.relations.iter().find(|relation| relation.name == name)
    }

    /// Whether deleting a row can delete other rows of the same model: its references with
    /// `Cascade` lead back to it.
    pub fn cascades_to_itself(&'static self) -> bool {
        let mut seen: Vec<&'static ModelMeta> = Vec::new();
        let mut pending = vec![self];
        while let Some(model) = pending.pop() {
            for relation in model.relations {
                if relation.column.is_none() || relation.on_delete != OnDelete::Cascade {
                    continue;
                }
                let target = relation.target();
                if target == self {
                    return true;
                }
                if !seen.contains(&target) {
                    seen.push(target);
                    pending.push(target);
                }
            }
        }
        false
    }

    /// Names of all fields and relations, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (fields, relations) = (self.fields, self.relations);
        fields
            .iter()
            .map(|f| f.name)
            .chain(relations.iter().map(|r| r.name))
    }
}

impl PartialEq for ModelMeta {
    /// The same model: metadata is one static per model.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl FieldMeta {
    /// A plain, required column of this name and type; the derive fills in the rest.
    pub const fn new(name: &'static str, ty: ColumnType) -> Self {
        FieldMeta {
            name,
            column: name,
            ty,
            null: false,
            pk: false,
            generated: false,
            unique: false,
            index: false,
            auto_now: false,
            auto_now_add: false,
            default: None,
            description: "",
            relation: None,
        }
    }

    /// Most characters (code points) a text may have.
    pub fn max_length(&self) -> Option<u32> {
        match self.ty {
            ColumnType::Char(max) => Some(max),
            _ => None,
        }
    }

    /// Whether `create` can do without a value for it.
    pub fn has_default(&self) -> bool {
        self.null || self.generated || self.auto_now || self.auto_now_add || self.default.is_some()
    }
}

impl fmt::Debug for FieldMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {:?}{}",
            self.name,
            self.ty,
            if self.null { "?" } else { "" }
        )
    }
}
