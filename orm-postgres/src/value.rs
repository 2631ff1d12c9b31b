//! Values on their way to the server, written as the type that each placeholder has.

use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Utc};
use orm_core::value::{Value, write_datetime};
use std::{error::Error, fmt};
use tokio_postgres::types::{Format, IsNull, Kind, ToSql, Type};

/// Seconds from 1970 to 2000, where PostgreSQL's clock begins.
pub(crate) const EPOCH: i64 = 946_684_800;

/// A value as a parameter. It looks at the placeholder's type: what has a binary form of its own
/// is sent so, everything else as the text that the type's input function reads.
#[derive(Clone, Copy)]
pub(crate) struct Param<'a>(pub(crate) &'a Value);

impl fmt::Debug for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The value's own `Debug` shows its kind only.
        self.0.fmt(f)
    }
}

/// Why a value cannot be sent.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refused {}

type Written = Result<(), Box<dyn Error + Sync + Send>>;
type Sent = Result<IsNull, Box<dyn Error + Sync + Send>>;

fn refuse(value: &Value, ty: &Type) -> Box<dyn Error + Sync + Send> {
    let message = format!("{} does not fit the type {}", value.kind(), ty.name());
    Box::new(Refused(message))
}

impl ToSql for Param<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Sent {
        if self.0.is_null() {
            return Ok(IsNull::Yes);
        }
        match format_of(self.0, ty) {
            Format::Binary => binary(self.0, ty, out)?,
            Format::Text => text(self.0, ty, out)?,
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, ty: &Type) -> Format {
        format_of(self.0, ty)
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Sent {
        self.to_sql(ty, out)
    }
}

fn is_plain_text(ty: &Type) -> bool {
    matches!(*ty, Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)
}

/// Which form the value takes. Must agree with what [`binary`] can write.
fn format_of(value: &Value, ty: &Type) -> Format {
    let native = match value {
        Value::Null => true,
        Value::Bool(_) => *ty == Type::BOOL,
        Value::I64(_) => matches!(
            *ty,
            Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT4 | Type::FLOAT8
        ),
        Value::F64(_) => matches!(
            *ty,
            Type::FLOAT4 | Type::FLOAT8 | Type::INT2 | Type::INT4 | Type::INT8
        ),
        Value::Text(_) => is_plain_text(ty),
        Value::Bytes(_) => *ty == Type::BYTEA,
        Value::DateTime(_) => matches!(*ty, Type::TIMESTAMPTZ | Type::TIMESTAMP),
        Value::Array(array) => match ty.kind() {
            Kind::Array(item) => {
                let binary = |value| matches!(format_of(value, item), Format::Binary);
                array.items().iter().all(binary)
            }
            _ => false,
        },
        _ => false,
    };
    if native { Format::Binary } else { Format::Text }
}

fn binary(value: &Value, ty: &Type, out: &mut BytesMut) -> Written {
    match value {
        Value::Bool(value) => out.put_u8((*value).into()),
        Value::I64(value) => integer(*value, ty, out)?,
        Value::F64(number) => match *ty {
            Type::FLOAT8 => out.put_f64(*number),
            Type::FLOAT4 => out.put_f32(*number as f32),
            // Exact powers of two: the bounds of `i64` as doubles.
            _ if number.fract() == 0.0 && (-9.2e18..9.2e18).contains(number) => {
                integer(*number as i64, ty, out)?;
            }
            _ => return Err(refuse(value, ty)),
        },
        Value::Text(value) => out.put_slice(value.as_bytes()),
        Value::Bytes(value) => out.put_slice(value),
        Value::DateTime(at) => out.put_i64(micros(*at).ok_or_else(|| refuse(value, ty))?),
        Value::Array(array) => match ty.kind() {
            Kind::Array(item) => binary_array(array.items(), item, out)?,
            _ => return Err(refuse(value, ty)),
        },
        _ => return Err(refuse(value, ty)),
    }
    Ok(())
}

/// One dimension from 1: header, then each value after its length.
fn binary_array(items: &[Value], ty: &Type, out: &mut BytesMut) -> Written {
    let too_long = |_| Box::new(Refused("a list is too long".to_owned()));
    let count = i32::try_from(items.len()).map_err(too_long)?;
    out.put_i32(1);
    out.put_i32(items.iter().any(Value::is_null).into());
    out.put_u32(ty.oid());
    out.put_i32(count);
    out.put_i32(1);
    for item in items {
        if item.is_null() {
            out.put_i32(-1);
            continue;
        }
        let start = out.len();
        out.put_i32(0);
        binary(item, ty, out)?;
        let length = i32::try_from(out.len() - start - 4).map_err(too_long)?;
        out[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// One value of a row of COPY in its text format.
pub(crate) fn copy_value(value: &Value, buffer: &mut BytesMut, out: &mut BytesMut) -> Written {
    if value.is_null() {
        out.put_slice(b"\\N");
        return Ok(());
    }
    buffer.clear();
    text(value, &Type::UNKNOWN, buffer)?;
    for byte in &*buffer {
        match byte {
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            byte => out.put_u8(*byte),
        }
    }
    Ok(())
}

/// `{"a",NULL}`: every value in quotes, so that none is taken for NULL or for a bracket.
fn text_array(items: &[Value], ty: &Type, out: &mut BytesMut) -> Written {
    let item_type = match ty.kind() {
        Kind::Array(item) => item,
        _ => &Type::UNKNOWN,
    };
    let mut buffer = BytesMut::new();
    out.put_u8(b'{');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.put_u8(b',');
        }
        if item.is_null() {
            out.put_slice(b"NULL");
            continue;
        }
        buffer.clear();
        text(item, item_type, &mut buffer)?;
        out.put_u8(b'"');
        for byte in &buffer {
            if matches!(byte, b'"' | b'\\') {
                out.put_u8(b'\\');
            }
            out.put_u8(*byte);
        }
        out.put_u8(b'"');
    }
    out.put_u8(b'}');
    Ok(())
}

fn integer(number: i64, ty: &Type, out: &mut BytesMut) -> Written {
    let too_large = |_| {
        let message = format!("the number does not fit the type {}", ty.name());
        Box::new(Refused(message))
    };
    match *ty {
        Type::INT2 => out.put_i16(i16::try_from(number).map_err(too_large)?),
        Type::INT4 => out.put_i32(i32::try_from(number).map_err(too_large)?),
        Type::INT8 => out.put_i64(number),
        Type::FLOAT4 => out.put_f32(number as f32),
        _ => out.put_f64(number as f64),
    }
    Ok(())
}

/// Microseconds since 2000.
fn micros(at: DateTime<Utc>) -> Option<i64> {
    at.timestamp()
        .checked_sub(EPOCH)?
        .checked_mul(1_000_000)?
        .checked_add(i64::from(at.timestamp_subsec_micros()))
}

fn text(value: &Value, ty: &Type, out: &mut BytesMut) -> Written {
    use fmt::Write;
    match value {
        // Where the type is not known yet, booleans and numbers both take this spelling.
        Value::Bool(value) if is_number(ty) || *ty == Type::UNKNOWN => {
            out.put_u8(if *value { b'1' } else { b'0' })
        }
        Value::Bool(value) => write!(out, "{value}")?,
        Value::I64(value) => write!(out, "{value}")?,
        Value::F64(number) if number.is_nan() => out.put_slice(b"NaN"),
        Value::F64(number) if number.is_infinite() && *number > 0.0 => out.put_slice(b"Infinity"),
        Value::F64(number) if number.is_infinite() => out.put_slice(b"-Infinity"),
        Value::F64(number) => write!(out, "{number:?}")?,
        Value::Text(value) => out.put_slice(value.as_bytes()),
        // Bytes are no text; only a placeholder without a type takes them in their text form.
        Value::Bytes(bytes) if *ty == Type::UNKNOWN => {
            out.put_slice(b"\\x");
            for byte in bytes {
                write!(out, "{byte:02x}")?;
            }
        }
        Value::DateTime(at) => {
            let text = write_datetime(*at).ok_or_else(|| refuse(value, ty))?;
            out.put_slice(&text);
        }
        Value::Array(array) => text_array(array.items(), ty, out)?,
        _ => return Err(refuse(value, ty)),
    }
    Ok(())
}

fn is_number(ty: &Type) -> bool {
    matches!(
        *ty,
        Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use orm_core::value::{Array, ColumnType};

    fn sent(value: impl Into<Value>, ty: Type) -> Result<(Format, Vec<u8>), String> {
        let value = value.into();
        let param = Param(&value);
        let mut out = BytesMut::new();
        match param.to_sql(&ty, &mut out) {
            Ok(IsNull::No) => Ok((param.encode_format(&ty), out.to_vec())),
            Ok(IsNull::Yes) => Err("NULL".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn as_text(value: impl Into<Value>, ty: Type) -> String {
        let (format, bytes) = sent(value, ty).expect("can be sent");
        assert!(matches!(format, Format::Text));
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn integers_take_the_width_of_their_placeholder() {
        assert_eq!(sent(-2i64, Type::INT2).expect("fits").1, [255, 254]);
        assert_eq!(sent(1i64, Type::INT4).expect("fits").1, [0, 0, 0, 1]);
        assert_eq!(sent(1i64, Type::INT8).expect("fits").1.len(), 8);
        assert_eq!(
            sent(1i64, Type::FLOAT8).expect("fits").1,
            1f64.to_be_bytes()
        );
        let error = sent(40_000i64, Type::INT2).expect_err("too large");
        assert!(
            error.contains("int2") && !error.contains("40000"),
            "{error}"
        );
        assert!(sent(i64::MAX, Type::INT4).is_err());
        assert_eq!(as_text(5i64, Type::NUMERIC), "5");
        assert_eq!(as_text(5i64, Type::TEXT), "5");
    }

    #[test]
    fn whole_doubles_fit_integers_and_others_do_not() {
        assert_eq!(sent(3.0, Type::INT4).expect("whole").1, [0, 0, 0, 3]);
        assert!(sent(3.5, Type::INT4).is_err());
        assert!(sent(1e300, Type::INT8).is_err());
        assert_eq!(as_text(0.1, Type::NUMERIC), "0.1");
        assert_eq!(as_text(f64::NEG_INFINITY, Type::UNKNOWN), "-Infinity");
    }

    #[test]
    fn text_goes_to_every_type_in_its_own_spelling() {
        assert_eq!(sent("é", Type::VARCHAR).expect("text").1, "é".as_bytes());
        assert_eq!(as_text("{}", Type::JSONB), "{}");
        assert_eq!(as_text("2024-01-01", Type::DATE), "2024-01-01");
        assert_eq!(as_text(true, Type::INT4), "1");
        assert_eq!(as_text(vec![0u8, 255], Type::UNKNOWN), "\\x00ff");
        assert!(sent(vec![0u8], Type::TEXT).is_err());
        assert_eq!(sent(Value::Null, Type::INT4).expect_err("NULL"), "NULL");
    }

    #[test]
    fn arrays_take_the_form_that_their_items_can_take() {
        let numbers = || Array::new(ColumnType::BigInt, vec![1.into(), Value::Null]);
        let wire = [
            0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 23, 0, 0, 0, 2, 0, 0, 0, 1, // header
            0, 0, 0, 4, 0, 0, 0, 1, // 1
            255, 255, 255, 255, // NULL
        ];
        assert_eq!(sent(numbers(), Type::INT4_ARRAY).expect("fits").1, wire);
        assert_eq!(as_text(numbers(), Type::UNKNOWN), "{\"1\",NULL}");
        assert_eq!(as_text(numbers(), Type::NUMERIC_ARRAY), "{\"1\",NULL}");
        let texts = Array::new(ColumnType::Text, vec!["a\"\\,{".into(), "NULL".into()]);
        assert_eq!(as_text(texts, Type::UUID_ARRAY), r#"{"a\"\\,{","NULL"}"#);
        let wide = Array::new(ColumnType::BigInt, vec![Value::I64(i64::MAX)]);
        assert!(sent(wide, Type::INT4_ARRAY).is_err());
    }

    #[test]
    fn copied_values_cannot_end_their_row() {
        let mut out = BytesMut::new();
        for value in [
            "a\tb\nc\rd\\.".into(),
            Value::Null,
            vec![0u8].into(),
            "\\N".into(),
        ] {
            copy_value(&value, &mut BytesMut::new(), &mut out).expect("can be sent");
            out.put_u8(b' ');
        }
        let sent = std::str::from_utf8(&out).expect("text");
        assert_eq!(sent, r"a\tb\nc\rd\\. \N \\x00 \\N ");
    }

    #[test]
    fn instants_count_from_2000() {
        let at: DateTime<Utc> = "2000-01-01T00:00:01.000002Z".parse().expect("an instant");
        assert_eq!(
            sent(at, Type::TIMESTAMPTZ).expect("fits").1,
            1_000_002i64.to_be_bytes()
        );
        assert_eq!(as_text(at, Type::DATE), "2000-01-01 00:00:01.000002+00:00");
    }
}
