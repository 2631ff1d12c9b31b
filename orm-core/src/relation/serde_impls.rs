//! Relations in serialised instances: a foreign key is its key, a loaded list is the list.

use super::{ForeignKey, HasMany, HasOne};
use crate::entity::Entity;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

impl<T: Entity> Serialize for ForeignKey<T>
where
    T::Pk: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.key().serialize(serializer)
    }
}

impl<'de, T: Entity> Deserialize<'de> for ForeignKey<T>
where
    T::Pk: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::Pk::deserialize(deserializer).map(ForeignKey::from_key)
    }
}

impl<T: Entity + Serialize> Serialize for HasMany<T> {
    /// The rows, or null when they are not loaded.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.loaded().serialize(serializer)
    }
}

impl<'de, T: Entity> Deserialize<'de> for HasMany<T> {
    /// Whatever is there is ignored: rows of another model do not come with an instance.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(HasMany::default())
    }
}

impl<T: Entity + Serialize> Serialize for HasOne<T> {
    /// The row, or null when there is none or it is not loaded.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().ok().flatten().serialize(serializer)
    }
}

impl<'de, T: Entity> Deserialize<'de> for HasOne<T> {
    /// Whatever is there is ignored.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Ok(HasOne::default())
    }
}
