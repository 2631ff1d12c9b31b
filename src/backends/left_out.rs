//! What stands where a driver would if its Cargo feature were on.

use async_trait::async_trait;
use orm_core::backend::{Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl};
use orm_core::error::{Error, Result};
use std::sync::Arc;

/// Serves the URLs of a driver by saying which feature brings it.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub(super) feature: &'static str,
    schemes: &'static [&'static str],
}

#[cfg(any(test, not(feature = "mysql")))]
pub(super) const MYSQL: LeftOut = LeftOut {
    feature: "mysql",
    schemes: &["mysql", "mariadb"],
};
#[cfg(any(test, not(feature = "postgres")))]
pub(super) const POSTGRES: LeftOut = LeftOut {
    feature: "postgres",
    schemes: &["postgres", "postgresql"],
};
#[cfg(any(test, not(feature = "sqlite")))]
pub(super) const SQLITE: LeftOut = LeftOut {
    feature: "sqlite",
    schemes: &["sqlite", "libsql", "libsql+http", "file"],
};

#[async_trait]
impl Backend for LeftOut {
    fn schemes(&self) -> &'static [&'static str] {
        self.schemes
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        _: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        let (scheme, feature) = (url.scheme(), self.feature);
        Err(Error::configuration(format!(
            "the driver for `{scheme}:` URLs is not built in: enable the Cargo feature `{feature}` \
             of fast-django"
        )))
    }
}
