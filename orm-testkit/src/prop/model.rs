//! The reference model: the documented meaning of a plan, over rows in vectors.
//!
//! Slow and plain on purpose. It shares nothing with the planner: no join, no sub-query, only
//! loops over rows.

mod condition;

use super::datum::Datum;
use super::plan::{Action, Key, NewValue, Place, Plan};
use super::schema::{Link, OnDelete, REFERENCES, TABLES, target};
use condition::{Logic, Scope, holds, lower};
use orm_core::error::ErrorKind;
use std::cmp::Ordering;

/// All rows of all tables, and the links between posts and tags.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Data {
    pub(super) rows: [Vec<Vec<Datum>>; TABLES.len()],
    pub(super) links: Vec<(i64, i64)>,
}

/// A row and the rows loaded with it, by relation.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tree {
    pub(super) row: Vec<Datum>,
    pub(super) branches: Vec<(usize, Vec<Tree>)>,
}

/// A row that may be in an answer, with what it is ordered by.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) keys: Vec<Datum>,
    pub(super) tree: Tree,
}

/// What a backend gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Rows(Vec<Tree>),
    Count(u64),
    Exists(bool),
    /// Rows matched, and all tables afterwards.
    Changed(u64, Box<Data>),
    Failed(ErrorKind),
}

/// What a backend must give.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// The rows `from..to` of these, which are in order; rows with equal keys in any order.
    Window {
        all: Vec<Candidate>,
        from: usize,
        to: usize,
    },
    /// Exactly this.
    Exactly(Answer),
}

impl Data {
    pub(super) fn position(&self, table: usize, key: &Datum) -> Option<usize> {
        self.rows[table].iter().position(|row| row[0] == *key)
    }

    /// Positions of the rows that a relation of this row leads to.
    pub(super) fn related(&self, table: usize, row: usize, relation: usize) -> Vec<usize> {
        let relation = &TABLES[table].relations[relation];
        let own = &self.rows[table][row];
        let rows = &self.rows[relation.target];
        let all = 0..rows.len();
        let linked = |post: &Datum, tag: &Datum| match (post.int(), tag.int()) {
            (Some(post), Some(tag)) => self.links.contains(&(post, tag)),
            _ => false,
        };
        match relation.link {
            Link::One(column) => self
                .position(relation.target, &own[column])
                .into_iter()
                .collect(),
            Link::Many(column) => all.filter(|i| rows[*i][column] == own[0]).collect(),
            Link::Tags => all.filter(|i| linked(&own[0], &rows[*i][0])).collect(),
            Link::Tagged => all.filter(|i| linked(&rows[*i][0], &own[0])).collect(),
        }
    }

    /// The value at the end of a path of to-one relations; NULL when it leads nowhere.
    fn value(&self, place: &Place, row: usize) -> Datum {
        self.follow(place.root, row, &place.hops)
            .map_or(Datum::Null, |at| {
                self.rows[target(place.root, &place.hops)][at][place.column].clone()
            })
    }

    fn follow(&self, mut table: usize, row: usize, hops: &[usize]) -> Option<usize> {
        let mut at = row;
        for hop in hops {
            at = *self.related(table, at, *hop).first()?;
            table = TABLES[table].relations[*hop].target;
        }
        Some(at)
    }

    /// The row with the rows that these paths of relations lead to.
    fn tree(&self, table: usize, row: usize, paths: &[&[usize]]) -> Tree {
        let mut firsts: Vec<usize> = paths
            .iter()
            .filter_map(|path| path.first().copied())
            .collect();
        firsts.sort_unstable();
        firsts.dedup();
        let branches = firsts.into_iter().map(|first| {
            let rest: Vec<&[usize]> = paths
                .iter()
                .filter(|path| path.first() == Some(&first))
                .map(|path| &path[1..])
                .collect();
            let next = TABLES[table].relations[first].target;
            let related = self.related(table, row, first);
            let trees = related.into_iter().map(|at| self.tree(next, at, &rest));
            (first, sorted(trees.collect()))
        });
        Tree {
            row: self.rows[table][row].clone(),
            branches: branches.collect(),
        }
    }

