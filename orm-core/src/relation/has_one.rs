//! The reverse side of a one-to-one.

use crate::entity::{Entity, Shared, ToOneSlot};
use crate::error::{Error, NotLoaded, Result};
use crate::query::{Expr, Predicate};
use crate::queryset::{QuerySet, Related};
use crate::schema::{ModelMeta, Reach};
use crate::value::Value;
use std::{fmt, marker::PhantomData, sync::Arc};

/// The row that refers to an instance by a `OneToOne`, if there is one.
///
/// # Examples
/// ```
/// use fast_django::orm::prelude::*;
///
/// #[derive(Model, Clone, Debug, Default)]
/// pub struct Reader {
///     #[field(pk)]
///     pub id: i32,
///     pub card: HasOne<Card>,
/// }
///
/// #[derive(Model, Clone, Debug, Default)]
/// pub struct Card {
///     #[field(pk)]
///     pub id: i32,
///     #[field(related_name = "card")]
///     pub reader: OneToOne<Reader>,
/// }
///
/// # fn main() -> Result<()> { run_async(async {
/// # let config = Config::new("sqlite::memory:").models(models![Reader, Card]);
/// # Tortoise::init(config.generate_schemas(true)).await?;
/// let reader = Reader::create(kw!()).await?;
/// assert!(reader.card.fetch().await?.is_none());
/// let card = Card::create(kw!(reader = &reader)).await?;
/// assert_eq!(reader.card.fetch().await?.map(|card| card.id), Some(card.id));
/// let readers = Reader::filter(kw!(card__isnull = false)).prefetch_related("card").await?;
/// assert_eq!(readers[0].card.get()?.map(|card| card.id), Some(card.id));
/// # Ok(()) }) }
/// ```
pub struct HasOne<T: Entity> {
    owner: Option<(Value, &'static ModelMeta, usize)>,
    loaded: Option<Option<Shared>>,
    target: PhantomData<fn() -> T>,
}

impl<T: Entity> HasOne<T> {
    /// The relation at this position of `owner`'s model, for the owner with this key. Used by the
    /// derive.
    pub fn bound(key: Value, owner: &'static ModelMeta, relation: usize) -> Self {
        HasOne {
            owner: Some((key, owner, relation)),
            loaded: None,
            target: PhantomData,
        }
    }

    /// Tells the owner's key. What was loaded for another owner is forgotten. Used by the derive.
    pub fn bind(&mut self, key: Value, owner: &'static ModelMeta, relation: usize) {
        if self
            .owner
            .as_ref()
            .is_none_or(|(known, _, _)| *known != key)
        {
            *self = HasOne::bound(key, owner, relation);
        }
    }

    /// The loaded row, or `None` when a query has found that there is none. Sends nothing.
    ///
    /// # Errors
    /// [`Error::NotLoaded`] when no query has looked; [`Error::Unsaved`] when the owner has no key
    /// yet.
    pub fn get(&self) -> Result<Option<&T>> {
        match &self.loaded {
            Some(found) => Ok(found.as_ref().and_then(|row| row.downcast_ref())),
            None => {
                let (_, model, relation) = self.owner()?;
                let hint = "use `prefetch_related` in the query, or `.fetch().await`";
                Err(NotLoaded::new(model.name, model.relations[relation].name, hint).into())
            }
        }
    }

    fn owner(&self) -> Result<(&Value, &'static ModelMeta, usize)> {
        match &self.owner {
            Some((key, model, _)) if key.is_null() => Err(Error::Unsaved(model.name)),
            Some((key, model, relation)) => Ok((key, model, *relation)),
            None => Err(Error::Unsaved("instance")),
        }
    }
}

impl<T: Related> HasOne<T> {
    /// The row: the loaded one, else from the database with one statement. `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Unsaved`] when the owner has no key; those of the query.
    pub async fn fetch(&self) -> Result<Option<Arc<T>>> {
        if let Some(found) = &self.loaded {
            return Ok(found.clone().and_then(|row| row.downcast().ok()));
        }
        let (key, model, relation) = self.owner()?;
        match model.relations[relation].reach(model) {
            Some(Reach::Reverse(field)) => {
                let query = QuerySet::<T>::under(Predicate::equals(Expr::own(field), key.clone()));
                Ok(query.first().await?.map(Arc::new))
            }
            _ => Err(Error::configuration(
                "a `HasOne` needs a `OneToOne` on the other side",
            )),
        }
    }
}

impl<T: Entity> ToOneSlot for HasOne<T> {
    fn key(&self) -> Value {
        self.owner
            .as_ref()
            .map_or(Value::Null, |(key, _, _)| key.clone())
    }
    fn put(&mut self, loaded: Option<Shared>) {
        self.loaded = Some(loaded);
    }
}

impl<T: Entity> Default for HasOne<T> {
    fn default() -> Self {
        HasOne {
            owner: None,
            loaded: None,
            target: PhantomData,
        }
    }
}

impl<T: Entity> Clone for HasOne<T> {
    fn clone(&self) -> Self {
        HasOne {
            owner: self.owner.clone(),
            loaded: self.loaded.clone(),
            target: PhantomData,
        }
    }
}

impl<T: Entity> PartialEq for HasOne<T> {
    /// Always equal: what an instance is does not depend on which relations are loaded.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T: Entity> fmt::Debug for HasOne<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.loaded {
            None => "not loaded",
            Some(None) => "none",
            Some(Some(_)) => "loaded",
        };
        write!(f, "{}({state})", T::meta().name)
    }
}
