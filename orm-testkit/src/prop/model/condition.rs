//! Conditions of the reference model: two-valued, each negation the exact complement.

use super::Data;
use crate::prop::datum::Datum;
use crate::prop::plan::{Cond, Lookup, Place, Right, Test};
use crate::prop::schema::{Link, Relation, TABLES, last_relation, target};
use chrono::{DateTime, Datelike, Timelike, Utc};
use orm_core::query::DatePart;
use std::cmp::Ordering;

/// A condition without empty parts, double negations and negated lookups. An `And` has no `And` as
/// a child.
#[derive(Clone, Debug)]
pub(super) enum Logic {
    Yes,
    No,
    And(Vec<Logic>),
    Or(Vec<Logic>),
    Not(Box<Logic>),
    Compare(Test),
}

impl Logic {
    pub(super) fn negated(self) -> Logic {
        match self {
            Logic::Yes => Logic::No,
            Logic::No => Logic::Yes,
            Logic::Not(inner) => *inner,
            other => Logic::Not(Box::new(other)),
        }
    }
}

/// The condition; none for an empty one, which is neutral wherever it stands.
pub(super) fn lower(cond: &Cond) -> Option<Logic> {
    Some(match cond {
        Cond::Empty => return None,
        Cond::Test(test) => lower_test(test),
        Cond::Not(inner) => lower(inner).map_or(Logic::No, Logic::negated),
        Cond::And(children) => {
            let mut parts = Vec::new();
            for part in children.iter().filter_map(lower) {
                match part {
                    Logic::And(inner) => parts.extend(inner),
                    part => parts.push(part),
                }
            }
            if parts.is_empty() {
                return None;
            }
            Logic::And(parts)
        }
        Cond::Or(children) => {
            let parts: Vec<Logic> = children.iter().filter_map(lower).collect();
            if parts.is_empty() {
                return None;
            }
            Logic::Or(parts)
        }
    })
}

fn lower_test(test: &Test) -> Logic {
    let with = |lookup, values: Vec<Datum>| {
        lower_test(&Test {
            lookup,
            right: Right::Values(values),
            ..test.clone()
        })
    };
    if let Some(positive) = test.lookup.positive() {
        return lower_test(&Test {
            lookup: positive,
            ..test.clone()
        })
        .negated();
    }
    let Right::Values(values) = &test.right else {
        return Logic::Compare(test.clone());
    };
    match (test.lookup, values.as_slice()) {
        (Lookup::Exact, [Datum::Null]) => with(Lookup::IsNull, vec![Datum::Bool(true)]),
        (Lookup::In, []) => Logic::No,
        (Lookup::In, values) if values.contains(&Datum::Null) => {
            let rest = values
                .iter()
                .filter(|value| !value.is_null())
                .cloned()
                .collect();
            let listed = with(Lookup::In, rest);
            Logic::Or(vec![listed, with(Lookup::IsNull, vec![Datum::Bool(true)])])
        }
        // A column that a related row always has is NULL when there is no related row.
        (Lookup::IsNull, [Datum::Bool(true)]) if only_absence_is_null(&test.left) => {
            with(Lookup::IsNull, vec![Datum::Bool(false)]).negated()
        }
        _ => Logic::Compare(test.clone()),
    }
}

fn only_absence_is_null(place: &Place) -> bool {
    if place.first_many(0).is_none() {
        return false;
    }
    // Behind the last to-many relation every row has a row, unless a reference may be absent.
    let hop = |end: usize| last_relation(place.root, &place.hops[..end]);
    let last = (1..=place.hops.len())
        .rev()
        .find(|end| hop(*end).is_some_and(Relation::is_many))
        .unwrap_or(0);
    let optional = (last + 1..=place.hops.len()).any(|end| {
        let table = &TABLES[target(place.root, &place.hops[..end - 1])];
        match hop(end).map(|relation| relation.link) {
            Some(Link::One(column)) => table.columns[column].null,
            _ => false,
        }
    });
    // The key behind a reference is the reference itself.
    let column = match (place.hops.split_last(), place.column) {
        (Some((_, before)), 0) => match last_relation(place.root, &place.hops).map(|r| r.link) {
            Some(Link::One(column)) => &TABLES[target(place.root, before)].columns[column],
            _ => place.column(),
        },
        _ => place.column(),
    };
    !column.null && !optional
}

