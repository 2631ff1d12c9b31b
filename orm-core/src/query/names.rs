//! Names given at run time: `author__name__icontains` to columns, relations and lookups.

use super::{ColumnRef, DatePart, Expr, Lookup, Operand, OrderBy, Path, Predicate};
use crate::error::{Error, FieldError, Result};
use crate::schema::{ModelMeta, RelationMeta};
use crate::value::{ColumnType, Value, parse_datetime};

/// The right side of a run-time condition: one value, or several for `in` and `range`.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// One value.
    One(Value),
    /// Several.
    Many(Vec<Value>),
}

impl<T: Into<Value>> From<T> for Argument {
    fn from(v: T) -> Self {
        Argument::One(v.into())
    }
}
impl<T: Into<Value>, const N: usize> From<[T; N]> for Argument {
    fn from(v: [T; N]) -> Self {
        Argument::Many(v.into_iter().map(Into::into).collect())
    }
}
impl From<Vec<Value>> for Argument {
    fn from(v: Vec<Value>) -> Self {
        Argument::Many(v)
    }
}
impl Argument {
    /// A JSON scalar, or a list of them.
    pub fn from_json(v: &serde_json::Value) -> Self {
        match v {
            serde_json::Value::Array(items) => {
                Argument::Many(items.iter().map(Value::from).collect())
            }
            other => Argument::One(Value::from(other)),
        }
    }
}

/// Most relations that one name may follow. Names come from outside and cycles have no end, while
/// what walks a path uses some stack for each relation.
const MAX_DEPTH: usize = 32;

fn too_deep(model: &'static ModelMeta, name: &str) -> Error {
    let short: String = name.chars().take(60).collect();
    let reason = format!("follows more than {MAX_DEPTH} relations");
    FieldError::misused(model.name, &short, &short, reason).into()
}

/// Resolves `posts__tags` to the relations it follows.
///
/// # Errors
/// [`Error::Field`] with the segment that is no relation, and the nearest names.
pub fn resolve_relations(
    model: &'static ModelMeta,
    name: &str,
) -> Result<Vec<&'static RelationMeta>> {
    let mut at = model;
    if name.split("__").nth(MAX_DEPTH).is_some() {
        return Err(too_deep(model, name));
    }
    name.split("__")
        .map(|segment| {
            let relation = at.relation(segment).ok_or_else(|| {
                FieldError::unknown(
                    at.name,
                    name,
                    segment,
                    "relation",
                    at.relations.iter().map(|r| r.name),
                )
            })?;
            at = relation.target();
            Ok(relation)
        })
        .collect()
}

/// Resolves `author__name` to a column, and gives back the segments behind it (lookups).
///
/// A path that ends in a to-one relation means its key, without a join.
///
/// # Errors
/// [`Error::Field`] with the segment that does not exist, and the nearest names.
pub fn resolve_column<'n>(
    model: &'static ModelMeta,
    name: &'n str,
) -> Result<(ColumnRef, Vec<&'n str>)> {
    let mut at = model;
    let mut path = Vec::new();
    let mut segments = name.split("__");
    while let Some(segment) = segments.next() {
        if let Some(field) = at.field(segment) {
            return Ok((column(path, at, field), segments.collect()));
        }
        let Some(relation) = at.relation(segment) else {
            let is_lookup = !path.is_empty() && lookup_names().any(|l| l == segment);
            if is_lookup {
                let rest = std::iter::once(segment).chain(segments).collect();
                return Ok((column(path, at, at.pk()), rest));
            }
            let expected = "field or relation";
            return Err(FieldError::unknown(at.name, name, segment, expected, at.names()).into());
        };
        if path.len() == MAX_DEPTH {
            return Err(too_deep(model, name));
        }
        path.push(relation);
        at = relation.target();
    }
    Ok((column(path, at, at.pk()), Vec::new()))
}

/// A column at the end of a path; the key at the end of a foreign key is the foreign key's column.
fn column(
    mut path: Vec<&'static RelationMeta>,
    at: &'static ModelMeta,
    field: &'static crate::schema::FieldMeta,
) -> ColumnRef {
    if std::ptr::eq(field, at.pk())
        && let Some(own) = path.last().and_then(|relation| relation.column)
    {
        path.pop();
        return ColumnRef {
            path: Path::of(path),
            field: own,
        };
    }
    ColumnRef {
        path: Path::of(path),
        field,
    }
}

fn lookup_names() -> impl Iterator<Item = &'static str> {
    Lookup::NAMES
        .iter()
        .map(|(name, _)| *name)
        .chain(DatePart::ALL.iter().map(|(name, _)| *name))
        .chain(["not", "ne", "not_in", "not_isnull"])
}

