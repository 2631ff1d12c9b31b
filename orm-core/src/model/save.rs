//! Saving and deleting one instance by its key.

use super::{Model, create};
use crate::backend::Sink;
use crate::error::{DoesNotExist, Error, FieldError, Result, ValidationError};
use crate::fields;
use crate::queryset::BoxFuture;
use crate::sql;
use crate::transaction::Db;
use crate::value::{Field, Key, Value};
use std::{fmt, future::IntoFuture, marker::PhantomData};

/// A save, sent when awaited. Writes every column: an insert when the key is unset, else an update
/// by key.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let mut bob = User::get(kw!(username = "bob")).await?;
/// bob.bio = Some("reads".into());
/// let tx = begin().await?;
/// bob.save().using_db(&tx).await?;
/// tx.commit().await?;
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is saved until it is awaited"]
pub struct Save<'a, M> {
    instance: &'a mut M,
    fields: Option<Vec<String>>,
    how: How,
    db: Option<Db>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    ByKey,
    Create,
    Update,
}

impl<'a, M: Model> Save<'a, M> {
    pub(super) fn new(instance: &'a mut M) -> Self {
        Save {
            instance,
            fields: None,
            how: How::ByKey,
            db: None,
        }
    }

    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.db = Some(db.into());
        self
    }

    /// Updates these fields only. Unknown names fail with [`Error::Field`].
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let mut bob = User::get(kw!(username = "bob")).await?;
    /// bob.username = "rob".into();
    /// bob.bio = Some("reads".into());
    /// bob.save().only(["bio"]).await?;
    /// assert_eq!(User::get(kw!(id = bob.id)).await?.username, "bob");
    /// # Ok(()) }) }
    /// ```
    pub fn only<S: Into<String>>(mut self, fields: impl IntoIterator<Item = S>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Inserts, also with a key that is set.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let mut user = User { id: 77, username: "carl".into(), ..User::default() };
    /// user.save().force_create().await?;
    /// assert_eq!(User::get(kw!(id = 77)).await?.username, "carl");
    /// # Ok(()) }) }
    /// ```
    pub fn force_create(mut self) -> Self {
        self.how = How::Create;
        self
    }

    /// Updates, and never inserts: no row of that key is [`Error::DoesNotExist`].
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let mut user = User { id: 77, username: "carl".into(), ..User::default() };
    /// assert!(user.save().force_update().await.unwrap_err().is_does_not_exist());
    /// # Ok(()) }) }
    /// ```
    pub fn force_update(mut self) -> Self {
        self.how = How::Update;
        self
    }

    async fn run(self) -> Result<()> {
        let Save {
            instance,
            fields,
            how,
            db,
        } = self;
        let unset = instance.pk().is_unset() && M::meta().pk().generated;
        let inserts = how == How::Create || (how == How::ByKey && unset && fields.is_none());
        if unset && !inserts {
            return Err(Error::Unsaved(M::meta().name));
        }
        let columns = columns::<M>(fields.as_deref())?;
        set_times(instance, inserts, &columns)?;
        let values = checked_values(instance, &columns)?;
        let db = Db::pick(db.as_ref())?;
        if inserts {
            return create::insert(instance, &db).await;
        }
        if !columns.is_empty() {
            let key = instance.pk().to_value();
            let statement = sql::update_by_pk(M::meta(), &columns, values, key, db.dialect())?;
            let matched = db
                .run(&statement, &mut Sink::discard())
                .await?
                .rows_affected;
            if matched == 0 {
                // The key came from outside the database, so the row may be new.
                if how == How::ByKey && fields.is_none() && !M::meta().pk().generated {
                    set_times(instance, true, &columns)?;
                    return create::insert(instance, &db).await;
                }
                return Err(gone::<M>());
            }
        }
        instance.bind_relations();
        Ok(())
    }
}

fn gone<M: Model>() -> Error {
    DoesNotExist::new(M::meta().name, format!("{} = ?", M::meta().pk().name)).into()
}

