//! The walk over a query tree that collects its key and its values at once.

use super::key::Key;
use super::list::ListPlan;
use crate::backend::{Dialect, TextPattern};
use crate::error::{Error, Result};
use crate::query::{
    ColumnRef, Expr, Linked, Lookup, Operand, OrderBy, Output, Path, Predicate, Select,
};
use crate::schema::ThroughMeta;
use crate::value::{Field, Value};

/// Deepest nesting of conditions and of expressions.
const MAX_DEPTH: usize = 500;
/// Most terms of all filters of a query together.
const MAX_TERMS: usize = 10_000;

/// What a walk has collected.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) dialect: &'static dyn Dialect,
    pub(super) key: Key,
    /// Values in the order they were met; a value's place is its slot.
    pub(super) values: Vec<Value>,
    /// Plans of the lists, in the order they were met.
    pub(super) lists: Vec<ListPlan>,
}

impl Walk {
    pub(super) fn new(dialect: &'static dyn Dialect) -> Self {
        Walk {
            dialect,
            key: Key::default(),
            values: Vec::new(),
            lists: Vec::new(),
        }
    }

    pub(super) fn reset(&mut self, dialect: &'static dyn Dialect) {
        self.dialect = dialect;
        self.values = Vec::new();
        self.lists.clear();
        self.key.shrink();
    }

    /// Refuses what no database compares alike.
    pub(super) fn check(&self, value: &Value, field: &'static str) -> Result<()> {
        let problem = match value {
            Value::Text(text) => text.problem(),
            Value::F64(number) => number.problem(),
            Value::DateTime(instant) => instant.problem(),
            _ => None,
        };
        match problem {
            Some(problem) => Err(Error::validation(field, problem)),
            None => Ok(()),
        }
    }

    /// Collects one value; its kind is part of the shape.
    pub(super) fn value(&mut self, value: &mut Value, field: &'static str) -> Result<()> {
        self.check(value, field)?;
        self.key.word(kind(value));
        self.values.push(value.take());
        Ok(())
    }

    /// Everything of a select but its operation and model.
    pub(super) fn select(&mut self, select: &mut Select) -> Result<()> {
        self.filters(&mut select.filters)?;
        self.linked(select.linked.as_mut())?;
        self.output(&mut select.output)?;
        self.key.word(u64::from(select.order_set));
        self.key.word(select.order.len() as u64);
        for order in &mut select.order {
            self.order(order)?;
        }
        self.paging(select);
        Ok(())
    }

    fn filters(&mut self, filters: &mut [Predicate]) -> Result<()> {
        let mut terms = 0;
        self.key.word(filters.len() as u64);
        for filter in filters {
            guard(filter, &mut terms)?;
            self.predicate(filter)?;
        }
        Ok(())
    }

    fn paging(&mut self, select: &Select) {
        // `exists` needs one row at most, so its limit matters only when it is zero.
        let exists = matches!(select.output, Output::Exists);
        match select.limit {
            Some(limit) if exists => self.key.word(2 + u64::from(limit == 0)),
            Some(limit) => {
                self.key.word(1);
                self.values.push(count(limit));
            }
            None => self.key.word(0),
        }
        match select.offset {
            Some(offset) => {
                self.key.word(1);
                self.values.push(count(offset));
            }
            None => self.key.word(0),
        }
    }

    fn linked(&mut self, linked: Option<&mut Linked>) -> Result<()> {
        let Some(linked) = linked else {
            self.key.word(0);
            return Ok(());
        };
        self.key.word(1);
        self.through(linked.through);
        self.list(&mut linked.owners, linked.through.source_column)?;
        Ok(())
    }

    pub(super) fn through(&mut self, through: ThroughMeta) {
        self.key.text(through.table);
        self.key.text(through.source_column);
        self.key.text(through.target_column);
    }

    fn output(&mut self, output: &mut Output) -> Result<()> {
        match output {
            Output::Model => self.key.word(0),
            Output::Count => self.key.word(1),
            Output::Exists => self.key.word(2),
            Output::Exprs(exprs) => {
                self.key.word(3);
                self.key.word(exprs.len() as u64);
                for expr in exprs {
                    self.expr(expr, "values")?;
                }
            }
        }
        Ok(())
    }

    fn order(&mut self, order: &mut OrderBy) -> Result<()> {
        self.key.word(u64::from(order.descending));
        self.expr(&mut order.expr, "order_by")
    }

    /// An expression; `field` names it in errors about its values.
    pub(super) fn expr(&mut self, expr: &mut Expr, field: &'static str) -> Result<()> {
        self.expr_at(expr, field, 0)
    }

