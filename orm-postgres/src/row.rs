//! A row as the server sent it, read by the types of its columns.

use crate::value::EPOCH;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use orm_core::backend::RowAccess;
use orm_core::error::{DataError, Error, Result};
use orm_core::value::Cell;
use std::cell::OnceCell;
use std::fmt::Write;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Kind, Type};

/// Lends one row to a sink.
pub(crate) struct CurrentRow {
    row: Row,
    /// Texts of cells that are none on the wire, made when they are asked for.
    texts: OnceCell<Box<[OnceCell<String>]>>,
}

impl CurrentRow {
    pub(crate) fn new(row: Row) -> Self {
        CurrentRow {
            row,
            texts: OnceCell::new(),
        }
    }

    fn keep(&self, index: usize, text: String) -> Cell<'_> {
        let texts = self
            .texts
            .get_or_init(|| (0..self.row.len()).map(|_| OnceCell::new()).collect());
        match texts.get(index) {
            Some(place) => Cell::Text(place.get_or_init(|| text)),
            None => Cell::Null,
        }
    }

    #[cold]
    fn unreadable(&self, index: usize, message: String) -> Error {
        let name = match self.name(index) {
            "" | "?column?" => index.to_string(),
            name => name.to_owned(),
        };
        DataError::new(message).at("", name).into()
    }
}

impl RowAccess for CurrentRow {
    #[inline]
    fn len(&self) -> usize {
        self.row.len()
    }

    fn name(&self, index: usize) -> &str {
        self.row
            .columns()
            .get(index)
            .map_or("", |column| column.name())
    }

    #[inline]
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        match self.row.try_get::<_, Decoded<'_>>(index) {
            Ok(Decoded::Cell(cell)) => Ok(cell),
            Ok(Decoded::Text(text)) => Ok(self.keep(index, text)),
            Ok(Decoded::Refused(why)) => Err(self.unreadable(index, why.to_owned())),
            Ok(Decoded::OtherType) => {
                let columns = self.row.columns();
                let ty = columns
                    .get(index)
                    .map_or("?", |column| column.type_().name());
                let message = format!("cannot read the type {ty}: select it as text (`::text`)");
                Err(self.unreadable(index, message))
            }
            Err(_) => Err(self.unreadable(index, "no such column".to_owned())),
        }
    }
}

/// A decoded cell.
enum Decoded<'a> {
    Cell(Cell<'a>),
    Text(String),
    Refused(&'static str),
    OtherType,
}

impl<'a> FromSql<'a> for Decoded<'a> {
    #[inline]
    fn from_sql(
        ty: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(decode(ty, raw).unwrap_or(Decoded::Refused("the server sent bytes of another length")))
    }

    fn from_sql_null(
        _: &Type,
    ) -> std::result::Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Decoded::Cell(Cell::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn fixed<const N: usize>(raw: &[u8]) -> Option<[u8; N]> {
    raw.try_into().ok()
}

/// `None`: the bytes do not fit the type.
#[inline]
fn decode<'a>(ty: &Type, raw: &'a [u8]) -> Option<Decoded<'a>> {
    Some(Decoded::Cell(match *ty {
        Type::INT8 => Cell::I64(i64::from_be_bytes(fixed(raw)?)),
        Type::INT4 => Cell::I64(i32::from_be_bytes(fixed(raw)?).into()),
        Type::INT2 => Cell::I64(i16::from_be_bytes(fixed(raw)?).into()),
        Type::TEXT | Type::VARCHAR => return Some(text(raw)),
        Type::BOOL => Cell::Bool(raw.first()? != &0),
        Type::FLOAT8 => Cell::F64(f64::from_be_bytes(fixed(raw)?)),
        Type::FLOAT4 => Cell::F64(f32::from_be_bytes(fixed(raw)?).into()),
        Type::TIMESTAMPTZ | Type::TIMESTAMP => {
            return Some(instant(i64::from_be_bytes(fixed(raw)?)));
        }
        Type::BYTEA => Cell::Bytes(raw),
        Type::VOID => Cell::Null,
        Type::OID | Type::XID | Type::CID => Cell::I64(u32::from_be_bytes(fixed(raw)?).into()),
        _ => return rare(ty, raw),
    }))
}

fn rare<'a>(ty: &Type, raw: &'a [u8]) -> Option<Decoded<'a>> {
    Some(match *ty {
        Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::JSON | Type::XML | Type::CHAR => {
            text(raw)
        }
        // The first byte is the version of the format.
        Type::JSONB => match raw.split_first()? {
            (1, json) => text(json),
            _ => Decoded::Refused("an unknown version of jsonb"),
        },
        Type::UUID => Decoded::Text(uuid(fixed(raw)?)),
        Type::NUMERIC => numeric(raw)?,
        Type::DATE => date(i32::from_be_bytes(fixed(raw)?)),
        Type::TIME => time(i64::from_be_bytes(fixed(raw)?)),
        _ => match ty.kind() {
            Kind::Enum(_) => text(raw),
            // An extension's type whose bytes are its text.
            Kind::Simple if ty.name() == "citext" => text(raw),
            Kind::Domain(base) => return decode(base, raw),
            _ => Decoded::OtherType,
        },
    })
}

fn text(raw: &[u8]) -> Decoded<'_> {
    match std::str::from_utf8(raw) {
        Ok(text) => Decoded::Cell(Cell::Text(text)),
        Err(_) => Decoded::Refused("the stored text is not UTF-8"),
    }
}

fn instant(micros: i64) -> Decoded<'static> {
    if micros == i64::MAX || micros == i64::MIN {
        return Decoded::Refused("an infinite time cannot be read as a date-time");
    }
    let shifted = micros.checked_add(EPOCH * 1_000_000);
    match shifted.and_then(DateTime::<Utc>::from_timestamp_micros) {
        Some(at) => Decoded::Cell(Cell::DateTime(at)),
        None => Decoded::Refused("the year is out of range"),
    }
}

