//! What the text of one statement says about itself: the server does not tell before it runs.

/// Findings about one statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    /// The first word; empty when the text begins with something else.
    first: &'a str,
    /// How many values it takes.
    pub(super) placeholders: usize,
    returning: bool,
    to: bool,
}

const CHANGES: [&str; 5] = ["INSERT", "REPLACE", "UPDATE", "DELETE", "WITH"];
/// Statements that answer with rows only by RETURNING, or never.
const WITHOUT_ROWS: [&str; 17] = [
    "INSERT",
    "REPLACE",
    "UPDATE",
    "DELETE",
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "CREATE",
    "DROP",
    "ALTER",
    "REINDEX",
    "ANALYZE",
    "ATTACH",
    "DETACH",
];

impl Shape<'_> {
    fn starts_with(&self, words: &[&str]) -> bool {
        words
            .iter()
            .any(|word| self.first.eq_ignore_ascii_case(word))
    }

    /// Whether it may answer with rows.
    pub(super) fn has_rows(&self) -> bool {
        self.returning || !self.starts_with(&WITHOUT_ROWS)
    }

    /// Whether it may change rows.
    pub(super) fn changes_rows(&self) -> bool {
        self.starts_with(&CHANGES)
    }

    /// Whether it may make keys.
    pub(super) fn inserts(&self) -> bool {
        self.starts_with(&["INSERT", "REPLACE"])
    }

    /// Whether it ends the transaction.
    pub(super) fn ends_transaction(&self) -> bool {
        self.starts_with(&["COMMIT", "END"]) || (self.starts_with(&["ROLLBACK"]) && !self.to)
    }
}

/// Looks at the words of a statement, outside of quotes and comments.
///
/// # Errors
/// What is wrong with it, for a message.
pub(super) fn scan(sql: &str) -> Result<Shape<'_>, &'static str> {
    let bytes = sql.as_bytes();
    let mut first = None;
    let (mut highest, mut returning, mut to, mut ended) = (0, false, false, false);
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at = match byte {
            b'-' if bytes.get(at + 1) == Some(&b'-') => after(bytes, at + 2, b"\n"),
            b'/' if bytes.get(at + 1) == Some(&b'*') => after(bytes, at + 2, b"*/"),
            b'\'' | b'"' | b'`' => after(bytes, at + 1, &[byte]),
            b'[' => after(bytes, at + 1, b"]"),
            b'?' => run_of(bytes, at + 1, u8::is_ascii_digit),
            byte if is_word(&byte) => run_of(bytes, at + 1, is_word),
            _ => at + 1,
        };
        match byte {
            b';' => {
                ended = first.is_some();
                continue;
            }
            byte if byte.is_ascii_whitespace() => continue,
            b'-' | b'/' if at > start + 1 => continue,
            _ if ended => {
                return Err("the text has several statements; use `execute_script` for that");
            }
            b'?' => {
                highest = match sql[start + 1..at].parse::<usize>() {
                    Ok(number) => highest.max(number),
                    Err(_) => highest + 1,
                };
            }
            b':' | b'@' | b'$' => return Err("values are bound in order: write `?`, not names"),
            _ => {}
        }
        let word = if is_word(&byte) { &sql[start..at] } else { "" };
        first.get_or_insert(word);
        returning |= word.eq_ignore_ascii_case("RETURNING");
        to |= word.eq_ignore_ascii_case("TO");
    }
    let first = first.ok_or("the statement is empty")?;
    Ok(Shape {
        first,
        placeholders: highest,
        returning,
        to,
    })
}

/// Whether there is nothing but blanks, semicolons and comments.
pub(super) fn is_blank(sql: &str) -> bool {
    scan(sql) == Err("the statement is empty")
}

fn is_word(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii()
}

fn run_of(bytes: &[u8], from: usize, fits: impl Fn(&u8) -> bool) -> usize {
    let length = bytes[from..].iter().take_while(|byte| fits(byte)).count();
    from + length
}

fn after(bytes: &[u8], from: usize, end: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or(&[]);
    let found = rest.windows(end.len()).position(|window| window == end);
    found.map_or(bytes.len(), |found| from + found + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_counted_outside_of_quotes_and_comments() {
        for (sql, wanted) in [
            ("SELECT 1", 0),
            ("SELECT ?, ?", 2),
            ("SELECT ?2, ?1", 2),
            ("SELECT '?', \"?\", `?`, [?], ? -- ?\n, ? /* ? */", 2),
            ("SELECT 'it''s ?', ?", 1),
        ] {
            assert_eq!(
                scan(sql).map(|shape| shape.placeholders),
                Ok(wanted),
                "{sql}"
            );
        }
    }

    #[test]
    fn rows_are_expected_where_there_may_be_some() {
        for sql in [
            "SELECT 1",
            "PRAGMA x",
            "with a as (select 1) delete from t",
            "VALUES (1)",
            "insert into t values (1) returning id",
            " -- note\n EXPLAIN SELECT 1",
        ] {
            assert!(scan(sql).expect(sql).has_rows(), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES ('returning')",
            "create table t (a)",
            "BEGIN",
            "/* a */ UPDATE \"returning\" SET a = 1;",
        ] {
            assert!(!scan(sql).expect(sql).has_rows(), "{sql}");
        }
    }

    #[test]
    fn the_end_of_a_transaction_is_told_from_savepoints() {
        for (sql, ends) in [
            ("COMMIT", true),
            ("rollback;", true),
            ("END TRANSACTION", true),
            ("ROLLBACK TO SAVEPOINT a", false),
            ("ROLLBACK TRANSACTION TO a", false),
            ("SELECT 1", false),
        ] {
            assert_eq!(scan(sql).expect(sql).ends_transaction(), ends, "{sql}");
        }
    }

    #[test]
    fn what_cannot_run_is_refused() {
        assert!(is_blank(" ;; -- note\n /* more */ ;"));
        for sql in [
            "",
            "SELECT 1; SELECT 2",
            "SELECT :name",
            "SELECT @a",
            "SELECT $1",
        ] {
            assert!(scan(sql).is_err(), "{sql}");
        }
        assert!(scan("SELECT 1; -- note").is_ok());
        // Ends inside of a quote or a comment are the server's to refuse.
        for sql in [
            "SELECT 'open",
            "SELECT 1 /* open",
            "SELECT 1 /",
            "SELECT ü, 'ü",
        ] {
            assert!(scan(sql).is_ok(), "{sql}");
        }
    }
}
