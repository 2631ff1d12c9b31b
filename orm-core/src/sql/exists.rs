//! Conditions on related rows as semi-joins: they never multiply rows, and those of one filter
//! speak of the same related row.

use super::column::{Renderer, Source, reach};
use super::condition::{Rendered, join};
use super::render::{Join, Skeleton};
use super::term::{Cond, Hops, same_hops};
use crate::error::Result;
use crate::schema::{Reach, RelationMeta};

impl Renderer {
    /// Number of hops to the first to-many one that no scope has bound yet.
    fn unbound<'c>(&self, column: &'c super::term::Column) -> Option<&'c [&'static RelationMeta]> {
        column.first_to_many(0)?;
        let bound = self.scopes[self.scope_of(&column.hops)].hops.len();
        column.first_to_many(bound).map(|end| &column.hops[..end])
    }

    pub(super) fn has_unbound(&self, cond: &Cond) -> bool {
        !self.mentions(cond).is_empty()
    }

    /// The to-many paths that a condition speaks of and that are not bound yet, each once.
    fn mentions(&self, cond: &Cond) -> Vec<Hops> {
        let mut found: Vec<Hops> = Vec::new();
        cond.for_each_column(&mut |column| {
            if let Some(hops) = self.unbound(column)
                && !contains(&found, hops)
            {
                found.push(hops.to_vec());
            }
        });
        found
    }

    /// Those of them without a row of which the condition cannot hold.
    fn needs(&self, cond: &Cond) -> Vec<Hops> {
        match cond {
            Cond::Test(_) => self.mentions(cond),
            Cond::And(children) => {
                let mut all = Vec::new();
                for hops in children.iter().flat_map(|child| self.needs(child)) {
                    add(&mut all, hops);
                }
                all
            }
            Cond::Or(children) => {
                let mut children = children.iter().map(|child| self.needs(child));
                let mut common = children.next().unwrap_or_default();
                for needed in children {
                    common.retain(|hops| contains(&needed, hops));
                }
                common
            }
            Cond::Not(_) | Cond::True | Cond::False => Vec::new(),
        }
    }

    /// All of these: what speaks of the same related row goes into one EXISTS.
    pub(super) fn all_of(&mut self, children: &[Cond]) -> Result<Rendered> {
        let mentions: Vec<Vec<Hops>> = children.iter().map(|c| self.mentions(c)).collect();
        let needs: Vec<Vec<Hops>> = children.iter().map(|c| self.needs(c)).collect();
        let groups = group(&mentions, &needs);
        let mut parts = Vec::with_capacity(children.len());
        for (i, child) in children.iter().enumerate() {
            match (groups[i], child) {
                (Some(first), _) if first == i => {
                    let members: Vec<&Cond> = groups
                        .iter()
                        .zip(children)
                        .filter(|(group, _)| **group == Some(i))
                        .map(|(_, child)| child)
                        .collect();
                    parts.push(self.exists(&needs[i][0], &members)?);
                }
                (Some(_), _) => {}
                (None, Cond::Test(test)) => parts.push(self.test(test, false)?),
                (None, child) => parts.push(self.condition(child)?),
            }
        }
        join(parts, " AND ")
    }

    /// `EXISTS (SELECT 1 FROM related WHERE ..)`, with the members in its scope.
    fn exists(&mut self, hops: &Hops, members: &[&Cond]) -> Result<Rendered> {
        let (relation, before) = hops.split_last().expect("a to-many path has a hop");
        let owner = self.source(before)?;
        let (skeleton, link) = self.related(relation, &owner, hops.clone())?;
        let members: Vec<Cond> = members.iter().map(|member| (*member).clone()).collect();
        let inner = self.all_of(&members)?;
        let mut skeleton = self.finish(skeleton);
        let mut filter = link;
        filter.push_str(" AND (");
        filter.push_str(&inner.text);
        filter.push(')');
        skeleton.filter = Some(filter);
        skeleton.columns = vec!["1".to_owned()];
        let text = format!("EXISTS ({})", skeleton.render(self.dialect));
        Ok(inner.deepened(text, false))
    }

    /// Opens a scope of the rows of a relation. Gives back where they come from, and the condition
    /// that they belong to `owner`. To be ended by [`finish`](Self::finish).
    pub(super) fn related(
        &mut self,
        relation: &'static RelationMeta,
        owner: &Source,
        hops: Hops,
    ) -> Result<(Skeleton, String)> {
        let target = relation.target();
        let alias = self.alias();
        let owner_key = self.qualified(&owner.alias, owner.model.pk().column);
        let target_key = self.qualified(&alias, target.pk().column);
        let mut skeleton = Skeleton {
            columns: Vec::new(),
            table: target.table,
            alias: alias.clone(),
            joins: Vec::new(),
            filter: None,
            order: Vec::new(),
        };
        let mut key = None;
        let link = match reach(relation, owner.model)? {
            Reach::Forward(key) => {
                let key = self.qualified(&owner.alias, key.column);
                format!("{target_key} = {key}")
            }
            Reach::Reverse(key) => {
                format!("{} = {owner_key}", self.qualified(&alias, key.column))
            }
            Reach::Through(through) => {
                let middle = self.alias();
                let on = self.qualified(&middle, through.target_column);
                let source = self.qualified(&middle, through.source_column);
                skeleton.table = through.table;
                skeleton.alias = middle;
                skeleton.joins.push(Join {
                    left: false,
                    table: target.table,
                    alias: alias.clone(),
                    on: format!("{target_key} = {on}"),
                });
                key = Some(on);
                format!("{source} = {owner_key}")
            }
        };
        self.open_as(hops, target, alias);
        if let Some(scope) = self.scopes.last_mut() {
            scope.link = key;
        }
        Ok((skeleton, link))
    }

    /// Closes the innermost scope and adds the joins that were made in it.
    pub(super) fn finish(&mut self, mut skeleton: Skeleton) -> Skeleton {
        let scope = self.close();
        // The key of a linked row stands in the through table too, so the row may not be needed.
        if scope.link.is_some() && !scope.used {
            skeleton.joins.clear();
        }
        let (_, joins) = scope.into_joins();
        skeleton.joins.extend(joins);
        skeleton
    }
}

