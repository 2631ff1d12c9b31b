//! Setting fields from a map of names and values.

use super::Model;
use crate::error::{Error, Result, ValidationError, nearest_names};
use crate::fields;
use crate::schema::{FieldMeta, ModelMeta};
use crate::value::{ColumnType, Value, parse_datetime};
use std::collections::{BTreeMap, HashMap};

/// A map of names and values: `json!({..})`, `serde_json::Map`, maps, arrays of pairs.
pub trait IntoDict {
    /// The pairs.
    ///
    /// # Errors
    /// [`Error::Validation`] when a JSON value is not an object.
    fn into_dict(self) -> Result<Vec<(String, Value)>>;
}

impl IntoDict for serde_json::Map<String, serde_json::Value> {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        Ok(self
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect())
    }
}
impl IntoDict for &serde_json::Map<String, serde_json::Value> {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        self.clone().into_dict()
    }
}
impl IntoDict for serde_json::Value {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        match self {
            serde_json::Value::Object(map) => map.into_dict(),
            _ => Err(Error::validation("data", "a JSON object is expected")),
        }
    }
}
impl IntoDict for &serde_json::Value {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        self.clone().into_dict()
    }
}
impl<K: Into<String>, V: Into<Value>> IntoDict for Vec<(K, V)> {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        Ok(self
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}
impl<K: Into<String>, V: Into<Value>, const N: usize> IntoDict for [(K, V); N] {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        Ok(self
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}
impl<K: Into<String>, V: Into<Value>> IntoDict for HashMap<K, V> {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        Ok(self
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}
impl<K: Into<String>, V: Into<Value>> IntoDict for BTreeMap<K, V> {
    fn into_dict(self) -> Result<Vec<(String, Value)>> {
        Ok(self
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect())
    }
}

pub(super) fn update<M: Model>(instance: &mut M, data: Vec<(String, Value)>) -> Result<()> {
    let model = M::meta();
    let mut next = instance.clone();
    let mut problems = ValidationError::new();
    for (name, value) in data {
        let at = match settable(model, &name) {
            Ok(at) => at,
            Err(problem) => {
                problems.push(name, problem);
                continue;
            }
        };
        let value = from_text(&model.fields[at], value);
        let before = problems.issues().len();
        fields::validate(model, &model.fields[at], &value, &mut problems);
        if problems.issues().len() == before
            && let Err(error) = next.set_value(at, value)
        {
            problems.push(name, error.to_string());
        }
    }
    problems.into_result()?;
    *instance = next;
    Ok(())
}

/// JSON has no instants: an RFC 3339 text stands for one in a date-time field.
fn from_text(field: &FieldMeta, value: Value) -> Value {
    match (field.ty, &value) {
        (ColumnType::DateTime, Value::Text(text)) => {
            parse_datetime(text).map_or(value, Value::DateTime)
        }
        _ => value,
    }
}

/// The position of a field that a caller may set by this name, or why not.
fn settable(model: &'static ModelMeta, name: &str) -> Result<usize, String> {
    let named = model.fields.iter().position(|field| field.name == name);
    let at = match (named, model.relation(name)) {
        (Some(at), _) => at,
        (None, Some(relation)) => match relation
            .column
            .and_then(|column| model.position(column.name))
        {
            Some(at) => at,
            None => {
                return Err(
                    "is a relation to many rows: use its `add`, `remove` and `clear`".to_owned(),
                );
            }
        },
        (None, None) => {
            let near = nearest_names(name, model.names());
            let hint = near
                .first()
                .map(|n| format!("; did you mean `{n}`?"))
                .unwrap_or_default();
            return Err(format!("`{}` has no such field{hint}", model.name));
        }
    };
    let field = &model.fields[at];
    if field.pk {
        Err("is the primary key, which cannot be set this way".to_owned())
    } else if field.auto_now || field.auto_now_add {
        Err("is set by the ORM itself".to_owned())
    } else {
        Ok(at)
    }
}
