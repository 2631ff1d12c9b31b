//! A backend in a report: its versions, and what it claims.

use crate::backend::{Availability, Backend, Level};
use crate::harness::runner;
use crate::probe;
use orm_core::backend::{Capability, Claim};
use orm_core::value::Value;
use std::sync::Arc;

/// A backend in a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Column {
    /// The backend's name.
    pub name: &'static str,
    /// The level that the driver promises.
    pub level: Level,
    /// Name and version of the driver; empty if it does not say.
    pub driver: String,
    /// Version of the server or engine; empty if it is not known.
    pub server: String,
    /// Why it did not run.
    pub missing: Option<String>,
    /// What it claims. Empty if it was not asked.
    pub facts: Vec<Fact>,
}

/// What a backend claims about one capability.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Fact {
    /// The capability.
    pub capability: Capability,
    /// The claim.
    pub claim: Claim,
    /// Not claimed, though statements of its own show that the engine can.
    pub underclaimed: bool,
}

impl Fact {
    /// The claim in a word.
    pub fn text(&self) -> String {
        match self.claim {
            Claim::Has(true) => "yes".to_owned(),
            Claim::Levels(levels) if !levels.is_empty() => {
                let names: Vec<_> = levels.iter().map(|level| format!("{level:?}")).collect();
                names.join(", ")
            }
            Claim::AtMost(most) => most.to_string(),
            _ => "no".to_owned(),
        }
    }
}

impl Column {
    /// A column of what the backend says without being asked.
    pub(crate) fn of(backend: &dyn Backend) -> Self {
        Column {
            name: backend.name(),
            level: backend.level(),
            driver: backend.driver_version(),
            server: backend.version(),
            missing: match backend.availability() {
                Availability::Ready => None,
                Availability::Missing(why) => Some(why),
            },
            facts: Vec::new(),
        }
    }
}

/// Asks a backend for its version and claims, on a database of its own. What fails stays unknown:
/// the cases will say why.
pub(crate) fn identify(backend: &Arc<dyn Backend>) -> Column {
    let mut column = Column::of(&**backend);
    if column.missing.is_some() {
        return column;
    }
    let owned = backend.clone();
    let limit = backend.deadline();
    let asked = runner::watched("identify", limit, move || {
        runner::on_runtime(async move {
            let version = runner::ask(&*owned, async |sandbox| {
                let sql = probe::version(sandbox.client().dialect().family());
                sandbox.client().execute_query(sql, Vec::new()).await
            });
            let server = version.await.ok().and_then(|rows| {
                match rows.rows().first().and_then(|row| row.first()) {
                    Some(Value::Text(text)) => Some(text.to_string()),
                    _ => None,
                }
            });
            (server, facts(&*owned).await)
        })
    });
    if let Ok(Ok((server, facts))) = asked {
        if column.server.is_empty() {
            column.server = server.unwrap_or_default();
        }
        column.facts = facts;
    }
    column
}

async fn facts(backend: &dyn Backend) -> Vec<Fact> {
    let dialect = runner::ask(backend, async |sandbox| Ok(sandbox.client().dialect())).await;
    let Ok(dialect) = dialect else {
        return Vec::new();
    };
    let mut facts = Vec::new();
    for capability in Capability::all() {
        let claim = dialect.capabilities().claim(capability);
        let mut underclaimed = false;
        if !claim.is_made()
            && let Some(statements) = backend.probe(dialect.family(), capability)
        {
            let probed = runner::ask(backend, async |sandbox| {
                runner::probe(sandbox.client(), &statements).await
            });
            underclaimed = probed.await.is_ok();
        }
        facts.push(Fact {
            capability,
            claim,
            underclaimed,
        });
    }
    facts
}
