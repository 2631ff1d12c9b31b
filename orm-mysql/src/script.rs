//! A reader of SQL text: where statements end, and which commit by themselves.

/// The statements of a text, without those that are empty or only comments.
pub(crate) fn statements(sql: &str) -> Vec<&str> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let (mut start, mut at, mut content) = (0, 0, false);
    while at < bytes.len() {
        let next = skip(bytes, at);
        match next {
            Skipped::Comment(end) => at = end,
            Skipped::Quoted(end) => {
                content = true;
                at = end;
            }
            Skipped::Nothing => {
                if bytes[at] == b';' {
                    if content {
                        found.push(sql[start..at].trim());
                    }
                    (start, content) = (at + 1, false);
                } else if !bytes[at].is_ascii_whitespace() {
                    content = true;
                }
                at += 1;
            }
        }
    }
    if content {
        found.push(sql[start..].trim());
    }
    found
}

enum Skipped {
    Comment(usize),
    Quoted(usize),
    Nothing,
}

/// Passes a comment or something in quotes that begins at `at`. Ends are byte positions after an
/// ASCII character, or the end of the text.
fn skip(bytes: &[u8], at: usize) -> Skipped {
    let rest = &bytes[at..];
    let line = || {
        at + rest
            .iter()
            .position(|b| *b == b'\n')
            .map_or(rest.len(), |i| i + 1)
    };
    match rest {
        [b'#', ..] => Skipped::Comment(line()),
        [b'-', b'-'] => Skipped::Comment(line()),
        [b'-', b'-', space, ..] if space.is_ascii_whitespace() => Skipped::Comment(line()),
        // `/*!` and `/*M!` are no comments: the server runs what is in them.
        [b'/', b'*', b'!', ..] | [b'/', b'*', b'M', b'!', ..] => Skipped::Nothing,
        [b'/', b'*', ..] => {
            let end = rest.windows(2).skip(2).position(|pair| pair == b"*/");
            Skipped::Comment(end.map_or(bytes.len(), |i| at + i + 4))
        }
        [quote @ (b'\'' | b'"' | b'`'), ..] => {
            let mut i = 1;
            while i < rest.len() {
                match rest[i] {
                    b'\\' if *quote != b'`' => i += 2,
                    b if b == *quote => return Skipped::Quoted(at + i + 1),
                    _ => i += 1,
                }
            }
            Skipped::Quoted(bytes.len())
        }
        _ => Skipped::Nothing,
    }
}

/// The first words of a statement, in lower case, past comments.
fn words(sql: &str) -> impl Iterator<Item = String> + '_ {
    let bytes = sql.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !bytes[at].is_ascii_alphabetic() {
            match skip(bytes, at) {
                Skipped::Comment(end) => at = end,
                Skipped::Quoted(_) => return None,
                Skipped::Nothing if bytes[at].is_ascii_whitespace() || bytes[at] == b'(' => at += 1,
                Skipped::Nothing => return None,
            }
        }
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let end = rest
            .iter()
            .position(|b| !(b.is_ascii_alphanumeric() || *b == b'_'));
        let end = at + end.unwrap_or(rest.len());
        let word = sql.get(at..end)?.to_ascii_lowercase();
        at = end;
        Some(word)
    })
}

/// Whether the statement ends an open transaction by itself (MySQL manual, "Statements That Cause
/// an Implicit Commit").
pub(crate) fn commits_implicitly(sql: &str) -> bool {
    let mut words = words(sql);
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    match first.as_str() {
        "create" | "drop" => second != "temporary",
        "begin" | "start" | "lock" | "unlock" | "alter" | "rename" | "truncate" | "grant"
        | "revoke" | "analyze" | "optimize" | "repair" | "check" | "cache" | "flush" | "reset"
        | "install" | "uninstall" => true,
        "set" => second == "password" || second == "autocommit" || second == "default",
        "load" => second == "index",
        _ => false,
    }
}

