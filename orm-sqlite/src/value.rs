//! Values on their way into a statement, checked here because SQLite would change them silently.

use crate::ffi::{Failure, Prepared, Run};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};
use orm_core::value::{Value, write_datetime};
use std::sync::Arc;

/// Longest text or blob that SQLite stores.
const MAX_BYTES: usize = 1_000_000_000;

/// Why a value could not be bound.
pub(crate) enum Refused {
    /// Found here.
    Value(Error),
    /// Reported by SQLite.
    Database(i32),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused::Value(error)
    }
}

/// Fails when the statement has another number of placeholders: SQLite would take NULL for the
/// missing ones.
pub(crate) fn check_count(prepared: &Prepared, values: &[Value], sql: &Arc<str>) -> Result<()> {
    let (wanted, given) = (prepared.parameters(), values.len());
    if wanted == given {
        return Ok(());
    }
    let message = format!("the statement has {wanted} placeholders, but {given} values were given");
    let report = DatabaseError::new(message).with_sql(Arc::clone(sql));
    Err(Error::database(ErrorKind::Statement, report))
}

/// The texts of the date-times among the values, in order. They must outlive the run.
pub(crate) fn datetime_texts(values: &[Value]) -> Result<Vec<[u8; 32]>> {
    let mut texts = Vec::new();
    for (i, value) in values.iter().enumerate() {
        if let Value::DateTime(at) = value {
            let text = write_datetime(*at);
            texts.push(text.ok_or_else(|| bad(i, "the year must be from 1 to 9999"))?);
        }
    }
    Ok(texts)
}

/// Binds all values; `datetimes` comes from [`datetime_texts`] of the same values.
pub(crate) fn bind_all<'v>(
    run: &mut Run<'_, 'v>,
    values: &'v [Value],
    datetimes: &'v [[u8; 32]],
) -> std::result::Result<(), Refused> {
    let mut datetimes = datetimes.iter();
    for (i, value) in values.iter().enumerate() {
        let at = i32::try_from(i + 1).unwrap_or(i32::MAX);
        let code = match value {
            Value::Null => run.bind_null(at),
            Value::Bool(value) => run.bind_i64(at, i64::from(*value)),
            Value::I64(value) => run.bind_i64(at, *value),
            Value::F64(value) if value.is_nan() => {
                return Err(bad(i, "NaN cannot be stored: SQLite would make it NULL").into());
            }
            Value::F64(value) => run.bind_f64(at, *value),
            Value::Text(value) => {
                check_size(value.len())?;
                if value.as_bytes().contains(&0) {
                    return Err(bad(i, "text must not contain NUL characters").into());
                }
                run.bind_text(at, value)
            }
            Value::Bytes(value) => {
                check_size(value.len())?;
                run.bind_bytes(at, value)
            }
            Value::DateTime(_) => match datetimes.next() {
                Some(text) => {
                    let text = std::str::from_utf8(text);
                    run.bind_text(at, text.map_err(|_| bad(i, "is not text"))?)
                }
                None => run.bind_null(at),
            },
            other => return Err(bad(i, &format!("{} cannot be stored", other.kind())).into()),
        };
        if code != 0 {
            return Err(Refused::Database(code));
        }
    }
    Ok(())
}

fn bad(index: usize, message: &str) -> Error {
    Error::validation(format!("value {}", index + 1), message)
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let message = format!("a value of {bytes} bytes is over SQLite's limit of {MAX_BYTES}");
    let too_big = Failure { code: 18, message };
    let report = DatabaseError::new(too_big.message).with_code(too_big.code);
    Err(Error::database(ErrorKind::Resource, report))
}
