//! Which Rust types can be a column: the trait, its implementations, and the markers lookups use.

use super::datetime::has_written_year;
use super::{Cell, ColumnType, Value, parse_datetime, truncate_to_micros};
use crate::error::{DataError, Result};
use chrono::{DateTime, Utc};

/// A Rust type that can be a column of a model.
///
/// Implemented for `bool`, `i16`, `i32`, `i64`, `f64`, `String`, `Vec<u8>`, `DateTime<Utc>` and
/// `Option` of each; [`Auto`](super::Auto) of an integer is a field as a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column of a model",
    label = "not a field type",
    note = "use bool, i16, i32, i64, f64, String, Vec<u8>, DateTime<Utc>, or `Option` of one; \
            relations are ForeignKey, OneToOne, HasOne, HasMany and ManyToMany"
)]
pub trait Field: Sized + Clone + Send + Sync + 'static {
    /// The type without `Option`.
    type Base: Field;
    /// The type with `Option`.
    type Nullable: Field;
    /// What the column holds. Text is `Text`; `max_length` makes it `Char` in the metadata.
    const TYPE: ColumnType;
    /// Whether the column takes NULL.
    const NULL: bool = false;

    /// The value to send.
    fn to_value(&self) -> Value;

    /// The value to send, without a copy.
    fn into_value(self) -> Value {
        self.to_value()
    }

    /// Reads a cell, converting where the storage class of some database makes it necessary
    /// (integer to boolean, text to date-time).
    ///
    /// # Errors
    /// [`Data`](crate::error::Error::Data) when the cell does not fit. Integers never wrap.
    fn from_cell(cell: Cell<'_>) -> Result<Self>;

    /// Refuses what no database, or not every database, can hold: NUL in text, NaN, years outside
    /// 1 to 9999. `None` when the value is fine.
    fn problem(&self) -> Option<&'static str> {
        None
    }
}

/// The type of a column without `Option`.
pub type Base<T> = <T as Field>::Base;

/// A type that can be a primary key.
pub trait Key: Field + Ord + std::hash::Hash {
    /// The key that stands for "not saved yet": zero, the empty text, or `Auto::unset()`.
    fn unset() -> Self;

    /// Whether the key stands for "not saved yet".
    fn is_unset(&self) -> bool;
}

/// Columns that text lookups such as `icontains` work on.
#[diagnostic::on_unimplemented(
    message = "this lookup needs a text column, but the column holds `{Self}`",
    label = "not a text column"
)]
pub trait TextLike {}

/// Columns that arithmetic works on.
#[diagnostic::on_unimplemented(
    message = "this needs a numeric column, but the column holds `{Self}`",
    label = "not a numeric column"
)]
pub trait Numeric {}

/// Columns that date parts such as `year` work on.
#[diagnostic::on_unimplemented(
    message = "this lookup needs a date-time column, but the column holds `{Self}`",
    label = "not a date-time column"
)]
pub trait Temporal {}

#[cold]
fn mismatch<T>(wanted: &str, found: Cell<'_>) -> Result<T> {
    Err(DataError::new(format!("expected {wanted}, found {}", found.kind())).into())
}

macro_rules! integer {
    ($($t:ty => $ty:ident, $name:literal;)*) => { $(
        impl Field for $t {
            type Base = $t;
            type Nullable = Option<$t>;
            const TYPE: ColumnType = ColumnType::$ty;
            fn to_value(&self) -> Value { Value::I64((*self).into()) }
            #[inline]
            fn from_cell(cell: Cell<'_>) -> Result<Self> {
                let wide = match cell {
                    Cell::I64(v) => Some(v),
                    Cell::U64(v) => i64::try_from(v).ok(),
                    Cell::Bool(v) => Some(v.into()),
                    other => return mismatch($name, other),
                };
                match wide.and_then(|v| <$t>::try_from(v).ok()) {
                    Some(v) => Ok(v),
                    None => Err(DataError::new(concat!("the stored number does not fit ", $name)).into()),
                }
            }
        }
        impl Numeric for $t {}
        impl Numeric for Option<$t> {}
    )* };
}
integer! {
    i16 => SmallInt, "a 16-bit integer";
    i32 => Int, "a 32-bit integer";
    i64 => BigInt, "a 64-bit integer";
}

impl Field for bool {
    type Base = bool;
    type Nullable = Option<bool>;
    const TYPE: ColumnType = ColumnType::Boolean;
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bool(v) => Ok(v),
            Cell::I64(0) | Cell::U64(0) => Ok(false),
            Cell::I64(1) | Cell::U64(1) => Ok(true),
            other => mismatch("a boolean (true, false, 0 or 1)", other),
        }
    }
}

impl Field for f64 {
    type Base = f64;
    type Nullable = Option<f64>;
    const TYPE: ColumnType = ColumnType::Float;
    fn to_value(&self) -> Value {
        Value::F64(*self)
    }
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::F64(v) => Ok(v),
            Cell::I64(v) => Ok(v as f64),
            Cell::U64(v) => Ok(v as f64),
            other => mismatch("a number", other),
        }
    }
    fn problem(&self) -> Option<&'static str> {
        (!self.is_finite()).then_some("NaN and infinities cannot be stored on every database")
    }
}
impl Numeric for f64 {}
impl Numeric for Option<f64> {}

impl Field for String {
    type Base = String;
    type Nullable = Option<String>;
    const TYPE: ColumnType = ColumnType::Text;
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
    fn into_value(self) -> Value {
        Value::Text(self)
    }
    #[inline]
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Text(v) => Ok(v.to_owned()),
            other => mismatch("text", other),
        }
    }
    fn problem(&self) -> Option<&'static str> {
        self.as_bytes()
            .contains(&0)
            .then_some("text cannot hold the NUL character")
    }
}
impl TextLike for String {}
impl TextLike for Option<String> {}