/// The table that an INSERT, REPLACE, UPDATE or DELETE names, and its schema if it names one.
pub(crate) fn changed_table(sql: &str) -> Option<(Option<String>, String)> {
    let mut words = words(sql);
    let at = match words.next()?.as_str() {
        "insert" | "replace" | "delete" => words
            .by_ref()
            .take(4)
            .find(|w| w == "into" || w == "from")?,
        "update" => "update".to_owned(),
        _ => return None,
    };
    let found = sql.to_ascii_lowercase().find(&at)? + at.len();
    let (first, rest) = identifier(sql.get(found..)?)?;
    match rest.strip_prefix('.').map(identifier) {
        Some(second) => Some((Some(first), second?.0)),
        None => Some((None, first)),
    }
}

/// A name, in backticks or bare, and what follows it.
fn identifier(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('`') {
        let mut name = String::new();
        let mut chars = quoted.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match (c, chars.peek()) {
                ('`', Some((_, '`'))) => {
                    chars.next();
                    name.push('`');
                }
                ('`', _) => return Some((name, &quoted[at + 1..])),
                _ => name.push(c),
            }
        }
        return None;
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}

/// Whether the statement inserts, updates or deletes rows, or may.
pub(crate) fn changes_rows(sql: &str) -> bool {
    let known = [
        "insert", "update", "delete", "replace", "with", "load", "call", "execute",
    ];
    words(sql)
        .next()
        .is_some_and(|first| known.contains(&first.as_str()))
}

/// Whether the statement does nothing but change rows, which takes effect with the transaction
/// around it. Procedures may commit.
pub(crate) fn only_changes_rows(sql: &str) -> bool {
    let known = ["insert", "update", "delete", "replace", "with"];
    words(sql)
        .next()
        .is_some_and(|first| known.contains(&first.as_str()))
}

/// Whether the statement may change settings of the session.
pub(crate) fn sets_something(sql: &str) -> bool {
    let first = words(sql).next().unwrap_or_default();
    matches!(first.as_str(), "set" | "call" | "execute" | "do" | "select")
        && (first != "select" || sql.contains("@@") || sql.contains(":="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_statements_and_comments_are_left_out() {
        let text = "; -- one;\n SELECT 1; /* ; */ ;# x;\nSELECT ';', \"a\\\";\", `;`;--";
        assert_eq!(
            statements(text),
            ["-- one;\n SELECT 1", "# x;\nSELECT ';', \"a\\\";\", `;`"]
        );
        assert_eq!(statements("  \n-- nothing"), [""; 0]);
        assert_eq!(
            statements("/*!40101 SET x = 1 */;"),
            ["/*!40101 SET x = 1 */"]
        );
        assert_eq!(statements("SELECT 'never closed"), ["SELECT 'never closed"]);
        assert_eq!(statements("SELECT 1--2; /* open"), ["SELECT 1--2"]);
    }

    #[test]
    fn the_changed_table_is_found() {
        let named =
            |schema: Option<&str>, table: &str| Some((schema.map(str::to_owned), table.to_owned()));
        for (sql, wanted) in [
            ("INSERT INTO `a``b` (x) VALUES (1)", named(None, "a`b")),
            ("insert ignore into db.t values (1)", named(Some("db"), "t")),
            ("UPDATE `db`.`t` SET a = 1", named(Some("db"), "t")),
            ("/* c */ REPLACE INTO t$1 VALUES (1)", named(None, "t$1")),
            ("DELETE FROM t", named(None, "t")),
            ("SELECT 1", None),
            ("INSERT", None),
        ] {
            assert_eq!(changed_table(sql), wanted, "{sql}");
        }
    }

    #[test]
    fn statements_that_commit_are_known() {
        for sql in [
            "CREATE TABLE t (a INT)",
            "/* x */ drop table t",
            "TRUNCATE t",
            " begin",
        ] {
            assert!(commits_implicitly(sql), "{sql}");
        }
        for sql in [
            "CREATE TEMPORARY TABLE t (a INT)",
            "SELECT 1",
            "(SELECT 1)",
            "",
            "SET @a = 1",
        ] {
            assert!(!commits_implicitly(sql), "{sql}");
        }
    }
}
