//! The registry: every case of the suite, area by area.

mod auto_key;
mod bulk;
mod capability;
mod comparing;
mod constraint;
mod driver;
mod errors;
mod fields;
mod filter;
mod injection;
mod instant;
mod kinds;
mod lifecycle;
mod limits;
mod link;
mod lookup;
mod names;
mod one_to_one;
mod prefetch;
mod queryset;
mod relation;
mod save;
mod schema;
mod startup;
mod text;
mod transaction;
mod write;

use crate::case::Case;

/// All cases.
pub fn cases() -> Vec<Case> {
    let areas = [
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