impl Field for Vec<u8> {
    type Base = Vec<u8>;
    type Nullable = Option<Vec<u8>>;
    const TYPE: ColumnType = ColumnType::Binary;
    fn to_value(&self) -> Value {
        Value::Bytes(self.clone())
    }
    fn into_value(self) -> Value {
        Value::Bytes(self)
    }
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::Bytes(v) => Ok(v.to_owned()),
            other => mismatch("bytes", other),
        }
    }
}

impl Field for DateTime<Utc> {
    type Base = DateTime<Utc>;
    type Nullable = Option<DateTime<Utc>>;
    const TYPE: ColumnType = ColumnType::DateTime;
    fn to_value(&self) -> Value {
        Value::DateTime(truncate_to_micros(*self))
    }
    fn from_cell(cell: Cell<'_>) -> Result<Self> {
        match cell {
            Cell::DateTime(v) => Ok(v),
            Cell::Text(text) => match parse_datetime(text) {
                Some(v) => Ok(v),
                None => Err(DataError::new("expected a date-time, found other text").into()),
            },
            other => mismatch("a date-time", other),
        }
    }
    fn problem(&self) -> Option<&'static str> {
        (!has_written_year(*self)).then_some("the year must be between 1 and 9999")
    }
}
#[diagnostic::do_not_recommend]
impl Temporal for DateTime<Utc> {}
#[diagnostic::do_not_recommend]
impl Temporal for Option<DateTime<Utc>> {}

/// Base types only, so that `Option<Option<T>>` is no field.
macro_rules! nullable {
    ($($t:ty)*) => { $(
        impl Field for Option<$t> {
            type Base = $t;
            type Nullable = Option<$t>;
            const TYPE: ColumnType = <$t as Field>::TYPE;
            const NULL: bool = true;
            fn to_value(&self) -> Value { self.as_ref().map_or(Value::Null, Field::to_value) }
            fn into_value(self) -> Value { self.map_or(Value::Null, Field::into_value) }
            #[inline]
            fn from_cell(cell: Cell<'_>) -> Result<Self> {
                if cell.is_null() { Ok(None) } else { <$t as Field>::from_cell(cell).map(Some) }
            }
            fn problem(&self) -> Option<&'static str> { self.as_ref().and_then(Field::problem) }
        }
    )* };
}
nullable!(bool i16 i32 i64 f64 String Vec<u8> DateTime<Utc>);

macro_rules! integer_key {
    ($($t:ty)*) => { $(
        impl Key for $t {
            fn unset() -> Self { 0 }
            fn is_unset(&self) -> bool { *self == 0 }
        }
    )* };
}
integer_key!(i16 i32 i64);
impl Key for String {
    fn unset() -> Self {
        String::new()
    }
    fn is_unset(&self) -> bool {
        self.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_never_wrap() {
        assert_eq!(
            i32::from_cell(Cell::I64(i64::from(i32::MIN))).expect("fits"),
            i32::MIN
        );
        assert!(i32::from_cell(Cell::I64(i64::from(i32::MAX) + 1)).is_err());
        assert!(i64::from_cell(Cell::U64(u64::MAX)).is_err());
    }

    #[test]
    fn two_is_not_a_boolean() {
        assert!(bool::from_cell(Cell::I64(1)).expect("one"));
        assert!(bool::from_cell(Cell::I64(2)).is_err());
        assert!(bool::from_cell(Cell::Text("t")).is_err());
    }

    #[test]
    fn null_reads_only_into_option() {
        assert_eq!(
            Option::<String>::from_cell(Cell::Null).expect("nullable"),
            None
        );
        assert!(String::from_cell(Cell::Null).is_err());
    }

    /// `.` for a cell that the type reads, `x` for one that it refuses.
    fn reads<T: Field>(cells: &[Cell<'_>]) -> String {
        let read = |cell: &Cell<'_>| T::from_cell(*cell).map_or('x', |_| '.');
        cells.iter().map(read).collect()
    }

    #[test]
    fn every_field_reads_its_cells_and_refuses_others() {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        let cells = [
            Cell::Null,
            Cell::Bool(true),
            Cell::I64(1),
            Cell::I64(70_000),
            Cell::U64(1),
            Cell::U64(u64::MAX),
            Cell::F64(1.0),
            Cell::Text("1"),
            Cell::Text("2024-02-29T12:00:00Z"),
            Cell::Bytes(b"1"),
            Cell::DateTime(at),
        ];
        assert_eq!(reads::<bool>(&cells), "x..x.xxxxxx");
        assert_eq!(reads::<i16>(&cells), "x..x.xxxxxx");
        assert_eq!(reads::<i32>(&cells), "x....xxxxxx");
        assert_eq!(reads::<i64>(&cells), "x....xxxxxx");
        assert_eq!(reads::<f64>(&cells), "xx.....xxxx");
        assert_eq!(reads::<String>(&cells), "xxxxxxx..xx");
        assert_eq!(reads::<Vec<u8>>(&cells), "xxxxxxxxx.x");
        assert_eq!(reads::<DateTime<Utc>>(&cells), "xxxxxxxx.x.");
        assert_eq!(reads::<Option<bool>>(&cells), "...x.xxxxxx");
        assert_eq!(reads::<Option<i32>>(&cells), ".....xxxxxx");
        assert_eq!(reads::<Option<f64>>(&cells), ".x.....xxxx");
        assert_eq!(reads::<Option<String>>(&cells), ".xxxxxx..xx");
        assert_eq!(reads::<Option<Vec<u8>>>(&cells), ".xxxxxxxx.x");
        assert_eq!(reads::<Option<DateTime<Utc>>>(&cells), ".xxxxxxx.x.");
    }
}
