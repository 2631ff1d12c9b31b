//! Cases about the network on a backend without one, and on one that hides its server.

use crate::sqlite::Sqlite;
use async_trait::async_trait;
use orm_core::backend::Backend as Driver;
use orm_core::error::Result;
use orm_testkit::{Backend, Filter, Sandbox, Verdict, check};
use std::sync::{Arc, Mutex};

/// A driver whose URL names a host, and whose server is not known.
#[derive(Debug)]
struct Hidden;

#[async_trait]
impl Backend for Hidden {
    fn name(&self) -> &'static str {
        "hidden"
    }

    fn driver(&self) -> Arc<dyn Driver> {
        Sqlite.driver()
    }

    async fn provision(&self, id: &str) -> Result<Sandbox> {
        let real = Sqlite.provision(id).await?;
        let client = real.client().clone();
        Ok(Sandbox::new(client, "db://somewhere/name").with_cleanup(Mutex::new(real)))
    }
}

#[test]
fn without_a_network_the_cases_are_not_applicable_and_listed() {
    let report = check(Arc::new(Sqlite), &Filter::all().area("net"));
    assert!(report.records().len() > 10);
    for record in report.records() {
        assert_eq!(record.verdict, Verdict::NotApplicable, "{}", record.message);
        assert!(!record.is_failure());
    }
    let text = report.to_terminal();
    assert!(text.contains("NOT APPLICABLE sqlite::net::"), "{text}");
}

#[test]
fn a_server_that_is_not_told_is_a_failure_and_no_way_out() {
    let report = check(Arc::new(Hidden), &Filter::all().area("net"));
    assert_eq!(report.failures().count(), report.records().len());
    let message = &report.records()[0].message;
    assert!(message.contains("Backend::server"), "{message}");
}
