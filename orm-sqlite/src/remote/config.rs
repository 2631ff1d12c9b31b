//! What the URL of a libSQL server asks for.

use orm_core::backend::ConnectionUrl;
use orm_core::error::{Error, Result, nearest_names};
use std::{fmt, time::Duration};

/// Everything that the URL decides. `Debug` shows no token.
#[derive(Clone)]
pub(super) struct Config {
    /// `https://host:port` or `http://host:port`.
    pub(super) base: String,
    /// The host and port, for messages.
    pub(super) target: String,
    pub(super) token: String,
    pub(super) namespace: Option<String>,
    pub(super) request_timeout: Duration,
    pub(super) busy_timeout: Duration,
    pub(super) max_connections: Option<usize>,
    pub(super) statement_cache: usize,
}

const OPTIONS: [&str; 7] = [
    "authToken",
    "namespace",
    "request_timeout",
    "busy_timeout",
    "max_connections",
    "pool_size",
    "statement_cache",
];

impl Config {
    /// Reads a URL.
    pub(super) fn from_url(url: &ConnectionUrl) -> Result<Self> {
        if url.user().is_some() || url.password().is_some() {
            return Err(wrong("there are no users; write `?authToken=..`"));
        }
        if !matches!(url.path(), "" | "/") {
            return Err(wrong(
                "a server has no path; for a file write `libsql:path` or `sqlite:path`",
            ));
        }
        let host = url.host().unwrap_or("");
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(named) {
            return Err(wrong("the host must be a name or an address"));
        }
        let host = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let target = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        let scheme = if url.scheme() == "libsql+http" {
            "http"
        } else {
            "https"
        };
        let mut config = Config {
            base: format!("{scheme}://{target}"),
            target,
            token: String::new(),
            namespace: None,
            request_timeout: Duration::from_secs(60),
            busy_timeout: Duration::from_secs(5),
            max_connections: None,
            statement_cache: 256,
        };
        for (name, value) in url.options() {
            config.set(name, value)?;
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        match name {
            "authToken" => {
                if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(wrong("`authToken` must be letters, digits and signs"));
                }
                value.clone_into(&mut self.token);
            }
            "namespace" => {
                if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(wrong("`namespace` must be letters, digits and signs"));
                }
                self.namespace = Some(value.to_owned());
            }
            "request_timeout" => self.request_timeout = millis(name, value, 1)?,
            "busy_timeout" => self.busy_timeout = millis(name, value, 0)?,
            "max_connections" | "pool_size" => {
                if self.max_connections.is_some() {
                    return Err(wrong("give `max_connections` or `pool_size`, not both"));
                }
                self.max_connections = Some(number(name, value, 1)?);
            }
            "statement_cache" => self.statement_cache = number(name, value, 1)?,
            "replica" => {
                return Err(wrong(
                    "embedded replicas are not supported; leave `replica` out",
                ));
            }
            _ => {
                let near = nearest_names(name, OPTIONS);
                let hint = match near.first() {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known are `{}`", OPTIONS.join("`, `")),
                };
                return Err(wrong(&format!("unknown option `{name}`; {hint}")));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

fn wrong(message: &str) -> Error {
    Error::configuration(format!("libSQL URL: {message}"))
}

fn millis(name: &str, value: &str, least: usize) -> Result<Duration> {
    let millis = number(name, value, least)?;
    Ok(Duration::from_millis(
        u64::try_from(millis).unwrap_or(u64::MAX),
    ))
}

fn number(name: &str, value: &str, least: usize) -> Result<usize> {
    match value.parse::<usize>() {
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
    fn hosts_become_addresses_and_tls_is_the_default() {
        for (url, base) in [
            ("libsql://db.example.com", "https://db.example.com"),
            (
                "libsql://db.example.com:8443/",
                "https://db.example.com:8443",
            ),
            ("libsql+http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("libsql+http://[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(config(url).expect(url).base, base);
        }
        let all = "libsql://h?authToken=a.b&namespace=n&request_timeout=9&pool_size=3";
        let all = config(all).expect("options");
        assert_eq!((all.token.as_str(), all.max_connections), ("a.b", Some(3)));
        assert_eq!(all.request_timeout, Duration::from_millis(9));
    }

    #[test]
    fn wrong_urls_say_what_to_do_and_never_repeat_the_token() {
        for (url, hint) in [
            ("libsql://u:canary@h", "authToken"),
            ("libsql://h/x.db?authToken=canary", "no path"),
            ("libsql://h?authToken=canary&replica=a.db", "replica"),
            ("libsql://h?authToken=canary%0A", "`authToken` must be"),
            ("libsql://h?autToken=canary", "`authToken`"),
            ("libsql://h?authToken=canary&request_timeout=0", "from 1"),
            ("libsql://h%2Fcanary", "the host"),
        ] {
            let error = config(url).expect_err(url);
            let text = format!("{error} {error:?}");
            assert!(text.contains(hint), "{url}: {text}");
            assert!(!text.contains("canary"), "{text}");
        }
        let config = config("libsql://h?authToken=canary").expect("a URL");
        assert!(!format!("{config:?}").contains("canary"));
    }
}
