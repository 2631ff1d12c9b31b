//! Conditions: n-ary trees of comparisons, two-valued.

use super::{ColumnRef, Expr};
use crate::schema::ThroughMeta;
use crate::value::Value;

/// A condition on a row. Two-valued: a comparison with NULL is false, and `Not` is the exact
/// complement.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Predicate {
    /// No condition: neutral in `And` and `Or`; its negation matches nothing.
    #[default]
    All,
    /// Matches no row.
    Nothing,
    /// All of these. Never empty, and no direct child is an `And`.
    And(Terms),
    /// Any of these. Never empty, and no direct child is an `Or`.
    Or(Terms),
    /// The complement.
    Not(Box<Predicate>),
    /// A comparison.
    Compare(Expr, Lookup, Operand),
    /// Rows whose `column` is linked to this owner by a through table.
    LinkedTo {
        /// The target's key column.
        column: ColumnRef,
        /// The through table, seen from the owner.
        through: ThroughMeta,
        /// Key of the owner.
        owner: Value,
    },
}

/// How two things are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lookup {
    /// Equal, case-sensitively. Never with NULL: that is `IsNull`.
    Exact,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// One of a list.
    In,
    /// Between two values, both included.
    Range,
    /// NULL or not, by a `Flag` operand.
    IsNull,
    /// Holds the text.
    Contains,
    /// Holds the text in any case.
    IContains,
    /// Begins with the text.
    StartsWith,
    /// Begins with the text in any case.
    IStartsWith,
    /// Ends with the text.
    EndsWith,
    /// Ends with the text in any case.
    IEndsWith,
    /// Equal in any case.
    IExact,
    /// Matches the regular expression.
    Regex,
    /// Matches the regular expression in any case.
    IRegex,
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub enum Operand {
    /// One expression.
    Expr(Expr),
    /// A list of values without NULL (for `In`).
    List(Vec<Value>),
    /// Both ends (for `Range`).
    Between(Box<Expr>, Box<Expr>),
    /// Yes or no (for `IsNull`).
    Flag(bool),
}

impl Lookup {
    /// Names of the lookups as they are written after `__`, without those that mean a negation.
    pub const NAMES: [(&'static str, Lookup); 17] = [
        ("exact", Lookup::Exact),
        ("gt", Lookup::Gt),
        ("gte", Lookup::Gte),
        ("lt", Lookup::Lt),
        ("lte", Lookup::Lte),
        ("in", Lookup::In),
        ("range", Lookup::Range),
        ("isnull", Lookup::IsNull),
        ("contains", Lookup::Contains),
        ("icontains", Lookup::IContains),
        ("startswith", Lookup::StartsWith),
        ("istartswith", Lookup::IStartsWith),
        ("endswith", Lookup::EndsWith),
        ("iendswith", Lookup::IEndsWith),
        ("iexact", Lookup::IExact),
        ("regex", Lookup::Regex),
        ("iregex", Lookup::IRegex),
    ];

    /// Whether the lookup is for text only.
    pub fn needs_text(self) -> bool {
        matches!(
            self,
            Lookup::Contains
                | Lookup::IContains
                | Lookup::StartsWith
                | Lookup::IStartsWith
                | Lookup::EndsWith
                | Lookup::IEndsWith
                | Lookup::IExact
                | Lookup::Regex
                | Lookup::IRegex
        )
    }
}

impl Predicate {
    /// `left = value`; `IS NULL` when the value is NULL.
    pub fn equals(left: Expr, value: Value) -> Predicate {
        if value.is_null() {
            Predicate::is_null(left, true)
        } else {
            Predicate::Compare(left, Lookup::Exact, Operand::Expr(Expr::Value(value)))
        }
    }

    /// `left IS NULL`, or `IS NOT NULL`.
    pub fn is_null(left: Expr, yes: bool) -> Predicate {
        Predicate::Compare(left, Lookup::IsNull, Operand::Flag(yes))
    }

    /// `left` is one of `values`. NULL among them also matches NULL rows; an empty list matches
    /// nothing; repeated values change nothing.
    pub fn one_of(left: Expr, values: Vec<Value>) -> Predicate {
        let (nulls, values): (Vec<Value>, Vec<Value>) =
            values.into_iter().partition(Value::is_null);
        let listed = if values.is_empty() {
            Predicate::Nothing
        } else {
            Predicate::Compare(left.clone(), Lookup::In, Operand::List(values))
        };
        if nulls.is_empty() {
            listed
        } else {
            listed.or(Predicate::is_null(left, true))
        }
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Predicate) -> Predicate {
        match (self, other) {
            (Predicate::All, p) | (p, Predicate::All) => p,
            (Predicate::Nothing, _) | (_, Predicate::Nothing) => Predicate::Nothing,
            (Predicate::And(mut left), Predicate::And(right)) => {
                left.extend(right.into_vec());
                Predicate::And(left)
            }
            (Predicate::And(mut left), p) => {
                left.push(p);
                Predicate::And(left)
            }
            (p, Predicate::And(mut right)) => {
                right.insert(0, p);
                Predicate::And(right)
            }
            (left, right) => Predicate::And(Terms::new(vec![left, right])),
        }
    }

