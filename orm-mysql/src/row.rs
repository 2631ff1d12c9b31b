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
        (Value::Date(0, 0, 0, ..), _) => return,
        (Value::Date(year, month, day, ..), ColumnType::MYSQL_TYPE_DATE) if *month > 0 => {
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