fn contains(paths: &[Hops], hops: &[&'static RelationMeta]) -> bool {
    paths.iter().any(|known| same_hops(known, hops))
}

fn add(paths: &mut Vec<Hops>, hops: Hops) {
    if !contains(paths, &hops) {
        paths.push(hops);
    }
}

/// For each condition, the first one of its group, or none.
///
/// A condition that needs a row of a to-many path begins a group: a comparison, or alternatives
/// that are all about that path. Others join it when they speak of a path that one of the group
/// needs, so that all of it is about one related row.
fn group(mentions: &[Vec<Hops>], needs: &[Vec<Hops>]) -> Vec<Option<usize>> {
    let mut groups = vec![None; mentions.len()];
    let mut direct: Vec<Hops> = Vec::new();
    for hops in needs.iter().flatten() {
        add(&mut direct, hops.clone());
    }
    for first in 0..mentions.len() {
        if needs[first].is_empty() || groups[first].is_some() {
            continue;
        }
        groups[first] = Some(first);
        let mut paths = needs[first].clone();
        for hops in mentions[first].iter().filter(|m| contains(&direct, m)) {
            add(&mut paths, hops.clone());
        }
        // Each round adds at least one condition, or is the last.
        let mut grew = true;
        while grew {
            grew = false;
            for (i, mentioned) in mentions.iter().enumerate() {
                if groups[i].is_some() || !mentioned.iter().any(|m| contains(&paths, m)) {
                    continue;
                }
                groups[i] = Some(first);
                grew = true;
                for hops in mentioned.iter().filter(|m| contains(&direct, m)) {
                    add(&mut paths, hops.clone());
                }
            }
        }
    }
    groups
}
