//! The models behind the tables: instances from rows, rows from instances, columns to set.

use super::datum::{Datum, Kind};
use super::model::{Tree, sorted};
use super::schema::{CATEGORY, CITY, CONTRACT, COUNTRY, GRAIN, Grain, POST, TABLES, TAG, USER};
use crate::models::{Category, City, Contract, Country, Post, Tag, User};
use orm_core::columns::{Col, Expr, Set};
use orm_core::entity::Entity;
use orm_core::error::{Error, Result};
use orm_core::prelude::*;
use orm_core::query;
use orm_core::value::{Field, Value};

/// An instance, seen without its type.
pub(super) trait Instance {
    /// The position of its table.
    fn table(&self) -> usize;
    /// Its columns.
    fn cells(&self) -> Vec<Value>;
    /// The instances that were loaded by this relation.
    fn loaded(&self, relation: usize) -> Result<Vec<&dyn Instance>>;
}

/// A model that plans run on.
pub(super) trait Subject: Model + Instance {
    /// The position of its table.
    const TABLE: usize;
    /// An instance to be filled.
    fn blank() -> Self;
    /// Sets a column in an update.
    fn set(column: usize, tree: query::Expr) -> Set<Self>;
}

/// The instance with these values.
pub(super) fn build<M: Subject>(row: &[Datum]) -> Result<M> {
    let mut instance = M::blank();
    for (at, value) in row.iter().enumerate() {
        instance.set_value(at, value.to_value())?;
    }
    instance.bind_relations();
    Ok(instance)
}

/// The row of an instance, and of those that these paths of relations loaded.
pub(super) fn tree(instance: &dyn Instance, paths: &[&[usize]]) -> Result<Tree> {
    let columns = TABLES[instance.table()].columns.iter();
    let cells = instance.cells();
    let row = columns
        .zip(&cells)
        .map(|(column, cell)| Datum::read(column.kind, cell));
    let row = row.collect::<Result<_>>()?;
    let mut branches: Vec<(usize, Vec<Tree>)> = Vec::new();
    let mut firsts: Vec<usize> = paths
        .iter()
        .filter_map(|path| path.first().copied())
        .collect();
    firsts.sort_unstable();
    firsts.dedup();
    for first in firsts {
        let own = paths.iter().filter(|path| path.first() == Some(&first));
        let rest: Vec<&[usize]> = own.map(|path| &path[1..]).collect();
        let loaded = instance.loaded(first)?;
        let trees = loaded.into_iter().map(|instance| tree(instance, &rest));
        branches.push((first, sorted(trees.collect::<Result<_>>()?)));
    }
    Ok(Tree { row, branches })
}

/// The kind of a column, for reading cells of a projection.
pub(super) fn key_kind(table: usize) -> Kind {
    TABLES[table].columns[0].kind
}

fn assign<M: Entity, T: Field, K>(column: Col<M, T, K>, tree: query::Expr) -> Set<M> {
    column.set(Expr::<M, T>::from_tree(tree))
}

fn many<T: Instance + Entity>(rows: &HasMany<T>) -> Result<Vec<&dyn Instance>> {
    Ok(rows.get()?.iter().map(|row| row as &dyn Instance).collect())
}

fn maybe<T: Instance + Entity>(key: Option<&ForeignKey<T>>) -> Result<Vec<&dyn Instance>> {
    key.map(|key| Ok(key.get()? as &dyn Instance))
        .into_iter()
        .collect()
}

macro_rules! subject {
    (
        $model:ident = $table:ident, $blank:expr, [$($column:ident),*],
        |$own:ident| [$($loaded:expr),*]
    ) => {
        impl Instance for $model {
            fn table(&self) -> usize {
                $table
            }
            fn cells(&self) -> Vec<Value> {
                (0..$model::meta().fields.len()).map(|at| self.get_value(at)).collect()
            }
            #[allow(unused_assignments, reason = "some models have no relation")]
            fn loaded(&self, relation: usize) -> Result<Vec<&dyn Instance>> {
                let $own = self;
                let mut at = 0;
                $(
                    if at == relation {
                        return $loaded;
                    }
                    at += 1;
                )*
                let _ = (at, $own);
                Err(Error::configuration("no such relation"))
            }
        }
        impl Subject for $model {
            const TABLE: usize = $table;
            fn blank() -> Self {
                $blank
            }
            fn set(column: usize, tree: query::Expr) -> Set<Self> {
                match TABLES[$table].columns[column].name {
                    $(stringify!($column) => assign($model::$column, tree),)*
                    other => unreachable!("plans do not set {other}"),
                }
            }
        }
    };
}

subject!(User = USER, User::default(), [bio, age, is_active], |own| [
    many(&own.posts),
    many(&own.edited)
]);
subject!(Tag = TAG, Tag::default(), [name], |own| [many(&own.posts)]);
subject!(
    Post = POST,
    Post {
        id: 0,
        title: String::new(),
        views: 0,
        rating: None,
        published: None,
        author: ForeignKey::default(),
        editor: None,
        tags: ManyToMany::default(),
    },
    [title, views, rating, published],
    |own| [
        maybe(Some(&own.author)),
        maybe(own.editor.as_ref()),
        many(&own.tags)
    ]
);
subject!(
    Category = CATEGORY,
    Category {
        id: 0,
        name: String::new(),
        parent: None,
        children: HasMany::default(),
    },
    [name],
    |own| [maybe(own.parent.as_ref()), many(&own.children)]
);
subject!(
    Contract = CONTRACT,
    Contract {
        id: 0,
        owner: ForeignKey::default()
    },
    [id],
    |own| [maybe(Some(&own.owner))]
);
subject!(Country = COUNTRY, Country::default(), [name], |own| [many(
    &own.cities
)]);
subject!(
    City = CITY,
    City {
        id: 0,
        name: String::new(),
        country: ForeignKey::default()
    },
    [name],
    |own| [maybe(Some(&own.country))]
);
subject!(
    Grain = GRAIN,
    Grain::default(),
    [small, big, ratio, label, at, flag],
    |own| [maybe(own.user.as_ref())]
);

/// Calls a generic async function for the model of a table.
macro_rules! with_model {
    ($table:expr, $call:ident($($argument:expr),*)) => {
        match $table {
            $crate::prop::schema::USER => $call::<$crate::models::User>($($argument),*).await,
            $crate::prop::schema::TAG => $call::<$crate::models::Tag>($($argument),*).await,
            $crate::prop::schema::POST => $call::<$crate::models::Post>($($argument),*).await,
            $crate::prop::schema::CATEGORY => $call::<$crate::models::Category>($($argument),*).await,
            $crate::prop::schema::CONTRACT => $call::<$crate::models::Contract>($($argument),*).await,
            $crate::prop::schema::COUNTRY => $call::<$crate::models::Country>($($argument),*).await,
            $crate::prop::schema::CITY => $call::<$crate::models::City>($($argument),*).await,
            _ => $call::<$crate::prop::schema::Grain>($($argument),*).await,
        }
    };
}
pub(super) use with_model;
