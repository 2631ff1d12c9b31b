//! The client of libSQL servers, over a server of the protocol that runs in this process, one for
//! each case.

use crate::server::{Limits, Server};
use async_trait::async_trait;
use orm_core::backend::Backend as Driver;
use orm_core::error::Result;
use orm_testkit::{Backend, KnownIssue, Sandbox};
use std::sync::Arc;

/// A libSQL server.
#[derive(Debug)]
pub(crate) struct LibsqlRemote;

#[async_trait]
impl Backend for LibsqlRemote {
    fn name(&self) -> &'static str {
        "libsql-remote"
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Arc::new(orm_sqlite::SqliteBackend)
    }

    fn driver_version(&self) -> String {
        format!("orm-sqlite {}", env!("CARGO_PKG_VERSION"))
    }

    fn known_issues(&self) -> &'static [KnownIssue] {
        &FOLDING
    }

    async fn provision(&self, _: &str) -> Result<Sandbox> {
        let server = Server::start(Some("token"), Limits::default());
        let sandbox = Sandbox::open(&*self.driver(), server.url()).await?;
        Ok(sandbox.with_cleanup(server))
    }
}

/// Cases that use a lookup which folds case. There is no capability for those; they are refused.
const FOLDING: [KnownIssue; 6] = [
    folds("filter::null::exclude_is_the_exact_complement"),
    folds("inject::value::patterns_as_given"),
    folds("lookup::text::case_folds_in_every_script"),
    folds("lookup::text::case_matters_unless_i"),
    folds("lookup::text::empty_pattern_matches_every_value"),
    folds("lookup::text::wildcards_are_literal"),
];

const fn folds(case: &'static str) -> KnownIssue {
    KnownIssue {
        case,
        reason: "the server folds the case of ASCII only, so lookups that fold case are refused",
    }
}
