//! From the query tree to its lowered form. Visits in the order of the walk, so that slot numbers
//! agree with it.

use super::list::ListPlan;
use super::term::{Column, Cond, Hops, List, Term, Test, TestKind};
use super::walk::Walk;
use crate::error::{Error, Result};
use crate::query::{ColumnRef, Expr, Lookup, Operand, Predicate};
use crate::schema::RelationMeta;
use crate::value::Value;

/// Lowers the parts of one statement.
#[derive(Clone, Debug)]
pub(super) struct Lower<'w> {
    values: &'w [Value],
    lists: std::slice::Iter<'w, ListPlan>,
    next: usize,
}

impl<'w> Lower<'w> {
    pub(super) fn new(walk: &'w Walk) -> Self {
        Lower {
            values: &walk.values,
            lists: walk.lists.iter(),
            next: 0,
        }
    }

    /// The next slot.
    pub(super) fn slot(&mut self) -> usize {
        let slot = self.next;
        self.next += 1;
        slot
    }

    pub(super) fn list(&mut self) -> List {
        let plan = self.lists.next().copied().unwrap_or(ListPlan::Bound(0));
        List::of(plan, &mut self.next)
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Term> {
        Ok(match expr {
            Expr::Value(_) => self.value(),
            Expr::Column(column) => Term::Column(lower_column(column)),
            Expr::Arithmetic(op, left, right) => {
                let left = Box::new(self.expr(left)?);
                Term::Arithmetic(*op, left, Box::new(self.expr(right)?))
            }
            Expr::DatePart(part, of) => Term::DatePart(*part, Box::new(self.expr(of)?)),
            Expr::Error(error) => return Err((**error).clone()),
        })
    }

    fn value(&mut self) -> Term {
        let slot = self.slot();
        Term::Slot {
            slot,
            null: self.values[slot].is_null(),
            integer: matches!(self.values[slot], Value::I64(_)),
        }
    }

    pub(super) fn predicate(&mut self, predicate: &Predicate) -> Result<Cond> {
        Ok(match predicate {
            Predicate::And(terms) => Cond::and(self.predicates(terms)?),
            // The empty condition is neutral in an `Or` too.
            Predicate::Or(terms) if terms.iter().all(|t| matches!(t, Predicate::All)) => Cond::True,
            Predicate::Or(terms) => Cond::or(self.predicates(terms)?),
            Predicate::Not(inner) => Cond::not(self.predicate(inner)?),
            leaf => self.leaf(leaf)?,
        })
    }

    fn predicates(&mut self, terms: &[Predicate]) -> Result<Vec<Cond>> {
        let mut lowered = Vec::with_capacity(terms.len());
        for term in terms {
            if !matches!(term, Predicate::All) {
                lowered.push(self.predicate(term)?);
            }
        }
        Ok(lowered)
    }

    fn leaf(&mut self, leaf: &Predicate) -> Result<Cond> {
        match leaf {
            Predicate::All => Ok(Cond::True),
            Predicate::Nothing => Ok(Cond::False),
            Predicate::Compare(left, lookup, operand) => {
                let left = self.expr(left)?;
                self.compare(left, *lookup, operand)
            }
            Predicate::LinkedTo {
                column, through, ..
            } => Ok(test(
                Term::Column(lower_column(column)),
                TestKind::LinkedTo(*through, self.slot()),
            )),
            _ => Err(Error::Unsupported("this kind of condition")),
        }
    }

    fn compare(&mut self, left: Term, lookup: Lookup, operand: &Operand) -> Result<Cond> {
        Ok(match operand {
            Operand::Expr(expr) => {
                let right = self.expr(expr)?;
                test(left, TestKind::Compare(lookup, right))
            }
            Operand::List(_) => match self.list() {
                List::Slots(slots) if slots.is_empty() => Cond::False,
                list => test(left, TestKind::In(list)),
            },
            Operand::Between(low, high) => {
                let low = self.expr(low)?;
                let high = self.expr(high)?;
                test(left, TestKind::Between(low, high))
            }
            // A column of related rows that is never NULL in a row is NULL when there is no row.
            Operand::Flag(true) if only_absence_is_null(&left) => {
                Cond::not(test(left, TestKind::IsNull(false)))
            }
            Operand::Flag(yes) => test(left, TestKind::IsNull(*yes)),
        })
    }
}

fn only_absence_is_null(left: &Term) -> bool {
    match left {
        Term::Column(column) => {
            let hops = column.hops.iter().rev();
            // A related row whose reference is absent has no such column either.
            let optional = hops.take_while(|hop| !hop.is_to_many()).any(|hop| hop.null);
            !column.field.null && !optional && column.first_to_many(0).is_some()
        }
        _ => false,
    }
}

fn test(left: Term, kind: TestKind) -> Cond {
    Cond::Test(Box::new(Test { left, kind }))
}

/// The column; the key at the end of a foreign key is the foreign key's own column.
pub(super) fn lower_column(column: &ColumnRef) -> Column {
    let mut hops: Hops = column.path.relations();
    let mut field = column.field;
    while let Some(own) = hops.last().and_then(|hop| own_key(hop, field)) {
        hops.pop();
        field = own;
    }
    Column { hops, field }
}

/// The foreign key's column, when `field` is the key that it holds.
fn own_key(
    hop: &'static RelationMeta,
    field: &'static crate::schema::FieldMeta,
) -> Option<&'static crate::schema::FieldMeta> {
    let target = hop.target().pk();
    let is_key = std::ptr::eq(field, target) || (field.pk && field.column == target.column);
    hop.column.filter(|_| is_key)
}
