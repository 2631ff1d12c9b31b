//! Rows read by column type.

use chrono::NaiveDate;
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Row, Value};
use orm_core::backend::RowAccess;
use orm_core::error::{DataError, Error, Result};
use orm_core::value::Cell;

/// The character set of bytes.
const BINARY: u16 = 63;

/// One row, lent to a sink.
pub(crate) struct CurrentRow<'r> {
    values: Vec<Option<Value>>,
    columns: &'r [Column],
}

impl<'r> CurrentRow<'r> {
    /// A row of the binary protocol, or of the text protocol when `text`.
    pub(crate) fn new(row: Row, columns: &'r [Column], layout: Layout) -> Self {
        let mut values = row.unwrap_raw();
        if layout != Layout::Plain {
            for (value, column) in values.iter_mut().zip(columns) {
                if let Some(value) = value {
                    if layout == Layout::Text {
                        parse(value, column);
                    }
                    rewrite(value, column);
                }
            }
        }
        CurrentRow { values, columns }
    }
}

/// What must be done to the values of a result before they can be lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Nothing.
    Plain,
    /// Some columns have another form here than on the wire.
    Rewritten,
    /// Everything came as text.
    Text,
}

impl Layout {
    /// The layout of a result in the binary protocol.
    pub(crate) fn of(columns: &[Column]) -> Layout {
        use ColumnType::{MYSQL_TYPE_BIT, MYSQL_TYPE_DATE, MYSQL_TYPE_TIME};
        let special = [MYSQL_TYPE_BIT, MYSQL_TYPE_DATE, MYSQL_TYPE_TIME];
        match columns.iter().any(|c| special.contains(&c.column_type())) {
            true => Layout::Rewritten,
            false => Layout::Plain,
        }
    }
}

impl RowAccess for CurrentRow<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.columns.len()
    }

    fn name(&self, index: usize) -> &str {
        let column = self.columns.get(index);
        column.map_or("", |column| {
            std::str::from_utf8(column.name_ref()).unwrap_or("")
        })
    }

    #[inline]
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        let (Some(Some(value)), Some(column)) = (self.values.get(index), self.columns.get(index))
        else {
            return Err(unreadable(
                self.name(index),
                index,
                "the row has no such column",
            ));
        };
        cell(value, column).map_err(|message| unreadable(self.name(index), index, message))
    }
}

#[inline]
fn cell<'v>(value: &'v Value, column: &Column) -> std::result::Result<Cell<'v>, &'static str> {
    Ok(match value {
        Value::NULL => Cell::Null,
        Value::Int(value) => Cell::I64(*value),
        Value::UInt(value) => Cell::U64(*value),
        Value::Double(value) => Cell::F64(*value),
        Value::Float(value) => Cell::F64(f64::from(*value)),
        Value::Bytes(bytes) if is_text(column) => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::Text(text),
            Err(_) => return Err("the text is not UTF-8"),
        },
        Value::Bytes(bytes) => Cell::Bytes(bytes),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let day = NaiveDate::from_ymd_opt((*year).into(), (*month).into(), (*day).into());
            let at = day.and_then(|day| {
                day.and_hms_micro_opt((*hour).into(), (*minute).into(), (*second).into(), *micros)
            });
            match at {
                Some(at) if *year > 0 => Cell::DateTime(at.and_utc()),
                _ => return Err("a date with zeros in it, which is no date"),
            }
        }
        // Rewritten before.
        Value::Time(..) => return Err("a time in a column of another type"),
    })
}

/// Whether the bytes of a column are text.
fn is_text(column: &Column) -> bool {
    use ColumnType::{MYSQL_TYPE_BIT, MYSQL_TYPE_GEOMETRY, MYSQL_TYPE_VECTOR};
    match column.column_type() {
        // Written in digits, or as text, whatever the character set says.
        ColumnType::MYSQL_TYPE_DECIMAL
        | ColumnType::MYSQL_TYPE_NEWDECIMAL
        | ColumnType::MYSQL_TYPE_JSON
        | ColumnType::MYSQL_TYPE_DATE
        | ColumnType::MYSQL_TYPE_TIME => true,
        MYSQL_TYPE_BIT | MYSQL_TYPE_GEOMETRY | MYSQL_TYPE_VECTOR => false,
        _ => column.character_set() != BINARY,
    }
}

/// Gives dates, times and bits the form in which cells have them: text, and a number.
fn rewrite(value: &mut Value, column: &Column) {
    let new = match (&*value, column.column_type()) {
        (Value::Date(year, month, day, ..), ColumnType::MYSQL_TYPE_DATE)
            if *year > 0
                && NaiveDate::from_ymd_opt((*year).into(), (*month).into(), (*day).into())
                    .is_some() =>
        {
            Value::Bytes(format!("{year:04}-{month:02}-{day:02}").into_bytes())
        }
        (Value::Time(negative, days, hours, minutes, seconds, micros), _) => {
            let sign = if *negative { "-" } else { "" };
            let hours = u64::from(*days) * 24 + u64::from(*hours);
            let mut text = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}");
            if *micros > 0 {
                text.push_str(&format!(".{micros:06}"));
            }
            Value::Bytes(text.into_bytes())
        }
        (Value::Bytes(bits), ColumnType::MYSQL_TYPE_BIT) if bits.len() <= 8 => {
            let number = bits
                .iter()
                .fold(0, |n: u64, byte| n << 8 | u64::from(*byte));
            i64::try_from(number).map_or(Value::UInt(number), Value::Int)
        }
        _ => return,
    };
    *value = new;
}

