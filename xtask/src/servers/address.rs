//! The part of a connection URL that a handshake needs.

use std::fmt;

/// Where a server is and who asks; `Display` leaves the password out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    pub(crate) database: String,
}

/// A text that `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Address {
    /// A user without a password on this machine.
    pub(crate) fn local(scheme: &str, user: &str, port: u16, database: &str) -> Self {
        Address {
            scheme: scheme.to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
            user: user.to_owned(),
            password: None,
            database: database.to_owned(),
        }
    }

    /// Reads `scheme://user:password@host:port/database?options`; the options are for the driver.
    ///
    /// # Errors
    /// If a part that a handshake needs is missing or cannot be read. The text is not repeated, as
    /// it may hold a password.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("it has no `scheme://`")?;
        let standard = match scheme {
            "postgres" | "postgresql" => 5432,
            "mysql" | "mariadb" => 3306,
            _ => return Err(format!("`{scheme}` is no scheme of a server")),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decode(password)?).filter(|p| !p.is_empty())),
            None => (login, None),
        };
        if user.is_empty() {
            return Err("it names no user".to_owned());
        }
        let (host, port) = host_and_port(place, standard)?;
        Ok(Address {
            scheme: scheme.to_owned(),
            host,
            port,
            user: decode(user)?,
            password: password.map(Secret),
            database: decode(database)?,
        })
    }

    /// As a URL without the password; names that need it are percent-encoded.
    pub(crate) fn url(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let (scheme, user, port) = (&self.scheme, encode(&self.user), self.port);
        format!("{scheme}://{user}@{host}:{port}/{}", encode(&self.database))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())
    }
}

fn host_and_port(place: &str, standard: u16) -> Result<(String, u16), String> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest
                .split_once(']')
                .ok_or("`[` of its host is not closed")?;
            (host, port.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() || host.contains('%') || host.starts_with('/') {
        return Err("it names no host; a path of a Unix socket is not understood here".to_owned());
    }
    let port = match port {
        Some(port) => port.parse().map_err(|_| "its port is no number")?,
        None => standard,
    };
    Ok((host.to_owned(), port))
}

fn decode(text: &str) -> Result<String, String> {
    let bad = || "a `%` in it is not followed by two hexadecimal digits".to_owned();
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = after
            .get(..2)
            .filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let digits = digits
            .and_then(|d| std::str::from_utf8(d).ok())
            .ok_or_else(bad)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 after decoding".to_owned())
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_url_are_told_apart() {
        let url = "postgres://an%40n:p%3Aw@db.example:6000/my%20db?sslmode=require";
        let address = Address::parse(url).unwrap();
        assert_eq!(address.user, "an@n");
        assert_eq!(address.password, Some(Secret("p:w".to_owned())));
        assert_eq!((address.host.as_str(), address.port), ("db.example", 6000));
        assert_eq!(address.database, "my db");
        assert_eq!(
            address.to_string(),
            "postgres://an%40n@db.example:6000/my%20db"
        );
    }

    #[test]
    fn port_and_database_have_defaults() {
        let address = Address::parse("mariadb://root@[::1]").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("::1", 3306));
        assert_eq!(
            (address.database.as_str(), address.password.clone()),
            ("", None)
        );
        assert_eq!(address.url(), "mariadb://root@[::1]:3306/");
        assert_eq!(Address::parse("postgresql://a@h").unwrap().port, 5432);
    }

    #[test]
    fn the_password_is_not_shown() {
        let good = Address::parse("mysql://u:canary@h/d").unwrap();
        assert!(!format!("{good:?} {good}").contains("canary"));
        for bad in [
            "mysql:u:canary@h",
            "mysql://u:canary%G@h",
            "mysql://u:canary@h:x",
            "mysql://u:canary@",
        ] {
            let error = Address::parse(bad).unwrap_err();
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (url, part) in [
            ("sqlite://x", "no scheme of a server"),
            ("postgres://host/db", "names no user"),
            ("postgres://u@%2Frun%2Fpg/db", "Unix socket"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
