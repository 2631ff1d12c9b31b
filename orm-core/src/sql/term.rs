//! The lowered form of a query: the tree again, with slot numbers in place of values.

use super::list::{Cast, ListPlan};
use crate::query::{ArithmeticOp, DatePart, Lookup};
use crate::schema::{FieldMeta, RelationMeta, ThroughMeta};

/// Relations from the query's model, first hop first.
pub(super) type Hops = Vec<&'static RelationMeta>;

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Cond {
    True,
    False,
    /// Two or more, none of them an `And`.
    And(Vec<Cond>),
    /// Two or more, none of them an `Or`.
    Or(Vec<Cond>),
    Not(Box<Cond>),
    Test(Box<Test>),
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) left: Term,
    pub(super) kind: TestKind,
}

/// What a comparison asks.
#[derive(Clone, Debug)]
pub(super) enum TestKind {
    Compare(Lookup, Term),
    In(List),
    Between(Term, Term),
    IsNull(bool),
    LinkedTo(ThroughMeta, usize),
}

/// Where the values of a list are.
#[derive(Clone, Debug)]
pub(super) enum List {
    Slots(Vec<usize>),
    /// One text in this slot, to be made a table by this sub-query.
    Table(usize, &'static str),
    /// One array in this slot.
    Array(usize, Cast),
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Term {
    Slot {
        slot: usize,
        null: bool,
        integer: bool,
    },
    Column(Column),
    Arithmetic(ArithmeticOp, Box<Term>, Box<Term>),
    DatePart(DatePart, Box<Term>),
}

/// A column at the end of a path.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) hops: Hops,
    pub(super) field: &'static FieldMeta,
}

impl List {
    pub(super) fn of(plan: ListPlan, next: &mut usize) -> List {
        let first = *next;
        match plan {
            ListPlan::Bound(count) => {
                *next += count;
                List::Slots((first..first + count).collect())
            }
            ListPlan::Table(table) => {
                *next += 1;
                List::Table(first, table)
            }
            ListPlan::Array(cast) => {
                *next += 1;
                List::Array(first, cast)
            }
        }
    }
}

impl Cond {
    /// All of these, without needless levels.
    pub(super) fn and(children: Vec<Cond>) -> Cond {
        let mut flat = Vec::with_capacity(children.len());
        for child in children {
            match child {
                Cond::True => {}
                Cond::False => return Cond::False,
                Cond::And(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Cond::True,
            1 => flat.remove(0),
            _ => Cond::And(flat),
        }
    }

    /// Any of these, without needless levels; equalities on one column become one list.
    pub(super) fn or(children: Vec<Cond>) -> Cond {
        let mut flat = Vec::with_capacity(children.len());
        for child in children {
            match child {
                Cond::False => {}
                Cond::True => return Cond::True,
                Cond::Or(inner) => flat.extend(inner),
                other => flat.push(other),
            }
        }
        let mut flat = merge_equalities(flat);
        match flat.len() {
            0 => Cond::False,
            1 => flat.remove(0),
            _ => Cond::Or(flat),
        }
    }

    pub(super) fn not(inner: Cond) -> Cond {
        match inner {
            Cond::True => Cond::False,
            Cond::False => Cond::True,
            Cond::Not(inner) => *inner,
            other => Cond::Not(Box::new(other)),
        }
    }

    /// Calls `each` with every column.
    pub(super) fn for_each_column<'a>(&'a self, each: &mut dyn FnMut(&'a Column)) {
        let mut pending = vec![self];
        while let Some(cond) = pending.pop() {
            match cond {
                Cond::True | Cond::False => {}
                Cond::And(children) | Cond::Or(children) => pending.extend(children.iter().rev()),
                Cond::Not(inner) => pending.push(inner),
                Cond::Test(test) => test.for_each_column(each),
            }
        }
    }
}

impl Test {
    fn for_each_column<'a>(&'a self, each: &mut dyn FnMut(&'a Column)) {
        self.left.for_each_column(each);
        match &self.kind {
            TestKind::Compare(_, right) => right.for_each_column(each),
            TestKind::Between(low, high) => {
                low.for_each_column(each);
                high.for_each_column(each);
            }
            TestKind::In(_) | TestKind::IsNull(_) | TestKind::LinkedTo(..) => {}
        }
    }

    /// For `column = value`: the column and the slot.
    fn equality(&self) -> Option<(&Column, usize)> {
        match (&self.left, &self.kind) {
            (
                Term::Column(column),
                TestKind::Compare(
                    Lookup::Exact,
                    Term::Slot {
                        slot, null: false, ..
                    },
                ),
            ) => Some((column, *slot)),
            _ => None,
        }
    }
}

impl Term {
    pub(super) fn for_each_column<'a>(&'a self, each: &mut dyn FnMut(&'a Column)) {
        match self {
            Term::Slot { .. } => {}
            Term::Column(column) => each(column),
            Term::Arithmetic(_, left, right) => {
                left.for_each_column(each);
                right.for_each_column(each);
            }
            Term::DatePart(_, of) => of.for_each_column(each),
        }
    }

    /// Whether it is a whole number, as far as can be known.
    pub(super) fn is_integer(&self) -> bool {
        match self {
            Term::Slot { integer, .. } => *integer,
            Term::Column(column) => column.field.ty.is_integer(),
            Term::Arithmetic(_, left, right) => left.is_integer() && right.is_integer(),
            Term::DatePart(..) => true,
        }
    }
}

impl Column {
    fn same(&self, other: &Column) -> bool {
        std::ptr::eq(self.field, other.field) && same_hops(&self.hops, &other.hops)
    }

    /// Number of hops up to and including the first to-many one after the first `from`.
    pub(super) fn first_to_many(&self, from: usize) -> Option<usize> {
        let rest = self.hops.get(from..)?;
        rest.iter()
            .position(|hop| hop.is_to_many())
            .map(|at| from + at + 1)
    }
}

/// Whether two paths are the same, hop by hop.
pub(super) fn same_hops(left: &[&'static RelationMeta], right: &[&'static RelationMeta]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(a, b)| std::ptr::eq(*a, *b))
}

/// `a = 1 OR a = 2` as `a IN (1, 2)`, in the place of the first.
fn merge_equalities(children: Vec<Cond>) -> Vec<Cond> {
    use std::collections::HashMap;
    let mut merged: Vec<Cond> = Vec::with_capacity(children.len());
    // Field by address: places in `merged` where one of its equalities begins.
    let mut places: HashMap<usize, Vec<usize>> = HashMap::new();
    for child in children {
        let Some((column, slot)) = equality(&child) else {
            merged.push(child);
            continue;
        };
        let known = places
            .entry(std::ptr::from_ref(column.field).addr())
            .or_default();
        let found = known.iter().copied().find(|at| match &merged[*at] {
            Cond::Test(test) => matches!(&test.left, Term::Column(c) if c.same(column)),
            _ => false,
        });
        match found {
            Some(at) => add_to_list(&mut merged[at], slot),
            None => {
                known.push(merged.len());
                merged.push(child);
            }
        }
    }
    merged
}

fn equality(cond: &Cond) -> Option<(&Column, usize)> {
    match cond {
        Cond::Test(test) => test.equality(),
        _ => None,
    }
}

fn add_to_list(cond: &mut Cond, slot: usize) {
    let Cond::Test(test) = cond else { return };
    if let Some((_, first)) = test.equality() {
        test.kind = TestKind::In(List::Slots(vec![first, slot]));
    } else if let TestKind::In(List::Slots(slots)) = &mut test.kind {
        slots.push(slot);
    }
}
