//! Verdicts: what came of one case on one backend, and how it is judged.

use crate::case::{Case, WhenOff};
use orm_core::backend::{Capabilities, Capability};
use std::fmt;

/// What came of one case on one backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// As documented.
    Supported,
    /// Not claimed, and refused before anything was sent.
    Refused,
    /// Refused like that, though the engine itself can: the claim is worth making. A warning.
    Underclaim,
    /// Speaks of a network between driver and database, and there is none.
    NotApplicable,
    /// Fails, as the backend's list of known issues says.
    KnownIssue,
    /// Not as documented.
    Failed,
    /// Claimed, and does not hold.
    Overclaim,
    /// Not claimed, and accepted, refused too late, or failed in another way.
    Silent,
    /// Listed as a known issue, and passes: the list is out of date.
    Xpass,
    /// The backend cannot run here. Never a pass.
    NotRun,
}

impl Verdict {
    /// Every verdict, best first.
    pub const ALL: [Verdict; 10] = [
        Verdict::Supported,
        Verdict::Refused,
        Verdict::Underclaim,
        Verdict::NotApplicable,
        Verdict::KnownIssue,
        Verdict::Failed,
        Verdict::Overclaim,
        Verdict::Silent,
        Verdict::Xpass,
        Verdict::NotRun,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Supported => "SUPPORTED",
            Verdict::Refused => "REFUSED",
            Verdict::Underclaim => "UNDERCLAIM",
            Verdict::NotApplicable => "NOT APPLICABLE",
            Verdict::KnownIssue => "KNOWN ISSUE",
            Verdict::Failed => "FAILED",
            Verdict::Overclaim => "OVERCLAIM",
            Verdict::Silent => "SILENT",
            Verdict::Xpass => "XPASS",
            Verdict::NotRun => "NOT RUN",
        }
    }

    /// Whether the run fails by it.
    pub fn is_failure(self) -> bool {
        matches!(
            self,
            Verdict::Failed | Verdict::Overclaim | Verdict::Silent | Verdict::Xpass
        )
    }

    /// Whether the case ran.
    pub fn ran(self) -> bool {
        !matches!(self, Verdict::NotRun | Verdict::NotApplicable)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the body of a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// `Ok`.
    Passed,
    /// `Error::Unsupported` of this name reached the end of the case; so many statements were sent
    /// since it was ready.
    Refused {
        name: &'static str,
        sent: usize,
        message: String,
    },
    /// Anything else: an error, a failed check, a panic, no end.
    Failed(String),
}

/// The capabilities that a case needs, that are not claimed, and without which it is refused.
pub(crate) fn lacking(case: &Case, facts: &Capabilities) -> Vec<Capability> {
    let lacking = case
        .needs
        .iter()
        .filter(|need| !facts.claims(**need) && WhenOff::of(**need) == WhenOff::Refused);
    lacking.copied().collect()
}

/// Judges an ending by what the case needs and the backend claims. The text says what is wrong.
pub(crate) fn judge(case: &Case, facts: &Capabilities, ending: Ending) -> (Verdict, String) {
    let lacking = lacking(case, facts);
    if lacking.is_empty() {
        // The other way may have needs of its own.
        let other_way = case.needs.iter().any(|need| !facts.claims(*need));
        let unclaimed = |name: &str| {
            other_way && Capability::named(name).is_some_and(|named| !facts.claims(named))
        };
        return match ending {
            Ending::Passed => (Verdict::Supported, String::new()),
            Ending::Refused { name, sent: 0, .. } if unclaimed(name) => {
                (Verdict::Refused, String::new())
            }
            Ending::Refused { name, message, .. } => refused_unasked(case, facts, name, message),
            Ending::Failed(message) if case.needs.iter().any(|need| facts.claims(*need)) => {
                (Verdict::Overclaim, message)
            }
            Ending::Failed(message) => (Verdict::Failed, message),
        };
    }
    let names = lacking
        .iter()
        .map(|capability| format!("`{capability}`"))
        .collect::<Vec<_>>()
        .join(" or ");
    match ending {
        Ending::Refused { name, sent: 0, .. } if lacking.iter().any(|c| c.name() == name) => {
            (Verdict::Refused, String::new())
        }
        Ending::Refused { name, sent, .. } if lacking.iter().any(|c| c.name() == name) => (
            Verdict::Silent,
            format!("refused for `{name}` only after {sent} statements were sent"),
        ),
        Ending::Refused { name, .. } => (
            Verdict::Silent,
            format!("refused for `{name}`, expected {names}"),
        ),
        Ending::Passed => (
            Verdict::Silent,
            format!("{names} is not claimed, and the call was accepted"),
        ),
        Ending::Failed(message) => (
            Verdict::Silent,
            format!("{names} is not claimed, and the call was not refused: {message}"),
        ),
    }
}

/// Refused although all that the case names is there.
fn refused_unasked(
    case: &Case,
    facts: &Capabilities,
    name: &'static str,
    message: String,
) -> (Verdict, String) {
    match Capability::named(name) {
        Some(capability) if facts.claims(capability) => (
            Verdict::Overclaim,
            format!("`{name}` is claimed, and the call was refused: {message}"),
        ),
        Some(_) if !case.needs.is_empty() => (
            Verdict::Failed,
            format!("refused for `{name}`, which the case does not name as needed: {message}"),
        ),
        _ => (Verdict::Failed, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Level;

    fn case(needs: &'static [Capability]) -> Case {
        Case {
            id: "a::b::c",
            covers: &[],
            needs,
            level: Level::Core,
            serial: false,
            network: false,
            run: |_| Box::pin(async { Ok(()) }),
        }
    }

    fn refused(name: &'static str, sent: usize) -> Ending {
        Ending::Refused {
            name,
            sent,
            message: "refused".to_owned(),
        }
    }

    #[test]
    fn a_refusal_counts_only_before_anything_was_sent() {
        let facts = Capabilities::none();
        let case = case(&[Capability::Savepoints]);
        let verdict = |ending| judge(&case, &facts, ending).0;
        assert_eq!(verdict(refused("savepoints", 0)), Verdict::Refused);
        assert_eq!(verdict(refused("savepoints", 1)), Verdict::Silent);
        assert_eq!(verdict(refused("regex", 0)), Verdict::Silent);
        assert_eq!(verdict(Ending::Passed), Verdict::Silent);
    }

    #[test]
    fn another_way_may_have_needs_of_its_own() {
        let mut facts = Capabilities::none();
        let case = case(&[Capability::MultiRowInsert]);
        assert_eq!(judge(&case, &facts, Ending::Passed).0, Verdict::Supported);
        assert_eq!(
            judge(&case, &facts, refused("transactions", 0)).0,
            Verdict::Refused
        );
        assert_eq!(
            judge(&case, &facts, refused("transactions", 2)).0,
            Verdict::Failed
        );
        facts.transactions = true;
        assert_eq!(
            judge(&case, &facts, refused("transactions", 0)).0,
            Verdict::Overclaim
        );
        facts.multi_row_insert = true;
        let failed = Ending::Failed("x".to_owned());
        assert_eq!(judge(&case, &facts, failed).0, Verdict::Overclaim);
    }
}
