//! Conditions as text: two-valued, balanced, each negation the exact complement.

use super::column::Renderer;
use super::list::Cast;
use super::render;
use super::term::{Cond, List, Term, Test, TestKind};
use super::walk::{lookup_name, too_deep};
use crate::error::{Error, Result};
use crate::query::Lookup;

/// Deepest expression that every database takes, with room for what surrounds it.
const MAX_HEIGHT: usize = 900;
/// Longest chain of one operator without parentheses.
const MAX_CHAIN: usize = 8;

/// The text of a condition.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) text: String,
    /// Whether it can be NULL instead of false.
    pub(super) null: bool,
    /// Whether it needs no parentheses.
    closed: bool,
    /// Levels of operators in it.
    height: usize,
}

impl Rendered {
    /// A comparison.
    pub(super) fn leaf(text: String, null: bool) -> Self {
        Rendered {
            text,
            null,
            closed: true,
            height: 4,
        }
    }

    fn push_to(&self, out: &mut String) {
        if self.closed {
            out.push_str(&self.text);
        } else {
            out.push('(');
            out.push_str(&self.text);
            out.push(')');
        }
    }

    /// The same, counted as one level deeper.
    pub(super) fn deepened(mut self, text: String, null: bool) -> Self {
        self.text = text;
        self.null = null;
        self.closed = true;
        self.height += 2;
        self
    }
}

impl Renderer {
    /// A condition in the current scopes. Shallow frames: it calls itself for each level.
    pub(super) fn condition(&mut self, cond: &Cond) -> Result<Rendered> {
        match cond {
            Cond::And(children) => self.all_of(children),
            Cond::Or(children) => {
                let mut parts = Vec::with_capacity(children.len());
                for child in children {
                    parts.push(self.condition(child)?);
                }
                join(parts, " OR ")
            }
            Cond::Not(inner) => self.negation(inner),
            Cond::Test(_) => self.all_of(std::slice::from_ref(cond)),
            Cond::True => Ok(Rendered::leaf("1 = 1".to_owned(), false)),
            Cond::False => Ok(Rendered::leaf("1 = 0".to_owned(), false)),
        }
    }

    fn negation(&mut self, inner: &Cond) -> Result<Rendered> {
        if let Cond::Test(test) = inner
            && !self.has_unbound(inner)
        {
            return self.test(test, true);
        }
        let inner = self.condition(inner)?;
        complement(inner)
    }

    /// A comparison whose columns are all in reach.
    pub(super) fn test(&mut self, test: &Test, negated: bool) -> Result<Rendered> {
        let (left, null) = self.term(&test.left)?;
        let (yes, no) = match &test.kind {
            TestKind::IsNull(yes) => {
                let word = if *yes == negated {
                    "IS NOT NULL"
                } else {
                    "IS NULL"
                };
                return Ok(Rendered::leaf(format!("{left} {word}"), false));
            }
            TestKind::Compare(lookup, right) => {
                return self.compare(*lookup, (left, null), right, negated);
            }
            TestKind::Between(low, high) => {
                let (low, low_null) = self.term(low)?;
                let (high, high_null) = self.term(high)?;
                let null = null || low_null || high_null;
                let text = format!("{left} BETWEEN {low} AND {high}");
                let rendered = Rendered {
                    closed: false,
                    ..Rendered::leaf(text, null)
                };
                return if negated {
                    complement(rendered)
                } else {
                    Ok(rendered)
                };
            }
            TestKind::In(list) => (in_list(&left, list), not_in_list(&left, list)),
            TestKind::LinkedTo(through, slot) => {
                let alias = self.alias();
                let list = format!(
                    "SELECT {} FROM {} AS {} WHERE {} = {}",
                    self.qualified(&alias, through.target_column),
                    render::name(through.table, self.dialect),
                    render::name(&alias, self.dialect),
                    self.qualified(&alias, through.source_column),
                    render::slot(*slot),
                );
                (
                    format!("{left} IN ({list})"),
                    format!("{left} NOT IN ({list})"),
                )
            }
        };
        match (negated, null) {
            (false, null) => Ok(Rendered::leaf(yes, null)),
            (true, false) => Ok(Rendered::leaf(no, false)),
            (true, true) => complement(Rendered::leaf(yes, true)),
        }
    }

