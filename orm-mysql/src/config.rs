//! What a MariaDB or MySQL URL asks for.

use mysql_async::{Compression, Opts, OptsBuilder, SslOpts};
use orm_core::backend::ConnectionUrl;
use orm_core::error::{Error, Result, nearest_names};
use std::{fmt, time::Duration};

/// Everything that the URL decides. Shows no password.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: Option<String>,
    password: Option<String>,
    pub(crate) database: String,
    pub(crate) socket: Option<String>,
    pub(crate) max_connections: Option<usize>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) statement_cache: usize,
    pub(crate) encrypted: bool,
    tls: Tls,
    compression: bool,
    tcp_keepalive: Option<Duration>,
    program_name: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct Tls {
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
    any_certificate: bool,
    /// What the certificate names, if not the host of the URL.
    host_name: Option<String>,
}

const OPTIONS: [&str; 15] = [
    "socket",
    "max_connections",
    "pool_size",
    "connect_timeout",
    "statement_cache",
    "ssl_mode",
    "ssl_ca",
    "ssl_cert",
    "ssl_key",
    "danger_accept_invalid_certs",
    "ssl_host_name",
    "compression",
    "tcp_keepalive",
    "program_name",
    "charset",
];

/// The largest packet that the protocol knows. The server's own limit is checked before sending.
const PROTOCOL_LIMIT: usize = 1 << 30;