/// The rows that a condition speaks of: the query's row, and the related rows chosen so far.
#[derive(Clone, Debug)]
pub(super) struct Scope(Vec<(Vec<usize>, usize)>);

impl Scope {
    pub(super) fn of(row: usize) -> Self {
        Scope(vec![(Vec::new(), row)])
    }

    /// The chosen row that reaches furthest along this path.
    fn nearest(&self, hops: &[usize]) -> &(Vec<usize>, usize) {
        let reached = self.0.iter().filter(|(path, _)| hops.starts_with(path));
        reached
            .max_by_key(|(path, _)| path.len())
            .expect("the empty path is chosen")
    }

    /// The to-many path that must be chosen before this place has a value.
    fn unbound(&self, place: &Place) -> Option<Vec<usize>> {
        let end = place.first_many(self.nearest(&place.hops).0.len())?;
        Some(place.hops[..end].to_vec())
    }

    fn with(&self, path: &[usize], row: usize) -> Scope {
        let mut longer = self.clone();
        longer.0.push((path.to_vec(), row));
        longer
    }

    fn value(&self, data: &Data, place: &Place) -> Datum {
        let (path, row) = self.nearest(&place.hops);
        let rest = Place {
            root: target(place.root, path),
            hops: place.hops[path.len()..].to_vec(),
            column: place.column,
        };
        data.value(&rest, *row)
    }
}

/// Whether the condition holds.
pub(super) fn holds(data: &Data, logic: &Logic, scope: &Scope) -> bool {
    match logic {
        Logic::Yes => true,
        Logic::No => false,
        Logic::Not(inner) => !holds(data, inner, scope),
        Logic::Or(children) => children.iter().any(|child| holds(data, child, scope)),
        Logic::And(children) => all(data, children, scope),
        Logic::Compare(_) => all(data, std::slice::from_ref(logic), scope),
    }
}

/// All of these, where comparisons on one to-many path speak of one related row.
fn all(data: &Data, children: &[Logic], scope: &Scope) -> bool {
    let mut needed = children.iter().flat_map(|child| required(child, scope));
    if let Some(path) = needed.next() {
        let (last, before) = path.split_last().expect("a to-many path has a hop");
        let (from, row) = scope.nearest(before);
        let root = root_of(children).expect("a path has a root");
        let at = data.follow(target(root, from), *row, &before[from.len()..]);
        let related = at.map_or(Vec::new(), |at| {
            data.related(target(root, before), at, *last)
        });
        return related
            .into_iter()
            .any(|row| all(data, children, &scope.with(&path, row)));
    }
    children.iter().all(|child| match child {
        Logic::Compare(test) => compare_in(data, test, scope),
        child => holds(data, child, scope),
    })
}

/// The to-many paths without a row of which the condition cannot hold.
fn required(logic: &Logic, scope: &Scope) -> Vec<Vec<usize>> {
    match logic {
        Logic::Yes | Logic::No | Logic::Not(_) => Vec::new(),
        Logic::And(children) => children
            .iter()
            .flat_map(|child| required(child, scope))
            .collect(),
        Logic::Or(children) => {
            let mut possible = children.iter().filter(|child| !matches!(child, Logic::No));
            let first = possible
                .next()
                .map_or(Vec::new(), |child| required(child, scope));
            possible.fold(first, |mut common, child| {
                let here = required(child, scope);
                common.retain(|path| here.contains(path));
                common
            })
        }
        Logic::Compare(test) => {
            let mut places = vec![&test.left];
            if let Right::Column(place, _) = &test.right {
                places.push(place);
            }
            places
                .into_iter()
                .filter_map(|place| scope.unbound(place))
                .collect()
        }
    }
}

fn root_of(children: &[Logic]) -> Option<usize> {
    children.iter().find_map(|child| match child {
        Logic::Yes | Logic::No => None,
        Logic::And(inner) | Logic::Or(inner) => root_of(inner),
        Logic::Not(inner) => root_of(std::slice::from_ref(inner)),
        Logic::Compare(test) => Some(test.left.root),
    })
}

