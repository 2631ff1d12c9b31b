//! Ordering: the caller's, or the model's.

use super::column::Renderer;
use super::lower::{Lower, lower_column};
use super::render::OrderKey;
use super::term::Term;
use crate::error::Result;
use crate::query::{Expr, Output, Select, resolve_order};

impl Renderer {
    /// The caller's ordering.
    pub(super) fn order(
        &mut self,
        select: &Select,
        lower: &mut Lower<'_>,
    ) -> Result<Vec<OrderKey>> {
        let mut keys = Vec::with_capacity(select.order.len());
        for order in &select.order {
            let term = lower.expr(&order.expr)?;
            keys.push(self.order_key(&term, order.descending)?);
        }
        Ok(keys)
    }

    /// The model's ordering, for reads of rows that have none of their own.
    pub(super) fn default_order(&mut self, select: &Select) -> Result<Vec<OrderKey>> {
        let applies = !select.order_set
            && select.order.is_empty()
            && matches!(select.output, Output::Model | Output::Exprs(_));
        let mut keys = Vec::new();
        for name in select.model.ordering.iter().filter(|_| applies) {
            let order = resolve_order(select.model, name)?;
            if let Expr::Column(column) = &order.expr {
                let term = Term::Column(lower_column(column));
                keys.push(self.order_key(&term, order.descending)?);
            }
        }
        Ok(keys)
    }

    fn order_key(&mut self, term: &Term, descending: bool) -> Result<OrderKey> {
        let (text, nullable) = self.term(term)?;
        Ok(OrderKey {
            text,
            descending,
            nullable,
        })
    }
}
