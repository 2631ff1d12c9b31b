//! A value of the reference model: what a column holds, compared the documented way.

use chrono::{DateTime, SecondsFormat, Utc};
use orm_core::error::Result;
use orm_core::value::{Field, Value};
use std::cmp::Ordering;
use std::fmt;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Small,
    Int,
    Big,
    Float,
    Text,
    Time,
}

/// One value, or NULL.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Time(DateTime<Utc>),
}

impl Datum {
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Datum::Null)
    }

    /// NULL before everything, text by code point.
    pub(super) fn order(&self, other: &Datum) -> Ordering {
        match (self, other) {
            (Datum::Null, Datum::Null) => Ordering::Equal,
            (Datum::Null, _) => Ordering::Less,
            (_, Datum::Null) => Ordering::Greater,
            (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
            (Datum::Int(a), Datum::Int(b)) => a.cmp(b),
            (Datum::Float(a), Datum::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
            (Datum::Text(a), Datum::Text(b)) => a.chars().cmp(b.chars()),
            (Datum::Time(a), Datum::Time(b)) => a.cmp(b),
            (a, b) => unreachable!("a plan compares columns of one kind, not {a} with {b}"),
        }
    }

    /// The key of an integer column, for arithmetic and links.
    pub(super) fn int(&self) -> Option<i64> {
        match self {
            Datum::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match self {
            Datum::Null => Value::Null,
            Datum::Bool(value) => Value::Bool(*value),
            Datum::Int(value) => Value::I64(*value),
            Datum::Float(value) => Value::F64(*value),
            Datum::Text(value) => Value::Text(value.clone()),
            Datum::Time(value) => Value::DateTime(*value),
        }
    }

    /// What a database gave for a column of this kind.
    pub(super) fn read(kind: Kind, value: &Value) -> Result<Datum> {
        let cell = value.as_cell();
        Ok(match kind {
            _ if value.is_null() => Datum::Null,
            Kind::Bool => Datum::Bool(bool::from_cell(cell)?),
            Kind::Small => Datum::Int(i16::from_cell(cell)?.into()),
            Kind::Int => Datum::Int(i32::from_cell(cell)?.into()),
            Kind::Big => Datum::Int(i64::from_cell(cell)?),
            Kind::Float => Datum::Float(f64::from_cell(cell)?),
            Kind::Text => Datum::Text(String::from_cell(cell)?),
            Kind::Time => Datum::Time(DateTime::from_cell(cell)?),
        })
    }
}

impl fmt::Display for Datum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Datum::Null => f.write_str("None"),
            Datum::Bool(value) => write!(f, "{value}"),
            Datum::Int(value) => write!(f, "{value}"),
            Datum::Float(value) => write!(f, "{value:?}"),
            Datum::Text(value) => write!(f, "{value:?}"),
            Datum::Time(value) => write!(
                f,
                "{:?}",
                value.to_rfc3339_opts(SecondsFormat::Micros, true)
            ),
        }
    }
}

/// A list in brackets.
pub(super) fn listed(values: &[Datum]) -> String {
    let parts: Vec<String> = values.iter().map(Datum::to_string).collect();
    format!("[{}]", parts.join(", "))
}
