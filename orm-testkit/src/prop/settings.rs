//! How many plans a run asks, and from which seed.

use std::sync::{OnceLock, PoisonError, RwLock};

/// Plans of a run on each backend, and the seed of the first round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) plans: u64,
}

impl Settings {
    /// Fixed, so that a run means the same everywhere.
    const DEFAULT: Settings = Settings {
        seed: 1,
        plans: 2000,
    };
}

static GIVEN: RwLock<Option<Settings>> = RwLock::new(None);

/// Replaces parts of the settings for the whole process, as the arguments ask.
pub(crate) fn set(seed: Option<u64>, plans: Option<u64>) {
    if seed.is_none() && plans.is_none() {
        return;
    }
    let known = get();
    let settings = Settings {
        seed: seed.unwrap_or(known.seed),
        plans: plans.unwrap_or(known.plans),
    };
    *GIVEN.write().unwrap_or_else(PoisonError::into_inner) = Some(settings);
}

/// The settings: those of the arguments, else of `FD_TEST_SEED` and `FD_TEST_PLANS`, else fixed.
pub(crate) fn get() -> Settings {
    static ENVIRONMENT: OnceLock<Settings> = OnceLock::new();
    if let Some(given) = *GIVEN.read().unwrap_or_else(PoisonError::into_inner) {
        return given;
    }
    *ENVIRONMENT.get_or_init(|| Settings {
        seed: number("FD_TEST_SEED").unwrap_or(Settings::DEFAULT.seed),
        plans: number("FD_TEST_PLANS").unwrap_or(Settings::DEFAULT.plans),
    })
}

/// A wrong number is a mistake of the caller that must not go unnoticed.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    match text.parse() {
        Ok(number) => Some(number),
        Err(_) => panic!("{name} is not a number: `{text}`"),
    }
}
