//! Relation fields of a model. // placeholder

use crate::columns::RelValue;
use crate::entity::{Entity, Shared, ToManySlot, ToOneSlot};
use crate::error::Result;
use crate::model::Model;
use crate::schema::ModelMeta;
use crate::value::{Field, Value};
use std::{fmt, marker::PhantomData};

/// A model behind a relation. // placeholder
pub trait Target: Send + Sync {}
struct Typed<T>(PhantomData<fn() -> T>);
impl<T: Model> Target for Typed<T> {}
/// The target of a relation. // placeholder
pub fn target<T: Model>() -> &'static dyn Target {
    const { &Typed::<T>(PhantomData) }
}

/// A reference to one row of `T`. // placeholder
pub struct ForeignKey<T: Entity> {
    key: T::Pk,
    loaded: Option<Shared>,
}
/// A unique [`ForeignKey`]. // placeholder
pub type OneToOne<T> = ForeignKey<T>;
impl<T: Entity> ForeignKey<T> {
    /// By key. // placeholder
    pub fn from_key(key: T::Pk) -> Self {
        ForeignKey { key, loaded: None }
    }
    /// The key. // placeholder
    pub fn key(&self) -> &T::Pk {
        &self.key
    }
    /// Sets the key. // placeholder
    pub fn set_key(&mut self, key: T::Pk) {
        if self.key != key {
            self.loaded = None;
        }
        self.key = key;
    }
}
impl<T: Entity> Clone for ForeignKey<T> {
    fn clone(&self) -> Self {
        ForeignKey {
            key: self.key.clone(),
            loaded: self.loaded.clone(),
        }
    }
}
impl<T: Entity> fmt::Debug for ForeignKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignKey")
    }
}
impl<T: Entity> ToOneSlot for ForeignKey<T> {
    fn key(&self) -> Value {
        self.key.to_value()
    }
    fn put(&mut self, loaded: Option<Shared>) {
        self.loaded = loaded;
    }
}
impl<T: Entity, K> RelValue<T, K> for &ForeignKey<T> {
    fn key_value(&self) -> Result<Value> {
        Ok(self.key.to_value())
    }
}

macro_rules! reverse {
    ($($name:ident $slot:ident $loaded:ty;)*) => { $(
        /// A reverse relation. // placeholder
        pub struct $name<T> {
            owner: Option<(Value, &'static ModelMeta, usize)>,
            loaded: Option<$loaded>,
            marker: PhantomData<fn() -> T>,
        }
        impl<T> $name<T> {
            /// Bound to its owner. // placeholder
            pub fn bound(key: Value, owner: &'static ModelMeta, relation: usize) -> Self {
                $name { owner: Some((key, owner, relation)), loaded: None, marker: PhantomData }
            }
            /// Binds it to its owner. // placeholder
            pub fn bind(&mut self, key: Value, owner: &'static ModelMeta, relation: usize) {
                self.owner = Some((key, owner, relation));
            }
        }
        impl<T> Default for $name<T> {
            fn default() -> Self {
                $name { owner: None, loaded: None, marker: PhantomData }
            }
        }
        impl<T> Clone for $name<T> {
            fn clone(&self) -> Self {
                $name { owner: self.owner.clone(), loaded: self.loaded.clone(), marker: PhantomData }
            }
        }
        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )* };
}
reverse! {
    HasMany ToManySlot Shared;
    ManyToMany ToManySlot Shared;
    HasOne ToOneSlot Option<Shared>;
}
impl<T> ToManySlot for HasMany<T> {
    fn put(&mut self, loaded: Shared) {
        self.loaded = Some(loaded);
    }
}
impl<T> ToManySlot for ManyToMany<T> {
    fn put(&mut self, loaded: Shared) {
        self.loaded = Some(loaded);
    }
}
impl<T> ToOneSlot for HasOne<T> {
    fn key(&self) -> Value {
        self.owner.as_ref().map_or(Value::Null, |o| o.0.clone())
    }
    fn put(&mut self, loaded: Option<Shared>) {
        self.loaded = Some(loaded);
    }
}

/// Proof of a `related_name`. // placeholder
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no relation to `{Owner}` with the `related_name` of this field",
    label = "declare `#[field(related_name = \"..\")]` with this field's name on the relation of `{Self}` to `{Owner}`"
)]
pub trait RelatedName<Owner, const H: u64> {}

/// FNV-1a. // placeholder
pub const fn name_hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}