impl Config {
    /// Reads a URL.
    pub(crate) fn from_url(url: &ConnectionUrl) -> Result<Self> {
        let database = url.path().strip_prefix('/').unwrap_or("");
        if database.is_empty() {
            return Err(wrong(
                "no database; write `mysql://user:password@host/database`",
            ));
        }
        let mut config = Config {
            host: url.host().unwrap_or("localhost").to_owned(),
            port: url.port().unwrap_or(3306),
            user: url
                .user()
                .filter(|user| !user.is_empty())
                .map(str::to_owned),
            password: url.password().map(str::to_owned),
            database: database.to_owned(),
            socket: None,
            max_connections: None,
            connect_timeout: None,
            statement_cache: 256,
            encrypted: false,
            tls: Tls::default(),
            compression: false,
            tcp_keepalive: Some(Duration::from_secs(15)),
            program_name: None,
        };
        for text in [&config.host, &config.database]
            .into_iter()
            .chain(&config.user)
        {
            if text.contains('\0') {
                return Err(wrong("user, host and database must not contain NUL"));
            }
        }
        for (name, value) in url.options() {
            config.set(name, value)?;
        }
        config.check()?;
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "socket" => self.socket = Some(path(name, value)?),
            "max_connections" | "pool_size" => {
                if self.max_connections.is_some() {
                    return Err(wrong("give `max_connections` or `pool_size`, not both"));
                }
                self.max_connections = Some(number(name, value, 1)?);
            }
            "connect_timeout" => {
                let seconds: u32 = number(name, value, 1)?;
                self.connect_timeout = Some(Duration::from_secs(seconds.into()));
            }
            "statement_cache" => self.statement_cache = number(name, value, 1)?,
            "ssl_mode" => {
                self.encrypted = match value {
                    "disabled" => false,
                    "required" => true,
                    _ => return Err(wrong("`ssl_mode` must be `disabled` or `required`")),
                }
            }
            "ssl_ca" => self.tls.ca = Some(path(name, value)?),
            "ssl_cert" => self.tls.cert = Some(path(name, value)?),
            "ssl_key" => self.tls.key = Some(path(name, value)?),
            "danger_accept_invalid_certs" => self.tls.any_certificate = switch(name, value)?,
            "ssl_host_name" if value.is_empty() => {
                return Err(wrong("`ssl_host_name` must be the name in the certificate"));
            }
            "ssl_host_name" => self.tls.host_name = Some(value.to_owned()),
            "compression" => self.compression = switch(name, value)?,
            "tcp_keepalive" => {
                let seconds: u32 = number(name, value, 0)?;
                self.tcp_keepalive = (seconds > 0).then(|| Duration::from_secs(u64::from(seconds)));
            }
            "program_name" => self.program_name = Some(value.to_owned()),
            "charset" if value.eq_ignore_ascii_case("utf8mb4") => {}
            "charset" => {
                return Err(wrong(
                    "`charset` must be `utf8mb4`: no other character set holds all text",
                ));
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let tls = &self.tls;
        let asks = tls.ca.is_some()
            || tls.cert.is_some()
            || tls.key.is_some()
            || tls.any_certificate
            || tls.host_name.is_some();
        if asks && !self.encrypted {
            return Err(wrong(
                "options of encryption have no meaning without `ssl_mode=required`",
            ));
        }
        if self.encrypted && self.socket.is_some() {
            return Err(wrong(
                "a Unix socket is not encrypted; remove `ssl_mode` or `socket`",
            ));
        }
        if tls.cert.is_some() != tls.key.is_some() {
            return Err(wrong("`ssl_cert` and `ssl_key` belong together"));
        }
        if self.encrypted && cfg!(not(feature = "tls")) {
            return Err(wrong(
                "`ssl_mode=required` needs the Cargo feature `tls` of fast-django",
            ));
        }
        Ok(())
    }

    /// Fails when a file of certificates or keys cannot be used, before anything is sent.
    pub(crate) fn check_files(&self) -> Result<()> {
        let tls = &self.tls;
        let files = [
            ("ssl_ca", &tls.ca, "CERTIFICATE"),
            ("ssl_cert", &tls.cert, "CERTIFICATE"),
            ("ssl_key", &tls.key, "PRIVATE KEY"),
        ];
        for (name, path, what) in files {
            let Some(path) = path else { continue };
            let fault = match std::fs::read(path) {
                Ok(text) if String::from_utf8_lossy(&text).contains(what) => continue,
                Ok(_) => format!("holds no {} in PEM", what.to_ascii_lowercase()),
                Err(error) => error.to_string(),
            };
            return Err(wrong(&format!("`{name}={path}`: {fault}")));
        }
        Ok(())
    }

    /// Where it connects to, for messages.
    pub(crate) fn target(&self) -> String {
        match &self.socket {
            Some(socket) => format!("{socket}/{}", self.database),
            None if self.host.contains(':') => {
                format!("[{}]:{}/{}", self.host, self.port, self.database)
            }
            None => format!("{}:{}/{}", self.host, self.port, self.database),
        }
    }

    /// Whether a password would cross a network in a form that others may read or attack.
    pub(crate) fn exposes_password(&self) -> bool {
        let local = self.socket.is_some()
            || self.host == "localhost"
            || self
                .host
                .parse()
                .is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        self.password.is_some() && !self.encrypted && !local
    }

    /// The driver's options.
    pub(crate) fn opts(&self) -> Opts {
        let mut opts = OptsBuilder::default()
            .ip_or_hostname(&self.host)
            .tcp_port(self.port)
            .user(self.user.as_ref())
            .pass(self.password.as_ref())
            .db_name(Some(&self.database))
            .socket(self.socket.as_ref())
            // Never changes the way it connects by itself.
            .prefer_socket(false)
            // We keep statements by number, not by text.
            .stmt_cache_size(0)
            .client_found_rows(true)
            .tcp_nodelay(true)
            .tcp_keepalive(self.tcp_keepalive)
            // Given, so that connecting does not ask for them.
            .max_allowed_packet(Some(PROTOCOL_LIMIT))
            .wait_timeout(Some(28_800))
            .ssl_opts(self.ssl_opts());
        if self.compression {
            opts = opts.compression(Compression::default());
        }
        if let Some(name) = &self.program_name {
            opts = opts.connect_attribute("program_name", name);
        }
        Opts::from(opts)
    }

    fn ssl_opts(&self) -> Option<SslOpts> {
        if !self.encrypted {
            return None;
        }
        let mut opts = SslOpts::default()
            .with_danger_accept_invalid_certs(self.tls.any_certificate)
            .with_danger_tls_hostname_override(self.tls.host_name.clone());
        if let Some(ca) = &self.tls.ca {
            opts = opts.with_root_certs(vec![std::path::PathBuf::from(ca).into()]);
        }
        #[cfg(feature = "tls")]
        if let (Some(cert), Some(key)) = (&self.tls.cert, &self.tls.key) {
            let path = |path: &str| std::path::PathBuf::from(path).into();
            let identity = mysql_async::ClientIdentity::new(path(cert), path(key));
            opts = opts.with_client_identity(Some(identity));
        }
        Some(opts)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("target", &self.target())
            .finish_non_exhaustive()
    }
}

fn wrong(message: &str) -> Error {
    Error::configuration(format!("MySQL URL: {message}"))
}

fn unknown(name: &str) -> Error {
    let near = nearest_names(name, OPTIONS);
    let hint = match near.first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are `{}`", OPTIONS.join("`, `")),
    };
    wrong(&format!("unknown option `{name}`; {hint}"))
}

