//! Every mutant by name.

use crate::faults::{self, Reports};
use crate::pool::Pool;
use crate::rows::{self, Rows};
use crate::spellings::{Spells, Wrong};
use crate::sqlite::Sqlite;
use crate::statements::{self, Answers, FirstOfScript, ScriptSwallows, Sends, WrongCache};
use crate::transactions::Commands;
use orm_core::backend::Isolation;
use orm_testkit::Backend;
use orm_testkit::layer::{Facts, Layer, Layered};
use std::sync::Arc;

/// A wrong driver.
#[derive(Debug)]
pub(crate) struct Mutant {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The rule that it breaks.
    pub(crate) wrong: &'static str,
    /// Makes one.
    pub(crate) make: Make,
}

/// SQLite under a layer.
fn over(layer: impl Layer) -> Arc<dyn Backend> {
    Arc::new(Layered::new(Arc::new(Sqlite), layer))
}

/// `name: what is wrong => the driver;`
macro_rules! mutants {
    ($($name:ident: $wrong:literal => $make:expr;)*) => {
        &[$(Mutant { name: stringify!($name), wrong: $wrong, make: || $make }),*]
    };
}

/// Makes a backend.
type Make = fn() -> Arc<dyn Backend>;

/// What the mutants are made of, without a fault.
pub(crate) const CONTROLS: [(&str, Make); 2] = [
    ("layers", || {
        let rows = over(Rows::Changed(|_| {}));
        let sends = Arc::new(Layered::new(rows, Sends(|_, _| {})));
        Arc::new(Layered::new(sends, Reports(|error, _| error)))
    }),
    ("pool", || Arc::new(Pool::Right)),
];

