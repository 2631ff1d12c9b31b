//! A generated key whose unset state is none of its numbers.

use super::{Cell, ColumnType, Field, Key, Numeric, Value};
use crate::error::Result;
use std::fmt;

/// A primary key that the database generates, with an unset state of its own: for tables in which
/// zero is a key. Of a plain integer key, zero means "not saved yet".
///
/// `T` is `i16`, `i32` or `i64`. Wherever a query takes the integer, it takes the key and the
/// integer alike; comparing with an unset key is the error
/// [`Unsaved`](crate::error::Error::Unsaved).
///
/// # Examples
/// ```
/// use fast_django::orm::prelude::*;
///
/// #[derive(Model, Clone, Debug, Default)]
/// pub struct Slot {
///     #[field(pk)]
///     pub id: Auto<i64>,
/// }
///
/// # fn main() -> Result<()> { run_async(async {
/// # Tortoise::init(Config::new("sqlite::memory:").models(models![Slot]).generate_schemas(true)).await?;
/// let zero = Slot::create(kw!(id = 0)).await?;
/// assert_eq!(Slot::get(kw!(id = 0)).await?.id, zero.id);
/// let mut next = Slot::default();
/// assert!(!next.id.is_set());
/// next.save().await?;
/// assert_eq!(next.id, 1);
/// # Ok(()) }) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Auto<T>(Option<T>);

impl<T: Copy> Auto<T> {
    /// A key that is set.
    pub const fn new(key: T) -> Self {
        Auto(Some(key))
    }

    /// The key of an instance that is not saved yet; so is the default.
    pub const fn unset() -> Self {
        Auto(None)
    }

    /// The number, or `None` when the key is unset.
    pub const fn get(self) -> Option<T> {
        self.0
    }

    /// Whether there is a number.
    pub const fn is_set(self) -> bool {
        self.0.is_some()
    }
}

impl<T> Default for Auto<T> {
    fn default() -> Self {
        Auto(None)
    }
}

impl<T> From<T> for Auto<T> {
    fn from(key: T) -> Self {
        Auto(Some(key))
    }
}

impl<T: fmt::Display> fmt::Display for Auto<T> {
    /// The number, or `unset`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(key) => key.fmt(f),
            None => f.pad("unset"),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Auto<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(key) => write!(f, "Auto({key:?})"),
            None => f.write_str("Auto(unset)"),
        }
    }
}

macro_rules! auto {
    ($($t:ty)*) => { $(
        impl Field for Auto<$t> {
            type Base = $t;
            type Nullable = Option<Auto<$t>>;
            const TYPE: ColumnType = <$t as Field>::TYPE;
            fn to_value(&self) -> Value {
                self.0.map_or(Value::Null, Value::from)
            }
            #[inline]
            fn from_cell(cell: Cell<'_>) -> Result<Self> {
                <$t>::from_cell(cell).map(Auto::new)
            }
        }
        impl Field for Option<Auto<$t>> {
            type Base = $t;
            type Nullable = Option<Auto<$t>>;
            const TYPE: ColumnType = <$t as Field>::TYPE;
            const NULL: bool = true;
            fn to_value(&self) -> Value {
                self.map_or(Value::Null, |key| key.to_value())
            }
            #[inline]
            fn from_cell(cell: Cell<'_>) -> Result<Self> {
                Ok(Option::<$t>::from_cell(cell)?.map(Auto::new))
            }
        }
        impl Key for Auto<$t> {
            fn unset() -> Self {
                Auto::unset()
            }
            fn is_unset(&self) -> bool {
                self.0.is_none()
            }
        }
        impl Numeric for Auto<$t> {}
        impl Numeric for Option<Auto<$t>> {}
        impl PartialEq<$t> for Auto<$t> {
            fn eq(&self, number: &$t) -> bool {
                self.0.as_ref() == Some(number)
            }
        }
        impl PartialEq<Auto<$t>> for $t {
            fn eq(&self, key: &Auto<$t>) -> bool {
                key == self
            }
        }
    )* };
}
auto!(i16 i32 i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_set_and_the_default_is_not() {
        assert!(!Auto::<i64>::default().is_set() && Auto::<i64>::default().is_unset());
        assert!(Auto::new(0_i64).is_set() && !Auto::new(0_i64).is_unset());
        assert_ne!(Auto::new(0_i32), Auto::unset());
        assert!(Auto::new(0_i32) == 0 && Auto::<i32>::unset() != 0);
        assert_eq!(Auto::from(7_i16).get(), Some(7));
    }

    #[test]
    fn only_an_unset_key_is_sent_as_null() {
        assert!(Auto::new(0_i64).to_value() == Value::I64(0));
        assert!(Auto::<i64>::unset().to_value() == Value::Null);
    }

    #[test]
    fn null_is_no_key() {
        assert!(Auto::<i64>::from_cell(Cell::Null).is_err());
        assert_eq!(Option::<Auto<i64>>::from_cell(Cell::Null).ok(), Some(None));
        assert!(Auto::<i16>::from_cell(Cell::I64(70_000)).is_err());
    }

    #[test]
    fn an_unset_key_shows_itself() {
        let (unset, seven) = (Auto::<i32>::unset(), Auto::new(7_i32));
        assert_eq!(format!("{unset} {seven}"), "unset 7");
        assert_eq!(format!("{unset:?} {seven:?}"), "Auto(unset) Auto(7)");
    }
}
