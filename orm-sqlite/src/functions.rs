//! SQL functions that SQLite lacks: exact and Unicode-aware text lookups, regular expressions,
//! parts of date-times. Every connection gets them.

use crate::ffi::Function;
use chrono::{DateTime, Datelike, Timelike, Utc};
use orm_core::value::parse_datetime;
use regex::{Regex, RegexBuilder};
use std::cell::RefCell;

/// All of them.
pub(crate) static FUNCTIONS: [Function; 9] = [
    Function {
        name: c"fd_startswith",
        call: |text, part| yes(text.starts_with(part)),
    },
    Function {
        name: c"fd_endswith",
        call: |text, part| yes(text.ends_with(part)),
    },
    Function {
        name: c"fd_icontains",
        call: |text, part| yes(folded(text, part, contains_ascii, |a, b| a.contains(b))),
    },
    Function {
        name: c"fd_istartswith",
        call: |text, part| yes(folded(text, part, starts_ascii, |a, b| a.starts_with(b))),
    },
    Function {
        name: c"fd_iendswith",
        call: |text, part| yes(folded(text, part, ends_ascii, |a, b| a.ends_with(b))),
    },
    Function {
        name: c"fd_iexact",
        call: |text, part| {
            yes(folded(text, part, <[u8]>::eq_ignore_ascii_case, |a, b| {
                a == b
            }))
        },
    },
    Function {
        name: c"fd_regexp",
        call: |text, pattern| matches(text, pattern, false),
    },
    Function {
        name: c"fd_iregexp",
        call: |text, pattern| matches(text, pattern, true),
    },
    Function {
        name: c"fd_date_part",
        call: |part, text| Ok(parse_datetime(text).and_then(|at| date_part(part, at))),
    },
];

type Answer = Result<Option<i64>, String>;

fn yes(yes: bool) -> Answer {
    Ok(Some(i64::from(yes)))
}

thread_local! {
    static BUFFERS: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
    static PATTERNS: RefCell<Vec<Pattern>> = const { RefCell::new(Vec::new()) };
}

/// Compares without regard to case: bytes when both are ASCII, else folded texts.
fn folded(
    text: &str,
    part: &str,
    ascii: fn(&[u8], &[u8]) -> bool,
    unicode: fn(&str, &str) -> bool,
) -> bool {
    if text.is_ascii() && part.is_ascii() {
        return ascii(text.as_bytes(), part.as_bytes());
    }
    BUFFERS.with_borrow_mut(|(left, right)| {
        fold(text, left);
        fold(part, right);
        unicode(left, right)
    })
}

/// Lower case character by character, so that a part folds the same alone and inside a text: both
/// forms of the small sigma become one.
fn fold(text: &str, out: &mut String) {
    out.clear();
    let lower = text.chars().flat_map(char::to_lowercase);
    out.extend(lower.map(|c| if c == 'ς' { 'σ' } else { c }));
}

fn contains_ascii(text: &[u8], part: &[u8]) -> bool {
    let Some(first) = part.first() else {
        return true;
    };
    text.windows(part.len())
        .any(|window| window[0].eq_ignore_ascii_case(first) && window.eq_ignore_ascii_case(part))
}

fn starts_ascii(text: &[u8], part: &[u8]) -> bool {
    text.get(..part.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(part))
}

fn ends_ascii(text: &[u8], part: &[u8]) -> bool {
    text.len()
        .checked_sub(part.len())
        .is_some_and(|from| text[from..].eq_ignore_ascii_case(part))
}

/// A compiled regular expression and what it was made from.
struct Pattern {
    source: String,
    any_case: bool,
    regex: Regex,
}

/// Patterns kept by each thread; the one used last comes first.
const KEPT_PATTERNS: usize = 16;

