//! Tests of the reports, over records made by hand.
