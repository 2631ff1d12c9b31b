//! Loading relations of many instances with one statement a relation.

use super::{BoxFuture, collected, read_model};
use crate::backend::{Collect, RowAccess, Sink, Statement, Step};
use crate::entity::{Entity, RelationSlot, Shared, read_instance};
use crate::error::{Error, Result};
use crate::query::{Expr, Linked, Predicate, Select};
use crate::schema::{ModelMeta, Reach, RelationMeta};
use crate::sql;
use crate::transaction::Db;
use crate::value::{Field, Value};
use std::{collections::HashMap, fmt, marker::PhantomData, sync::Arc};

/// A model whose relations can be loaded. Written by the derive.
pub trait Related: Entity {
    /// The model at the other end of the relation at this position, without its type.
    fn relation_target(relation: usize) -> &'static dyn Target;
}

/// Relations to load, as a tree: what is shared by two paths is loaded once.
#[derive(Clone, Debug)]
pub struct PrefetchPlan {
    relation: usize,
    nested: Vec<PrefetchPlan>,
}

impl PrefetchPlan {
    /// Adds a path of relations to a set of plans.
    pub fn merge(
        plans: &mut Vec<PrefetchPlan>,
        model: &'static ModelMeta,
        path: &[&'static RelationMeta],
    ) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let Some(relation) = model.relations.iter().position(|r| std::ptr::eq(r, *first)) else {
            return;
        };
        let at = plans
            .iter()
            .position(|plan| plan.relation == relation)
            .unwrap_or_else(|| {
                plans.push(PrefetchPlan {
                    relation,
                    nested: Vec::new(),
                });
                plans.len() - 1
            });
        PrefetchPlan::merge(&mut plans[at].nested, first.target(), rest);
    }
}

/// A model at the other end of a relation, without its type, so that loading a relation compiles
/// once for each model and not once for each pair.
pub trait Target: Send + Sync {
    /// Where the rows of a group go.
    fn sink(&self, group: Group) -> Sink;

    /// Takes the rows out of the sink of [`sink`](Target::sink), loads their own relations, and
    /// shares each instance under its group's key.
    fn load<'a>(
        &'a self,
        sink: Sink,
        group: Group,
        nested: &'a [PrefetchPlan],
        db: &'a Db,
    ) -> BoxFuture<'a, Result<Loaded>>;

    /// An empty list of instances.
    fn none(&self) -> Shared;
}

/// What instances are grouped by.
#[derive(Clone, Copy, Debug)]
pub enum Group {
    /// Each alone, by its primary key.
    Key,
    /// Each alone, by the field at this position (a one-to-one).
    One(usize),
    /// In lists, by the field at this position.
    Many(usize),
    /// In lists, by the owner's key in the first column of the row.
    Linked,
}

/// Loaded instances by group: an `Arc<T>` or an `Arc<Vec<T>>`.
pub type Loaded = HashMap<GroupKey, Shared>;

/// A key as a map key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GroupKey {
    /// Integers, the common case.
    Int(i64),
    /// Text.
    Text(String),
    /// Anything else, by its debug-free text form.
    Other(Vec<u8>),
}

impl GroupKey {
    fn new(value: Value) -> GroupKey {
        match value {
            Value::I64(v) => GroupKey::Int(v),
            Value::Text(v) => GroupKey::Text(v),
            Value::Bytes(v) => GroupKey::Other(v),
            Value::Bool(v) => GroupKey::Int(v.into()),
            Value::F64(v) => GroupKey::Other(v.to_bits().to_be_bytes().to_vec()),
            Value::DateTime(v) => GroupKey::Other(v.timestamp_micros().to_be_bytes().to_vec()),
            Value::Null | Value::Array(_) => GroupKey::Other(Vec::new()),
        }
    }
}

/// The target `T`, without its type.
pub fn target<T: Related>() -> &'static dyn Target {
    &TargetOf::<T>(PhantomData)
}

struct TargetOf<T>(PhantomData<fn() -> T>);

fn read_linked<T: Related>(row: &dyn RowAccess) -> Result<(Value, T)> {
    Ok((row.cell(0)?.to_value(), read_instance(row, 1)?))
}

impl<T: Related> Target for TargetOf<T> {
    fn sink(&self, group: Group) -> Sink {
        match group {
            Group::Linked => Sink::new(Collect::new(read_linked::<T>)),
            Group::Key | Group::One(_) | Group::Many(_) => Sink::new(Collect::new(read_model::<T>)),
        }
    }

