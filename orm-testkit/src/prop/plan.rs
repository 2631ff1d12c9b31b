//! Plans: what is asked of a table, written as calls of the public API.

use super::datum::{Datum, Kind, listed};
use super::schema::{TABLES, last_relation, spelled, target};
use orm_core::query::DatePart;
use std::fmt;

/// A column at the end of a path of relations (positions, first hop first).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) root: usize,
    pub(super) hops: Vec<usize>,
    pub(super) column: usize,
}

/// How two values are compared. The negated ones stand for the complement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    Exact,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    NotIn,
    Range,
    IsNull,
    NotIsNull,
    Contains,
    IContains,
    StartsWith,
    IStartsWith,
    EndsWith,
    IEndsWith,
    IExact,
    Regex,
    IRegex,
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Right {
    /// Values: one, two for `range`, any number for the lists.
    Values(Vec<Datum>),
    /// A column, plus a number.
    Column(Place, i64),
}

/// A comparison.
#[derive(Clone, Debug)]
pub(super) struct Test {
    pub(super) left: Place,
    pub(super) part: Option<DatePart>,
    pub(super) lookup: Lookup,
    pub(super) right: Right,
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Cond {
    /// `Q::default()`.
    Empty,
    Test(Test),
    And(Vec<Cond>),
    Or(Vec<Cond>),
    Not(Box<Cond>),
}

/// One `filter` or `exclude`.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) exclude: bool,
    pub(super) cond: Cond,
}

/// An ordering key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) place: Place,
    pub(super) descending: bool,
}

/// What an update sets a column to.
#[derive(Clone, Debug)]
pub(super) enum NewValue {
    Value(Datum),
    /// `F(column) * factor + plus`.
    Computed {
        column: usize,
        factor: i64,
        plus: i64,
    },
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Rows,
    Count,
    Exists,
    First,
    Get,
    GetOrNone,
    /// The key, then these.
    Values(Vec<Place>),
    CountValues(Vec<Place>),
    Prefetch(Vec<Vec<usize>>),
    Update(Vec<(usize, NewValue)>),
    Delete,
}

/// A query.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) table: usize,
    pub(super) calls: Vec<Call>,
    pub(super) order: Vec<Key>,
    pub(super) limit: Option<u64>,
    pub(super) offset: Option<u64>,
    pub(super) action: Action,
}

impl Action {
    pub(super) fn writes(&self) -> bool {
        matches!(self, Action::Update(_) | Action::Delete)
    }
}

impl Lookup {
    pub(super) fn name(self) -> &'static str {
        match self {
            Lookup::Exact => "exact",
            Lookup::Ne => "ne",
            Lookup::Gt => "gt",
            Lookup::Gte => "gte",
            Lookup::Lt => "lt",
            Lookup::Lte => "lte",
            Lookup::In => "in",
            Lookup::NotIn => "not_in",
            Lookup::Range => "range",
            Lookup::IsNull => "isnull",
            Lookup::NotIsNull => "not_isnull",
            Lookup::Contains => "contains",
            Lookup::IContains => "icontains",
            Lookup::StartsWith => "startswith",
            Lookup::IStartsWith => "istartswith",
            Lookup::EndsWith => "endswith",
            Lookup::IEndsWith => "iendswith",
            Lookup::IExact => "iexact",
            Lookup::Regex => "regex",
            Lookup::IRegex => "iregex",
        }
    }

    /// The lookup that this one is the complement of.
    pub(super) fn positive(self) -> Option<Lookup> {
        match self {
            Lookup::Ne => Some(Lookup::Exact),
            Lookup::NotIn => Some(Lookup::In),
            Lookup::NotIsNull => Some(Lookup::IsNull),
            _ => None,
        }
    }
}

impl Place {
    pub(super) fn column(&self) -> &'static super::schema::Column {
        &TABLES[target(self.root, &self.hops)].columns[self.column]
    }

    pub(super) fn kind(&self) -> Kind {
        self.column().kind
    }

    /// Its run-time name. The key at the end of a path is also spelled by the path alone.
    pub(super) fn name(&self) -> String {
        let path = spelled(self.root, &self.hops);
        match (path.is_empty(), self.column) {
            (true, _) => self.column().name.to_owned(),
            (false, 0) => path,
            (false, _) => format!("{path}__{}", self.column().name),
        }
    }

    /// Number of hops up to and including the first to-many one behind the first `from`.
    pub(super) fn first_many(&self, from: usize) -> Option<usize> {
        (from + 1..=self.hops.len())
            .find(|end| last_relation(self.root, &self.hops[..*end]).is_some_and(|r| r.is_many()))
    }
}

impl Test {
    /// `author__name__icontains`.
    pub(super) fn keyword(&self) -> String {
        let part = self.part.map_or("", |part| {
            DatePart::ALL
                .iter()
                .find(|(_, known)| *known == part)
                .map_or("", |(name, _)| name)
        });
        let mut name = self.left.name();
        for word in [part, self.lookup.name()] {
            if !word.is_empty() {
                name.push_str("__");
                name.push_str(word);
            }
        }
        name
    }
}

