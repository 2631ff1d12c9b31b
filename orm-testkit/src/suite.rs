//! The registry: every case of the suite, area by area.

mod auto_key;
mod bulk;
mod cancel;
mod capability;
mod comparing;
mod concurrency;
mod constraint;
mod contract;
mod driver;
mod errors;
mod fault;
mod fields;
mod filter;
mod injection;
mod instant;
mod isolation;
mod kinds;
mod lifecycle;
mod limits;
mod link;
mod lookup;
mod names;
mod network;
mod one_to_one;
mod operation;
mod pool;
mod prefetch;
mod prop;
mod queryset;
mod relation;
mod save;
mod schema;
mod startup;
mod text;
mod transaction;
mod trial;
mod write;

use crate::case::Case;

/// All cases.
pub fn cases() -> Vec<Case> {
    let areas = [
        // First: what the others rest on.
        contract::CASES,
        fields::CASES,
        kinds::CASES,
        instant::CASES,
        names::CASES,
        text::CASES,
        limits::CASES,
        save::CASES,
        driver::CASES,
        constraint::CASES,
        injection::CASES,
        comparing::CASES,
        startup::CASES,
        schema::CASES,
        link::CASES,
        filter::CASES,
        lookup::CASES,
        queryset::CASES,
        write::CASES,
        bulk::CASES,
        capability::CASES,
        auto_key::CASES,
        relation::CASES,
        one_to_one::CASES,
        prefetch::CASES,
        prop::CASES,
        transaction::CASES,
        errors::CASES,
        lifecycle::CASES,
        cancel::CASES,
        cancel::LIFECYCLE,
        fault::CASES,
        fault::POOL,
        network::CASES,
        pool::CASES,
        concurrency::CASES,
        isolation::CASES,
    ];
    areas.concat()
}

/// The public async operations that are dropped at every poll: the id of the case, and the names in
/// the sources of orm-core of what it drops.
pub fn cancelled() -> &'static [(&'static str, &'static [&'static str])] {
    cancel::OPERATIONS
}

#[cfg(test)]
mod tests {
    use crate::api;

    #[test]
    fn every_documented_item_has_a_case() {
        assert_eq!(api::gaps(&super::cases()), Vec::<String>::new());
    }
}
