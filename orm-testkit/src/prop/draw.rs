//! Draws data and plans from a seed.

mod condition;
mod data;

pub(super) use condition::place;
pub(super) use data::data;

use super::datum::{Datum, Kind};
use super::model::Data;
use super::plan::{Action, Call, Cond, Key, NewValue, Place, Plan};
use super::random::Random;
use super::schema::{GRAIN, POST, TABLES, USER, target};
use condition::{condition, value_like};

/// What plans may ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) writes: bool,
    pub(super) regex: bool,
}

/// A plan for this data.
pub(super) fn plan(random: &mut Random, data: &Data, allowed: Allowed) -> Plan {
    // Most relations meet in users and posts.
    let table = match random.below(10) {
        0..3 => USER,
        3..6 => POST,
        _ => random.below(TABLES.len()),
    };
    let mut calls = Vec::new();
    for _ in 0..[0, 1, 1, 1, 2, 2, 3][random.below(7)] {
        let depth = random.below(4);
        let cond = condition(random, data, table, depth, allowed);
        calls.push(Call {
            exclude: random.chance(25),
            cond,
        });
    }
    let mut order = Vec::new();
    for _ in 0..[0, 0, 1, 1, 2, 3][random.below(6)] {
        if let Some(place) = to_one(random, table) {
            order.push(Key {
                place,
                descending: random.chance(50),
            });
        }
    }
    let action = action(random, data, table, allowed);
    let limit = random
        .chance(30)
        .then(|| [0, 1, 1, 2, 3, 5, 100][random.below(7)]);
    let offset = random.chance(25).then(|| [0, 1, 2, 3, 50][random.below(5)]);
    // A slice of an order with ties may change any of them.
    if action.writes() && (limit.is_some() || offset.is_some()) || random.chance(40) {
        let place = Place {
            root: table,
            hops: Vec::new(),
            column: 0,
        };
        order.push(Key {
            place,
            descending: random.chance(50),
        });
    }
    Plan {
        table,
        calls,
        order,
        limit,
        offset,
        action,
    }
}

fn to_one(random: &mut Random, table: usize) -> Option<Place> {
    let place = place(random, table, |_| true)?;
    place.first_many(0).is_none().then_some(place)
}

fn action(random: &mut Random, data: &Data, table: usize, allowed: Allowed) -> Action {
    let places = |random: &mut Random| {
        let count = 1 + random.below(3);
        (0..count)
            .filter_map(|_| place(random, table, |_| true))
            .collect()
    };
    if allowed.writes {
        let settable = TABLES[table].columns.iter().any(|column| column.free);
        return match settable && random.chance(60) {
            true => Action::Update(sets(random, data, table)),
            false => Action::Delete,
        };
    }
    match random.below(12) {
        0..4 => Action::Rows,
        4 => Action::Count,
        5 => Action::Exists,
        6 => Action::First,
        7 => {
            if random.chance(50) {
                Action::Get
            } else {
                Action::GetOrNone
            }
        }
        8 => Action::Values(places(random)),
        9 => {
            if random.chance(70) {
                Action::Values(places(random))
            } else {
                Action::CountValues(places(random))
            }
        }
        _ => {
            let count = 1 + random.below(3);
            Action::Prefetch((0..count).map(|_| relations(random, table)).collect())
        }
    }
}

fn relations(random: &mut Random, table: usize) -> Vec<usize> {
    let mut hops = Vec::new();
    while hops.is_empty() || hops.len() < 3 && random.chance(40) {
        let relations = TABLES[target(table, &hops)].relations;
        if relations.is_empty() {
            break;
        }
        hops.push(random.below(relations.len()));
    }
    hops
}

/// New values for some columns, each named once.
fn sets(random: &mut Random, data: &Data, table: usize) -> Vec<(usize, NewValue)> {
    let columns = TABLES[table].columns;
    let mut sets: Vec<(usize, NewValue)> = Vec::new();
    for _ in 0..1 + random.below(2) {
        let column = random.below(columns.len());
        let known = sets.iter().any(|(set, _)| *set == column);
        if known || !columns[column].free {
            continue;
        }
        // Only these stay within their column's range whatever is added.
        let bounded = matches!(
            (table, columns[column].name),
            (POST, "views") | (GRAIN, "small")
        );
        let value = if bounded && random.chance(60) {
            let factor = *random.pick(&[1, 1, 1, 2, -1]);
            NewValue::Computed {
                column,
                factor,
                plus: *random.pick(&[0, 1, 5, -3]),
            }
        } else {
            let place = Place {
                root: table,
                hops: Vec::new(),
                column,
            };
            NewValue::Value(match columns[column].null && random.chance(25) {
                true => Datum::Null,
                false => value_like(random, data, &place),
            })
        };
        sets.push((column, value));
    }
    if sets.is_empty()
        && let Some(column) = columns.iter().position(|column| column.free)
    {
        let place = Place {
            root: table,
            hops: Vec::new(),
            column,
        };
        sets.push((column, NewValue::Value(value_like(random, data, &place))));
    }
    sets
}

/// A condition alone, for the laws that hold for every condition.
pub(super) fn any_condition(random: &mut Random, data: &Data, table: usize, regex: bool) -> Cond {
    let depth = random.below(4);
    condition(
        random,
        data,
        table,
        depth,
        Allowed {
            writes: false,
            regex,
        },
    )
}

/// Whether a column of this kind can be compared with a number.
pub(super) fn is_integer(kind: Kind) -> bool {
    matches!(kind, Kind::Small | Kind::Int | Kind::Big)
}
