//! What a PostgreSQL URL asks for.

use orm_core::backend::ConnectionUrl;
use orm_core::error::{Error, Result, nearest_names};
use std::{fmt, path::PathBuf, time::Duration};

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name or an address.
    Tcp(String),
    /// The folder of a Unix socket.
    Unix(PathBuf),
}

/// Whether and how the connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// Not at all.
    Off,
    /// With chain and host name verified.
    Verified,
    /// Without knowing who answers.
    Unverified,
}

/// Which server will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Any,
    ReadWrite,
    ReadOnly,
}

/// Whether statements stay prepared on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatementMode {
    Named,
    Unnamed,
}

/// Everything that the URL decides.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) hosts: Vec<(Host, u16)>,
    pub(crate) user: String,
    pub(crate) password: Option<String>,
    pub(crate) database: String,
    pub(crate) application_name: String,
    pub(crate) search_path: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) encryption: Encryption,
    pub(crate) root_cert: Option<PathBuf>,
    pub(crate) target: Target,
    pub(crate) statement_mode: StatementMode,
    pub(crate) statement_cache: usize,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) tcp_user_timeout: Duration,
    pub(crate) keepalives_idle: Duration,
    pub(crate) max_connections: Option<usize>,
}

const OPTIONS: [&str; 22] = [
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "application_name",
    "search_path",
    "schema",
    "options",
    "sslmode",
    "sslrootcert",
    "danger_accept_invalid_certs",
    "target_session_attrs",
    "statement_mode",
    "statement_cache",
    "statement_cache_size",
    "connect_timeout",
    "tcp_user_timeout",
    "keepalives_idle",
    "max_connections",
    "pool_size",
    "database",
];

/// Names that mean the same, of which a URL may hold one.
const ALIASES: [(&str, &str); 4] = [
    ("search_path", "schema"),
    ("statement_cache", "statement_cache_size"),
    ("max_connections", "pool_size"),
    ("dbname", "database"),
];