fn path(name: &str, value: &str) -> Result<String> {
    match value {
        "" => Err(wrong(&format!("`{name}` must be a path"))),
        value => Ok(value.to_owned()),
    }
}

fn switch(name: &str, value: &str) -> Result<bool> {
    match value {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong(&format!("`{name}` must be `true` or `false`"))),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> Result<Config> {
        Config::from_url(&ConnectionUrl::parse(url)?)
    }

    #[test]
    fn every_part_is_decoded() {
        let found = config("mariadb://a%40b:p%2F%3A@[::1]:3307/my%20db?socket=/run/my.sock");
        let found = found.expect("a URL");
        assert_eq!((found.host.as_str(), found.port), ("::1", 3307));
        assert_eq!(found.user.as_deref(), Some("a@b"));
        assert_eq!(found.password.as_deref(), Some("p/:"));
        assert_eq!(found.database, "my db");
        assert_eq!(found.target(), "/run/my.sock/my db");
        let plain = config("mysql://h/db?tcp_keepalive=0&pool_size=3&charset=utf8mb4");
        let plain = plain.expect("a URL");
        assert_eq!((plain.port, plain.max_connections), (3306, Some(3)));
        assert_eq!((plain.tcp_keepalive, plain.user), (None, None));
        assert_eq!(
            config("mysql://[::1]/db").expect("a URL").target(),
            "[::1]:3306/db"
        );
    }

    #[test]
    fn wrong_urls_say_what_to_do() {
        for (url, hint) in [
            ("mysql://h", "no database"),
            ("mysql://h/db?sokket=/x", "`socket`"),
            ("mysql://h/db?ssl_mode=maybe", "`required`"),
            ("mysql://h/db?ssl_ca=/ca.pem", "ssl_mode=required"),
            ("mysql://h/db?max_connections=0", "from 1"),
            ("mysql://h/db?connect_timeout=soon", "from 1"),
            ("mysql://h/db?sslmode=required", "`ssl_mode`"),
            ("mysql://h/db?max_connections=1&pool_size=1", "not both"),
            ("mysql://h/db?compression=yes", "`true`"),
            ("mysql://h/db?charset=latin1", "`utf8mb4`"),
            ("mysql://h/db?socket=", "a path"),
            ("mysql://h/db?ssl_mode=required&ssl_host_name=", "the name"),
            ("mysql://h/d%00b", "NUL"),
        ] {
            let error = config(url).expect_err(url).to_string();
            assert!(error.contains(hint), "{url}: {error}");
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn encryption_names_the_feature_it_needs() {
        let error = config("mysql://h/db?ssl_mode=required").expect_err("no TLS");
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }

    #[cfg(feature = "tls")]
    #[test]
    fn certificates_are_verified_unless_told_otherwise() {
        let required = config("mysql://h/db?ssl_mode=required").expect("a URL");
        let opts = required.ssl_opts().expect("encrypted");
        assert!(!opts.accept_invalid_certs() && !opts.skip_domain_validation());
        let lax = "mysql://h/db?ssl_mode=required&danger_accept_invalid_certs=true";
        let opts = config(lax).expect("a URL").ssl_opts().expect("encrypted");
        assert!(opts.accept_invalid_certs());
    }

    #[test]
    fn a_password_is_never_shown_and_not_sent_in_the_open_unnoticed() {
        let found = config("mysql://u:canary@db.example/x").expect("a URL");
        assert!(!format!("{found:?} {}", found.target()).contains("canary"));
        assert!(found.exposes_password());
        assert!(
            !config("mysql://u:p@127.0.0.1/x")
                .expect("a URL")
                .exposes_password()
        );
    }

    /// The rows of the page that begin with options: their names and their last columns.
    fn documented() -> Vec<(String, String)> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/backends/mysql.md");
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
