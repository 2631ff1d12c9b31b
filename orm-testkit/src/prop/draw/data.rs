//! Draws rows: hostile texts, ends of ranges, NULLs, ties, parents without children.

use crate::prop::datum::{Datum, Kind};
use crate::prop::model::Data;
use crate::prop::random::Random;
use crate::prop::schema::{CATEGORY, CITY, CONTRACT, COUNTRY, GRAIN, POST, TABLES, TAG, USER};
use chrono::DateTime;

const TEXTS: [&str; 48] = [
    "",
    " ",
    "a",
    "A",
    "b",
    "ab",
    "aB",
    "AB",
    "a ",
    " a",
    "a%",
    "%",
    "_",
    "a_b",
    "axb",
    "\\",
    "a\\b",
    "\\%",
    "'",
    "''",
    "\"",
    "it's",
    "`",
    "ß",
    "ẞ",
    "ss",
    "İ",
    "i",
    "I",
    "ı",
    "é",
    "e\u{301}",
    "É",
    "ÀÉ",
    "àé",
    "Σ",
    "ς",
    "σ",
    "😀",
    "👩\u{200d}👧",
    "日本",
    "--",
    "{l}",
    "?",
    "$1",
    "10",
    "9",
    "\u{10ffff}",
];
const TIMES: [&str; 10] = [
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "2000-02-29T12:30:15.000001Z",
    "2021-01-03T00:00:00Z",
    "2024-12-30T23:00:00.5Z",
    "2024-12-31T23:59:59.999999Z",
    "2025-01-01T00:00:00Z",
    "2025-06-15T01:02:03.123456Z",
    "1901-03-01T06:00:00Z",
    "9998-12-31T23:59:59.999999Z",
];
const FLOATS: [f64; 9] = [0.0, 1.0, -1.0, 0.1, 1.5, -2.25, 1e15, 1e-7, 123_456.789];

/// Any value of this kind.
pub(super) fn any(random: &mut Random, kind: Kind) -> Datum {
    let small = random.below(8) as i64 - 2;
    let ends = |random: &mut Random, low: i64, high: i64| {
        Datum::Int(if random.chance(12) {
            *random.pick(&[low, high, high - 1])
        } else {
            small
        })
    };
    match kind {
        Kind::Bool => Datum::Bool(random.chance(50)),
        Kind::Small => Datum::Int(small),
        Kind::Int => ends(random, i32::MIN.into(), i32::MAX.into()),
        Kind::Big => ends(random, i64::MIN, i64::MAX),
        Kind::Float => Datum::Float(*random.pick(&FLOATS)),
        Kind::Text => Datum::Text(text(random)),
        Kind::Time => Datum::Time(time(random)),
    }
}

fn text(random: &mut Random) -> String {
    let mut text = (*random.pick(&TEXTS)).to_owned();
    if random.chance(25) {
        text.push_str(random.pick::<&str>(&TEXTS));
    }
    text
}

fn time(random: &mut Random) -> DateTime<chrono::Utc> {
    DateTime::parse_from_rfc3339(random.pick::<&str>(&TIMES))
        .expect("the texts are date-times")
        .to_utc()
}

/// Rows of all tables. Some tables are empty.
pub(crate) fn data(random: &mut Random) -> Data {
    let mut data = Data::default();
    let most = [7, 5, 10, 7, 3, 4, 6, 8];
    for table in [USER, TAG, POST, CATEGORY, CONTRACT, COUNTRY, CITY, GRAIN] {
        for number in 0..random.below(most[table] + 1) {
            if let Some(row) = row(random, &data, table, number as i64 + 1) {
                data.rows[table].push(row);
            }
        }
        data.rows[table].sort_by(|a, b| a[0].order(&b[0]));
    }
    for post in 0..data.rows[POST].len() {
        for tag in 0..data.rows[TAG].len() {
            let keys = (data.rows[POST][post][0].int(), data.rows[TAG][tag][0].int());
            if let (Some(post), Some(tag)) = keys
                && random.chance(40)
            {
                data.links.push((post, tag));
            }
        }
    }
    data
}

fn row(random: &mut Random, data: &Data, table: usize, number: i64) -> Option<Vec<Datum>> {
    let mut row = Vec::new();
    for (at, column) in TABLES[table].columns.iter().enumerate() {
        let referred = TABLES[table]
            .relations
            .iter()
            .find(|relation| relation.link == crate::prop::schema::Link::One(at));
        let value = match (table, at, referred) {
            (COUNTRY, 0, _) => unique(random, data, table, 0, |text| {
                !text.is_empty() && text.chars().count() <= 2
            })?,
            (_, 0, _) => Datum::Int(number),
            (_, _, Some(_)) if column.null && random.chance(30) => Datum::Null,
            (_, _, Some(relation)) => {
                let targets = &data.rows[relation.target];
                match targets.get(random.below(targets.len())) {
                    Some(target) => target[0].clone(),
                    None if column.null => Datum::Null,
                    None => return None,
                }
            }
            (USER | TAG, 1, _) => unique(random, data, table, 1, |_| true)?,
            _ if column.null && random.chance(30) => Datum::Null,
            // Arithmetic on it must stay in range.
            (POST, 2, _) => Datum::Int(random.below(12) as i64 - 2),
            _ => any(random, column.kind),
        };
        row.push(value);
    }
    Some(row)
}

/// A text that no row of the table has in this column.
fn unique(
    random: &mut Random,
    data: &Data,
    table: usize,
    column: usize,
    fits: fn(&str) -> bool,
) -> Option<Datum> {
    (0..20).find_map(|_| {
        let text = text(random);
        let value = Datum::Text(text.clone());
        let taken = data.rows[table].iter().any(|row| row[column] == value);
        (fits(&text) && !taken).then_some(value)
    })
}
