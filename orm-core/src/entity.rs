//! The low half of a model: metadata, row to struct, struct to values. Written by the derive.

mod scope;
mod slot;

pub use scope::Opt;
pub use scope::Scope;
pub use scope::Via;
pub use slot::RelationSlot;
pub use slot::Shared;
pub use slot::ToManySlot;
pub use slot::ToOneSlot;

use crate::backend::RowAccess;
use crate::error::{DataError, Error, Result};
use crate::query::Node;
use crate::schema::ModelMeta;
use crate::value::{Field, Key, Value};

/// How a struct maps to a table. `#[derive(Model)]` implements it; users see
/// [`Model`](crate::model::Model), which builds on it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "add `#[derive(Model)]` to this struct"
)]
pub trait Entity: Sized + Clone + Send + Sync + 'static {
    /// Type of the primary key.
    type Pk: Key;
    /// Typed columns and relations, as seen from a scope.
    type Fields<S: Scope>: Send + Sync + 'static;
    /// Type-level, sorted list of the fields that `create` must be given.
    type Required;

    /// The static description.
    fn meta() -> &'static ModelMeta;

    /// Typed columns behind a relation path.
    fn fields_at<S: Scope>(at: Option<&'static Node>) -> Self::Fields<S>;

    /// Typed columns of the model itself, made once.
    fn fields() -> &'static Self::Fields<Self>;

    /// The primary key.
    fn pk(&self) -> &Self::Pk;

    /// Sets the primary key, and the owner's key in the reverse relations.
    fn set_pk(&mut self, key: Self::Pk);

    /// Reads an instance from `meta().fields.len()` cells that begin at position `at`.
    ///
    /// # Errors
    /// `Data` that names model and field.
    fn from_row(row: &dyn RowAccess, at: usize) -> Result<Self>;

    /// The value of the field at this position.
    fn get_value(&self, field: usize) -> Value;

    /// Sets the field at this position; a foreign key forgets its loaded object if the key
    /// changes.
    ///
    /// # Errors
    /// `Data` when the value does not fit the field's type.
    fn set_value(&mut self, field: usize, value: Value) -> Result<()>;

    /// The slot of the relation at this position of `meta().relations`.
    fn relation_slot(&mut self, relation: usize) -> RelationSlot<'_>;

    /// Puts the primary key into the reverse and many-to-many relations, so that they know their
    /// owner.
    fn bind_relations(&mut self);
}

/// Reads an instance that the database has, from cells that begin at position `at`.
///
/// # Errors
/// `Data` that names model and field; also for a stored key that would mean "not saved yet", since
/// saving that instance would insert it again.
#[inline]
pub fn read_instance<M: Entity>(row: &dyn RowAccess, at: usize) -> Result<M> {
    let instance = M::from_row(row, at)?;
    let key = M::meta().pk();
    if instance.pk().is_unset() && key.generated {
        let message = "the stored key is 0, which stands for an instance that is not saved yet: \
                       declare the key as `Auto<..>` if it is one";
        return Err(DataError::new(message).at(M::meta().name, key.name).into());
    }
    Ok(instance)
}

/// The key of an instance; NULL when it stands for "not saved yet". A number that the program
/// chooses may be zero. Used by the derive for the relations of an instance.
pub fn owner_key<K: Key>(key: &K, model: &'static ModelMeta) -> Value {
    match key.to_value() {
        number @ Value::I64(_) if !model.pk().generated => number,
        _ if key.is_unset() => Value::Null,
        known => known,
    }
}

/// The key of a saved instance.
///
/// # Errors
/// `Unsaved` when it has none yet.
pub(crate) fn saved_key<M: Entity>(instance: &M) -> Result<Value> {
    match owner_key(instance.pk(), M::meta()) {
        Value::Null => Err(Error::Unsaved(M::meta().name)),
        key => Ok(key),
    }
}

/// Reads one field of a row. Used by the derive's `from_row`.
///
/// # Errors
/// `Data` that names model and field.
#[inline]
pub fn read_field<T: Field>(
    row: &dyn RowAccess,
    index: usize,
    model: &'static ModelMeta,
    field: usize,
) -> Result<T> {
    match row.cell(index).and_then(T::from_cell) {
        Ok(value) => Ok(value),
        Err(error) => Err(locate(error, model, field)),
    }
}

/// Reads the primary key of a row. A generated key that is NULL is unset: so is that of a row which
/// is still to be inserted. Used by the derive's `from_row`.
///
/// # Errors
/// `Data` that names model and field.
#[inline]
pub fn read_key<K: Key>(
    row: &dyn RowAccess,
    index: usize,
    model: &'static ModelMeta,
    field: usize,
) -> Result<K> {
    let key = match row.cell(index) {
        Ok(cell) if cell.is_null() && model.fields[field].generated => Ok(K::unset()),
        cell => cell.and_then(K::from_cell),
    };
    key.map_err(|error| locate(error, model, field))
}

/// Takes a value for one field. Used by the derive's `set_value`.
///
/// # Errors
/// `Data` that names model and field.
pub fn take_field<T: Field>(value: &Value, model: &'static ModelMeta, field: usize) -> Result<T> {
    T::from_cell(value.as_cell()).map_err(|error| locate(error, model, field))
}

#[cold]
fn locate(error: Error, model: &'static ModelMeta, field: usize) -> Error {
    match error {
        Error::Data(error) => {
            let error: DataError = *error;
            error.at(model.name, model.fields[field].name).into()
        }
        other => other,
    }
}
