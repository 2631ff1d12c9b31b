//! JSON scalars as values, for `update_from_dict` and configuration.

use super::Value;

impl From<&serde_json::Value> for Value {
    /// Objects and arrays become their JSON text; numbers beyond `i64` become `f64`.
    fn from(v: &serde_json::Value) -> Value {
        match v {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(v) => Value::Bool(*v),
            serde_json::Value::Number(v) => match v.as_i64() {
                Some(v) => Value::I64(v),
                None => v.as_f64().map_or(Value::Null, Value::F64),
            },
            serde_json::Value::String(v) => Value::Text(v.clone()),
            other => Value::Text(other.to_string()),
        }
    }
}

impl From<serde_json::Value> for Value {
    fn from(v: serde_json::Value) -> Value {
        match v {
            serde_json::Value::String(v) => Value::Text(v),
            other => Value::from(&other),
        }
    }
}