    /// What the plan means.
    pub(super) fn expected(&self, plan: &Plan) -> Expected {
        let calls = plan
            .calls
            .iter()
            .filter_map(|call| match lower(&call.cond) {
                logic if !call.exclude => logic,
                Some(logic) => Some(logic.negated()),
                None => Some(Logic::No),
            });
        let calls: Vec<Logic> = calls.collect();
        let mut matching: Vec<usize> = (0..self.rows[plan.table].len())
            .filter(|row| {
                calls
                    .iter()
                    .all(|logic| holds(self, logic, &Scope::of(*row)))
            })
            .collect();
        let mut order = plan.order.clone();
        if matches!(plan.action, Action::First) && order.is_empty() {
            let place = Place {
                root: plan.table,
                hops: Vec::new(),
                column: 0,
            };
            order.push(Key {
                place,
                descending: false,
            });
        }
        matching.sort_by(|a, b| self.in_order(&order, *a, *b));
        self.outcome(plan, &order, &matching)
    }

    fn in_order(&self, order: &[Key], a: usize, b: usize) -> Ordering {
        order.iter().fold(Ordering::Equal, |found, key| {
            found.then_with(|| {
                let ascending = self.value(&key.place, a).order(&self.value(&key.place, b));
                if key.descending {
                    ascending.reverse()
                } else {
                    ascending
                }
            })
        })
    }

    fn outcome(&self, plan: &Plan, order: &[Key], matching: &[usize]) -> Expected {
        let candidate = |row: usize, tree: Tree| Candidate {
            keys: order
                .iter()
                .map(|key| self.value(&key.place, row))
                .collect(),
            tree,
        };
        let paths: Vec<&[usize]> = match &plan.action {
            Action::Prefetch(paths) => paths.iter().map(Vec::as_slice).collect(),
            _ => Vec::new(),
        };
        let all: Vec<Candidate> = match &plan.action {
            Action::Values(places) | Action::CountValues(places) => matching
                .iter()
                .flat_map(|row| {
                    let projected = self.projected(plan.table, *row, places);
                    projected
                        .into_iter()
                        .map(|row| Tree {
                            row,
                            branches: Vec::new(),
                        })
                        .map(|tree| candidate(*row, tree))
                        .collect::<Vec<_>>()
                })
                .collect(),
            _ => matching
                .iter()
                .map(|row| candidate(*row, self.tree(plan.table, *row, &paths)))
                .collect(),
        };
        let from = plan.offset.map_or(0, |offset| clamp(offset, all.len()));
        let to = plan
            .limit
            .map_or(all.len(), |limit| from + clamp(limit, all.len() - from));
        let count = (to - from) as u64;
        match &plan.action {
            Action::Rows | Action::Values(_) | Action::Prefetch(_) => {
                Expected::Window { all, from, to }
            }
            Action::First => Expected::Window {
                to: to.min(from + 1),
                all,
                from,
            },
            Action::Count | Action::CountValues(_) => Expected::Exactly(Answer::Count(count)),
            Action::Exists => Expected::Exactly(Answer::Exists(count > 0)),
            Action::Get | Action::GetOrNone => match (count, &plan.action) {
                (0, Action::Get) => Expected::Exactly(Answer::Failed(ErrorKind::DoesNotExist)),
                (0 | 1, _) => Expected::Window { all, from, to },
                _ => Expected::Exactly(Answer::Failed(ErrorKind::MultipleObjectsReturned)),
            },
            Action::Update(sets) => {
                let mut after = self.clone();
                for row in &matching[from..to] {
                    after.update(plan.table, *row, sets);
                }
                Expected::Exactly(Answer::Changed(count, Box::new(after)))
            }
            Action::Delete => {
                let keys = matching[from..to]
                    .iter()
                    .map(|row| self.rows[plan.table][*row][0].clone());
                let mut after = self.clone();
                match after.delete(plan.table, keys.collect()) {
                    true => Expected::Exactly(Answer::Changed(count, Box::new(after))),
                    false => Expected::Exactly(Answer::Failed(ErrorKind::Integrity)),
                }
            }
        }
    }

