//! Values that cross to the database and cells that come back, and which Rust types are either.

mod array;
mod auto;
mod cell;
mod datetime;
mod field;
mod json;

pub use array::Array;
pub use auto::Auto;
pub use cell::Cell;
pub use datetime::format_datetime;
pub use datetime::parse_datetime;
pub use datetime::truncate_to_micros;
pub use datetime::write_datetime;
pub use field::Base;
pub use field::Field;
pub use field::Key;
pub use field::Numeric;
pub use field::Temporal;
pub use field::TextLike;

use chrono::{DateTime, Utc};
use std::fmt;

/// One value on its way to the database, or an owned one read dynamically.
///
/// `Debug` shows only the kind and the size, never the content, so that a value cannot leak into
/// logs through a derived `Debug`.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// SQL NULL.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// Any integer.
    I64(i64),
    /// A double.
    F64(f64),
    /// Text, without NUL characters.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An instant, to the microsecond.
    DateTime(DateTime<Utc>),
    /// Many values of one type in one placeholder, where the dialect has arrays
    /// ([`Dialect::array_type`](crate::backend::Dialect::array_type)).
    Array(Box<Array>),
}

/// What a column holds, as far as it decides storage, comparison and conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnType {
    /// True or false.
    Boolean,
    /// 16-bit integer.
    SmallInt,
    /// 32-bit integer.
    Int,
    /// 64-bit integer.
    BigInt,
    /// 64-bit binary floating point.
    Float,
    /// Text of at most this many characters (code points).
    Char(u32),
    /// Text of any length.
    Text,
    /// Bytes.
    Binary,
    /// An instant in UTC, to the microsecond.
    DateTime,
}

impl ColumnType {
    /// The name of the documented field kind, such as `CharField`.
    pub const fn field_kind(self) -> &'static str {
        match self {
            ColumnType::Boolean => "BooleanField",
            ColumnType::SmallInt => "SmallIntField",
            ColumnType::Int => "IntField",
            ColumnType::BigInt => "BigIntField",
            ColumnType::Float => "FloatField",
            ColumnType::Char(_) => "CharField",
            ColumnType::Text => "TextField",
            ColumnType::Binary => "BinaryField",
            ColumnType::DateTime => "DateTimeField",
        }
    }

    /// Whether the column holds text, bounded or not.
    pub const fn is_text(self) -> bool {
        matches!(self, ColumnType::Char(_) | ColumnType::Text)
    }

    /// Whether the column holds whole numbers.
    pub const fn is_integer(self) -> bool {
        matches!(
            self,
            ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt
        )
    }
}

impl Value {
    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Takes the value out, leaving NULL.
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }

    /// The value as a borrowed cell, as if it had just been read.
    pub fn as_cell(&self) -> Cell<'_> {
        match self {
            Value::Null => Cell::Null,
            Value::Bool(v) => Cell::Bool(*v),
            Value::I64(v) => Cell::I64(*v),
            Value::F64(v) => Cell::F64(*v),
            Value::Text(v) => Cell::Text(v),
            Value::Bytes(v) => Cell::Bytes(v),
            Value::DateTime(v) => Cell::DateTime(*v),
            Value::Array(v) => Cell::Array(v),
        }
    }

    /// The kind of value, for messages: "text", "integer", ...
    pub fn kind(&self) -> &'static str {
        self.as_cell().kind()
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(v) => write!(f, "text({} bytes)", v.len()),
            Value::Bytes(v) => write!(f, "bytes({})", v.len()),
            Value::Array(v) => write!(f, "array({} items)", v.items().len()),
            other => f.write_str(other.kind()),
        }
    }
}

macro_rules! from {
    ($($from:ty => |$v:ident| $to:expr;)*) => { $(
        impl From<$from> for Value {
            fn from($v: $from) -> Value { $to }
        }
    )* };
}
from! {
    bool => |v| Value::Bool(v);
    i16 => |v| Value::I64(v.into());
    i32 => |v| Value::I64(v.into());
    i64 => |v| Value::I64(v);
    u32 => |v| Value::I64(v.into());
    f64 => |v| Value::F64(v);
    String => |v| Value::Text(v);
    &str => |v| Value::Text(v.to_owned());
    &String => |v| Value::Text(v.clone());
    Vec<u8> => |v| Value::Bytes(v);
    DateTime<Utc> => |v| Value::DateTime(truncate_to_micros(v));
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(v: Option<T>) -> Value {
        v.map_or(Value::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_the_content() {
        let shown = format!("{:?}", [Value::from("secret"), Value::I64(42_424_242)]);
        assert!(
            !shown.contains("secret") && !shown.contains("42424242"),
            "{shown}"
        );
    }

    #[test]
    fn values_and_cells_stay_small() {
        assert_eq!(size_of::<Value>(), 32);
        assert_eq!(size_of::<Cell<'_>>(), 24);
    }
}
