//! Every plan of the golden files, in the words of a real driver, given to its engine: a text that
//! is well known must be one that the database takes.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic like tests")]

#[path = "../orm-core/tests/sql/models.rs"]
mod models;
#[path = "../orm-core/tests/sql/shapes.rs"]
mod shapes;

use orm_core::backend::{Backend, ConnectOptions, ConnectionUrl, Sink};
use orm_core::connection::Connection;
use orm_core::error::ErrorKind;
use orm_core::tortoise;
use std::sync::Arc;

/// Creates the tables in an empty database and runs every plan there. A plan may break a
/// constraint, since there are no rows, or need what the database lacks.
async fn accepts(driver: Arc<dyn Backend>, url: &str) {
    let url = ConnectionUrl::parse(url).unwrap();
    let client = driver
        .connect(&url, &ConnectOptions::default())
        .await
        .unwrap();
    let connection = Connection::new("default", client.clone());
    tortoise::create_tables(&connection, &models::ALL, false)
        .await
        .unwrap();
    let mut accepted = 0;
    for (name, make) in shapes::SHAPES {
        let statement = match make(client.dialect()) {
            Ok(statement) => statement,
            Err(error) => {
                let expected = [ErrorKind::Unsupported, ErrorKind::Field, ErrorKind::Data];
                assert!(expected.contains(&error.kind()), "{name}: {error}");
                continue;
            }
        };
        match client.run(&statement, &mut Sink::discard()).await {
            Ok(_) => accepted += 1,
            Err(error) => {
                let (kind, sql) = (error.kind(), statement.sql());
                assert_eq!(kind, ErrorKind::Integrity, "{name}: {error}\n{sql}");
            }
        }
    }
    client.close().await;
    let most = shapes::SHAPES.len();
    assert!(accepted * 10 >= most * 8, "{accepted} of {most}");
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn every_plan_is_accepted_by_its_engine() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("plans.db").display());
    accepts(Arc::new(orm_sqlite::SqliteBackend), &url).await;
}
