//! Differential properties: random rows and queries from a seed, on a reference model in memory
//! and on a backend. The answers must be the same.
//!
//! Plans come in rounds. A round draws one set of rows, stores it, and asks many plans of it. A
//! failure is made small before it is shown, with the command that runs its round again.

mod datum;
mod draw;
pub(crate) mod laws;
mod model;
mod plan;
mod random;
mod report;
mod run;
mod schema;
mod settings;
mod shrink;
mod subject;

pub(crate) use schema::Grain;
pub(crate) use settings::set;

use crate::case::{CaseResult, Context, Failure};
use draw::Allowed;
use model::{Answer, Candidate, Data, Expected, Tree};
use plan::Plan;
use random::Random;
use std::time::{Duration, Instant};

/// Plans that share one set of rows.
const ROUND: u64 = 25;
/// Cases that share the plans of a run.
pub(crate) const PARTS: u64 = 8;
/// Most time for making a failure small.
const SHRINKING: Duration = Duration::from_secs(15);

/// Runs one part of a run's plans: those that change rows, or those that do not.
pub(crate) async fn plans(cx: &Context, part: u64, writes: bool) -> CaseResult {
    if writes {
        run::needs_foreign_keys(cx).await?;
    }
    let settings = settings::get();
    // A quarter of the plans write: they are slower, since all tables are compared.
    let share = if writes {
        settings.plans / 4
    } else {
        settings.plans / 4 * 3
    };
    let rounds = share.div_ceil(PARTS * ROUND).max(1);
    let allowed = Allowed {
        writes,
        regex: cx.capabilities().regex,
    };
    for round in 0..rounds {
        let seed = settings.seed.wrapping_add(part + round * PARTS);
        run_round(cx, seed, allowed).await?;
    }
    Ok(())
}

async fn run_round(cx: &Context, seed: u64, allowed: Allowed) -> CaseResult {
    let mut random = Random::new(seed.wrapping_mul(2).wrapping_add(u64::from(allowed.writes)));
    let data = draw::data(&mut random);
    run::store(cx, &data).await?;
    let stored = run::stored().await?;
    if stored != data {
        let difference = report::difference(&data, &stored);
        return Err(Failure::new(format!(
            "seed {seed}: rows changed when stored\n{difference}"
        )));
    }
    for _ in 0..ROUND {
        let plan = draw::plan(&mut random, &data, allowed);
        let (answer, _) = cx.watch(run::answer(&plan)).await;
        if fits(&data.expected(&plan), &answer) {
            continue;
        }
        let (data, plan) = shrunk(cx, data, plan).await?;
        run::store(cx, &data).await?;
        let (answer, mut sent) = cx.watch(run::answer(&plan)).await;
        if allowed.writes {
            // The rest reads the tables afterwards.
            sent.truncate(1);
        }
        let expected = data.expected(&plan);
        let report = report::Report {
            seed,
            data: &data,
            plan: &plan,
            sent: &sent,
            expected: &expected,
            answer: &answer,
            writes: allowed.writes,
        };
        return Err(Failure::new(report.to_string()));
    }
    Ok(())
}

/// Whether an answer is what the model expects.
fn fits(expected: &Expected, answer: &Answer) -> bool {
    match (expected, answer) {
        (Expected::Exactly(expected), answer) => expected == answer,
        (Expected::Window { all, from, to }, Answer::Rows(rows)) => {
            window_fits(all, *from, *to, rows)
        }
        _ => false,
    }
}

/// The rows have the keys of the window, in its order, and each is another one of the candidates.
fn window_fits(all: &[Candidate], from: usize, to: usize, rows: &[Tree]) -> bool {
    let window = &all[from..to];
    let mut used = vec![false; all.len()];
    let mut take = |wanted: &Candidate, row: &Tree| {
        let found = all.iter().enumerate().position(|(at, candidate)| {
            !used[at] && candidate.keys == wanted.keys && candidate.tree == *row
        });
        if let Some(at) = found {
            used[at] = true;
        }
        found.is_some()
    };
    window.len() == rows.len()
        && window
            .iter()
            .zip(rows)
            .all(|(wanted, row)| take(wanted, row))
}

/// The smallest data and plan that still fail, as far as there was time to look.
async fn shrunk(cx: &Context, mut data: Data, mut plan: Plan) -> CaseResult<(Data, Plan)> {
    let end = Instant::now() + SHRINKING;
    let mut smaller = true;
    while smaller && Instant::now() < end {
        smaller = false;
        for less in shrink::smaller_data(&data) {
            if Instant::now() < end && fails(cx, &less, &plan, true).await? {
                data = less;
                smaller = true;
                break;
            }
        }
        run::store(cx, &data).await?;
        for less in shrink::smaller_plans(&plan) {
            if Instant::now() < end && fails(cx, &data, &less, false).await? {
                plan = less;
                smaller = true;
                break;
            }
        }
    }
    Ok((data, plan))
}

async fn fails(cx: &Context, data: &Data, plan: &Plan, store: bool) -> CaseResult<bool> {
    if store {
        run::store(cx, data).await?;
    }
    Ok(!fits(&data.expected(plan), &run::answer(plan).await))
}