/// Reads a value of the text protocol by the type of its column.
fn parse(value: &mut Value, column: &Column) {
    let Value::Bytes(bytes) = &*value else { return };
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let unsigned = column.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    let new = match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY
        | ColumnType::MYSQL_TYPE_SHORT
        | ColumnType::MYSQL_TYPE_INT24
        | ColumnType::MYSQL_TYPE_LONG
        | ColumnType::MYSQL_TYPE_LONGLONG
        | ColumnType::MYSQL_TYPE_YEAR => match text.parse() {
            Ok(number) => Some(Value::Int(number)),
            Err(_) if unsigned => text.parse().ok().map(Value::UInt),
            Err(_) => None,
        },
        ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => {
            text.parse().ok().map(Value::Double)
        }
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_TIMESTAMP => datetime(text),
        _ => None,
    };
    if let Some(new) = new {
        *value = new;
    }
}

fn datetime(text: &str) -> Option<Value> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let small = |from: usize, to: usize| u8::try_from(number(from, to)?).ok();
    let micros = match text.get(20..) {
        Some(digits) => format!("{digits:0<6}").parse().ok()?,
        None => 0,
    };
    Some(Value::Date(
        u16::try_from(number(0, 4)?).ok()?,
        small(5, 7)?,
        small(8, 10)?,
        small(11, 13)?,
        small(14, 16)?,
        small(17, 19)?,
        micros,
    ))
}

#[cold]
fn unreadable(name: &str, index: usize, message: &str) -> Error {
    let name = match name {
        "" => index.to_string(),
        name => name.to_owned(),
    };
    Error::from(DataError::new(message).at("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ty: ColumnType, charset: u16) -> Column {
        Column::new(ty).with_character_set(charset)
    }

    /// The cell of a value as the binary protocol brings it.
    fn read(mut value: Value, ty: ColumnType, charset: u16) -> Option<orm_core::value::Value> {
        let column = column(ty, charset);
        rewrite(&mut value, &column);
        cell(&value, &column).ok().map(Cell::to_value)
    }

    /// The cell of a text, as the text protocol brings it.
    fn read_text(text: &str, ty: ColumnType) -> Option<orm_core::value::Value> {
        let mut value = Value::Bytes(text.into());
        parse(&mut value, &column(ty, 45));
        read(value, ty, 45)
    }

    #[test]
    fn bytes_are_text_by_type_and_character_set() {
        let bytes = || Value::Bytes(b"1.50".to_vec());
        let text = Some("1.50".into());
        assert_eq!(
            read(bytes(), ColumnType::MYSQL_TYPE_NEWDECIMAL, BINARY),
            text
        );
        assert_eq!(read(bytes(), ColumnType::MYSQL_TYPE_JSON, BINARY), text);
        assert_eq!(read(bytes(), ColumnType::MYSQL_TYPE_VAR_STRING, 45), text);
        assert_eq!(
            read(bytes(), ColumnType::MYSQL_TYPE_VAR_STRING, BINARY),
            Some(b"1.50".to_vec().into())
        );
        let broken = Value::Bytes(vec![0xff]);
        assert_eq!(read(broken, ColumnType::MYSQL_TYPE_STRING, 45), None);
    }

    #[test]
    fn times_dates_and_bits_have_one_form() {
        let time = Value::Time(true, 34, 22, 59, 58, 1);
        let text = Some("-838:59:58.000001".into());
        assert_eq!(read(time, ColumnType::MYSQL_TYPE_TIME, BINARY), text);
        let day = Value::Date(2024, 2, 29, 0, 0, 0, 0);
        let text = Some("2024-02-29".into());
        assert_eq!(read(day, ColumnType::MYSQL_TYPE_DATE, BINARY), text);
        let bits = |bytes| read(Value::Bytes(bytes), ColumnType::MYSQL_TYPE_BIT, BINARY);
        assert_eq!(bits(vec![1, 0]), Some(256i64.into()));
        assert_eq!(
            bits(vec![255; 8]),
            Some(orm_core::value::Value::F64(u64::MAX as f64))
        );
    }

    #[test]
    fn no_date_with_zeros_passes() {
        for date in [
            Value::Date(0, 0, 0, 0, 0, 0, 0),
            Value::Date(2024, 0, 1, 0, 0, 0, 0),
            Value::Date(2024, 1, 0, 0, 0, 0, 0),
            Value::Date(0, 1, 1, 0, 0, 0, 0),
            Value::Date(2024, 2, 30, 0, 0, 0, 0),
        ] {
            for ty in [ColumnType::MYSQL_TYPE_DATE, ColumnType::MYSQL_TYPE_DATETIME] {
                assert_eq!(read(date.clone(), ty, BINARY), None, "{date:?}");
            }
        }
    }

    #[test]
    fn the_text_protocol_gives_the_same_kinds() {
        let at = orm_core::value::parse_datetime("2024-02-29 23:59:58.5").map(Into::into);
        assert_eq!(
            read_text("2024-02-29 23:59:58.5", ColumnType::MYSQL_TYPE_DATETIME),
            at
        );
        assert_eq!(
            read_text("-7", ColumnType::MYSQL_TYPE_LONG),
            Some((-7i64).into())
        );
        assert_eq!(
            read_text("0.1", ColumnType::MYSQL_TYPE_DOUBLE),
            Some(0.1.into())
        );
        assert_eq!(
            read_text("x", ColumnType::MYSQL_TYPE_VAR_STRING),
            Some("x".into())
        );
        assert_eq!(
            datetime("0000-00-00 00:00:00"),
            Some(Value::Date(0, 0, 0, 0, 0, 0, 0))
        );
        assert_eq!(datetime("nonsense"), None);
    }
}
