//! Each statement is one tracing span with its text, rows and outcome, with an event at its end,
//! and never its values.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[derive(Model, Clone, Debug, Default)]
pub struct Secret {
    #[field(pk)]
    pub id: i32,
    pub text: String,
}

/// Writes all events of the ORM into one text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").expect("writing to a String cannot fail");
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("fast_django")
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut log = self.0.lock().expect("no other thread panicked");
        log.push_str("span");
        span.record(&mut Line(&mut log));
        log.push('\n');
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut log = self.0.lock().expect("no other thread panicked");
        log.push_str("recorded");
        values.record(&mut Line(&mut log));
        log.push('\n');
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut log = self.0.lock().expect("no other thread panicked");
        log.push_str("event");
        event.record(&mut Line(&mut log));
        log.push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn statements_are_told_with_their_time_and_without_their_values() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let result: Result<()> = runtime.block_on(async {
        let config = Config::new("sqlite::memory:").models(models![Secret]);
        Tortoise::init(config.generate_schemas(true)).await?;
        Secret::create(kw!(text = "canary-7f3a")).await?;
        assert_eq!(Secret::filter(kw!(text = "canary-7f3a")).count().await?, 1);
        in_transaction(async |_tx| Secret::all().delete().await).await?;
        Tortoise::close_connections().await
    });
    result.expect("the statements run");
    let log = log.0.lock().expect("no other thread panicked");
    let inserts = |kind: &str| {
        let lines = log.lines().filter(|line| line.starts_with(kind));
        lines.filter(|line| line.contains("INSERT INTO")).count()
    };
    assert_eq!((inserts("span"), inserts("event")), (1, 1), "{log}");
    let count = |line: &str| log.lines().filter(|known| *known == line).count();
    assert_eq!(count("recorded rows=1"), 2, "{log}");
    assert!(count("recorded outcome=\"ok\"") > 4, "{log}");
    assert!(log.contains("elapsed=") && log.contains("COMMIT"), "{log}");
    assert!(!log.contains("canary"), "{log}");
}