impl Cond {
    /// The tests, if it is a list of keywords.
    pub(super) fn keywords(&self) -> Option<Vec<&Test>> {
        let plain = |cond: &Cond| {
            matches!(
                cond,
                Cond::Test(Test {
                    right: Right::Values(_),
                    ..
                })
            )
        };
        let tests = match self {
            Cond::And(children) => children.as_slice(),
            test => std::slice::from_ref(test),
        };
        let test = |cond: &'_ Cond| plain(cond).then_some(());
        tests.iter().try_for_each(test)?;
        Some(
            tests
                .iter()
                .filter_map(|cond| match cond {
                    Cond::Test(test) => Some(test),
                    _ => None,
                })
                .collect(),
        )
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = self.keyword();
        match &self.right {
            Right::Values(values) => match (self.lookup, values.as_slice()) {
                (Lookup::In | Lookup::NotIn | Lookup::Range, values) => {
                    write!(f, "({keyword:?}, {})", listed(values))
                }
                (_, [value]) => write!(f, "({keyword:?}, {value})"),
                (_, values) => write!(f, "({keyword:?}, {})", listed(values)),
            },
            Right::Column(place, 0) => write!(f, "({keyword:?}, F({:?}))", place.name()),
            Right::Column(place, plus) => {
                write!(f, "({keyword:?}, F({:?}) + {plus})", place.name())
            }
        }
    }
}

impl fmt::Display for Cond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, children: &[Cond]| {
            let parts: Vec<String> = children.iter().map(Cond::to_string).collect();
            write!(f, "{name}([{}])", parts.join(", "))
        };
        match self {
            Cond::Empty => f.write_str("Q::default()"),
            Cond::Test(test) => write!(f, "q{test}"),
            Cond::And(children) => list(f, "all", children),
            Cond::Or(children) => list(f, "any", children),
            Cond::Not(inner) => write!(f, "not({inner})"),
        }
    }
}

fn call(f: &mut fmt::Formatter<'_>, name: &str, cond: &Cond) -> fmt::Result {
    match cond.keywords() {
        Some(tests) => {
            let parts: Vec<String> = tests.iter().map(|test| test.to_string()).collect();
            write!(f, ".{name}_by([{}])", parts.join(", "))
        }
        None => write!(f, ".{name}({cond})"),
    }
}

fn names(places: &[Place]) -> String {
    places
        .iter()
        .map(|place| format!(", {:?}", place.name()))
        .collect()
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = &TABLES[self.table];
        write!(f, "{}::all()", table.name)?;
        for made in &self.calls {
            call(
                f,
                if made.exclude { "exclude" } else { "filter" },
                &made.cond,
            )?;
        }
        if !self.order.is_empty() {
            let keys = self.order.iter().map(|key| format!("{:?}", key.name()));
            write!(f, ".order_by([{}])", keys.collect::<Vec<_>>().join(", "))?;
        }
        if let Some(limit) = self.limit {
            write!(f, ".limit({limit})")?;
        }
        if let Some(offset) = self.offset {
            write!(f, ".offset({offset})")?;
        }
        let key = table.columns[0].name;
        match &self.action {
            Action::Rows => Ok(()),
            Action::Count => f.write_str(".count()"),
            Action::Exists => f.write_str(".exists()"),
            Action::First => f.write_str(".first()"),
            Action::Get => f.write_str(".get(Q::default())"),
            Action::GetOrNone => f.write_str(".get_or_none(Q::default())"),
            Action::Values(places) => write!(f, ".values_list(({key:?}{}))", names(places)),
            Action::CountValues(places) => {
                write!(f, ".values_list(({key:?}{})).count()", names(places))
            }
            Action::Prefetch(paths) => {
                let paths = paths
                    .iter()
                    .map(|path| format!("{:?}", spelled(self.table, path)));
                write!(
                    f,
                    ".prefetch_related([{}])",
                    paths.collect::<Vec<_>>().join(", ")
                )
            }
            Action::Delete => f.write_str(".delete()"),
            Action::Update(sets) => {
                let sets = sets.iter().map(|(column, value)| {
                    let name = table.columns[*column].name;
                    match value {
                        NewValue::Value(value) => format!("{name} = {value}"),
                        NewValue::Computed {
                            column,
                            factor,
                            plus,
                        } => {
                            format!(
                                "{name} = F({}) * {factor} + {plus}",
                                table.columns[*column].name
                            )
                        }
                    }
                });
                write!(f, ".update(kw!({}))", sets.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

impl Key {
    /// As `order_by` takes it.
    pub(super) fn name(&self) -> String {
        let sign = if self.descending { "-" } else { "" };
        format!("{sign}{}", self.place.name())
    }
}
