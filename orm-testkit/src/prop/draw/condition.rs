//! Draws conditions: trees of comparisons over paths of relations.

use super::{Allowed, data::any, is_integer};
use crate::prop::datum::{Datum, Kind};
use crate::prop::model::Data;
use crate::prop::plan::{Cond, Lookup, Place, Right, Test};
use crate::prop::random::Random;
use crate::prop::schema::{TABLES, target};
use orm_core::query::DatePart;

/// A column that is asked for, over up to three relations.
pub(crate) fn place(random: &mut Random, root: usize, fits: fn(Kind) -> bool) -> Option<Place> {
    let mut hops = Vec::new();
    while hops.len() < 3 && random.chance(45) {
        let relations = TABLES[target(root, &hops)].relations;
        if relations.is_empty() {
            break;
        }
        hops.push(random.below(relations.len()));
    }
    let columns = TABLES[target(root, &hops)].columns;
    let fitting: Vec<usize> = (0..columns.len())
        .filter(|at| fits(columns[*at].kind))
        .collect();
    let column = *fitting.get(random.below(fitting.len()))?;
    Some(Place { root, hops, column })
}

/// A condition on rows of the table, at most `depth` levels above its comparisons.
pub(super) fn condition(
    random: &mut Random,
    data: &Data,
    table: usize,
    depth: usize,
    allowed: Allowed,
) -> Cond {
    if depth == 0 || random.chance(15) {
        return match random.below(40) {
            0 => Cond::Empty,
            1..5 => columns(random, table).unwrap_or(Cond::Empty),
            _ => Cond::Test(test(random, data, table, allowed)),
        };
    }
    let mut children = Vec::new();
    for _ in 0..2 + random.below(2) {
        children.push(condition(random, data, table, depth - 1, allowed));
    }
    // Conditions on one to-many path side by side are what a planner gets wrong.
    if random.chance(30)
        && let Some(path) = children.iter().find_map(crossing)
    {
        let columns = TABLES[target(table, &path)].columns;
        let column = random.below(columns.len());
        let left = Place {
            root: table,
            hops: path,
            column,
        };
        children.push(Cond::Test(test_of(random, data, left, allowed)));
    }
    // Equalities of one column side by side become a list.
    if random.chance(12) {
        let left = place(random, table, |_| true).expect("every table has columns");
        children.extend((0..2 + random.below(2)).map(|_| {
            let right = Right::Values(vec![value_like(random, data, &left)]);
            let (left, lookup) = (left.clone(), Lookup::Exact);
            Cond::Test(Test {
                left,
                part: None,
                lookup,
                right,
            })
        }));
    }
    match random.below(5) {
        0 | 1 => Cond::And(children),
        2 | 3 => Cond::Or(children),
        _ => Cond::Not(Box::new(children.swap_remove(0))),
    }
}

fn crossing(cond: &Cond) -> Option<Vec<usize>> {
    match cond {
        Cond::Test(test) if test.left.first_many(0).is_some() => Some(test.left.hops.clone()),
        Cond::And(children) | Cond::Or(children) => children.iter().find_map(crossing),
        Cond::Not(inner) => crossing(inner),
        _ => None,
    }
}

/// A comparison of two columns.
fn columns(random: &mut Random, table: usize) -> Option<Cond> {
    let left = place(random, table, is_integer)?;
    let right = place(random, table, is_integer)?;
    // A sum must not leave the range of its column.
    let plus = match right.column().name {
        "views" | "small" => random.below(4) as i64,
        _ => 0,
    };
    let lookup = *random.pick(&[
        Lookup::Exact,
        Lookup::Gt,
        Lookup::Gte,
        Lookup::Lt,
        Lookup::Lte,
    ]);
    Some(Cond::Test(Test {
        left,
        part: None,
        lookup,
        right: Right::Column(right, plus),
    }))
}

fn test(random: &mut Random, data: &Data, table: usize, allowed: Allowed) -> Test {
    // Few columns hold instants, but their lookups are many.
    let times = random.chance(20);
    let instant = times.then(|| place(random, table, |kind| kind == Kind::Time));
    let left = instant
        .flatten()
        .or_else(|| place(random, table, |_| true))
        .expect("every table has columns");
    test_of(random, data, left, allowed)
}