/// Positions of the columns to update.
fn columns<M: Model>(names: Option<&[String]>) -> Result<Vec<usize>> {
    let model = M::meta();
    let Some(names) = names else {
        return Ok((0..model.fields.len())
            .filter(|at| *at != model.pk)
            .collect());
    };
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let column = model
            .relation(name)
            .and_then(|r| r.column)
            .map_or(name.as_str(), |c| c.name);
        match model.position(column) {
            Some(at) if at != model.pk => columns.push(at),
            Some(_) => {
                let reason = "is the primary key, which cannot be updated";
                return Err(FieldError::misused(model.name, name, name, reason).into());
            }
            None => {
                return Err(
                    FieldError::unknown(model.name, name, name, "field", model.names()).into(),
                );
            }
        }
    }
    columns.extend(
        (0..model.fields.len())
            .filter(|at| model.fields[*at].auto_now && !columns.contains(at))
            .collect::<Vec<_>>(),
    );
    Ok(columns)
}

/// Sets the times that the ORM keeps, with one clock reading, and cuts the others to microseconds.
fn set_times<M: Model>(instance: &mut M, inserts: bool, columns: &[usize]) -> Result<()> {
    let mut now = None;
    for &at in columns {
        let field = &M::meta().fields[at];
        if field.auto_now || (inserts && field.auto_now_add) {
            instance.set_value(at, create::now_once(&mut now).into())?;
        } else if field.ty == crate::value::ColumnType::DateTime {
            // The value is cut on its way out; the instance must equal its row.
            let value = instance.get_value(at);
            instance.set_value(at, value)?;
        }
    }
    Ok(())
}

fn checked_values<M: Model>(instance: &M, columns: &[usize]) -> Result<Vec<Value>> {
    let model = M::meta();
    let mut problems = ValidationError::new();
    let mut values = Vec::with_capacity(columns.len());
    for &at in columns {
        let value = instance.get_value(at);
        fields::validate(model, &model.fields[at], &value, &mut problems);
        values.push(value);
    }
    problems.into_result()?;
    Ok(values)
}

/// Validates an instance, sets its times for an insert, and adds the values to write to `values`.
pub(super) fn prepare_insert<M: Model>(
    instance: &mut M,
    now: &mut Option<chrono::DateTime<chrono::Utc>>,
    values: &mut Vec<Value>,
) -> Result<()> {
    let model = M::meta();
    let omit_key = create::omits_key(instance);
    let mut problems = ValidationError::new();
    for (at, field) in model.fields.iter().enumerate() {
        if omit_key && at == model.pk {
            continue;
        }
        if field.auto_now || field.auto_now_add {
            let now = create::now_once(now);
            instance.set_value(at, now.into())?;
            values.push(now.into());
        } else {
            let value = instance.get_value(at);
            fields::validate(model, field, &value, &mut problems);
            if matches!(value, Value::DateTime(_)) {
                // The value is cut on its way out; the instance must equal its row.
                instance.set_value(at, value.clone())?;
            }
            values.push(value);
        }
    }
    problems.into_result()
}

impl<'a, M: Model> IntoFuture for Save<'a, M> {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'a, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<M: Model> fmt::Debug for Save<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Save<{}>", M::meta().name)
    }
}

/// A delete of one instance's row, sent when awaited. A row that is gone already is
/// [`Error::DoesNotExist`].
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let bob = User::get(kw!(username = "bob")).await?;
/// let tx = begin().await?;
/// bob.delete().using_db(&tx).await?;
/// tx.rollback().await?;
/// assert!(User::filter(kw!(id = bob.id)).exists().await?);
/// # Ok(()) }) }
/// ```
#[must_use = "nothing is deleted until it is awaited"]
#[derive(Debug)]
pub struct DeleteInstance<M> {
    key: Result<Value>,
    db: Option<Db>,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> DeleteInstance<M> {
    pub(super) fn new(instance: &M) -> Self {
        let unset = instance.pk().is_unset() && M::meta().pk().generated;
        let key = if unset {
            Err(Error::Unsaved(M::meta().name))
        } else {
            Ok(instance.pk().to_value())
        };
        DeleteInstance {
            key,
            db: None,
            model: PhantomData,
        }
    }

    /// Runs on this connection or transaction instead of the current one.
    pub fn using_db(mut self, db: impl Into<Db>) -> Self {
        self.db = Some(db.into());
        self
    }

    async fn run(self) -> Result<()> {
        let key = self.key?;
        let db = Db::pick(self.db.as_ref())?;
        let statement = sql::delete_by_pk(M::meta(), key, db.dialect())?;
        match db
            .run(&statement, &mut Sink::discard())
            .await?
            .rows_affected
        {
            0 => Err(gone::<M>()),
            _ => Ok(()),
        }
    }
}

impl<M: Model> IntoFuture for DeleteInstance<M> {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
