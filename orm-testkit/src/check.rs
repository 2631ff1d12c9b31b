//! Checks that a case makes. Each returns a [`Failure`] at the line that called it.

use crate::case::{CaseResult, Failure};
use orm_core::error::{Error, ErrorKind, Result};
use std::fmt::Debug;

/// Both are equal.
///
/// # Errors
/// They are not.
#[track_caller]
pub fn eq<A: PartialEq<B> + Debug, B: Debug>(found: A, expected: B) -> CaseResult {
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!(
        "found {found:?}, expected {expected:?}"
    )))
}

/// The condition holds; `what` says what was expected.
///
/// # Errors
/// It does not.
#[track_caller]
pub fn that(condition: bool, what: &str) -> CaseResult {
    if condition {
        return Ok(());
    }
    Err(Failure::new(format!("not so: {what}")))
}

/// The call fails with an error of this kind, which is returned.
///
/// # Errors
/// It succeeds, or fails with another kind.
#[track_caller]
pub fn fails<T: Debug>(result: Result<T>, kind: ErrorKind) -> CaseResult<Error> {
    match result {
        Err(error) if error.kind() == kind => Ok(error),
        // Keeps the name of the capability, by which the case is judged.
        Err(error @ Error::Unsupported(_)) => Err(error.into()),
        Err(error) => Err(Failure::new(format!(
            "found {:?} ({error}), expected {kind:?}",
            error.kind()
        ))),
        Ok(value) => Err(Failure::new(format!(
            "found {value:?}, expected the error {kind:?}"
        ))),
    }
}

/// The text mentions all of these.
///
/// # Errors
/// It does not.
#[track_caller]
pub fn mentions(text: impl ToString, parts: &[&str]) -> CaseResult {
    let text = text.to_string();
    match parts.iter().find(|part| !text.contains(**part)) {
        None => Ok(()),
        Some(part) => Err(Failure::new(format!("`{text}` does not mention `{part}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_names_the_line_and_both_sides() {
        let failure = eq(1, 2).unwrap_err().to_string();
        assert!(
            failure.contains("found 1, expected 2") && failure.contains("check.rs:"),
            "{failure}"
        );
    }

    #[test]
    fn another_kind_of_error_is_a_failure() {
        let refused: Result<()> = Err(Error::Unsaved("User"));
        assert!(fails(refused.clone(), ErrorKind::Unsaved).is_ok());
        assert!(fails(refused, ErrorKind::Data).is_err());
        assert!(fails(Ok(3), ErrorKind::Data).is_err());
        assert!(mentions("abc", &["b", "x"]).is_err());
    }
}