fn test_of(random: &mut Random, data: &Data, left: Place, allowed: Allowed) -> Test {
    const ORDERED: [Lookup; 13] = [
        Lookup::Exact,
        Lookup::Exact,
        Lookup::Ne,
        Lookup::Gt,
        Lookup::Gte,
        Lookup::Lt,
        Lookup::Lte,
        Lookup::In,
        Lookup::In,
        Lookup::NotIn,
        Lookup::Range,
        Lookup::IsNull,
        Lookup::NotIsNull,
    ];
    const TEXT: [Lookup; 9] = [
        Lookup::Contains,
        Lookup::IContains,
        Lookup::StartsWith,
        Lookup::IStartsWith,
        Lookup::EndsWith,
        Lookup::IEndsWith,
        Lookup::IExact,
        Lookup::Regex,
        Lookup::IRegex,
    ];
    const EQUAL: [Lookup; 6] = [
        Lookup::Exact,
        Lookup::Ne,
        Lookup::In,
        Lookup::NotIn,
        Lookup::IsNull,
        Lookup::NotIsNull,
    ];
    let kind = left.kind();
    let part = (kind == Kind::Time && random.chance(75)).then(|| random.pick(&DatePart::ALL).1);
    let lookup = match kind {
        Kind::Bool => *random.pick(&EQUAL),
        Kind::Text if random.chance(60) => {
            let texts = if allowed.regex {
                TEXT.len()
            } else {
                TEXT.len() - 2
            };
            TEXT[random.below(texts)]
        }
        _ => *random.pick(&ORDERED),
    };
    let one = |random: &mut Random| match part {
        Some(part) => part_value(random, part),
        None => value_like(random, data, &left),
    };
    let values = match lookup {
        Lookup::IsNull | Lookup::NotIsNull => vec![Datum::Bool(random.chance(60))],
        Lookup::Exact | Lookup::Ne if random.chance(12) => vec![Datum::Null],
        Lookup::In | Lookup::NotIn => {
            let mut list: Vec<Datum> = (0..random.below(4)).map(|_| one(random)).collect();
            if random.chance(15) {
                list.push(Datum::Null);
            }
            if random.chance(15) && !list.is_empty() {
                list.push(list[0].clone());
            }
            list
        }
        Lookup::Range => vec![one(random), one(random)],
        Lookup::Regex | Lookup::IRegex => {
            let word = *random.pick(&["a", "ab", "A", "9", "i", "B"]);
            let pattern = match random.below(3) {
                0 => format!("^{word}"),
                1 => format!("{word}$"),
                _ => word.to_owned(),
            };
            vec![Datum::Text(pattern)]
        }
        Lookup::IContains | Lookup::IStartsWith | Lookup::IEndsWith | Lookup::IExact => {
            match one(random) {
                Datum::Text(text) => vec![Datum::Text(other_case(random, &text))],
                value => vec![value],
            }
        }
        _ => vec![one(random)],
    };
    Test {
        left,
        part,
        lookup,
        right: Right::Values(values),
    }
}

fn other_case(random: &mut Random, text: &str) -> String {
    match random.below(3) {
        0 => text.to_owned(),
        1 => text.to_uppercase(),
        _ => text.to_lowercase(),
    }
}

fn part_value(random: &mut Random, part: DatePart) -> Datum {
    let values: &[i64] = match part {
        DatePart::Year => &[1901, 1969, 1970, 2000, 2020, 2021, 2024, 2025, 9998],
        DatePart::Quarter => &[1, 2, 3, 4],
        DatePart::Month => &[1, 2, 3, 6, 12],
        DatePart::Week => &[1, 9, 24, 53],
        DatePart::Day => &[1, 3, 15, 29, 30, 31],
        DatePart::WeekDay => &[1, 2, 3, 4, 5, 6, 7],
        DatePart::Hour => &[0, 1, 6, 12, 23],
        DatePart::Minute => &[0, 2, 30, 59],
        DatePart::Second => &[0, 3, 15, 59],
        DatePart::Microsecond => &[0, 1, 123_456, 500_000, 999_999],
    };
    Datum::Int(*random.pick(values))
}

/// A value of the column, mostly one that a row has, or a piece of it.
pub(super) fn value_like(random: &mut Random, data: &Data, place: &Place) -> Datum {
    let rows = &data.rows[target(place.root, &place.hops)];
    if rows.is_empty() || random.chance(30) {
        return any(random, place.kind());
    }
    match &random.pick(rows)[place.column] {
        Datum::Null => any(random, place.kind()),
        Datum::Text(text) if random.chance(30) => {
            let from = random.below(2);
            Datum::Text(text.chars().skip(from).take(1 + random.below(2)).collect())
        }
        value => value.clone(),
    }
}
