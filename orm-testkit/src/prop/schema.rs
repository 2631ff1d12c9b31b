//! The tables that plans run on, written down a second time: the reference model must not learn
//! them from the code under test.

use super::datum::Kind;
use orm_core::prelude::*;

/// A row of every kind of value that the shared models lack.
#[derive(Model, Clone, Debug, Default, PartialEq)]
#[model(crate = "orm_core", table = "kit_grain")]
pub(crate) struct Grain {
    /// Key.
    #[field(pk)]
    pub(crate) id: i64,
    /// 16 bits.
    pub(crate) small: i16,
    /// 64 bits.
    pub(crate) big: Option<i64>,
    /// A double.
    pub(crate) ratio: Option<f64>,
    /// Text without a limit.
    pub(crate) label: Option<String>,
    /// An instant.
    pub(crate) at: Option<DateTime<Utc>>,
    /// Yes, no or unknown.
    pub(crate) flag: Option<bool>,
    /// A reference without a reverse side.
    #[field(on_delete = SetNull)]
    pub(crate) user: Option<ForeignKey<crate::models::User>>,
}

pub(super) const USER: usize = 0;
pub(super) const TAG: usize = 1;
pub(super) const POST: usize = 2;
pub(super) const CATEGORY: usize = 3;
pub(super) const CONTRACT: usize = 4;
pub(super) const COUNTRY: usize = 5;
pub(super) const CITY: usize = 6;
pub(super) const GRAIN: usize = 7;

/// A table. Its key is the first column.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) sql: &'static str,
    pub(super) columns: &'static [Column],
    pub(super) relations: &'static [Relation],
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) null: bool,
    /// Values may repeat, are small, and nothing refers to them: an update may set it.
    pub(super) free: bool,
}

/// A relation, as seen from its table.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) target: usize,
    pub(super) link: Link,
}

/// How the rows of a relation are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// The row whose key stands in this column.
    One(usize),
    /// The rows of the target whose column holds the key of this row.
    Many(usize),
    /// The rows that are linked by a post with its tags, seen from the post.
    Tags,
    /// The same, seen from the tag.
    Tagged,
}

/// What becomes of the rows that refer to a deleted one.
#[derive(Clone, Copy, Debug)]
pub(super) enum OnDelete {
    Cascade,
    SetNull,
    Restrict,
}

/// Every reference: table, column, target, and what deleting the target does.
pub(super) const REFERENCES: [(usize, usize, usize, OnDelete); 6] = [
    (POST, 5, USER, OnDelete::Cascade),
    (POST, 6, USER, OnDelete::SetNull),
    (CATEGORY, 2, CATEGORY, OnDelete::Cascade),
    (CONTRACT, 1, USER, OnDelete::Restrict),
    (CITY, 2, COUNTRY, OnDelete::Cascade),
    (GRAIN, 7, USER, OnDelete::SetNull),
];

impl Relation {
    pub(super) fn is_many(&self) -> bool {
        !matches!(self.link, Link::One(_))
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        null: false,
        free: false,
    }
}
const fn nullable(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        null: true,
        free: false,
    }
}
const fn free(mut column: Column) -> Column {
    column.free = true;
    column
}
const fn relation(name: &'static str, target: usize, link: Link) -> Relation {
    Relation { name, target, link }
}

/// The tables, in an order in which rows can be inserted.
pub(super) static TABLES: [Table; 8] = [
    Table {
        name: "User",
        sql: "kit_user",
        columns: &[
            column("id", Kind::Int),
            column("username", Kind::Text),
            free(nullable("bio", Kind::Text)),
            free(nullable("age", Kind::Int)),
            free(column("is_active", Kind::Bool)),
        ],
        relations: &[
            relation("posts", POST, Link::Many(5)),
            relation("edited", POST, Link::Many(6)),
        ],
    },
    Table {
        name: "Tag",
        sql: "kit_tag",
        columns: &[column("id", Kind::Int), column("name", Kind::Text)],
        relations: &[relation("posts", POST, Link::Tagged)],
    },
    Table {
        name: "Post",
        sql: "kit_post",
        columns: &[
            column("id", Kind::Int),
            free(column("title", Kind::Text)),
            free(column("views", Kind::Int)),
            free(nullable("rating", Kind::Int)),
            free(nullable("published", Kind::Time)),
            column("author_id", Kind::Int),
            nullable("editor_id", Kind::Int),
        ],
        relations: &[
            relation("author", USER, Link::One(5)),
            relation("editor", USER, Link::One(6)),
            relation("tags", TAG, Link::Tags),
        ],
    },
    Table {
        name: "Category",
        sql: "kit_category",
        columns: &[
            column("id", Kind::Int),
            free(column("name", Kind::Text)),
            nullable("parent_id", Kind::Int),
        ],
        relations: &[
            relation("parent", CATEGORY, Link::One(2)),
            relation("children", CATEGORY, Link::Many(2)),
        ],
    },
    Table {
        name: "Contract",
        sql: "kit_contract",
        columns: &[column("id", Kind::Int), column("owner_id", Kind::Int)],
        relations: &[relation("owner", USER, Link::One(1))],
    },
    Table {
        name: "Country",
        sql: "kit_country",
        columns: &[column("code", Kind::Text), free(column("name", Kind::Text))],
        relations: &[relation("cities", CITY, Link::Many(2))],
    },
    Table {
        name: "City",
        sql: "kit_city",
        columns: &[
            column("id", Kind::Int),
            free(column("name", Kind::Text)),
            column("country_id", Kind::Text),
        ],
        relations: &[relation("country", COUNTRY, Link::One(2))],
    },
    Table {
        name: "Grain",
        sql: "kit_grain",
        columns: &[
            column("id", Kind::Big),
            free(column("small", Kind::Small)),
            free(nullable("big", Kind::Big)),
            free(nullable("ratio", Kind::Float)),
            free(nullable("label", Kind::Text)),
            free(nullable("at", Kind::Time)),
            free(nullable("flag", Kind::Bool)),
            nullable("user_id", Kind::Int),
        ],
        relations: &[relation("user", USER, Link::One(7))],
    },
];

/// The table at the end of these relations (positions, first hop first).
pub(super) fn target(mut table: usize, hops: &[usize]) -> usize {
    for hop in hops {
        table = TABLES[table].relations[*hop].target;
    }
    table
}

/// The relation that the last of these hops follows.
pub(super) fn last_relation(root: usize, hops: &[usize]) -> Option<&'static Relation> {
    let (last, before) = hops.split_last()?;
    Some(&TABLES[target(root, before)].relations[*last])
}

/// The relations as they are written: `posts__tags`.
pub(super) fn spelled(root: usize, hops: &[usize]) -> String {
    let names = (0..hops.len()).filter_map(|end| last_relation(root, &hops[..=end]));
    names
        .map(|relation| relation.name)
        .collect::<Vec<_>>()
        .join("__")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models;

    #[test]
    fn the_tables_have_the_columns_of_the_models() {
        let mut metas = models::all();
        metas.extend(models![Grain]);
        for table in &TABLES {
            let meta = metas
                .iter()
                .find(|meta| meta.name == table.name)
                .expect("a model");
            let found: Vec<_> = meta
                .fields
                .iter()
                .map(|field| (field.name, field.null))
                .collect();
            let written: Vec<_> = table.columns.iter().map(|c| (c.name, c.null)).collect();
            assert_eq!(found, written, "{}", table.name);
            assert_eq!(meta.table, table.sql);
            for relation in table.relations {
                let known = meta.relation(relation.name).expect("a relation");
                assert_eq!(known.target().name, TABLES[relation.target].name);
            }
        }
    }
}
