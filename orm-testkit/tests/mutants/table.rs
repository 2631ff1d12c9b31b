//! The table of mutants, as Markdown.

use crate::{Killed, Mutant};

const HEAD: &str = "\
# Mutants of the conformance suite

Each line is a driver that breaks one rule of the contract on purpose, over SQLite, and the first
case of the suite, in its order, that finds it. A rule without a mutant is not known to be
tested; a mutant that no case finds fails `cargo xtask ci`.

Written by `cargo xtask conformance mutants --bless` from `orm-testkit/tests/mutants`.

| mutant | what is wrong | found by | as |
|---|---|---|---|
";

/// The whole file.
pub(crate) fn markdown(rows: &[(&Mutant, Killed)]) -> String {
    let mut text = HEAD.to_owned();
    for (mutant, killed) in rows {
        let Mutant { name, wrong, .. } = mutant;
        let (case, verdict) = (killed.case, killed.verdict);
        text.push_str(&format!("| {name} | {wrong} | `{case}` | {verdict} |\n"));
    }
    text
}