fn matches(text: &str, source: &str, any_case: bool) -> Answer {
    PATTERNS.with_borrow_mut(|patterns| {
        let known = patterns
            .iter()
            .position(|kept| kept.any_case == any_case && kept.source == source);
        match known {
            Some(at) => patterns[..=at].rotate_right(1),
            None => {
                let regex = RegexBuilder::new(source)
                    .case_insensitive(any_case)
                    .build()
                    .map_err(|error| format!("invalid regular expression: {error}"))?;
                patterns.truncate(KEPT_PATTERNS - 1);
                let source = source.to_owned();
                patterns.insert(
                    0,
                    Pattern {
                        source,
                        any_case,
                        regex,
                    },
                );
            }
        }
        yes(patterns[0].regex.is_match(text))
    })
}

fn date_part(part: &str, at: DateTime<Utc>) -> Option<i64> {
    Some(match part {
        "year" => i64::from(at.year()),
        "quarter" => i64::from(at.month().div_ceil(3)),
        "month" => i64::from(at.month()),
        "week" => i64::from(at.iso_week().week()),
        "day" => i64::from(at.day()),
        "week_day" => i64::from(at.weekday().number_from_sunday()),
        "hour" => i64::from(at.hour()),
        "minute" => i64::from(at.minute()),
        "second" => i64::from(at.second()),
        "microsecond" => i64::from(at.nanosecond() % 1_000_000_000 / 1_000),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, left: &str, right: &str) -> Answer {
        let found = FUNCTIONS
            .iter()
            .find(|function| function.name.to_str() == Ok(name))
            .expect("a known function");
        (found.call)(left, right)
    }

    #[test]
    fn case_folds_for_all_of_unicode() {
        for (name, text, part, wanted) in [
            ("fd_icontains", "Grüße aus KÖLN", "köln", 1),
            ("fd_icontains", "ΟΔΟΣΑ", "οδος", 1),
            ("fd_icontains", "plain TEXT", "n t", 1),
            ("fd_icontains", "plain", "", 1),
            ("fd_icontains", "ab", "abc", 0),
            ("fd_istartswith", "ÉCOLE", "éco", 1),
            ("fd_istartswith", "a", "ab", 0),
            ("fd_iendswith", "МОСКВА", "ква", 1),
            ("fd_iexact", "Привет", "пРИВЕТ", 1),
            ("fd_iexact", "abc", "abd", 0),
            ("fd_startswith", "Abc", "ab", 0),
            ("fd_endswith", "a%b_", "%b_", 1),
        ] {
            assert_eq!(
                call(name, text, part),
                Ok(Some(wanted)),
                "{name} {text} {part}"
            );
        }
    }

    #[test]
    fn patterns_are_kept_bounded_and_bad_ones_are_errors() {
        for i in 0..40 {
            let pattern = format!("^a{{{i}}}$");
            assert_eq!(call("fd_regexp", &"a".repeat(i), &pattern), Ok(Some(1)));
        }
        PATTERNS.with_borrow(|kept| assert!(kept.len() <= KEPT_PATTERNS));
        assert_eq!(call("fd_regexp", "ABC", "b"), Ok(Some(0)));
        assert_eq!(call("fd_iregexp", "ABC", "b"), Ok(Some(1)));
        assert!(call("fd_regexp", "a", "(").is_err());
    }

    #[test]
    fn date_parts_of_every_layout() {
        let at = "2024-12-29 23:59:59.999999+00:00";
        for (part, wanted) in [
            ("year", 2024),
            ("quarter", 4),
            ("month", 12),
            ("week", 52),
            ("day", 29),
            ("week_day", 1),
            ("hour", 23),
            ("minute", 59),
            ("second", 59),
            ("microsecond", 999_999),
        ] {
            assert_eq!(call("fd_date_part", part, at), Ok(Some(wanted)), "{part}");
        }
        assert_eq!(
            call("fd_date_part", "hour", "2024-01-01T01:00:00+05:30"),
            Ok(Some(19))
        );
        assert_eq!(call("fd_date_part", "hour", "nonsense"), Ok(None));
    }
}
