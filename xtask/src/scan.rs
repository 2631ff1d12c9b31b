//! Reads Rust text just well enough for tidy: what is code, what is a string, what is a comment.

use std::ops::RangeInclusive;

/// Rust text with the same lines, where comments (and strings, if asked) are blanks and test
/// modules are gone.
pub(crate) fn code(text: &str, keep_strings: bool) -> String {
    let bare = blanked(text, false);
    let tests = test_lines(&bare);
    let shown = if keep_strings {
        blanked(text, true)
    } else {
        bare
    };
    let lines = shown.lines().enumerate();
    let kept = lines.map(|(i, line)| {
        if tests.iter().any(|t| t.contains(&i)) {
            ""
        } else {
            line
        }
    });
    kept.collect::<Vec<_>>().join("\n")
}

/// Rust text with blanks for comments, and for what strings hold unless `keep_strings`.
pub(crate) fn blanked(text: &str, keep_strings: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = token_end(&chars, at);
        let keep = match chars[at] {
            '/' => end == at + 1,
            '"' | '\'' | 'r' | 'b' | 'c' if end > at + 1 => keep_strings,
            _ => true,
        };
        for &c in &chars[at..end] {
            out.push(if keep || c == '\n' { c } else { ' ' });
        }
        at = end;
    }
    out
}

/// The end of the comment, string or character literal that begins here; else the next position.
fn token_end(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1);
    let in_word = at > 0 && is_word(chars[at - 1]);
    match (chars[at], next) {
        ('/', Some('/')) => find(chars, at, |c| c == '\n'),
        ('/', Some('*')) => block_comment_end(chars, at),
        ('"', _) => string_end(chars, at),
        ('\'', _) => char_end(chars, at),
        ('r' | 'b' | 'c', _) if !in_word => prefixed_end(chars, at),
        _ => at + 1,
    }
}

fn find(chars: &[char], from: usize, wanted: impl Fn(char) -> bool) -> usize {
    chars[from..]
        .iter()
        .position(|&c| wanted(c))
        .map_or(chars.len(), |n| from + n)
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    chars.len()
}

fn string_end(chars: &[char], at: usize) -> usize {
    let mut i = at + 1;
    while i < chars.len() {
        match chars[i] {
            '\\' => i += 2,
            '"' => return i + 1,
            _ => i += 1,
        }
    }
    chars.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`; a word that only begins with the letter is no string.
fn prefixed_end(chars: &[char], at: usize) -> usize {
    let open = find(chars, at, |c| !matches!(c, 'r' | 'b' | 'c'));
    let raw = chars[at..open].contains(&'r');
    let quote = find(chars, open, |c| c != '#');
    let hashes = quote - open;
    if open - at > 2 || chars.get(quote) != Some(&'"') || (hashes > 0 && !raw) {
        return at + 1;
    }
    if !raw {
        return string_end(chars, quote);
    }
    let closes = |i: usize| {
        chars[i] == '"'
            && chars[i + 1..]
                .iter()
                .take(hashes)
                .filter(|&&c| c == '#')
                .count()
                == hashes
    };
    (quote + 1..chars.len())
        .find(|&i| closes(i))
        .map_or(chars.len(), |i| i + 1 + hashes)
}

/// A character literal is skipped as a whole, so that `'"'` opens no string; a lifetime is not.
fn char_end(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let close = find(chars, (at + 3).min(chars.len()), |c| c == '\'');
            (close + 1).min(chars.len())
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The lines (from 0) of each item behind `#[cfg(test)]`, in text without comments and strings.
fn test_lines(bare: &str) -> Vec<RangeInclusive<usize>> {
    const MARK: &str = "#[cfg(test)]";
    let line = |at: usize| bare[..at].matches('\n').count();
    let marks = bare.match_indices(MARK);
    marks
        .map(|(start, _)| line(start)..=line(item_end(bare, start + MARK.len())))
        .collect()
}

fn item_end(code: &str, from: usize) -> usize {
    let mut depth = 0;
    for (offset, c) in code[from..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return from + offset + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return from + offset + 1,
            _ => {}
        }
    }
    code.len()
}

/// The words (identifiers and numbers) of a text, each with its line number from 1.
pub(crate) fn words(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.lines().enumerate().flat_map(|(number, line)| {
        line.split(|c| !is_word(c))
            .filter(|word| !word.is_empty())
            .map(move |word| (number + 1, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_told_apart() {
        let text = "let a = \"x // y\"; // unsafe\n/* a /* b */ c */ let b = r#\"say \"hi\"\"#; let c = '\"';\nlet d: &'static str;";
        let bare = blanked(text, false);
        assert_eq!(bare.lines().count(), 3);
        let left: Vec<_> = words(&bare).map(|(_, word)| word).collect();
        assert_eq!(
            left,
            [
                "let", "a", "let", "b", "let", "c", "let", "d", "static", "str"
            ]
        );
        assert!(blanked(text, true).contains("say \"hi\""));
        assert!(!blanked(text, true).contains("unsafe"));
    }

    #[test]
    fn test_modules_are_left_out() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() { if x { } } }\nfn c() {}\n";
        let left = code(text, false);
        assert!(
            left.contains("fn a") && left.contains("fn c") && !left.contains("fn b"),
            "{left}"
        );
    }
}
