//! Conformance suite for drivers of fast-django: one call that runs every case on a database and
//! prints which documented items hold.
//!
//! A driver author writes a [`Backend`] (a name, how to make an empty database, and a [`Level`])
//! and hands it to [`main!`] in a test target with `harness = false`:
//!
//! ```toml
//! [[test]]
//! name = "conformance"
//! harness = false
//! ```
//!
//! A case is a function over a [`Context`], listed with an id, the documented items that it covers
//! and the capabilities that it needs. Each case has a database of its own and runs with it as the
//! default connection, so the models of the suite are used as in a program. What comes of it is a
//! [`Verdict`]; claims are refuted in both directions, and nothing is skipped.
//!
//! [`check`](fn@check) runs cases inside a test and returns the [`Report`]; a [`layer`] over a
//! backend breaks a rule on purpose, to see that the suite notices.
//!
//! Beside the suite there are tools for a driver's own tests: [`fault`] has calls of a driver go wrong,
//! [`proxy`] cuts and stalls its connections, [`layer`] changes what it claims and does.
//!
//! Exit codes: 0 all as expected, 1 a case failed, 2 wrong arguments, 3 a backend is missing, 4 a
//! gap in coverage or a stale table of backends, 5 no case ran. The README lists the arguments.

pub mod api;
pub mod backend;
pub mod case;
pub mod check;
pub mod fault;
pub mod harness;
pub mod introspect;
pub mod layer;
mod library;
pub mod models;
pub mod probe;
mod prop;
pub mod proxy;
pub mod report;
pub mod suite;
pub mod verdict;

pub use backend::Availability;
pub use backend::Backend;
pub use backend::KnownIssue;
pub use backend::Level;
pub use backend::Sandbox;
pub use case::Case;
pub use case::CaseResult;
pub use case::Context;
pub use case::Failure;
pub use case::WhenOff;
pub use harness::run;
pub use library::Filter;
pub use library::check;
pub use library::check_cases;
pub use orm_core::backend::Capability;
pub use report::Report;
pub use verdict::Verdict;

/// The main function of a conformance test target: runs every case on each backend.
///
/// Takes values of types that implement [`Backend`]. One that is named by its path (a unit struct,
/// a constant) may have an attribute, such as `#[cfg(feature = "postgres")]`.
///
/// ```
/// # #[derive(Debug)] struct Absent;
/// # #[async_trait::async_trait]
/// # impl orm_testkit::Backend for Absent {
/// #     fn name(&self) -> &'static str { "absent" }
/// #     fn availability(&self) -> orm_testkit::Availability {
/// #         orm_testkit::Availability::Missing("no server".into())
/// #     }
/// #     fn driver(&self) -> std::sync::Arc<dyn orm_core::backend::Backend> { unreachable!() }
/// #     async fn provision(&self, _: &str) -> orm_core::error::Result<orm_testkit::Sandbox> {
/// #         Err(orm_core::error::Error::configuration("no server"))
/// #     }
/// # }
/// # mod target { use super::Absent;
/// orm_testkit::main!(Absent);
/// # pub fn call() { let _: fn() -> std::process::ExitCode = main; }
/// # }
/// # fn main() { target::call() }
/// ```
#[macro_export]
macro_rules! main {
    ($($(#[$attribute:meta])* $backend:path),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            #[allow(unused_mut, reason = "every backend may be left out")]
            let mut backends: ::std::vec::Vec<::std::sync::Arc<dyn $crate::Backend>> =
                ::std::vec::Vec::new();
            $(
                $(#[$attribute])*
                {
                    backends.push(::std::sync::Arc::new($backend));
                }
            )+
            $crate::run(backends)
        }
    };
    ($($backend:expr),+ $(,)?) => {
        fn main() -> ::std::process::ExitCode {
            $crate::run(::std::vec![$(::std::sync::Arc::new($backend)),+])
        }
    };
}
