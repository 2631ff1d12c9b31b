//! Expressions as text.

use super::column::Renderer;
use super::render;
use super::term::Term;
use crate::error::Result;
use crate::query::ArithmeticOp;

impl Renderer {
    /// The text of an expression, ready to stand beside any operator, and whether it can be NULL.
    pub(super) fn term(&mut self, term: &Term) -> Result<(String, bool)> {
        match term {
            Term::Slot { slot, null, .. } => Ok((render::slot(*slot), *null)),
            Term::Column(column) => self.column(column),
            Term::DatePart(part, of) => {
                let (of, null) = self.term(of)?;
                Ok((self.dialect.date_part(*part).replace("{l}", &of), null))
            }
            Term::Arithmetic(op, left, right) => self.arithmetic(*op, left, right),
        }
    }

    fn arithmetic(
        &mut self,
        op: ArithmeticOp,
        left: &Term,
        right: &Term,
    ) -> Result<(String, bool)> {
        let family = self.dialect.family();
        let sign = render::arithmetic(op, left.is_integer() && right.is_integer(), family);
        let is_value = matches!(right, Term::Slot { .. });
        let (left, left_null) = self.term(left)?;
        let (mut right, right_null) = self.term(right)?;
        let divides = op == ArithmeticOp::Divide;
        if divides && !is_value && render::division_fails(family) {
            right = format!("NULLIF({right}, 0)");
        }
        let null = left_null || right_null || divides;
        Ok((format!("({left} {sign} {right})"), null))
    }
}
