//! Start and end of a program: `Tortoise::init`, schema generation, connections, `run_async`.
//!
//! These cases change state of the whole process, so they run one at a time.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Sample, Tag, User};
use crate::{Failure, cases, check};
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::run_async;

pub(super) const CASES: &[Case] = cases! {
    #[serial] "tortoise::init::makes_tables_and_connects" => makes_tables_and_connects, ["tortoise.init", "tortoise.init.generate_schemas"];
    #[serial] "tortoise::init::without_schemas_makes_no_table" => without_schemas_makes_no_table, ["tortoise.init.generate_schemas"];
    #[serial] "tortoise::init::twice_is_safe" => twice_is_safe, ["tortoise.init", "tortoise.init.generate_schemas"];
    #[serial] "tortoise::init::bad_urls_are_refused" => bad_urls_are_refused, ["tortoise.init"];
    #[serial] "tortoise::get_connection::default_and_unknown" => default_and_unknown, ["tortoise.get_connection"];
    #[serial] "tortoise::get_connection::before_init" => before_init, ["tortoise.get_connection"];
    #[serial] "tortoise::close_connections::then_queries_are_refused" => then_queries_are_refused, ["tortoise.close_connections"];
    #[serial] "tortoise::close_connections::twice_and_again_init" => twice_and_again_init, ["tortoise.close_connections", "tortoise.init"];
    "run_async::result::value_and_error" => value_and_error, ["run_async"];
    "run_async::runtime::inside_one_is_refused" => inside_one_is_refused, ["run_async"];
    "run_async::runtime::one_after_the_other" => one_after_the_other, ["run_async"];
};
