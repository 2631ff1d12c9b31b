//! The drivers that Cargo features enable, and stand-ins for the others.

#[cfg(any(
    test,
    not(all(feature = "mysql", feature = "postgres", feature = "sqlite"))
))]
mod left_out;

use orm_core::backend::Backend;
use std::sync::Arc;

/// One driver for each enabled feature, and a stand-in for each of the others.
pub(crate) fn enabled() -> Vec<Arc<dyn Backend>> {
    vec![
        #[cfg(feature = "mysql")]
        Arc::new(orm_mysql::MySqlBackend),
        #[cfg(not(feature = "mysql"))]
        Arc::new(left_out::MYSQL),
        #[cfg(feature = "postgres")]
        Arc::new(orm_postgres::PostgresBackend),
        #[cfg(not(feature = "postgres"))]
        Arc::new(left_out::POSTGRES),
        #[cfg(feature = "sqlite")]
        Arc::new(orm_sqlite::SqliteBackend),
        #[cfg(not(feature = "sqlite"))]
        Arc::new(left_out::SQLITE),
    ]
}

#[cfg(test)]
mod tests {
    use super::enabled;
    use super::left_out::{MYSQL, POSTGRES, SQLITE};
    use orm_core::backend::{Backend, ConnectOptions, ConnectionUrl};

    #[tokio::test]
    async fn a_driver_that_is_left_out_names_its_feature() {
        for left_out in [MYSQL, POSTGRES, SQLITE] {
            for scheme in left_out.schemes() {
                let url = ConnectionUrl::parse(&format!("{scheme}://u:canary@h/d")).expect("a URL");
                let error = left_out.connect(&url, &ConnectOptions::default()).await;
                let text = error.expect_err("not built in").to_string();
                let feature = format!("feature `{}`", left_out.feature);
                assert!(text.contains(&feature) && text.contains(scheme), "{text}");
                assert!(!text.contains("canary"), "{text}");
            }
        }
    }

    #[test]
    fn every_driver_and_its_stand_in_serve_the_same_schemes() {
        let enabled = enabled();
        for left_out in [MYSQL, POSTGRES, SQLITE] {
            let same = enabled.iter().any(|b| b.schemes() == left_out.schemes());
            assert!(same, "{}", left_out.feature);
        }
    }
}
