//! Values on their way to a server, and rows on their way back.

use libsql::Value as Sent;
use orm_core::backend::RowAccess;
use orm_core::error::{DataError, Error, Result};
use orm_core::value::{Cell, Value, format_datetime};

/// The values as the protocol carries them.
///
/// # Errors
/// `Validation` for what SQLite or JSON would change on the way.
pub(super) fn to_send(values: &[Value]) -> Result<Vec<Sent>> {
    let values = values.iter().enumerate();
    values.map(|(index, value)| one(index, value)).collect()
}

fn one(index: usize, value: &Value) -> Result<Sent> {
    let bad = |message: &str| Error::validation(format!("value {}", index + 1), message);
    Ok(match value {
        Value::Null => Sent::Null,
        Value::Bool(value) => Sent::Integer(i64::from(*value)),
        Value::I64(value) => Sent::Integer(*value),
        Value::F64(value) if !value.is_finite() => {
            return Err(bad("only finite numbers can be sent to a libSQL server"));
        }
        Value::F64(value) => Sent::Real(*value),
        Value::Text(value) if value.contains('\0') => {
            return Err(bad("text must not contain NUL characters"));
        }
        Value::Text(value) => Sent::Text(value.clone()),
        Value::Bytes(value) => Sent::Blob(value.clone()),
        Value::DateTime(at) => match format_datetime(*at) {
            Some(text) => Sent::Text(text),
            None => return Err(bad("the year must be from 1 to 9999")),
        },
        other => return Err(bad(&format!("{} cannot be stored", other.kind()))),
    })
}

/// A row that came from the server.
pub(super) struct ReceivedRow {
    row: libsql::Row,
    values: Vec<Sent>,
}

impl ReceivedRow {
    pub(super) fn new(row: libsql::Row) -> std::result::Result<Self, libsql::Error> {
        let values = (0..row.column_count()).map(|index| row.get_value(index));
        let values = values.collect::<std::result::Result<_, _>>()?;
        Ok(ReceivedRow { row, values })
    }
}

impl RowAccess for ReceivedRow {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn name(&self, index: usize) -> &str {
        let index = i32::try_from(index).ok();
        index.and_then(|i| self.row.column_name(i)).unwrap_or("")
    }

    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        Ok(match self.values.get(index) {
            None => {
                return Err(DataError::new("there is no such column")
                    .at("", index.to_string())
                    .into());
            }
            Some(Sent::Null) => Cell::Null,
            Some(Sent::Integer(value)) => Cell::I64(*value),
            Some(Sent::Real(value)) => Cell::F64(*value),
            Some(Sent::Text(value)) => Cell::Text(value),
            Some(Sent::Blob(value)) => Cell::Bytes(value),
        })
    }
}