impl Config {
    /// Reads a URL.
    pub(crate) fn from_url(url: &ConnectionUrl) -> Result<Self> {
        for (name, other) in ALIASES {
            if url.option(name).is_some() && url.option(other).is_some() {
                return Err(wrong(&format!("give `{name}` or `{other}`, not both")));
            }
        }
        let user = url.option("user").or(url.user()).unwrap_or("postgres");
        let path = url.path().strip_prefix('/').unwrap_or(url.path());
        let named = url.option("dbname").or(url.option("database"));
        let database = named.unwrap_or(if path.is_empty() { user } else { path });
        let mut config = Config {
            hosts: hosts(url)?,
            user: user.to_owned(),
            password: url.option("password").or(url.password()).map(str::to_owned),
            database: database.to_owned(),
            application_name: "fast-django".to_owned(),
            search_path: None,
            options: None,
            encryption: Encryption::Off,
            root_cert: None,
            target: Target::Any,
            statement_mode: StatementMode::Named,
            statement_cache: 256,
            connect_timeout: None,
            tcp_user_timeout: Duration::from_secs(15),
            keepalives_idle: Duration::from_secs(15),
            max_connections: None,
        };
        for (name, value) in url.options() {
            config.set(name, value)?;
        }
        for text in [&config.user, &config.database, &config.application_name] {
            if text.contains('\0') {
                return Err(wrong("a NUL character in a name"));
            }
        }
        config.set_danger(url)?;
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "host" | "port" | "user" | "password" | "dbname" | "database" => {}
            "application_name" => self.application_name = value.to_owned(),
            "search_path" | "schema" => self.search_path = Some(value.to_owned()),
            "options" => self.options = Some(value.to_owned()),
            "sslmode" => self.encryption = encryption(value)?,
            "sslrootcert" => self.root_cert = Some(PathBuf::from(value)),
            // After the others, since it changes what `sslmode` means.
            "danger_accept_invalid_certs" => {}
            "target_session_attrs" => {
                self.target = match value {
                    "any" => Target::Any,
                    "read-write" | "primary" => Target::ReadWrite,
                    "read-only" | "standby" => Target::ReadOnly,
                    _ => {
                        return Err(wrong(
                            "`target_session_attrs` must be `any`, `read-write` or `read-only`",
                        ));
                    }
                }
            }
            "statement_mode" => {
                self.statement_mode = match value {
                    "named" => StatementMode::Named,
                    "unnamed" => StatementMode::Unnamed,
                    _ => return Err(wrong("`statement_mode` must be `named` or `unnamed`")),
                }
            }
            "statement_cache" | "statement_cache_size" => {
                self.statement_cache = number(name, value, 1)?;
            }
            "connect_timeout" => {
                let seconds: u32 = number(name, value, 1)?;
                self.connect_timeout = Some(Duration::from_secs(seconds.into()));
            }
            "tcp_user_timeout" => {
                let millis: u32 = number(name, value, 0)?;
                self.tcp_user_timeout = Duration::from_millis(millis.into());
            }
            "keepalives_idle" => {
                let seconds: u32 = number(name, value, 0)?;
                self.keepalives_idle = Duration::from_secs(seconds.into());
            }
            "max_connections" | "pool_size" => {
                self.max_connections = Some(number(name, value, 1)?);
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    fn set_danger(&mut self, url: &ConnectionUrl) -> Result<()> {
        let believe = match url.option("danger_accept_invalid_certs") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => {
                let message = "`danger_accept_invalid_certs` must be `true` or `false`";
                return Err(wrong(message));
            }
        };
        if believe && self.encryption == Encryption::Off {
            return Err(wrong(
                "`danger_accept_invalid_certs` has no meaning without `sslmode=require`",
            ));
        }
        if believe {
            self.encryption = Encryption::Unverified;
        }
        if self.root_cert.is_some() && self.encryption != Encryption::Verified {
            return Err(wrong(
                "`sslrootcert` has no meaning unless certificates are verified: \
                 add `sslmode=require`",
            ));
        }
        if self.encryption != Encryption::Off && cfg!(not(feature = "tls")) {
            return Err(wrong(
                "`sslmode` asks for encryption, which needs the Cargo feature `tls`",
            ));
        }
        Ok(())
    }

    /// The database for messages.
    pub(crate) fn target_name(&self) -> String {
        let hosts: Vec<String> = self.hosts.iter().map(address).collect();
        format!("{}/{}", hosts.join(","), self.database)
    }

    /// The start-up options that pin what must not depend on the server's configuration.
    pub(crate) fn startup_options(&self) -> Option<String> {
        let mut options = Vec::new();
        // A pooler may refuse them, and sets the time zone itself when it is told to.
        if self.statement_mode == StatementMode::Named {
            options.push("-c TimeZone=UTC -c standard_conforming_strings=on".to_owned());
        }
        if let Some(path) = &self.search_path {
            options.push(format!("-c search_path={}", escaped(path)));
        }
        options.extend(self.options.clone());
        (!options.is_empty()).then(|| options.join(" "))
    }
}

/// `host:port`, with brackets around IPv6 addresses.
pub(crate) fn address((host, port): &(Host, u16)) -> String {
    match host {
        Host::Tcp(host) if host.contains(':') => format!("[{host}]:{port}"),
        Host::Tcp(host) => format!("{host}:{port}"),
        Host::Unix(folder) => format!("{}:{port}", folder.display()),
    }
}

/// Start-up options are split at blanks unless these are escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_whitespace() || c == '\\' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn hosts(url: &ConnectionUrl) -> Result<Vec<(Host, u16)>> {
    let ports: Vec<u16> = match url.option("port") {
        None => url.port().into_iter().collect(),
        Some(list) => list
            .split(',')
            .map(|port| number("port", port, 1))
            .collect::<Result<_>>()?,
    };
    let names = match url.option("host").or(url.host()) {
        None | Some("") => "localhost",
        Some(names) => names,
    };
    // One IPv6 address has no port of its own here: its brackets are gone.
    let single = names.matches(':').count() > 1 && !names.contains(',');
    let names: Vec<&str> = if single {
        vec![names]
    } else {
        names.split(',').collect()
    };
    let last = names.len() - 1;
    if ports.len() > 1 && ports.len() != names.len() {
        return Err(wrong("give one `port`, or as many as hosts"));
    }
    let mut hosts = Vec::with_capacity(names.len());
    for (i, name) in names.iter().enumerate() {
        let (name, own) = match name.rsplit_once(':') {
            Some((host, port)) if !single && !name.starts_with('/') => {
                (host, Some(number("port", port, 1)?))
            }
            _ => (*name, None),
        };
        // In `host1:1,host2:2` the last port was read as that of the whole.
        let shared = match ports.len() {
            1 if url.option("port").is_some() || i == last || own.is_none() => ports.first(),
            0 | 1 => None,
            _ => ports.get(i),
        };
        let port = own.or(shared.copied()).unwrap_or(5432);
        let host = match name {
            "" => return Err(wrong("an empty host")),
            path if path.starts_with('/') => Host::Unix(PathBuf::from(path)),
            name => {
                let name = name.strip_prefix('[').unwrap_or(name);
                Host::Tcp(name.strip_suffix(']').unwrap_or(name).to_owned())
            }
        };
        if cfg!(not(unix)) && matches!(host, Host::Unix(_)) {
            return Err(wrong("this system has no Unix sockets"));
        }
        hosts.push((host, port));
    }
    Ok(hosts)
}