    /// The rows that a projection makes of one row: one for each match over to-many paths, and one
    /// with NULL where there is none. Places behind the same relation speak of the same row.
    fn projected(&self, table: usize, row: usize, places: &[Place]) -> Vec<Vec<Datum>> {
        // Every relation on the way, shorter paths first, each with the row it stands for.
        let mut hops: Vec<&[usize]> = Vec::new();
        for place in places {
            for end in 1..=place.hops.len() {
                let hop = &place.hops[..end];
                // The key behind a reference is the reference itself.
                if !hops.contains(&hop) {
                    hops.push(hop);
                }
            }
        }
        hops.sort_by_key(|hop| hop.len());
        let mut combinations: Vec<Vec<(&[usize], Option<usize>)>> = vec![vec![(&[], Some(row))]];
        for hop in hops {
            let (last, before) = hop.split_last().expect("a hop has a relation");
            combinations = combinations
                .into_iter()
                .flat_map(|known| {
                    let from = known
                        .iter()
                        .find(|(path, _)| *path == before)
                        .and_then(|(_, at)| *at);
                    let found = from.map_or(Vec::new(), |at| {
                        self.related(target(table, before), at, *last)
                    });
                    let found: Vec<Option<usize>> = match found.is_empty() {
                        true => vec![None],
                        false => found.into_iter().map(Some).collect(),
                    };
                    found.into_iter().map(move |at| {
                        let mut longer = known.clone();
                        longer.push((hop, at));
                        longer
                    })
                })
                .collect();
        }
        combinations
            .into_iter()
            .map(|known| {
                let cell = |place: &Place| {
                    let at = known
                        .iter()
                        .find(|(path, _)| *path == place.hops)
                        .and_then(|(_, at)| *at);
                    at.map_or(Datum::Null, |at| {
                        self.rows[target(table, &place.hops)][at][place.column].clone()
                    })
                };
                let key = self.rows[table][row][0].clone();
                std::iter::once(key)
                    .chain(places.iter().map(cell))
                    .collect()
            })
            .collect()
    }

    fn update(&mut self, table: usize, row: usize, sets: &[(usize, NewValue)]) {
        let before = self.rows[table][row].clone();
        for (column, value) in sets {
            self.rows[table][row][*column] = match value {
                NewValue::Value(value) => value.clone(),
                NewValue::Computed {
                    column,
                    factor,
                    plus,
                } => before[*column]
                    .int()
                    .map_or(Datum::Null, |value| Datum::Int(value * factor + plus)),
            };
        }
    }

    /// Deletes rows with what refers to them; false and a useless state when a reference forbids it.
    pub(super) fn delete(&mut self, table: usize, keys: Vec<Datum>) -> bool {
        self.rows[table].retain(|row| !keys.contains(&row[0]));
        let gone = |key: &Datum| keys.contains(key);
        self.links.retain(|(post, tag)| {
            !(table == super::schema::POST && gone(&Datum::Int(*post))
                || table == super::schema::TAG && gone(&Datum::Int(*tag)))
        });
        for (from, column, to, on_delete) in REFERENCES {
            if to != table {
                continue;
            }
            let mut cascaded = Vec::new();
            for row in &mut self.rows[from] {
                match on_delete {
                    _ if !keys.contains(&row[column]) => {}
                    OnDelete::Cascade => cascaded.push(row[0].clone()),
                    OnDelete::SetNull => row[column] = Datum::Null,
                    OnDelete::Restrict => return false,
                }
            }
            if !cascaded.is_empty() && !self.delete(from, cascaded) {
                return false;
            }
        }
        true
    }
}

fn clamp(count: u64, most: usize) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX).min(most)
}

/// Trees of one relation, whose order is not promised, by key.
pub(super) fn sorted(mut trees: Vec<Tree>) -> Vec<Tree> {
    trees.sort_by(|a, b| a.row[0].order(&b.row[0]));
    trees
}