    /// Either. The empty condition is neutral here too.
    #[must_use]
    pub fn or(self, other: Predicate) -> Predicate {
        match (self, other) {
            (Predicate::All, p) | (p, Predicate::All) => p,
            (Predicate::Nothing, p) | (p, Predicate::Nothing) => p,
            (Predicate::Or(mut left), Predicate::Or(right)) => {
                left.extend(right.into_vec());
                Predicate::Or(left)
            }
            (Predicate::Or(mut left), p) => {
                left.push(p);
                Predicate::Or(left)
            }
            (p, Predicate::Or(mut right)) => {
                right.insert(0, p);
                Predicate::Or(right)
            }
            (left, right) => Predicate::Or(Terms::new(vec![left, right])),
        }
    }

    /// The complement. The negation of no condition matches nothing; that of a condition which
    /// matches nothing is no empty condition, but one that every row meets.
    #[must_use]
    pub fn negate(self) -> Predicate {
        match self {
            Predicate::All => Predicate::Nothing,
            Predicate::Not(inner) => *inner,
            p => Predicate::Not(Box::new(p)),
        }
    }

    /// Whether no row can match.
    pub fn matches_nothing(&self) -> bool {
        match self {
            Predicate::Nothing => true,
            Predicate::And(children) => children.iter().any(Predicate::matches_nothing),
            _ => false,
        }
    }

    /// The condition as text without values, for messages.
    pub fn describe(&self) -> String {
        let joined = |children: &[Predicate], word: &str| {
            let parts: Vec<String> = children.iter().take(8).map(Predicate::describe).collect();
            let more = if children.len() > 8 { " .." } else { "" };
            format!("({}{more})", parts.join(word))
        };
        match self {
            Predicate::All => "anything".to_owned(),
            Predicate::Nothing => "nothing".to_owned(),
            Predicate::And(children) => joined(children, " and "),
            Predicate::Or(children) => joined(children, " or "),
            Predicate::Not(inner) => format!("not {}", inner.describe()),
            Predicate::LinkedTo { through, .. } => format!("linked by `{}`", through.table),
            Predicate::Compare(left, lookup, operand) => describe_compare(left, *lookup, operand),
        }
    }
}

fn describe_expr(expr: &Expr) -> String {
    match expr {
        Expr::Value(_) | Expr::Error(_) => "?".to_owned(),
        Expr::Column(column) => format!("{column:?}"),
        Expr::Arithmetic(op, left, right) => {
            let op = match op {
                super::ArithmeticOp::Add => '+',
                super::ArithmeticOp::Subtract => '-',
                super::ArithmeticOp::Multiply => '*',
                super::ArithmeticOp::Divide => '/',
            };
            format!("({} {op} {})", describe_expr(left), describe_expr(right))
        }
        Expr::DatePart(part, of) => {
            let name = super::DatePart::ALL
                .iter()
                .find(|(_, p)| p == part)
                .map_or("part", |(n, _)| n);
            format!("{}__{name}", describe_expr(of))
        }
    }
}

fn describe_compare(left: &Expr, lookup: Lookup, operand: &Operand) -> String {
    let left = describe_expr(left);
    let right = match operand {
        Operand::Expr(expr) => describe_expr(expr),
        Operand::List(values) => format!("({} values)", values.len()),
        Operand::Between(low, high) => format!("{} .. {}", describe_expr(low), describe_expr(high)),
        Operand::Flag(yes) => yes.to_string(),
    };
    let sign = match lookup {
        Lookup::Exact => "=",
        Lookup::Gt => ">",
        Lookup::Gte => ">=",
        Lookup::Lt => "<",
        Lookup::Lte => "<=",
        other => Lookup::NAMES
            .iter()
            .find(|(_, l)| *l == other)
            .map_or("?", |(name, _)| name),
    };
    format!("{left} {sign} {right}")
}

/// Children of an `And` or `Or`. Trees from outside can be very deep, so they drop without
/// recursion.
#[derive(Clone, Debug, Default)]
pub struct Terms(Vec<Predicate>);

impl Terms {
    /// These children.
    pub fn new(children: Vec<Predicate>) -> Self {
        Terms(children)
    }

    /// The children, taken out.
    pub fn into_vec(mut self) -> Vec<Predicate> {
        std::mem::take(&mut self.0)
    }
}

impl std::ops::Deref for Terms {
    type Target = Vec<Predicate>;
    fn deref(&self) -> &Vec<Predicate> {
        &self.0
    }
}

impl std::ops::DerefMut for Terms {
    fn deref_mut(&mut self) -> &mut Vec<Predicate> {
        &mut self.0
    }
}

impl Drop for Terms {
    fn drop(&mut self) {
        let mut pending = std::mem::take(&mut self.0);
        while let Some(next) = pending.pop() {
            match next {
                Predicate::And(mut terms) | Predicate::Or(mut terms) => {
                    pending.append(&mut terms.0)
                }
                Predicate::Not(inner) => pending.push(*inner),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_tree_drops_without_overflowing_the_stack() {
        let mut tree = Predicate::Nothing;
        for _ in 0..200_000 {
            tree = Predicate::And(Terms::new(vec![Predicate::Not(Box::new(tree))]));
        }
        drop(tree);
    }

    #[test]
    fn the_empty_condition_is_neutral_and_its_negation_matches_nothing() {
        assert!(matches!(
            Predicate::All.and(Predicate::Nothing),
            Predicate::Nothing
        ));
        assert!(matches!(
            Predicate::All.or(Predicate::Nothing),
            Predicate::Nothing
        ));
        assert!(Predicate::All.negate().matches_nothing());
    }

    #[test]
    fn what_every_row_meets_is_not_neutral() {
        let everything = Predicate::Nothing.negate();
        assert!(matches!(
            everything.clone().or(Predicate::Nothing),
            Predicate::Not(_)
        ));
        assert!(everything.negate().matches_nothing());
    }
}
