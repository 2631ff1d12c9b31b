//! Values on their way to the server, checked here because the server would change some silently.

use chrono::{Datelike, Timelike};
use orm_core::error::{DatabaseError, Error, ErrorKind, Result};
use orm_core::value::Value;
use std::sync::Arc;

/// Room that a packet needs besides texts and bytes: per value, and for the rest.
const PER_VALUE: usize = 16;
const PER_PACKET: usize = 1024;

/// The values as the driver takes them.
///
/// # Errors
/// `Validation` for what the server cannot hold; `Resource` for more bytes than it accepts, since
/// it may close the connection then.
pub(crate) fn bind(
    values: &[Value],
    limit: usize,
    sql: &Arc<str>,
) -> Result<Vec<mysql_async::Value>> {
    let mut size = PER_PACKET;
    for value in values {
        size = size.saturating_add(PER_VALUE + bytes(value));
    }
    if size > limit {
        return Err(too_large(size, limit, Some(sql)));
    }
    values.iter().enumerate().map(|(i, v)| one(i, v)).collect()
}

/// Fails when a text is longer than the server accepts.
pub(crate) fn check_text(sql: &str, limit: usize) -> Result<()> {
    let size = sql.len().saturating_add(PER_PACKET);
    match size > limit {
        true => Err(too_large(size, limit, None)),
        false => Ok(()),
    }
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(value) => value.len(),
        Value::Bytes(value) => value.len(),
        _ => 0,
    }
}

fn one(index: usize, value: &Value) -> Result<mysql_async::Value> {
    use mysql_async::Value as Native;
    Ok(match value {
        Value::Null => Native::NULL,
        Value::Bool(value) => Native::Int((*value).into()),
        Value::I64(value) => Native::Int(*value),
        Value::F64(value) if !value.is_finite() => {
            return Err(bad(index, "NaN and infinities cannot be stored"));
        }
        Value::F64(value) => Native::Double(*value),
        Value::Text(value) if value.as_bytes().contains(&0) => {
            return Err(bad(index, "text must not contain NUL characters"));
        }
        Value::Text(value) => Native::Bytes(value.as_bytes().to_vec()),
        Value::Bytes(value) => Native::Bytes(value.clone()),
        Value::DateTime(at) => {
            let at = at.naive_utc();
            let year = u16::try_from(at.year())
                .ok()
                .filter(|year| (1..=9999).contains(year))
                .ok_or_else(|| bad(index, "the year must be from 1 to 9999"))?;
            // These fit: they are parts of a date and a time.
            let part = |part: u32| u8::try_from(part).unwrap_or(u8::MAX);
            Native::Date(
                year,
                part(at.month()),
                part(at.day()),
                part(at.hour()),
                part(at.minute()),
                part(at.second()),
                at.nanosecond() % 1_000_000_000 / 1_000,
            )
        }
        other => return Err(bad(index, &format!("{} cannot be stored", other.kind()))),
    })
}

fn bad(index: usize, message: &str) -> Error {
    Error::validation(format!("value {}", index + 1), message)
}

fn too_large(size: usize, limit: usize, sql: Option<&Arc<str>>) -> Error {
    let message = format!(
        "the statement needs about {size} bytes, but the server accepts {limit}: \
         raise its `max_allowed_packet`"
    );
    let mut report = DatabaseError::new(message).with_code(1153);
    if let Some(sql) = sql {
        report = report.with_sql(Arc::clone(sql));
    }
    Error::database(ErrorKind::Resource, report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mysql_async::Value as Native;
    use orm_core::value::parse_datetime;

    fn sent(value: Value) -> Result<Native> {
        one(0, &value)
    }

    #[test]
    fn every_kind_of_value_is_sent_as_its_own() {
        let at = parse_datetime("2024-02-29 23:59:58.000001+00:00").expect("a date-time");
        for (value, wanted) in [
            (Value::Null, Native::NULL),
            (true.into(), Native::Int(1)),
            (i64::MIN.into(), Native::Int(i64::MIN)),
            (0.1.into(), Native::Double(0.1)),
            ("ü".into(), Native::Bytes("ü".into())),
            (vec![0u8, 255].into(), Native::Bytes(vec![0, 255])),
            (at.into(), Native::Date(2024, 2, 29, 23, 59, 58, 1)),
        ] {
            assert_eq!(sent(value).expect("can be sent"), wanted);
        }
    }

    #[test]
    fn what_the_server_would_change_is_refused() {
        assert!(sent(f64::NAN.into()).is_err());
        assert!(sent(f64::INFINITY.into()).is_err());
        assert!(sent("a\0b".into()).is_err());
    }

    #[test]
    fn the_size_is_checked_before_sending() {
        let sql: Arc<str> = Arc::from("SELECT ?");
        let values = [Value::from("x".repeat(2_000))];
        assert!(bind(&values, 4_000, &sql).is_ok());
        let error = bind(&values, 2_500, &sql).expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::Resource);
        assert!(error.to_string().contains("max_allowed_packet"));
    }
}