    fn expr_at(&mut self, expr: &mut Expr, field: &'static str, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        match expr {
            Expr::Value(value) => {
                self.key.word(16);
                self.value(value, field)
            }
            Expr::Column(column) => {
                self.key.word(17);
                self.column(column);
                Ok(())
            }
            Expr::Arithmetic(op, left, right) => {
                self.key.word(24 + *op as u64);
                self.expr_at(left, field, depth + 1)?;
                self.expr_at(right, field, depth + 1)
            }
            Expr::DatePart(part, of) => {
                self.key.word(32 + *part as u64);
                self.expr_at(of, field, depth + 1)
            }
            Expr::Error(error) => Err((**error).clone()),
        }
    }

    fn column(&mut self, column: &ColumnRef) {
        match &column.path {
            Path::Own => self.key.word(0),
            // One node for each place, so its address says the whole path.
            Path::Static(node) => {
                self.key.word(1);
                self.key.address(*node);
            }
            Path::Dynamic(relations) => {
                self.key.word(2);
                self.key.word(relations.len() as u64);
                relations.iter().for_each(|r| self.key.address(*r));
            }
        }
        self.key.address(column.field);
    }

    fn predicate(&mut self, predicate: &mut Predicate) -> Result<()> {
        match predicate {
            Predicate::All => self.key.word(64),
            Predicate::Nothing => self.key.word(65),
            Predicate::And(terms) => {
                self.key.word(66);
                self.key.word(terms.len() as u64);
                for term in terms.iter_mut() {
                    self.predicate(term)?;
                }
            }
            Predicate::Or(terms) => {
                self.key.word(67);
                self.key.word(terms.len() as u64);
                for term in terms.iter_mut() {
                    self.predicate(term)?;
                }
            }
            Predicate::Not(inner) => {
                self.key.word(68);
                self.predicate(inner)?;
            }
            leaf => self.leaf(leaf)?,
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: &mut Predicate) -> Result<()> {
        match leaf {
            Predicate::Compare(left, lookup, operand) => {
                self.key.word(69);
                self.key.word(*lookup as u64);
                let field = name_of(left);
                self.expr(left, field)?;
                self.operand(*lookup, operand, field)
            }
            Predicate::LinkedTo {
                column,
                through,
                owner,
            } => {
                self.key.word(70);
                self.column(column);
                self.through(*through);
                self.value(owner, through.source_column)
            }
            _ => Err(Error::Unsupported("this kind of condition")),
        }
    }

    fn operand(
        &mut self,
        lookup: Lookup,
        operand: &mut Operand,
        field: &'static str,
    ) -> Result<()> {
        match operand {
            Operand::Expr(expr) => {
                self.key.word(80);
                if lookup.needs_text() {
                    self.pattern(lookup, expr)?;
                }
                self.expr(expr, field)
            }
            Operand::List(values) => {
                self.key.word(81);
                self.list(values, field)?;
                Ok(())
            }
            Operand::Between(low, high) => {
                self.key.word(82);
                self.expr(low, field)?;
                self.expr(high, field)
            }
            Operand::Flag(yes) => {
                self.key.word(83 + u64::from(*yes));
                Ok(())
            }
        }
    }

    /// Turns the argument of a text lookup into what its spelling binds.
    fn pattern(&mut self, lookup: Lookup, expr: &mut Expr) -> Result<()> {
        let pattern = matches!(lookup, Lookup::Regex | Lookup::IRegex);
        if pattern && !self.dialect.capabilities().regex {
            return Err(Error::Unsupported("regex"));
        }
        let spelling = self
            .dialect
            .text_lookup(lookup)
            .ok_or(Error::Unsupported(lookup_name(lookup)))?;
        if spelling.pattern == TextPattern::Plain {
            return Ok(());
        }
        match expr {
            Expr::Value(Value::Text(text)) => *text = like_pattern(lookup, text),
            Expr::Value(Value::Null) | Expr::Error(_) => {}
            _ => return Err(Error::Unsupported("text lookups against expressions")),
        }
        Ok(())
    }
}

/// Rows to skip or take; no table has more than `i64::MAX`.
fn count(rows: u64) -> Value {
    Value::I64(i64::try_from(rows).unwrap_or(i64::MAX))
}

fn kind(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::I64(_) => 2,
        Value::F64(_) => 3,
        Value::Text(_) => 4,
        Value::Bytes(_) => 5,
        Value::DateTime(_) => 6,
        Value::Array(_) => 7,
    }
}

/// The column that an expression is about, for errors.
fn name_of(expr: &Expr) -> &'static str {
    match expr {
        Expr::Column(column) => column.field.name,
        Expr::DatePart(_, of) => name_of(of),
        Expr::Arithmetic(_, left, _) => name_of(left),
        Expr::Value(_) | Expr::Error(_) => "filter",
    }
}

pub(super) fn lookup_name(lookup: Lookup) -> &'static str {
    Lookup::NAMES
        .iter()
        .find(|(_, known)| *known == lookup)
        .map_or("lookup", |(name, _)| name)
}

pub(super) fn too_deep() -> Error {
    Error::validation(
        "filter",
        format!("is nested deeper than {MAX_DEPTH} levels"),
    )
}

/// Refuses trees that are too deep or too large, without recursion: they may come from outside.
fn guard(filter: &Predicate, terms: &mut usize) -> Result<()> {
    let mut pending: Vec<(&Predicate, usize)> = Vec::new();
    let mut at = Some((filter, 1));
    while let Some((predicate, depth)) = at {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        let children: &[Predicate] = match predicate {
            Predicate::And(children) | Predicate::Or(children) => children,
            Predicate::Not(inner) => std::slice::from_ref(inner),
            _ => &[],
        };
        // Only comparisons count: a negation is no term of its own.
        *terms += match children {
            [] => 1,
            children => children.iter().filter(|child| is_leaf(child)).count(),
        };
        if *terms > MAX_TERMS + 1 {
            let message = format!("has more than {MAX_TERMS} terms");
            return Err(Error::validation("filter", message));
        }
        let inner = children.iter().filter(|c| !is_leaf(c));
        pending.extend(inner.map(|child| (child, depth + 1)));
        at = pending.pop();
    }
    Ok(())
}

fn is_leaf(predicate: &Predicate) -> bool {
    !matches!(
        predicate,
        Predicate::And(_) | Predicate::Or(_) | Predicate::Not(_)
    )
}

/// The text with LIKE's own characters escaped, and `%` where the lookup leaves room.
fn like_pattern(lookup: Lookup, text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    if matches!(
        lookup,
        Lookup::Contains | Lookup::IContains | Lookup::EndsWith | Lookup::IEndsWith
    ) {
        pattern.push('%');
    }
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    if matches!(
        lookup,
        Lookup::Contains | Lookup::IContains | Lookup::StartsWith | Lookup::IStartsWith
    ) {
        pattern.push('%');
    }
    pattern
}
