//! The current row of a running statement, read straight from SQLite.

use crate::ffi::Run;
use orm_core::backend::RowAccess;
use orm_core::error::{DataError, Error, Result};
use orm_core::value::Cell;

/// Lends the current row to a sink.
pub(crate) struct CurrentRow<'r, 's, 'v>(pub(crate) &'r Run<'s, 'v>);

impl RowAccess for CurrentRow<'_, '_, '_> {
    #[inline]
    fn len(&self) -> usize {
        self.0.columns()
    }

    fn name(&self, index: usize) -> &str {
        self.0.name(index)
    }

    #[inline]
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        self.0
            .cell(index)
            .map_err(|message| unreadable(self.name(index), index, message))
    }
}

#[cold]
fn unreadable(name: &str, index: usize, message: &str) -> Error {
    let name = match name {
        "" => index.to_string(),
        name => name.to_owned(),
    };
    Error::from(DataError::new(message).at("", name))
}
