//! Where the rows of a statement come from: scopes, joins, aliases.

use super::render::{self, Join};
use super::term::{Column, Hops, same_hops};
use crate::backend::Dialect;
use crate::error::{Error, Result};
use crate::schema::{ModelMeta, Reach, RelationKind, RelationMeta};

/// Makes the text of one statement.
#[derive(Debug)]
pub(super) struct Renderer {
    pub(super) dialect: &'static dyn Dialect,
    aliases: usize,
    /// The statement's own rows, then those of each enclosing sub-query.
    pub(super) scopes: Vec<Scope>,
}

/// The rows that one SELECT goes over.
#[derive(Debug)]
pub(super) struct Scope {
    /// How its first table is reached from the statement's model.
    pub(super) hops: Hops,
    pub(super) model: &'static ModelMeta,
    pub(super) alias: String,
    pub(super) joins: Vec<Joined>,
    /// For rows reached through a table: the column there that holds their key.
    pub(super) link: Option<String>,
    /// Whether anything but that key is read of the rows.
    pub(super) used: bool,
}

/// A joined table, and where it is on the way from the statement's model.
#[derive(Debug)]
pub(super) struct Joined {
    hops: Hops,
    left: bool,
    alias: String,
    pub(super) joins: Vec<Join>,
}

/// A table that a column can be taken from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) alias: String,
    pub(super) left: bool,
    pub(super) model: &'static ModelMeta,
}

impl Renderer {
    pub(super) fn new(dialect: &'static dyn Dialect) -> Self {
        Renderer {
            dialect,
            aliases: 0,
            scopes: Vec::new(),
        }
    }

    /// Opens the statement's own rows under a new alias.
    pub(super) fn open(&mut self, model: &'static ModelMeta) {
        let alias = self.alias();
        self.open_as(Vec::new(), model, alias);
    }

    pub(super) fn open_as(&mut self, hops: Hops, model: &'static ModelMeta, alias: String) {
        self.scopes.push(Scope {
            hops,
            model,
            alias,
            joins: Vec::new(),
            link: None,
            used: false,
        });
    }

    /// Closes the innermost scope.
    pub(super) fn close(&mut self) -> Scope {
        self.scopes.pop().expect("every closed scope was opened")
    }

    pub(super) fn alias(&mut self) -> String {
        let alias = format!("t{}", self.aliases);
        self.aliases += 1;
        alias
    }

    pub(super) fn qualified(&self, alias: &str, column: &str) -> String {
        render::qualified(alias, column, self.dialect)
    }

    /// The scope that reaches furthest along this path.
    pub(super) fn scope_of(&self, hops: &[&'static RelationMeta]) -> usize {
        let mut best = 0;
        for (i, scope) in self.scopes.iter().enumerate() {
            let reaches = hops
                .get(..scope.hops.len())
                .is_some_and(|start| same_hops(start, &scope.hops));
            if reaches && scope.hops.len() >= self.scopes[best].hops.len() {
                best = i;
            }
        }
        best
    }

    /// The text of a column, and whether it can be NULL. Joins what leads there.
    pub(super) fn column(&mut self, column: &Column) -> Result<(String, bool)> {
        let scope = &self.scopes[self.scope_of(&column.hops)];
        if let Some(link) = &scope.link
            && scope.hops.len() == column.hops.len()
            && std::ptr::eq(column.field, scope.model.pk())
        {
            return Ok((link.clone(), false));
        }
        let source = self.source(&column.hops)?;
        let text = self.qualified(&source.alias, column.field.column);
        Ok((text, source.left || column.field.null))
    }

    /// The table at the end of a path. Joins what leads there.
    pub(super) fn source(&mut self, hops: &[&'static RelationMeta]) -> Result<Source> {
        let at = self.scope_of(hops);
        let scope = &mut self.scopes[at];
        scope.used = true;
        let first = scope.hops.len();
        let mut source = Source {
            alias: scope.alias.clone(),
            left: false,
            model: scope.model,
        };
        for end in first..hops.len() {
            source = self.join(at, &hops[..=end], source)?;
        }
        Ok(source)
    }

    /// One more hop from `from`, by a join in scope `at`; one join for each path.
    fn join(&mut self, at: usize, hops: &[&'static RelationMeta], from: Source) -> Result<Source> {
        let relation = hops[hops.len() - 1];
        let model = relation.target();
        if let Some(known) = self.scopes[at]
            .joins
            .iter()
            .find(|j| same_hops(&j.hops, hops))
        {
            return Ok(Source {
                alias: known.alias.clone(),
                left: known.left,
                model,
            });
        }
        let left = from.left
            || relation.null
            || relation.is_to_many()
            || relation.kind == RelationKind::HasOne;
        let (alias, joins) = self.join_tables(relation, &from, left)?;
        self.scopes[at].joins.push(Joined {
            hops: hops.to_vec(),
            left,
            alias: alias.clone(),
            joins,
        });
        Ok(Source { alias, left, model })
    }

    fn join_tables(
        &mut self,
        relation: &'static RelationMeta,
        from: &Source,
        left: bool,
    ) -> Result<(String, Vec<Join>)> {
        let target = relation.target();
        let mut joins = Vec::new();
        let (mut from_column, target_column) = match reach(relation, from.model)? {
            Reach::Forward(key) => (self.qualified(&from.alias, key.column), target.pk().column),
            Reach::Reverse(key) => (
                self.qualified(&from.alias, from.model.pk().column),
                key.column,
            ),
            Reach::Through(through) => {
                let alias = self.alias();
                let owner = self.qualified(&from.alias, from.model.pk().column);
                let source = self.qualified(&alias, through.source_column);
                let link = self.qualified(&alias, through.target_column);
                joins.push(Join {
                    left,
                    table: through.table,
                    alias,
                    on: format!("{source} = {owner}"),
                });
                (link, target.pk().column)
            }
        };
        let alias = self.alias();
        from_column.insert_str(0, " = ");
        from_column.insert_str(0, &self.qualified(&alias, target_column));
        joins.push(Join {
            left,
            table: target.table,
            alias: alias.clone(),
            on: from_column,
        });
        Ok((alias, joins))
    }
}

impl Scope {
    /// All joined tables, in the order in which they can be joined.
    pub(super) fn into_joins(self) -> (String, Vec<Join>) {
        let joins = self.joins.into_iter().flat_map(|j| j.joins).collect();
        (self.alias, joins)
    }
}

/// How the rows of a relation are reached.
pub(super) fn reach(relation: &'static RelationMeta, owner: &'static ModelMeta) -> Result<Reach> {
    relation.reach(owner).ok_or_else(|| {
        Error::configuration(format!(
            "relation `{}.{}` has no other side",
            owner.name, relation.name
        ))
    })
}
