//! The documented field kinds, and the checks of values against a field before anything is sent.
//!
//! The Rust type of a struct's field and its options decide the kind. The names below are the
//! documented spellings; write either: `pub age: i32` or `pub age: IntField`. `Option` of a type
//! is the kind with `null=True`.
//!
//! Every kind takes the parameters `pk`, `unique`, `index`, `default = ..`, `description = ".."`
//! and `column = ".."` in `#[field(..)]`.

use crate::error::ValidationError;
use crate::schema::{FieldMeta, ModelMeta};
use crate::value::{ColumnType, Field, Value};
use chrono::{DateTime, Utc};

/// A whole number of 32 bits.
///
/// With `pk`, the database assigns the key unless `generated = false`; zero means "not saved yet"
/// then. Where zero is a key, write [`Auto<i32>`](crate::value::Auto).
pub type IntField = i32;

/// A whole number of 64 bits. With `pk`, the database assigns the key unless `generated = false`.
pub type BigIntField = i64;

/// A whole number of 16 bits. With `pk`, the database assigns the key unless `generated = false`.
pub type SmallIntField = i16;

/// Text of bounded length. Needs `max_length = N`, counted in characters (code points); without it
/// the field is a [`TextField`].
pub type CharField = String;

/// Text of any length.
pub type TextField = String;

/// True or false. `#[field(default = false)]` makes it optional in `create`.
pub type BooleanField = bool;

/// A double. NaN and infinities are refused, since not every database can hold them.
pub type FloatField = f64;

/// An instant in UTC, to the microsecond.
///
/// `auto_now` sets it on every save, `auto_now_add` on creation only.
pub type DateTimeField = DateTime<Utc>;

/// Bytes.
pub type BinaryField = Vec<u8>;

/// Checks one value against its field, and adds what is wrong to `issues`.
///
/// It refuses NULL in a field that does not take it, text longer than `max_length` (counted in
/// code points) or with a NUL character, integers out of the column's range, NaN and infinities,
/// years outside 1 to 9999, and values of another kind than the column's.
pub fn validate(model: &ModelMeta, field: &FieldMeta, value: &Value, issues: &mut ValidationError) {
    if let Some(problem) = problem(model, field, value) {
        issues.push(field.name, problem);
    }
}

fn problem(model: &ModelMeta, field: &FieldMeta, value: &Value) -> Option<String> {
    match (field.ty, value) {
        (_, Value::Null) => null_problem(model, field),
        (ColumnType::Boolean, Value::Bool(_)) | (ColumnType::Binary, Value::Bytes(_)) => None,
        (ty, Value::I64(number)) if ty.is_integer() => integer_problem(ty, *number),
        (ColumnType::Float, Value::I64(_)) => None,
        (ColumnType::Float, Value::F64(number)) => number.problem().map(str::to_owned),
        (ty, Value::Text(text)) if ty.is_text() => text_problem(field, text),
        (ColumnType::DateTime, Value::DateTime(at)) => at.problem().map(str::to_owned),
        (ty, other) => Some(format!("{} cannot hold {}", ty.field_kind(), other.kind())),
    }
}

/// An unset generated key is NULL until the database assigns it.
fn null_problem(model: &ModelMeta, field: &FieldMeta) -> Option<String> {
    if field.null || field.generated {
        return None;
    }
    Some(format!(
        "may not be null: give a value, or make the field of `{}` an `Option`",
        model.name
    ))
}

fn integer_problem(ty: ColumnType, number: i64) -> Option<String> {
    let (low, high) = match ty {
        ColumnType::SmallInt => (i64::from(i16::MIN), i64::from(i16::MAX)),
        ColumnType::Int => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => return None,
    };
    (number < low || number > high).then(|| format!("must be between {low} and {high}"))
}

fn text_problem(field: &FieldMeta, text: &str) -> Option<String> {
    if text.as_bytes().contains(&0) {
        return Some("text cannot hold the NUL character".to_owned());
    }
    let max = field.max_length()?;
    // Bytes are at least as many as characters, so most texts need no counting.
    if text.len() <= max as usize {
        return None;
    }
    let length = text.chars().count();
    (length > max as usize).then(|| format!("has {length} characters, at most {max} are allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    static MODEL: ModelMeta = ModelMeta {
        name: "Thing",
        table: "thing",
        description: "",
        fields: &[],
        relations: &[],
        pk: 0,
        ordering: &[],
        unique_together: &[],
        indexes: &[],
    };

    fn issue(field: FieldMeta, value: Value) -> Option<String> {
        let mut issues = ValidationError::new();
        validate(&MODEL, &field, &value, &mut issues);
        issues.issues().first().map(|i| i.message.to_string())
    }

    #[test]
    fn null_is_refused_unless_the_field_takes_it_or_the_database_assigns_it() {
        let field = FieldMeta::new("n", ColumnType::Int);
        assert!(issue(field, Value::Null).is_some());
        let null = FieldMeta {
            null: true,
            ..FieldMeta::new("n", ColumnType::Int)
        };
        assert_eq!(issue(null, Value::Null), None);
        let key = FieldMeta {
            generated: true,
            ..FieldMeta::new("n", ColumnType::Int)
        };
        assert_eq!(issue(key, Value::Null), None);
    }

    #[test]
    fn length_is_counted_in_code_points() {
        let field = || FieldMeta::new("name", ColumnType::Char(3));
        assert_eq!(issue(field(), "äöü".into()), None);
        let message = issue(field(), "abcd".into()).expect("too long");
        assert_eq!(message, "has 4 characters, at most 3 are allowed");
    }

    #[test]
    fn nul_nan_and_far_years_are_refused() {
        assert!(issue(FieldMeta::new("t", ColumnType::Text), "a\0b".into()).is_some());
        assert!(issue(FieldMeta::new("f", ColumnType::Float), f64::NAN.into()).is_some());
        assert!(issue(FieldMeta::new("f", ColumnType::Float), f64::INFINITY.into()).is_some());
        let far = DateTime::<Utc>::MAX_UTC;
        assert!(
            issue(
                FieldMeta::new("d", ColumnType::DateTime),
                Value::DateTime(far)
            )
            .is_some()
        );
    }

    #[test]
    fn integers_stay_in_the_range_of_their_column() {
        let field = || FieldMeta::new("n", ColumnType::SmallInt);
        assert_eq!(issue(field(), Value::I64(32_767)), None);
        assert!(issue(field(), Value::I64(32_768)).is_some());
        assert_eq!(
            issue(
                FieldMeta::new("n", ColumnType::BigInt),
                Value::I64(i64::MAX)
            ),
            None
        );
    }

    #[test]
    fn another_kind_of_value_is_refused_without_showing_it() {
        let message = issue(FieldMeta::new("n", ColumnType::Int), "secret".into());
        assert_eq!(message.as_deref(), Some("IntField cannot hold text"));
    }
}