fn date(days: i32) -> Decoded<'static> {
    if days == i32::MAX || days == i32::MIN {
        return Decoded::Refused("an infinite date cannot be read");
    }
    let first = NaiveDate::from_ymd_opt(2000, 1, 1);
    let distance = Days::new(u64::from(days.unsigned_abs()));
    let day = first.and_then(|first| match days < 0 {
        true => first.checked_sub_days(distance),
        false => first.checked_add_days(distance),
    });
    match day {
        Some(day) => Decoded::Text(day.to_string()),
        None => Decoded::Refused("the year is out of range"),
    }
}

fn time(micros: i64) -> Decoded<'static> {
    let seconds = u32::try_from(micros / 1_000_000).ok();
    let nanos = u32::try_from(micros % 1_000_000 * 1_000).ok();
    let time = seconds
        .zip(nanos)
        .and_then(|(s, n)| NaiveTime::from_num_seconds_from_midnight_opt(s, n));
    match time {
        Some(time) => Decoded::Text(time.to_string()),
        None => Decoded::Refused("24:00 is no time of a day"),
    }
}

fn uuid(bytes: [u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        write!(out, "{byte:02x}").expect("writing to a string does not fail");
    }
    out
}

/// Digits in base 10000, as the server sends them, in decimal notation.
fn numeric(raw: &[u8]) -> Option<Decoded<'static>> {
    let word = |at: usize| -> Option<u16> {
        let bytes = raw.get(at * 2..at * 2 + 2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    };
    let (count, sign, scale) = (word(0)?, word(2)?, usize::from(word(3)?));
    // The weight is that of the first group.
    let weight = i32::from(word(1)?.cast_signed());
    match sign {
        0 | 0x4000 => {}
        0xC000 => return Some(Decoded::Refused("NaN cannot be read as a decimal number")),
        _ => return Some(Decoded::Refused("an infinite number cannot be read")),
    }
    let digits: Vec<u16> = (0..usize::from(count))
        .map(|i| word(4 + i))
        .collect::<Option<_>>()?;
    let group = |place: i32| -> u16 {
        let at = usize::try_from(weight - place).ok();
        at.and_then(|at| digits.get(at)).copied().unwrap_or(0)
    };
    let mut out = String::new();
    if sign != 0 {
        out.push('-');
    }
    let fails = "writing to a string does not fail";
    write!(out, "{}", group(weight.max(0))).expect(fails);
    for place in (0..weight.max(0)).rev() {
        write!(out, "{:04}", group(place)).expect(fails);
    }
    if scale > 0 {
        out.push('.');
        let point = out.len();
        let mut place = -1;
        while out.len() - point < scale {
            write!(out, "{:04}", group(place)).expect(fails);
            place -= 1;
        }
        out.truncate(point + scale);
    }
    Some(Decoded::Text(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(words: &[i16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn shown(ty: Type, raw: &[u8]) -> String {
        match decode(&ty, raw) {
            Some(Decoded::Text(text)) => text,
            Some(Decoded::Cell(cell)) => format!("{:?}", cell.to_value()),
            Some(Decoded::Refused(why)) => why.to_owned(),
            Some(Decoded::OtherType) => "other".to_owned(),
            None => "length".to_owned(),
        }
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (words, wanted) in [
            (vec![0, 0, 0, 0], "0"),
            (vec![0, 0, 0, 2], "0.00"),
            (vec![2, 0, 0, 2, 12, 3400], "12.34"),
            (vec![2, 1, 0x4000, 0, 1, 2], "-10002"),
            (vec![1, 2, 0, 0, 5], "500000000"),
            (vec![1, -2, 0, 6, 1200], "0.000012"),
            (vec![3, 0, 0, 5, 1, 2, 3000], "1.00023"),
        ] {
            assert_eq!(shown(Type::NUMERIC, &wire(&words)), wanted);
        }
        let nan = wire(&[0, 0, 0xC000u16.cast_signed(), 0]);
        assert!(shown(Type::NUMERIC, &nan).contains("NaN"));
    }

    #[test]
    fn dates_times_and_identifiers_are_texts() {
        assert_eq!(shown(Type::DATE, &(-1i32).to_be_bytes()), "1999-12-31");
        assert_eq!(
            shown(Type::TIME, &3_661_000_001i64.to_be_bytes()),
            "01:01:01.000001"
        );
        assert!(shown(Type::TIME, &86_400_000_000i64.to_be_bytes()).contains("24:00"));
        assert!(shown(Type::DATE, &i32::MAX.to_be_bytes()).contains("infinite"));
        assert!(shown(Type::TIMESTAMPTZ, &i64::MIN.to_be_bytes()).contains("infinite"));
        assert_eq!(
            shown(Type::UUID, &[0xab; 16]),
            "abababab-abab-abab-abab-abababababab"
        );
    }

    #[test]
    fn bytes_of_another_length_are_an_error() {
        for ty in [Type::INT4, Type::INT8, Type::FLOAT8, Type::UUID, Type::DATE] {
            assert_eq!(shown(ty, &[1]), "length");
        }
        assert_eq!(shown(Type::NUMERIC, &[0, 9, 0, 0, 0, 0, 0, 0]), "length");
        assert_eq!(
            shown(Type::JSONB, &[2, b'1']),
            "an unknown version of jsonb"
        );
        assert!(shown(Type::TEXT, &[0xff]).contains("UTF-8"));
        assert_eq!(shown(Type::POINT, &[0; 16]), "other");
    }
}
