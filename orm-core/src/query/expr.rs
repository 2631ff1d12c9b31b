//! Expressions: columns, values, arithmetic, date parts.

use super::Path;
use crate::error::Error;
use crate::schema::FieldMeta;
use crate::value::Value;
use std::fmt;

/// A column, and the relations that lead to it.
#[derive(Clone)]
pub struct ColumnRef {
    /// Relations from the query's model to the column's.
    pub path: Path,
    /// The column.
    pub field: &'static FieldMeta,
}

/// Something with a value for each row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Expr {
    /// A bound value.
    Value(Value),
    /// A column.
    Column(ColumnRef),
    /// `left op right`.
    Arithmetic(ArithmeticOp, Box<Expr>, Box<Expr>),
    /// A part of a date-time, in UTC.
    DatePart(DatePart, Box<Expr>),
    /// Nothing that can be evaluated (such as the key of an unsaved instance): the query fails
    /// with this error before anything is sent.
    Error(Box<Error>),
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithmeticOp {
    /// Sum.
    Add,
    /// Difference.
    Subtract,
    /// Product.
    Multiply,
    /// Quotient. Of two integers: cut towards zero.
    Divide,
}

/// Parts of a date-time, as whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatePart {
    /// Year.
    Year,
    /// Quarter, 1 to 4.
    Quarter,
    /// Month, 1 to 12.
    Month,
    /// ISO 8601 week, 1 to 53.
    Week,
    /// Day of the month, 1 to 31.
    Day,
    /// Day of the week, 1 (Sunday) to 7 (Saturday).
    WeekDay,
    /// Hour, 0 to 23.
    Hour,
    /// Minute, 0 to 59.
    Minute,
    /// Second, 0 to 59.
    Second,
    /// Microsecond within the second, 0 to 999 999.
    Microsecond,
}

impl DatePart {
    /// Every part, with the name it has in lookups.
    pub const ALL: [(&'static str, DatePart); 10] = [
        ("year", DatePart::Year),
        ("quarter", DatePart::Quarter),
        ("month", DatePart::Month),
        ("week", DatePart::Week),
        ("day", DatePart::Day),
        ("week_day", DatePart::WeekDay),
        ("hour", DatePart::Hour),
        ("minute", DatePart::Minute),
        ("second", DatePart::Second),
        ("microsecond", DatePart::Microsecond),
    ];
}

impl ColumnRef {
    /// A column of the query's own model.
    pub const fn own(field: &'static FieldMeta) -> Self {
        ColumnRef {
            path: Path::Own,
            field,
        }
    }

    /// Whether the column can be NULL: it is nullable, or its path can lead to no row.
    pub fn can_be_null(&self) -> bool {
        let mut null = self.field.null;
        self.path
            .for_each_from_end(|relation| null |= relation.null || relation.is_to_many());
        null
    }
}

impl Expr {
    /// A column of the query's own model.
    pub fn own(field: &'static FieldMeta) -> Expr {
        Expr::Column(ColumnRef::own(field))
    }

    /// Whether any column of it lies behind a to-many relation.
    pub fn crosses_to_many(&self) -> bool {
        match self {
            Expr::Value(_) | Expr::Error(_) => false,
            Expr::Column(column) => {
                let mut many = false;
                column
                    .path
                    .for_each_from_end(|relation| many |= relation.is_to_many());
                many
            }
            Expr::Arithmetic(_, left, right) => left.crosses_to_many() || right.crosses_to_many(),
            Expr::DatePart(_, of) => of.crosses_to_many(),
        }
    }

    /// Whether the expression can be NULL. Arithmetic can, since a division by zero is NULL on
    /// some databases.
    pub fn can_be_null(&self) -> bool {
        match self {
            Expr::Value(value) => value.is_null(),
            Expr::Column(column) => column.can_be_null(),
            Expr::Arithmetic(..) => true,
            Expr::DatePart(_, of) => of.can_be_null(),
            Expr::Error(_) => true,
        }
    }
}

impl fmt::Debug for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_own() {
            write!(f, "{:?}__", self.path)?;
        }
        f.write_str(self.field.name)
    }
}
