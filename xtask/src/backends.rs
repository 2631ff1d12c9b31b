//! Which backends the tests run on, and what each needs: the one place to change when a driver
//! comes or goes.

use crate::servers::{Server, Wanted};

/// A column of the conformance matrix.
#[derive(Debug)]
pub(crate) struct Backend {
    /// Its name in the conformance suite.
    pub(crate) name: &'static str,
    /// The features of the facade that bring its driver.
    pub(crate) features: &'static [&'static str],
    /// The servers that its tests talk to.
    pub(crate) servers: &'static [Server],
}

const SQLITE: Backend = Backend {
    name: "sqlite",
    features: &["sqlite"],
    servers: &[],
};
/// Its server is a part of the tests. Not a column of its own: it is the engine of the first.
const LIBSQL_REMOTE: Backend = Backend {
    name: "libsql-remote",
    features: &["libsql-remote"],
    servers: &[],
};
const POSTGRES: Backend = Backend {
    name: "postgres",
    features: &["postgres", "tls"],
    servers: &[Server::Postgres, Server::PgBouncer],
};
const MARIADB: Backend = Backend {
    name: "mariadb",
    features: &["mysql", "tls"],
    servers: &[Server::MariaDb],
};
const MYSQL: Backend = Backend {
    name: "mysql",
    features: &["mysql", "tls"],
    servers: &[Server::MySql],
};

/// Every backend that is planned for.
pub(crate) const KNOWN: &[Backend] = &[SQLITE, LIBSQL_REMOTE, POSTGRES, MARIADB, MYSQL];

/// The names of the backends whose driver the workspace has. A name that is added here turns on its
/// features in every step, starts its servers and makes it a required column.
pub(crate) const TESTED: &[&str] = &["sqlite", "postgres", "mariadb", "mysql"];

/// The backends of one run.
#[derive(Debug)]
pub(crate) struct Selection {
    backends: Vec<&'static Backend>,
    without: Vec<&'static str>,
}

impl Selection {
    /// The backends named `tested`, less those named `without`.
    ///
    /// # Errors
    /// If a name of `without` is no backend that is tested.
    pub(crate) fn new(tested: &[&str], without: &[String]) -> Result<Self, String> {
        let tested: Vec<_> = KNOWN.iter().filter(|b| tested.contains(&b.name)).collect();
        let names: Vec<_> = tested.iter().map(|backend| backend.name).collect();
        if let Some(name) = without.iter().find(|name| !names.contains(&name.as_str())) {
            let names = names.join(", ");
            return Err(format!("no backend `{name}` is tested; there are {names}"));
        }
        let (left_out, backends): (Vec<_>, _) = tested
            .into_iter()
            .partition(|b| without.iter().any(|name| name == b.name));
        let without = left_out.iter().map(|backend| backend.name).collect();
        Ok(Selection { backends, without })
    }

    /// Keeps only the backends with these names; no name keeps all.
    pub(crate) fn only(mut self, names: &[&str]) -> Self {
        if !names.is_empty() {
            self.backends.retain(|b| names.contains(&b.name));
        }
        self
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.backends.iter().map(|backend| backend.name).collect()
    }

    /// The names that were left out by request.
    pub(crate) fn left_out(&self) -> &[&'static str] {
        &self.without
    }

    /// The variable that tells tests which backends were left out by request.
    pub(crate) fn left_out_variable(&self) -> (String, String) {
        ("FD_TEST_WITHOUT".to_owned(), self.without.join(","))
    }

    /// The servers of these backends.
    pub(crate) fn needs(&self, install: bool) -> Wanted {
        let all = self.backends.iter().flat_map(|backend| backend.servers);
        Wanted {
            servers: all.copied().collect(),
            install,
            private: false,
        }
    }
}

/// The words that turn on the drivers of these backends in a cargo command; none if they are on by
/// default.
pub(crate) fn features(tested: &[&str]) -> Vec<String> {
    let backends = KNOWN.iter().filter(|b| tested.contains(&b.name));
    let mut names: Vec<_> = backends.flat_map(|b| b.features.iter().copied()).collect();
    names.retain(|name| *name != "sqlite");
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Vec::new();
    }
    vec!["--features".to_owned(), names.join(",")]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &[&str] = &["sqlite", "postgres", "mariadb", "mysql"];

    #[test]
    fn every_tested_name_is_known() {
        let known: Vec<_> = KNOWN.iter().map(|backend| backend.name).collect();
        assert!(TESTED.iter().all(|name| known.contains(name)), "{TESTED:?}");
    }

    #[test]
    fn features_are_listed_once_and_the_default_is_left_out() {
        assert_eq!(features(&["sqlite"]), Vec::<String>::new());
        assert_eq!(features(ALL), ["--features", "mysql,postgres,tls"]);
    }

    #[test]
    fn a_backend_that_is_left_out_needs_no_server() {
        let all = Selection::new(ALL, &["mysql".to_owned()]).unwrap();
        assert_eq!(all.names(), ["sqlite", "postgres", "mariadb"]);
        assert_eq!(all.left_out(), ["mysql"]);
        let (_, value) = all.left_out_variable();
        assert_eq!(value, "mysql");
        assert_eq!(
            all.needs(false).servers,
            [Server::Postgres, Server::PgBouncer, Server::MariaDb]
        );
        assert_eq!(all.only(&["sqlite"]).needs(false).servers, []);
    }

    #[test]
    fn leaving_out_what_is_not_tested_is_an_error() {
        let error = Selection::new(&["sqlite"], &["mysql".to_owned()]).unwrap_err();
        assert_eq!(error, "no backend `mysql` is tested; there are sqlite");
    }
}
