//! The query tree: plain data that every front end fills and only `sql` turns into text.

mod expr;
mod names;
mod path;
mod predicate;

pub use expr::ArithmeticOp;
pub use expr::ColumnRef;
pub use expr::DatePart;
pub use expr::Expr;
pub use names::Argument;
pub(crate) use names::check_order;
pub use names::resolve_column;
pub use names::resolve_filter;
pub use names::resolve_order;
pub use names::resolve_relations;
pub use path::Node;
pub use path::Path;
pub use predicate::Lookup;
pub use predicate::Operand;
pub use predicate::Predicate;
pub use predicate::Terms;

use crate::schema::{FieldMeta, ModelMeta, ThroughMeta};
use crate::value::Value;

/// A read: which rows of a model, in which order, and what of them.
#[derive(Clone, Debug)]
pub struct Select {
    /// The model whose rows are read.
    pub model: &'static ModelMeta,
    /// One predicate for each `filter`/`exclude` call: conditions on a to-many path inside one of
    /// them speak of the same related row.
    pub filters: Vec<Predicate>,
    /// Ordering keys; empty = the model's default, then none.
    pub order: Vec<OrderBy>,
    /// Whether `order` was set (also to nothing) by the caller, so that the default does not apply.
    pub order_set: bool,
    /// Most rows.
    pub limit: Option<u64>,
    /// Rows to skip.
    pub offset: Option<u64>,
    /// What to read of each row.
    pub output: Output,
    /// For rows reached from owners through a table: also read the owner's key, as first column.
    pub linked: Option<Linked>,
}

/// What a [`Select`] reads.
#[derive(Clone, Debug)]
pub enum Output {
    /// All columns of the model, in declaration order.
    Model,
    /// These expressions, in this order.
    Exprs(Vec<Expr>),
    /// The number of rows, after limit and offset.
    Count,
    /// One row with a 1 if there is any row.
    Exists,
}

/// Restricts a [`Select`] to rows linked to some owners by a through table.
#[derive(Clone, Debug)]
pub struct Linked {
    /// The through table, seen from the owners.
    pub through: ThroughMeta,
    /// Keys of the owners.
    pub owners: Vec<Value>,
}

/// One ordering key.
#[derive(Clone, Debug)]
pub struct OrderBy {
    /// What to order by.
    pub expr: Expr,
    /// Largest first. NULL sorts first ascending and last descending.
    pub descending: bool,
}

/// `column = expression`, in an update or insert.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The column.
    pub field: &'static FieldMeta,
    /// Its new value.
    pub expr: Expr,
}

/// An update of all rows of a [`Select`].
#[derive(Clone, Debug)]
pub struct Update {
    /// Which rows; its `output` is not used.
    pub select: Select,
    /// What to set.
    pub assignments: Vec<Assignment>,
}

impl Select {
    /// All rows of a model.
    pub fn new(model: &'static ModelMeta) -> Self {
        Select {
            model,
            filters: Vec::new(),
            order: Vec::new(),
            order_set: false,
            limit: None,
            offset: None,
            output: Output::Model,
            linked: None,
        }
    }

    /// Adds the predicate of one `filter` call.
    pub fn filter(&mut self, predicate: Predicate) {
        if !matches!(predicate, Predicate::All) {
            self.filters.push(predicate);
        }
    }

    /// Whether no row can match, so that nothing need be sent.
    pub fn is_empty(&self) -> bool {
        self.limit == Some(0) || self.filters.iter().any(Predicate::matches_nothing)
    }

    /// Whether the selected expressions cross a to-many relation, so that a row of the model can
    /// give any number of result rows.
    pub fn projects_to_many(&self) -> bool {
        let Output::Exprs(exprs) = &self.output else {
            return false;
        };
        exprs.iter().any(Expr::crosses_to_many)
    }

    /// The conditions as text without values, for messages: `username = ? and age > ?`.
    pub fn describe(&self) -> String {
        self.filters
            .iter()
            .map(Predicate::describe)
            .collect::<Vec<_>>()
            .join(" and ")
    }
}
