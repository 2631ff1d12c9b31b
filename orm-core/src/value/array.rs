//! Many values in one placeholder.

use super::{ColumnType, Value};

/// Values of one type, in order; NULL among them is fine.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    ty: ColumnType,
    items: Vec<Value>,
}

impl Array {
    /// Values of this type. The caller promises that none of another kind is among them.
    pub fn new(ty: ColumnType, items: Vec<Value>) -> Self {
        Array { ty, items }
    }

    /// The type of each value.
    pub fn ty(&self) -> ColumnType {
        self.ty
    }

    /// The values.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

impl From<Array> for Value {
    fn from(array: Array) -> Value {
        Value::Array(Box::new(array))
    }
}
