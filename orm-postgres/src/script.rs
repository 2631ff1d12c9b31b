//! Scripts cut into their statements: the server would run the whole text as one transaction.

/// Whether a text holds a word that may begin or end a transaction.
pub(crate) fn may_change_transaction(sql: &str) -> bool {
    const WORDS: [&str; 9] = [
        "begin",
        "start",
        "commit",
        "end",
        "rollback",
        "abort",
        "savepoint",
        "release",
        "prepare",
    ];
    sql.split(|c: char| !c.is_ascii_alphabetic())
        .any(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)))
}

/// The first word behind white space, comments and empty statements.
pub(crate) fn first_word(sql: &str) -> &str {
    let mut scan = Scan { sql, at: 0 };
    while let Some(token) = scan.next() {
        match token {
            Token::Blank | Token::Semicolon => {}
            Token::Word(word) => return word,
            Token::Other => return "",
        }
    }
    ""
}

/// The statements of a script, without those that are empty.
pub(crate) fn statements(sql: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut scan = Scan { sql, at: 0 };
    let mut start = 0;
    let mut filled = false;
    // Depth inside a function body of the form BEGIN ATOMIC .. END.
    let mut atomic = 0u32;
    let mut last_word = "";
    while let Some(token) = scan.next() {
        match token {
            Token::Blank => {}
            Token::Semicolon if atomic == 0 => {
                if filled {
                    found.push(sql[start..scan.at - 1].trim());
                }
                (start, filled, last_word) = (scan.at, false, "");
            }
            Token::Word(word) => {
                let is = |known: &str| word.eq_ignore_ascii_case(known);
                let begins = is("atomic") && last_word.eq_ignore_ascii_case("begin");
                if begins || (atomic > 0 && is("case")) {
                    atomic += 1;
                } else if atomic > 0 && is("end") {
                    atomic -= 1;
                }
                (filled, last_word) = (true, word);
            }
            Token::Semicolon | Token::Other => filled = true,
        }
    }
    if filled {
        found.push(sql[start..].trim());
    }
    found
}

enum Token<'a> {
    /// White space or a comment.
    Blank,
    Semicolon,
    Word(&'a str),
    Other,
}

struct Scan<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn rest(&self) -> &'a str {
        &self.sql[self.at..]
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if first.is_whitespace() {
            self.at += first.len_utf8();
            return Some(Token::Blank);
        }
        if rest.starts_with("--") {
            self.at += rest.find('\n').unwrap_or(rest.len());
            return Some(Token::Blank);
        }
        if rest.starts_with("/*") {
            self.comment();
            return Some(Token::Blank);
        }
        match first {
            ';' => {
                self.at += 1;
                return Some(Token::Semicolon);
            }
            '\'' => self.quoted('\'', false),
            '"' => self.quoted('"', false),
            '$' => self.dollar(),
            c if c.is_alphabetic() || c == '_' => return Some(self.word()),
            c => self.at += c.len_utf8(),
        }
        Some(Token::Other)
    }

    /// A word; `E'..'` is a text with backslashes.
    fn word(&mut self) -> Token<'a> {
        let rest = self.rest();
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        self.at += end;
        if rest[..end].eq_ignore_ascii_case("e") && rest[end..].starts_with('\'') {
            self.quoted('\'', true);
            return Token::Other;
        }
        Token::Word(&rest[..end])
    }

    fn quoted(&mut self, quote: char, backslashes: bool) {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == '\\' && backslashes {
                chars.next();
            } else if c == quote {
                // A doubled quote begins another text at once, which does no harm.
                self.at += i + 1;
                if self.rest().starts_with(quote) {
                    return self.quoted(quote, backslashes);
                }
                return;
            }
        }
        self.at = self.sql.len();
    }

    /// `$$..$$` or `$tag$..$tag$`; else a placeholder.
    fn dollar(&mut self) {
        let rest = self.rest();
        let tag = rest[1..].find('$').map(|end| &rest[..end + 2]);
        let is_tag = |tag: &&str| {
            let name = &tag[1..tag.len() - 1];
            name.chars().all(|c| c.is_alphanumeric() || c == '_')
                && !name.starts_with(|c: char| c.is_ascii_digit())
        };
        match tag.filter(is_tag) {
            None => self.at += 1,
            Some(tag) => {
                let body = self.at + tag.len();
                let end = self.sql[body..].find(tag);
                self.at = end.map_or(self.sql.len(), |end| body + end + tag.len());
            }
        }
    }

    /// Comments nest.
    fn comment(&mut self) {
        let mut depth = 0;
        while self.at < self.sql.len() {
            let rest = self.rest();
            if rest.starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if rest.starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.at += rest.chars().next().map_or(1, char::len_utf8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_inside_of_something_do_not_end_a_statement() {
        for (script, wanted) in [
            ("", vec![]),
            (" ; -- a; b\n ; /* c; /* d; */ */", vec![]),
            ("SELECT 1; SELECT 2", vec!["SELECT 1", "SELECT 2"]),
            ("SELECT 'a;''b;'; x", vec!["SELECT 'a;''b;'", "x"]),
            (r"SELECT E'\';'; x", vec![r"SELECT E'\';'", "x"]),
            (r"SELECT '\'; x", vec![r"SELECT '\'", "x"]),
            (r#"SELECT "a;""b"; x"#, vec![r#"SELECT "a;""b""#, "x"]),
            ("DO $$a;b$$; x", vec!["DO $$a;b$$", "x"]),
            ("DO $f$a;$$;b$f$; x", vec!["DO $f$a;$$;b$f$", "x"]),
            ("SELECT $1;x", vec!["SELECT $1", "x"]),
            ("SELECT a$b; x$", vec!["SELECT a$b", "x$"]),
            (
                "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END; x",
                vec![
                    "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END",
                    "x",
                ],
            ),
            ("SELECT 'open; x", vec!["SELECT 'open; x"]),
            ("BEGIN; COMMIT", vec!["BEGIN", "COMMIT"]),
        ] {
            assert_eq!(statements(script), wanted, "{script}");
        }
    }

    #[test]
    fn the_first_word_is_behind_comments() {
        for sql in ["COMMIT", " ;-- a\n/* b */ COMMIT", "/* x */COMMIT"] {
            assert_eq!(first_word(sql), "COMMIT", "{sql}");
        }
        assert_eq!((first_word("'a' b"), first_word("")), ("", ""));
    }

    #[test]
    fn words_of_transactions_are_found_and_others_are_not() {
        assert!(may_change_transaction("select 1; Commit"));
        assert!(!may_change_transaction(
            "CREATE TABLE ended (beginning int)"
        ));
    }
}