    fn load<'a>(
        &'a self,
        sink: Sink,
        group: Group,
        nested: &'a [PrefetchPlan],
        db: &'a Db,
    ) -> BoxFuture<'a, Result<Loaded>> {
        Box::pin(async move {
            let (keys, mut rows): (Vec<Value>, Vec<T>) = match group {
                Group::Linked => {
                    let rows: Vec<(Value, T)> = collected(sink)?;
                    rows.into_iter().unzip()
                }
                Group::Key => keyed(collected(sink)?, T::meta().pk),
                Group::One(field) | Group::Many(field) => keyed(collected(sink)?, field),
            };
            if !rows.is_empty() && !nested.is_empty() {
                fetch_related(&mut rows, nested, db).await?;
            }
            let pairs = keys.into_iter().map(GroupKey::new).zip(rows);
            Ok(match group {
                Group::Key | Group::One(_) => pairs
                    .map(|(key, row)| (key, Arc::new(row) as Shared))
                    .collect(),
                Group::Many(_) | Group::Linked => {
                    let mut lists: HashMap<GroupKey, Vec<T>> = HashMap::new();
                    for (key, row) in pairs {
                        lists.entry(key).or_default().push(row);
                    }
                    lists
                        .into_iter()
                        .map(|(key, rows)| (key, Arc::new(rows) as Shared))
                        .collect()
                }
            })
        })
    }

    fn none(&self) -> Shared {
        Arc::new(Vec::<T>::new())
    }
}

fn keyed<T: Related>(rows: Vec<T>, field: usize) -> (Vec<Value>, Vec<T>) {
    (rows.iter().map(|row| row.get_value(field)).collect(), rows)
}

impl fmt::Debug for dyn Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

/// One relation of many instances: what to ask, and whom the answer belongs to.
struct Load {
    target: &'static dyn Target,
    /// The key of each instance, in their order.
    owners: Vec<Value>,
    /// The statement and how to group its rows; `None` when no instance has a key.
    asked: Option<(Statement, Group)>,
    sink: Sink,
}

/// Loads the planned relations of instances that were read before: one statement a relation, all
/// of them together where the driver can.
///
/// # Errors
/// Those of the queries.
pub async fn fetch_related<M: Related>(
    rows: &mut [M],
    plans: &[PrefetchPlan],
    db: &Db,
) -> Result<()> {
    let mut loads = Vec::with_capacity(plans.len());
    for plan in plans {
        loads.push(prepare(rows, plan, db)?);
    }
    let asked = loads.iter_mut().filter_map(|load| {
        let (statement, _) = load.asked.as_ref()?;
        Some(Step::new(statement, &mut load.sink))
    });
    let mut steps: Vec<Step<'_>> = asked.collect();
    match steps.as_mut_slice() {
        [] => {}
        [only] => {
            db.run(only.statement, only.sink).await?;
        }
        several => db.run_many(several).await?,
    }
    for (plan, load) in plans.iter().zip(loads) {
        let Load { target, owners, .. } = load;
        let loaded = match load.asked {
            Some((_, group)) => target.load(load.sink, group, &plan.nested, db).await?,
            None => Loaded::new(),
        };
        let none = target.none();
        for (row, owner) in rows.iter_mut().zip(owners) {
            let found = loaded.get(&GroupKey::new(owner)).cloned();
            match row.relation_slot(plan.relation) {
                RelationSlot::Absent => {}
                RelationSlot::One(slot) => slot.put(found),
                RelationSlot::Many(slot) => slot.put(found.unwrap_or_else(|| none.clone())),
            }
        }
    }
    Ok(())
}

fn prepare<M: Related>(rows: &mut [M], plan: &PrefetchPlan, db: &Db) -> Result<Load> {
    let relation = &M::meta().relations[plan.relation];
    let reach = relation.reach(M::meta()).ok_or_else(|| {
        Error::configuration(format!(
            "`{}.{}` has no other side",
            M::meta().name,
            relation.name
        ))
    })?;
    let mut owners = Vec::with_capacity(rows.len());
    for row in rows.iter_mut() {
        owners.push(match (row.relation_slot(plan.relation), reach) {
            (RelationSlot::Absent, _) => Value::Null,
            (RelationSlot::One(slot), Reach::Forward(_)) => slot.key(),
            _ => row.pk().to_value(),
        });
    }
    let wanted = distinct(&owners);
    let target = M::relation_target(plan.relation);
    let (asked, sink) = match wanted.is_empty() {
        true => (None, Sink::discard()),
        false => {
            let (mut select, group) = related_rows(relation.target(), reach, wanted);
            let statement = sql::select(&mut select, db.dialect())?;
            (Some((statement, group)), target.sink(group))
        }
    };
    Ok(Load {
        target,
        owners,
        asked,
        sink,
    })
}

fn distinct(owners: &[Value]) -> Vec<Value> {
    let mut seen = std::collections::HashSet::with_capacity(owners.len());
    owners
        .iter()
        .filter(|v| !v.is_null() && seen.insert(GroupKey::new((*v).clone())))
        .cloned()
        .collect()
}

/// The rows that a relation leads to from any of `owners`, and how to group them.
fn related_rows(target: &'static ModelMeta, reach: Reach, owners: Vec<Value>) -> (Select, Group) {
    let mut select = Select::new(target);
    let group = match reach {
        Reach::Forward(_) => {
            select.filter(Predicate::one_of(Expr::own(target.pk()), owners));
            Group::Key
        }
        Reach::Reverse(field) => {
            select.filter(Predicate::one_of(Expr::own(field), owners));
            let at = target.position(field.name).unwrap_or(target.pk);
            if field.unique {
                Group::One(at)
            } else {
                Group::Many(at)
            }
        }
        Reach::Through(through) => {
            select.linked = Some(Linked { through, owners });
            Group::Linked
        }
    };
    (select, group)
}