fn encryption(value: &str) -> Result<Encryption> {
    Ok(match value {
        "disable" => Encryption::Off,
        "require" | "verify-full" => Encryption::Verified,
        "allow" | "prefer" => {
            return Err(wrong(&format!(
                "`sslmode={value}` does not protect from anybody who can change the traffic: \
                 use `require` or `disable`"
            )));
        }
        "verify-ca" => {
            return Err(wrong(
                "`sslmode=verify-ca` believes every host that its authority signed: use `require`, \
                 which checks the name too",
            ));
        }
        _ => {
            return Err(wrong(
                "`sslmode` must be `disable`, `require` or `verify-full`",
            ));
        }
    })
}

fn wrong(message: &str) -> Error {
    Error::configuration(format!("PostgreSQL URL: {message}"))
}

fn unknown(name: &str) -> Error {
    let near = nearest_names(name, OPTIONS);
    let hint = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are `{}`", OPTIONS.join("`, `")),
    };
    wrong(&format!("unknown option `{name}`; {hint}"))
}

fn number<N: std::str::FromStr + PartialOrd + fmt::Display>(
    name: &str,
    value: &str,
    least: N,
) -> Result<N> {
    match value.parse::<N>() {
        Ok(number) if number >= least => Ok(number),
        _ => Err(wrong(&format!(
            "`{name}` must be a whole number from {least}"
        ))),
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("user", &self.user)
            .field("target", &self.target_name())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Result<Config> {
        Config::from_url(&ConnectionUrl::parse(url)?)
    }

    fn tcp(host: &str, port: u16) -> (Host, u16) {
        (Host::Tcp(host.to_owned()), port)
    }

    #[test]
    fn every_form_of_host() {
        for (url, wanted) in [
            ("postgres:///db", vec![tcp("localhost", 5432)]),
            ("postgres://h/db", vec![tcp("h", 5432)]),
            ("postgresql://h:1/db", vec![tcp("h", 1)]),
            ("postgres://[::1]:2/db", vec![tcp("::1", 2)]),
            ("postgres://a,b/db", vec![tcp("a", 5432), tcp("b", 5432)]),
            ("postgres://a:1,b:2/db", vec![tcp("a", 1), tcp("b", 2)]),
            ("postgres:///db?host=a&port=7", vec![tcp("a", 7)]),
            (
                "postgres:///db?host=a,b&port=7,8",
                vec![tcp("a", 7), tcp("b", 8)],
            ),
            (
                "postgres:///db?host=/run/pg&port=7",
                vec![(Host::Unix(PathBuf::from("/run/pg")), 7)],
            ),
            (
                "postgres://%2Frun%2Fpg/db",
                vec![(Host::Unix(PathBuf::from("/run/pg")), 5432)],
            ),
        ] {
            assert_eq!(config(url).expect(url).hosts, wanted, "{url}");
        }
    }

    #[test]
    fn names_are_decoded_and_have_defaults() {
        let all = config("postgres://u%40x:p%2Fw@h/my%20db?application_name=a%20b&schema=s,public")
            .expect("a URL");
        assert_eq!((all.user.as_str(), all.database.as_str()), ("u@x", "my db"));
        assert_eq!(all.password.as_deref(), Some("p/w"));
        assert_eq!(all.application_name, "a b");
        let options = all.startup_options().expect("options");
        assert!(options.contains("TimeZone=UTC"), "{options}");
        assert!(options.ends_with("-c search_path=s,public"), "{options}");
        assert!(!format!("{all:?}").contains("p/w"));

        let few = config("postgres://u@h?statement_mode=unnamed").expect("a URL");
        assert_eq!(few.database, "u");
        assert_eq!(few.startup_options(), None);
    }

    #[test]
    fn wrong_urls_say_what_to_do() {
        for (url, hint) in [
            ("postgres://h/db?sslmod=require", "`sslmode`"),
            ("postgres://h/db?sslmode=prefer", "`require`"),
            ("postgres://h/db?sslmode=verify-ca", "`require`"),
            ("postgres://h/db?sslrootcert=ca.pem", "`sslmode=require`"),
            (
                "postgres://h/db?danger_accept_invalid_certs=true",
                "`sslmode=require`",
            ),
            ("postgres://h/db?statement_mode=fast", "`unnamed`"),
            ("postgres://h/db?statement_cache=0", "from 1"),
            ("postgres://h/db?connect_timeout=soon", "whole number"),
            ("postgres://h/db?max_connections=2&pool_size=3", "not both"),
            ("postgres://h/db?host=a,,b", "empty host"),
            ("postgres://h/db?host=a,b,c&port=1,2", "as many as hosts"),
        ] {
            let error = config(url).expect_err(url).to_string();
            assert!(error.contains(hint), "{url}: {error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn encryption_names_the_feature_that_it_needs() {
        let error = config("postgres://h/db?sslmode=require").expect_err("no TLS");
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }

    /// The rows of the page that begin with options: their names and their last columns.
    fn documented() -> Vec<(String, String)> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/backends/postgres.md");
        let page = std::fs::read_to_string(page).expect("the page is in the repository");
        let table = page
            .split_once("| option | meaning | default |")
            .expect("a table")
            .1;
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut found = Vec::new();
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            assert_eq!(cells.len(), 3, "{row}");
            let names = cells[0].split('`').skip(1).step_by(2);
            found.extend(names.map(|name| (name.to_owned(), cells[2].to_owned())));
        }
        found
    }

    #[test]
    fn every_option_has_a_row_in_the_manual() {
        let documented = documented();
        for option in OPTIONS {
            let row = documented.iter().find(|(name, _)| name == option);
            let (_, default) = row.unwrap_or_else(|| panic!("`{option}` has no row"));
            assert!(!default.is_empty(), "`{option}` has no default");
            let brief = include_str!("lib.rs").contains(&format!("`{option}`"));
            assert!(brief, "`{option}` is not in the crate's documentation");
        }
        for (name, _) in &documented {
            assert!(
                OPTIONS.contains(&name.as_str()),
                "there is no option `{name}`"
            );
        }
    }
}