fn compare_in(data: &Data, test: &Test, scope: &Scope) -> bool {
    let mut left = scope.value(data, &test.left);
    if let (Some(part), Datum::Time(at)) = (test.part, &left) {
        left = Datum::Int(date_part(part, *at));
    }
    match &test.right {
        Right::Values(values) => compare(test.lookup, &left, values),
        Right::Column(place, plus) => {
            let right = match scope.value(data, place) {
                Datum::Int(value) => Datum::Int(value + plus),
                other => other,
            };
            compare(test.lookup, &left, &[right])
        }
    }
}

/// A comparison of values. With NULL it is false.
fn compare(lookup: Lookup, left: &Datum, right: &[Datum]) -> bool {
    if let (Lookup::IsNull, [Datum::Bool(yes)]) = (lookup, right) {
        return left.is_null() == *yes;
    }
    if left.is_null() || right.iter().any(Datum::is_null) {
        return false;
    }
    let is = |wanted: &[Ordering]| wanted.contains(&left.order(&right[0]));
    match lookup {
        Lookup::Exact => is(&[Ordering::Equal]),
        Lookup::Gt => is(&[Ordering::Greater]),
        Lookup::Gte => is(&[Ordering::Greater, Ordering::Equal]),
        Lookup::Lt => is(&[Ordering::Less]),
        Lookup::Lte => is(&[Ordering::Less, Ordering::Equal]),
        Lookup::In => right
            .iter()
            .any(|value| left.order(value) == Ordering::Equal),
        Lookup::Range => {
            left.order(&right[0]) != Ordering::Less && left.order(&right[1]) != Ordering::Greater
        }
        _ => match (left, &right[0]) {
            (Datum::Text(text), Datum::Text(part)) => text_lookup(lookup, text, part),
            (left, right) => unreachable!("{} of {left} and {right}", lookup.name()),
        },
    }
}

fn text_lookup(lookup: Lookup, text: &str, part: &str) -> bool {
    let (folded, part_folded) = (fold(text), fold(part));
    match lookup {
        Lookup::Contains => text.contains(part),
        Lookup::StartsWith => text.starts_with(part),
        Lookup::EndsWith => text.ends_with(part),
        Lookup::IContains => folded.contains(&part_folded),
        Lookup::IStartsWith => folded.starts_with(&part_folded),
        Lookup::IEndsWith => folded.ends_with(&part_folded),
        Lookup::IExact => folded == part_folded,
        Lookup::Regex => matches_pattern(text, part),
        Lookup::IRegex => matches_pattern(&fold_letters(text), &fold_letters(part)),
        other => unreachable!("{} is no text lookup", other.name()),
    }
}

/// Lower case, letter by letter; both small sigmas are one letter.
fn fold(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// Regular expressions compare letter with letter, so one with a longer lower case stays.
fn fold_letters(text: &str) -> String {
    let lower = |c: char| Some(c.to_lowercase()).filter(|lower| lower.len() == 1);
    text.chars()
        .map(|c| lower(c).and_then(|mut lower| lower.next()).unwrap_or(c))
        .collect()
}

/// The patterns that plans use: plain letters and digits, with `^` before or `$` behind.
fn matches_pattern(text: &str, pattern: &str) -> bool {
    match (pattern.strip_prefix('^'), pattern.strip_suffix('$')) {
        (Some(start), _) => text.starts_with(start),
        (_, Some(end)) => text.ends_with(end),
        _ => text.contains(pattern),
    }
}

fn date_part(part: DatePart, at: DateTime<Utc>) -> i64 {
    match part {
        DatePart::Year => at.year().into(),
        DatePart::Quarter => i64::from(at.month0() / 3 + 1),
        DatePart::Month => at.month().into(),
        DatePart::Week => at.iso_week().week().into(),
        DatePart::Day => at.day().into(),
        DatePart::WeekDay => at.weekday().number_from_sunday().into(),
        DatePart::Hour => at.hour().into(),
        DatePart::Minute => at.minute().into(),
        DatePart::Second => at.second().into(),
        DatePart::Microsecond => i64::from(at.nanosecond() / 1000),
    }
}