/// Resolves one keyword of a filter, such as `("title__icontains", "x")`.
///
/// # Errors
/// [`Error::Field`] for a name that does not exist; [`Error::Validation`] for a value that the
/// column or lookup cannot be compared with.
pub fn resolve_filter(
    model: &'static ModelMeta,
    name: &str,
    argument: Argument,
) -> Result<Predicate> {
    let (column, segments) = resolve_column(model, name)?;
    let mut ty = column.field.ty;
    let unknown =
        |segment: &str| FieldError::unknown(model.name, name, segment, "lookup", lookup_names());
    let mut left = Expr::Column(column);
    let mut segments = segments.into_iter().peekable();
    if let Some(segment) = segments.peek()
        && let Some((_, part)) = DatePart::ALL.iter().find(|(n, _)| n == segment)
    {
        if ty != ColumnType::DateTime {
            return Err(
                FieldError::misused(model.name, name, segment, "needs a date-time column").into(),
            );
        }
        left = Expr::DatePart(*part, Box::new(left));
        ty = ColumnType::BigInt;
        segments.next();
    }
    let lookup = segments.next().unwrap_or("exact");
    if let Some(extra) = segments.next() {
        return Err(unknown(extra).into());
    }
    let negated = matches!(lookup, "not" | "ne" | "not_in" | "not_isnull");
    let positive = match lookup {
        "not" | "ne" => "exact",
        "not_in" => "in",
        "not_isnull" => "isnull",
        other => other,
    };
    let (_, lookup) = Lookup::NAMES
        .iter()
        .find(|(n, _)| *n == positive)
        .ok_or_else(|| unknown(lookup))?;
    if lookup.needs_text() && !ty.is_text() {
        return Err(FieldError::misused(model.name, name, positive, "needs a text column").into());
    }
    let predicate =
        compare(left, *lookup, ty, argument).map_err(|message| Error::validation(name, message))?;
    Ok(if negated {
        predicate.negate()
    } else {
        predicate
    })
}

fn compare(
    left: Expr,
    lookup: Lookup,
    ty: ColumnType,
    argument: Argument,
) -> Result<Predicate, String> {
    let fit = |value| fit(ty, value);
    match (lookup, argument) {
        (Lookup::IsNull, Argument::One(Value::Bool(yes))) => Ok(Predicate::is_null(left, yes)),
        (Lookup::IsNull, _) => Err("`isnull` takes true or false".to_owned()),
        (Lookup::In, Argument::Many(values)) => Ok(Predicate::one_of(
            left,
            values.into_iter().map(fit).collect::<Result<_, _>>()?,
        )),
        (Lookup::In, Argument::One(_)) => Err("`in` takes a list".to_owned()),
        (Lookup::Range, Argument::Many(values)) => {
            let [low, high] =
                <[Value; 2]>::try_from(values).map_err(|_| "`range` takes two values")?;
            let ends = |v| fit(v).map(|v| Box::new(Expr::Value(v)));
            Ok(Predicate::Compare(
                left,
                Lookup::Range,
                Operand::Between(ends(low)?, ends(high)?),
            ))
        }
        (Lookup::Range, Argument::One(_)) => Err("`range` takes two values".to_owned()),
        (Lookup::Exact, Argument::One(value)) => Ok(Predicate::equals(left, fit(value)?)),
        (_, Argument::One(Value::Null)) => {
            Err("only `exact`, `not`, `in` and `isnull` take NULL".to_owned())
        }
        (lookup, Argument::One(value)) => Ok(Predicate::Compare(
            left,
            lookup,
            Operand::Expr(Expr::Value(fit(value)?)),
        )),
        (_, Argument::Many(_)) => Err("one value expected, not a list".to_owned()),
    }
}

/// The value as the column's type, or why it cannot be.
fn fit(ty: ColumnType, value: Value) -> Result<Value, String> {
    let found = value.kind();
    let fitted = match (ty, value) {
        (_, Value::Null) => Some(Value::Null),
        (ColumnType::Boolean, v @ Value::Bool(_)) => Some(v),
        (ty, v @ Value::I64(_)) if ty.is_integer() => Some(v),
        (ColumnType::Float, v @ Value::F64(_)) => Some(v),
        (ColumnType::Float, Value::I64(v)) => Some(Value::F64(v as f64)),
        (ty, v @ Value::Text(_)) if ty.is_text() => Some(v),
        (ColumnType::Binary, v @ Value::Bytes(_)) => Some(v),
        (ColumnType::DateTime, v @ Value::DateTime(_)) => Some(v),
        (ColumnType::DateTime, Value::Text(text)) => parse_datetime(&text).map(Value::DateTime),
        _ => None,
    };
    fitted.ok_or_else(|| format!("a {} cannot be compared with {found}", ty.field_kind()))
}

/// Resolves an ordering key such as `-author__name`.
///
/// # Errors
/// [`Error::Field`] for a name that does not exist, or a path over a to-many relation, which has
/// no single value to order by.
pub fn resolve_order(model: &'static ModelMeta, name: &str) -> Result<OrderBy> {
    let (bare, descending) = name
        .strip_prefix('-')
        .map_or((name, false), |bare| (bare, true));
    let (column, rest) = resolve_column(model, bare)?;
    if let Some(extra) = rest.first() {
        return Err(FieldError::unknown(model.name, name, extra, "field", model.names()).into());
    }
    let order = OrderBy {
        expr: Expr::Column(column),
        descending,
    };
    check_order(model, &order.expr)?;
    Ok(order)
}

/// Refuses ordering over a to-many path, wherever in the expression.
///
/// # Errors
/// [`Error::Field`] that names the relation; the error that the expression holds.
pub(crate) fn check_order(model: &'static ModelMeta, expr: &Expr) -> Result<()> {
    let column = match expr {
        Expr::Column(column) => column,
        Expr::Arithmetic(_, left, right) => {
            check_order(model, left)?;
            return check_order(model, right);
        }
        Expr::DatePart(_, of) => return check_order(model, of),
        Expr::Error(error) => return Err((**error).clone()),
        Expr::Value(_) => return Ok(()),
    };
    let relations = column.path.relations();
    let Some(relation) = relations.iter().find(|relation| relation.is_to_many()) else {
        return Ok(());
    };
    let path = format!("{column:?}");
    let reason = "leads to many rows, so there is no single value to order by";
    Err(FieldError::misused(model.name, &path, relation.name, reason).into())
}
