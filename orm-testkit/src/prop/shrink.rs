//! Makes a failing example small: rows first, then the plan.

use super::model::Data;
use super::plan::{Action, Cond, Plan, Right};
use super::schema::TABLES;

/// Smaller data, each candidate with one row or link less (and what refers to it).
pub(super) fn smaller_data(data: &Data) -> Vec<Data> {
    let mut found = Vec::new();
    for table in 0..TABLES.len() {
        let keys: Vec<_> = data.rows[table].iter().map(|row| row[0].clone()).collect();
        let mut push = |keys: Vec<_>| {
            let mut less = data.clone();
            if less.delete(table, keys) {
                found.push(less);
            }
        };
        if keys.len() > 1 {
            push(keys.clone());
        }
        keys.into_iter().for_each(|key| push(vec![key]));
    }
    for at in 0..data.links.len() {
        let mut less = data.clone();
        less.links.remove(at);
        found.push(less);
    }
    found
}

/// Smaller plans, each candidate with one thing less.
pub(super) fn smaller_plans(plan: &Plan) -> Vec<Plan> {
    let mut found = Vec::new();
    let mut push = |change: &dyn Fn(&mut Plan)| {
        let mut less = plan.clone();
        change(&mut less);
        found.push(less);
    };
    for at in 0..plan.calls.len() {
        push(&|less| {
            less.calls.remove(at);
        });
        for cond in smaller_conditions(&plan.calls[at].cond) {
            push(&|less| less.calls[at].cond = cond.clone());
        }
        if plan.calls[at].exclude {
            push(&|less| less.calls[at].exclude = false);
        }
    }
    for at in 0..plan.order.len() {
        push(&|less| {
            less.order.remove(at);
        });
    }
    if plan.limit.is_some() {
        push(&|less| less.limit = None);
    }
    if plan.offset.is_some() {
        push(&|less| less.offset = None);
    }
    match &plan.action {
        Action::Rows | Action::Delete => {}
        Action::Values(places) if places.len() > 1 => {
            for at in 0..places.len() {
                push(&|less| {
                    if let Action::Values(places) = &mut less.action {
                        places.remove(at);
                    }
                });
            }
        }
        Action::Prefetch(paths) if paths.len() > 1 => {
            for at in 0..paths.len() {
                push(&|less| {
                    if let Action::Prefetch(paths) = &mut less.action {
                        paths.remove(at);
                    }
                });
            }
        }
        Action::Update(sets) => {
            for at in (0..sets.len()).filter(|_| sets.len() > 1) {
                push(&|less| {
                    if let Action::Update(sets) = &mut less.action {
                        sets.remove(at);
                    }
                });
            }
        }
        _ => {}
    }
    if !plan.action.writes() && !matches!(plan.action, Action::Rows) {
        push(&|less| less.action = Action::Rows);
    }
    // A slice of a write must stay ordered by the key, which was drawn last.
    if plan.action.writes() && (plan.limit.is_some() || plan.offset.is_some()) {
        found.retain(|less| {
            let sliced = less.limit.is_some() || less.offset.is_some();
            let own = |key: &super::plan::Key| key.place.hops.is_empty() && key.place.column == 0;
            !sliced || less.order.iter().any(own)
        });
    }
    found
}

fn smaller_conditions(cond: &Cond) -> Vec<Cond> {
    match cond {
        Cond::Empty => Vec::new(),
        Cond::Not(inner) => {
            let mut found = vec![(**inner).clone()];
            found.extend(
                smaller_conditions(inner)
                    .into_iter()
                    .map(|less| Cond::Not(Box::new(less))),
            );
            found
        }
        Cond::And(children) => smaller_lists(children, Cond::And),
        Cond::Or(children) => smaller_lists(children, Cond::Or),
        Cond::Test(test) => match &test.right {
            Right::Values(values) if values.len() > 1 && test.lookup.name() != "range" => {
                let shorter = (0..values.len()).map(|at| {
                    let mut test = test.clone();
                    let mut values = values.clone();
                    values.remove(at);
                    test.right = Right::Values(values);
                    Cond::Test(test)
                });
                shorter.collect()
            }
            Right::Column(place, plus) if *plus != 0 => {
                let mut test = test.clone();
                test.right = Right::Column(place.clone(), 0);
                vec![Cond::Test(test)]
            }
            _ => Vec::new(),
        },
    }
}

fn smaller_lists(children: &[Cond], list: fn(Vec<Cond>) -> Cond) -> Vec<Cond> {
    let mut found = children.to_vec();
    for (at, child) in children.iter().enumerate() {
        if children.len() > 1 {
            let mut less = children.to_vec();
            less.remove(at);
            found.push(list(less));
        }
        for smaller in smaller_conditions(child) {
            let mut less = children.to_vec();
            less[at] = smaller;
            found.push(list(less));
        }
    }
    found
}
