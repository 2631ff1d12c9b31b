//! The grammar of connection URLs, the same for all drivers.

use crate::error::{Error, Result};
use std::fmt;

/// A parsed connection URL: `scheme://user:password@host:port/path?name=value`, or
/// `scheme:path?name=value` for files. Percent-encoding is decoded. `Debug` and `Display` show no
/// password.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionUrl {
    scheme: String,
    user: Option<String>,
    password: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    path: String,
    options: Vec<(String, String)>,
}

impl ConnectionUrl {
    /// Parses a URL.
    ///
    /// # Errors
    /// `Configuration` that names the part that is wrong, and never repeats the password.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |part: &str| Error::configuration(format!("connection URL: {part}"));
        let (scheme, rest) = url
            .split_once(':')
            .ok_or_else(|| wrong("no scheme; write `scheme:path` or `scheme://host/database`"))?;
        if scheme.is_empty()
            || !scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '+')
        {
            return Err(wrong(
                "the scheme (before the first `:`) must be letters and digits",
            ));
        }
        let (rest, query) = rest
            .split_once('?')
            .map_or((rest, ""), |(rest, query)| (rest, query));
        let mut parsed = ConnectionUrl {
            scheme: scheme.to_ascii_lowercase(),
            user: None,
            password: None,
            host: None,
            port: None,
            path: String::new(),
            options: Vec::new(),
        };
        match rest.strip_prefix("//") {
            None => {
                parsed.path =
                    decode(rest).ok_or_else(|| wrong("bad percent-encoding in the path"))?
            }
            Some(rest) => {
                let (authority, path) = rest.find('/').map_or((rest, ""), |i| rest.split_at(i));
                // What was meant as a password would otherwise be taken for a path or an option,
                // and stand in messages.
                let cut = authority.contains(':') && !authority.contains('@');
                if cut && (path.contains('@') || query.contains('@')) {
                    return Err(wrong(
                        "`/` and `?` in a user or password must be percent-encoded: `%2F`, `%3F`",
                    ));
                }
                parsed.path =
                    decode(path).ok_or_else(|| wrong("bad percent-encoding in the path"))?;
                parsed.authority(authority)?;
            }
        }
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name =
                decode(name).ok_or_else(|| wrong("bad percent-encoding in an option's name"))?;
            let value =
                decode(value).ok_or_else(|| wrong("bad percent-encoding in an option's value"))?;
            if parsed.options.iter().any(|(known, _)| *known == name) {
                return Err(wrong(&format!("the option `{name}` is given twice")));
            }
            parsed.options.push((name, value));
        }
        Ok(parsed)
    }

    fn authority(&mut self, authority: &str) -> Result<()> {
        let wrong = |part: &str| Error::configuration(format!("connection URL: {part}"));
        let (login, address) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(l, a)| (Some(l), a));
        if let Some(login) = login {
            let (user, password) = login
                .split_once(':')
                .map_or((login, None), |(u, p)| (u, Some(p)));
            self.user =
                Some(decode(user).ok_or_else(|| wrong("bad percent-encoding in the user"))?);
            self.password = match password {
                None => None,
                Some(p) => {
                    Some(decode(p).ok_or_else(|| wrong("bad percent-encoding in the password"))?)
                }
            };
        }
        let is_v6 = |c: char| c.is_ascii_hexdigit() || c == ':';
        if address.matches(':').count() > 1 && address.chars().all(is_v6) {
            return Err(wrong("an IPv6 address stands in brackets: `[::1]`"));
        }
        let (host, port) = match address.strip_prefix('[') {
            Some(v6) => {
                let (host, rest) = v6
                    .split_once(']')
                    .ok_or_else(|| wrong("`[` without `]` in the host"))?;
                (host, rest.strip_prefix(':'))
            }
            None => address
                .rsplit_once(':')
                .map_or((address, None), |(host, port)| (host, Some(port))),
        };
        if !host.is_empty() {
            self.host =
                Some(decode(host).ok_or_else(|| wrong("bad percent-encoding in the host"))?);
        }
        self.port = match port {
            None | Some("") => None,
            Some(port) => match port.parse() {
                Ok(port) if port > 0 => Some(port),
                _ => return Err(wrong("the port must be a number from 1 to 65535")),
            },
        };
        Ok(())
    }

    /// The scheme, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The user.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The password.
    pub fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The host, without brackets.
    pub fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// The port.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The path, with its leading `/` in the form with `//`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The options, in the order given; no name occurs twice.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.options
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

fn decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.scheme)?;
        if let Some(host) = &self.host {
            f.write_str("//")?;
            if let Some(user) = &self.user {
                write!(f, "{user}@")?;
            }
            f.write_str(host)?;
            if let Some(port) = self.port {
                write!(f, ":{port}")?;
            }
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_memory_and_servers_parse() {
        let url = ConnectionUrl::parse("sqlite::memory:").expect("memory");
        assert_eq!((url.scheme(), url.path()), ("sqlite", ":memory:"));
        let url = ConnectionUrl::parse("sqlite:///var/a%20b.db?mode=ro").expect("file");
        assert_eq!(
            (url.path(), url.option("mode")),
            ("/var/a b.db", Some("ro"))
        );
        let url = ConnectionUrl::parse("postgres://u:p%40%3A@[::1]:5432/db").expect("server");
        assert_eq!((url.user(), url.password()), (Some("u"), Some("p@:")));
        assert_eq!(
            (url.host(), url.port(), url.path()),
            (Some("::1"), Some(5432), "/db")
        );
    }

    #[test]
    fn errors_and_debug_never_repeat_the_password() {
        let url = ConnectionUrl::parse("postgres://u:canary@h/db").expect("parses");
        assert!(!format!("{url} {url:?}").contains("canary"));
        for (url, hint) in [
            ("postgres://u:canary@h:70000/db", "port"),
            ("postgres://u:1/canary@h/db", "%2F"),
            ("postgres://u:1?canary@h/db", "%3F"),
            ("postgres://u:%c@h/db?canary", "password"),
            ("postgres://u:canary@::1/db", "[::1]"),
        ] {
            let error = ConnectionUrl::parse(url).expect_err(url);
            assert!(error.to_string().contains(hint), "{url}: {error}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }
}
