//! Lists of values: padded, so that few shapes exist, or bound as one text when they are long.

use super::walk::Walk;
use crate::backend::ListItems;
use crate::error::{Error, Result};
use crate::value::{Array, ColumnType, Value};

/// Lists up to this length are bound value by value.
const MAX_BOUND: usize = 1000;

/// How a list was collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListPlan {
    /// So many values in a row, the last ones repeated.
    Bound(usize),
    /// One text that the database turns into a table, by this sub-query.
    Table(&'static str),
    /// One array.
    Array(Cast),
}

/// The type of an array, as it is written in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cast {
    pub(super) name: &'static str,
    /// Whether the database may find the type from what the list is compared with. It must not for
    /// numbers: one that the column cannot hold is in no row, and no error.
    pub(super) needless: bool,
}

impl Walk {
    /// Collects a list without NULL; writes its plan into the key.
    pub(super) fn list(&mut self, values: &mut [Value], field: &'static str) -> Result<ListPlan> {
        for value in values.iter() {
            self.check(value, field)?;
        }
        let plan = self.plan(values)?;
        match plan {
            ListPlan::Bound(padded) => {
                self.key.word(padded as u64);
                let start = self.values.len();
                self.values.extend(values.iter_mut().map(Value::take));
                if let Some(last) = self.values[start..].last().cloned() {
                    self.values.resize(start + padded, last);
                }
            }
            ListPlan::Table(_) => {
                // The two kinds of items make two texts.
                let texts = matches!(values.first(), Some(Value::Text(_)));
                self.key.word(u64::MAX - u64::from(texts));
                self.values.push(Value::Text(as_json(values)));
                values.iter_mut().for_each(|value| *value = Value::Null);
            }
            ListPlan::Array(_) => {
                let ty = values.first().and_then(column_type);
                self.key.word(u64::MAX - 1 - ty.map_or(0, |(_, key)| key));
                let items = values.iter_mut().map(Value::take).collect();
                let ty = ty.map_or(ColumnType::Text, |(ty, _)| ty);
                self.values.push(Array::new(ty, items).into());
            }
        }
        self.lists.push(plan);
        Ok(plan)
    }

    fn plan(&self, values: &[Value]) -> Result<ListPlan> {
        if let Some(cast) = self.array_cast(values) {
            return Ok(ListPlan::Array(cast));
        }
        let padded = values
            .len()
            .checked_next_power_of_two()
            .unwrap_or(usize::MAX);
        if values.is_empty() || values.len() <= MAX_BOUND && self.fits(padded) {
            return Ok(ListPlan::Bound(if values.is_empty() { 0 } else { padded }));
        }
        let items = match values.first() {
            Some(Value::I64(_)) => Some(ListItems::Integers),
            Some(Value::Text(_)) => Some(ListItems::Texts),
            _ => None,
        };
        let alike = |items| {
            values.iter().all(|value| match items {
                ListItems::Integers => matches!(value, Value::I64(_)),
                ListItems::Texts => matches!(value, Value::Text(_)),
            })
        };
        let table = items.filter(|items| alike(*items));
        if let Some(table) = table.and_then(|items| self.dialect.list_table(items)) {
            return Ok(ListPlan::Table(table));
        }
        if self.fits(padded) {
            return Ok(ListPlan::Bound(padded));
        }
        if self.fits(values.len()) {
            return Ok(ListPlan::Bound(values.len()));
        }
        Err(Error::Unsupported("lists of this length"))
    }

    /// The type of the array that these values make, when they are of one kind.
    fn array_cast(&self, values: &[Value]) -> Option<Cast> {
        let (ty, _) = column_type(values.first()?)?;
        let name = self.dialect.array_type(ty)?;
        let kind = std::mem::discriminant(values.first()?);
        let alike = values
            .iter()
            .all(|value| std::mem::discriminant(value) == kind);
        alike.then_some(Cast {
            name,
            needless: !matches!(ty, ColumnType::BigInt | ColumnType::Float),
        })
    }

    fn fits(&self, count: usize) -> bool {
        let max = self.dialect.capabilities().max_params as usize;
        self.values.len().saturating_add(count) <= max
    }
}

/// The widest type for values of this kind, and a number for it.
fn column_type(value: &Value) -> Option<(ColumnType, u64)> {
    Some(match value {
        Value::Bool(_) => (ColumnType::Boolean, 1),
        Value::I64(_) => (ColumnType::BigInt, 2),
        Value::F64(_) => (ColumnType::Float, 3),
        Value::Text(_) => (ColumnType::Text, 4),
        Value::Bytes(_) => (ColumnType::Binary, 5),
        Value::DateTime(_) => (ColumnType::DateTime, 6),
        Value::Null | Value::Array(_) => return None,
    })
}

/// Integers or texts as a JSON array.
fn as_json(values: &[Value]) -> String {
    use std::fmt::Write;
    let mut json = String::with_capacity(values.len() * 8 + 2);
    json.push('[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            json.push(',');
        }
        match value {
            Value::I64(number) => {
                write!(json, "{number}").expect("writing into a String does not fail");
            }
            Value::Text(text) => json_text(&mut json, text),
            _ => json.push_str("null"),
        }
    }
    json.push(']');
    json
}

fn json_text(json: &mut String, text: &str) {
    use std::fmt::Write;
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c < ' ' => {
                write!(json, "\\u{:04x}", u32::from(c))
                    .expect("writing into a String does not fail");
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_in_json() {
        let values = [Value::from("a\"\\\n\u{e9}"), Value::from("b")];
        assert_eq!(as_json(&values), "[\"a\\\"\\\\\\u000a\u{e9}\",\"b\"]");
        assert_eq!(as_json(&[Value::I64(-1), Value::I64(2)]), "[-1,2]");
    }
}
