//! The registry: every case of the suite, area by area.

mod auto_key;
mod bulk;
mod capability;
mod contract;
mod errors;
mod fields;
mod filter;
mod lifecycle;
mod lookup;
mod one_to_one;
mod prefetch;
mod queryset;
mod relation;
mod transaction;
mod write;

use crate::case::Case;

/// All cases.
pub fn cases() -> Vec<Case> {
    let areas = [
        // First: what the others rest on.
        contract::CASES,
        fields::CASES,
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
        transaction::CASES,
        errors::CASES,
        lifecycle::CASES,
    ];
    areas.concat()
}

#[cfg(test)]
mod tests {
    use crate::api;

    #[test]
    fn every_documented_item_has_a_case() {
        assert_eq!(api::gaps(&super::cases()), Vec::<String>::new());
    }
}