pub(crate) const MUTANTS: &[Mutant] = mutants! {
    pool_lends_open: "a connection with an open transaction is lent as it is" => Arc::new(Pool::LendsOpen);
    pool_no_doubt: "a call that was dropped is not noticed; its connection is lent as it is" => Arc::new(Pool::NoDoubt);
    pool_lazy_rollback: "a dropped transaction is rolled back only when the next connection is wanted" => Arc::new(Pool::Lazy);
    pool_no_reset: "what raw SQL left on a connection is there for the next user" => Arc::new(Pool::NoReset);
    pool_never_closes: "`close` does nothing" => Arc::new(Pool::NeverCloses);
    health_always_clean: "`health` never says that a transaction is open" => over(Commands::AlwaysClean);
    health_always_open: "`health` says that a transaction is open when there is none" => over(Commands::AlwaysInTransaction);

    begin_nothing: "`begin` and `commit` do nothing" => over(Commands::NoBegin);
    begin_read_only: "`begin` takes no notice of `read_only`" => over(Commands::WritesAllowed);
    begin_isolation: "levels are claimed that `begin` takes no notice of" => over(IsolationIgnored::new());
    commit_nothing: "`commit` does nothing" => over(Commands::NoCommit);
    commit_undoes: "`commit` rolls back" => over(Commands::CommitUndoes);
    commit_swallows: "an error of `commit` is not reported" => over(Commands::CommitSwallows);
    rollback_nothing: "`rollback` does nothing" => over(Commands::NoRollback);
    rollback_keeps: "`rollback` commits" => over(Commands::RollbackKeeps);
    savepoint_nothing: "savepoints are neither set nor undone" => over(Commands::NoSavepoints);
    release_nothing: "`release` leaves the savepoint" => over(Commands::NoRelease);
    release_undoes: "`release` undoes what was done" => over(Commands::ReleaseUndoes);
    rollback_to_nothing: "`rollback_to` keeps what was done" => over(Commands::NoRollbackTo);
    rollback_to_stays: "`rollback_to` leaves the savepoint" => over(Commands::RollbackToKeepsIt);
    rollback_to_all: "`rollback_to` ends the whole transaction" => over(Commands::RollbackToEndsAll);

    affected_zero: "`rows_affected` is always zero" => over(Answers::NoCount);
    affected_changed: "`rows_affected` counts changed rows instead of matched ones" => over(Answers::ChangedRows);
    affected_by_reads: "`rows_affected` of a read is not zero" => over(Answers::ReadsCount);
    key_of_the_next: "`last_insert_id` is off by one" => over(Answers::NextKey);
    key_missing: "`last_insert_id` is claimed and not reported" => over(Answers::NoKey);

    unique_operational: "a unique violation is `Operational`" => over(Reports(faults::unique_is_operational));
    foreign_key_unique: "a broken foreign key is a unique violation" => over(Reports(faults::foreign_key_is_unique));
    not_null_check: "a NULL where none may be is a broken check" => over(Reports(faults::not_null_is_check));
    integrity_bare: "an integrity error names no columns" => over(Reports(faults::no_detail));
    statement_lost: "bad SQL is a lost connection" => over(Reports(faults::statement_is_lost_connection));
    read_only_operational: "a write in a read-only transaction is `Operational`" => over(Reports(faults::read_only_is_operational));
    values_shown: "errors show bound values" => over(Reports(faults::values_are_shown));
    statement_unnamed: "an error of bad SQL does not carry the statement" => over(Reports(faults::no_statement));

    stop_ignored: "rows go on after the sink said stop" => over(Rows::NeverStop);
    sink_error_swallowed: "an error of the sink is not returned" => over(Rows::NoErrors);
    last_row_lost: "the last row of a result is lost" => over(Rows::LastIsLost);
    nul_truncated: "text ends at the first NUL" => over(Rows::Changed(rows::cut_at_nul));
    blanks_trimmed: "blanks at the end of text are lost" => over(Rows::Changed(rows::trim_blanks));
    integers_as_doubles: "64-bit integers go through a double" => over(Rows::Changed(rows::integers_as_doubles));
    microseconds_cut: "instants lose their microseconds" => over(Rows::Changed(rows::cut_microseconds));
    local_time: "instants are read in local time" => over(Rows::Changed(rows::local_time));
    null_as_empty: "NULL is read as the empty text" => over(Rows::Changed(rows::null_as_empty));
    empty_as_null: "the empty text is read as NULL" => over(Rows::Changed(rows::empty_as_null));
    first_of_a_name: "of two columns with one name both have the first one's cell" => over(Rows::Changed(rows::first_of_a_name));
    names_lower: "names of columns are in lower case" => over(Rows::Changed(rows::lower_names));

    booleans_as_text: "booleans are bound as text" => over(Sends(statements::booleans_as_text));
    backslashes_doubled: "backslashes in values are doubled" => over(Sends(statements::backslashes_doubled));
    values_padded: "missing values are bound as NULL, and extra ones dropped" => over(Sends(statements::any_number_of_values));
    limit_ignored: "LIMIT is ignored" => over(Sends(statements::no_limit));
    offset_ignored: "OFFSET is ignored" => over(Sends(statements::no_offset));
    list_first_only: "of a list only the first value is looked for" => over(Sends(statements::first_of_a_list));
    not_null_not_empty: "`isnull=False` leaves out empty texts" => over(Sends(statements::no_distinct_nulls));
    cache_by_length: "a prepared statement of the same length is taken for it" => over(WrongCache::default());
    script_first_only: "of a script only the first statement runs" => over(FirstOfScript);
    script_swallows: "an error in a script is not reported" => over(ScriptSwallows);

    contains_no_case: "`contains`, `startswith`, `endswith` take no notice of case" => over(Spells::new(Wrong::CaseIgnored));
    icontains_ascii: "`icontains` and its kin fold ASCII only" => over(Spells::new(Wrong::AsciiOnly));
    contains_wildcards: "wildcards in the argument of `contains` are wildcards" => over(Spells::new(Wrong::Wildcards));
    startswith_anywhere: "`startswith` finds the text anywhere" => over(Spells::new(Wrong::NoAnchor));
    regex_contains: "`regex` is `contains`" => over(Spells::new(Wrong::NoRegex));
    parts_local: "parts of an instant are those of a local time" => over(Spells::new(Wrong::LocalParts));
    seconds_rounded: "the second of an instant is rounded" => over(Spells::new(Wrong::RoundedSeconds));
    columns_no_case: "text columns compare without case" => over(Spells::new(Wrong::NoCaseColumns));
    integers_unbounded: "32-bit columns take 64-bit integers" => over(Spells::new(Wrong::NoChecks));
    literals_escaped: "backslashes in defaults are doubled" => over(Spells::new(Wrong::EscapedLiterals));
    literals_bare: "quotes in defaults are replaced" => over(Spells::new(Wrong::BareQuotes));

    claims_comments: "comments on columns are claimed and not kept" => over(Facts::new(|facts| facts.comments = true));
    claims_values: "more values are claimed than a statement takes" => over(Facts::new(|facts| facts.max_params = 40_000));
    claims_update_limit: "UPDATE with LIMIT is claimed and is a syntax error" => over(Facts::new(|facts| facts.update_limit = true));
};

/// Claims all levels and begins each in the same way.
#[derive(Debug)]
struct IsolationIgnored(Facts);

impl IsolationIgnored {
    fn new() -> Self {
        IsolationIgnored(Facts::new(|facts| {
            facts.isolation = &[
                Isolation::ReadCommitted,
                Isolation::RepeatableRead,
                Isolation::Serializable,
            ];
        }))
    }
}

#[async_trait::async_trait]
impl Layer for IsolationIgnored {
    fn dialect(
        &self,
        inner: &'static dyn orm_core::backend::Dialect,
    ) -> &'static dyn orm_core::backend::Dialect {
        self.0.dialect(inner)
    }

    async fn begin(
        &self,
        session: &mut dyn orm_core::backend::TransactionManager,
        options: &orm_core::backend::TransactionOptions,
    ) -> orm_core::error::Result<()> {
        let mut options = *options;
        options.isolation = None;
        session.begin(&options).await
    }
}