    fn compare(
        &mut self,
        lookup: Lookup,
        (left, left_null): (String, bool),
        right: &Term,
        negated: bool,
    ) -> Result<Rendered> {
        let (right, right_null) = self.term(right)?;
        let null = left_null || right_null;
        if lookup.needs_text() {
            let spelling = self
                .dialect
                .text_lookup(lookup)
                .ok_or(Error::Unsupported(lookup_name(lookup)))?;
            let text = fill(spelling.template, &left, &right);
            let rendered = Rendered {
                closed: false,
                ..Rendered::leaf(text, null)
            };
            return if negated {
                complement(rendered)
            } else {
                Ok(rendered)
            };
        }
        let sign = match lookup {
            Lookup::Exact if negated && !null => "<>",
            Lookup::Exact => "=",
            Lookup::Gt => ">",
            Lookup::Gte => ">=",
            Lookup::Lt => "<",
            Lookup::Lte => "<=",
            other => return Err(Error::Unsupported(lookup_name(other))),
        };
        let rendered = Rendered::leaf(format!("{left} {sign} {right}"), null);
        if negated && sign != "<>" {
            return complement(rendered);
        }
        Ok(rendered)
    }
}

/// A spelling with both sides filled in, in one pass: a side is never looked into.
fn fill(template: &str, left: &str, right: &str) -> String {
    let mut out = String::with_capacity(template.len() + left.len() + right.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let side = match from.get(..3) {
            Some("{l}") => left,
            Some("{r}") => right,
            _ => {
                out.push('{');
                rest = &from[1..];
                continue;
            }
        };
        out.push_str(side);
        rest = &from[3..];
    }
    out.push_str(rest);
    out
}

/// `left` is one of the list.
pub(super) fn in_list(left: &str, list: &List) -> String {
    match list {
        List::Array(slot, cast) => format!("{left} = ANY({})", array_text(*slot, *cast)),
        list => format!("{left} IN ({})", list_text(list)),
    }
}

/// `left` is none of the list.
fn not_in_list(left: &str, list: &List) -> String {
    match list {
        List::Array(slot, cast) => format!("{left} <> ALL({})", array_text(*slot, *cast)),
        list => format!("{left} NOT IN ({})", list_text(list)),
    }
}

fn array_text(slot: usize, cast: Cast) -> String {
    match cast.needless {
        true => render::slot(slot),
        false => render::array(&render::slot(slot), cast.name),
    }
}

/// What stands in the parentheses of `IN (..)`.
fn list_text(list: &List) -> String {
    match list {
        List::Table(slot, table) => render::list_table(table, &render::slot(*slot)),
        List::Array(slot, cast) => {
            format!("SELECT {}", render::unnest(&render::slot(*slot), cast.name))
        }
        List::Slots(slots) => {
            let slots: Vec<String> = slots.iter().map(|slot| render::slot(*slot)).collect();
            slots.join(", ")
        }
    }
}

/// True exactly where `inner` is not.
fn complement(inner: Rendered) -> Result<Rendered> {
    let text = if inner.null {
        format!("({}) IS NOT TRUE", inner.text)
    } else {
        format!("NOT ({})", inner.text)
    };
    let height = inner.height + 2;
    if height > MAX_HEIGHT {
        return Err(too_deep());
    }
    Ok(Rendered {
        text,
        null: false,
        closed: !inner.null,
        height,
    })
}

/// Joins conditions by one operator: short ones in a row, long ones as a balanced tree, since
/// databases limit the depth of expressions.
pub(super) fn join(mut parts: Vec<Rendered>, operator: &str) -> Result<Rendered> {
    if parts.is_empty() {
        return Ok(Rendered::leaf("1 = 1".to_owned(), false));
    }
    while parts.len() > 1 {
        let mut joined = Vec::with_capacity(parts.len().div_ceil(MAX_CHAIN));
        let mut rest = parts.into_iter().peekable();
        while rest.peek().is_some() {
            joined.push(chain(rest.by_ref().take(MAX_CHAIN).collect(), operator)?);
        }
        parts = joined;
    }
    Ok(parts.remove(0))
}

fn chain(mut parts: Vec<Rendered>, operator: &str) -> Result<Rendered> {
    if parts.len() == 1 {
        return Ok(parts.remove(0));
    }
    // `a AND b AND c` nests to the left: what is deep goes last, where it nests least.
    if parts.iter().any(|part| part.height > 50) {
        parts.sort_by_key(|part| part.height);
    }
    let mut text = String::new();
    let mut height = 0;
    for (i, part) in parts.iter().enumerate() {
        if i > 0 {
            text.push_str(operator);
        }
        part.push_to(&mut text);
        height = part.height.max(height) + 1;
    }
    if height > MAX_HEIGHT {
        return Err(too_deep());
    }
    Ok(Rendered {
        text,
        null: parts.iter().any(|part| part.null),
        closed: false,
        height,
    })
}
