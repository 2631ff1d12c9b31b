//! Relation fields of a model struct: to one (`ForeignKey`, `HasOne`) and to many (`HasMany`).

mod foreign_key;
mod has_many;
mod has_one;
mod serde_impls;

pub use foreign_key::ForeignKey;
pub use has_many::HasMany;
pub use has_many::IntoMembers;
pub use has_many::Link;
pub use has_one::HasOne;

/// A foreign key that is unique: at most one row refers to each target.
pub type OneToOne<T> = ForeignKey<T>;

/// Rows linked through a table; both sides can add and remove links.
pub type ManyToMany<T> = HasMany<T>;

/// Proof that a model has a foreign key or many-to-many to `Owner` whose `related_name` hashes to
/// `NAME`. The derive emits it for each `related_name` and demands it for each reverse field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no relation to `{Owner}` with the `related_name` of this field",
    label = "declare `#[field(related_name = \"..\")]` with this field's name on the relation of `{Self}` to `{Owner}`"
)]
pub trait RelatedName<Owner, const NAME: u64> {}

/// As [`RelatedName`], for a relation that at most one row may have for each `Owner`: what a
/// [`HasOne`] needs at its other end.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no `OneToOne` to `{Owner}` with the `related_name` of this field",
    label = "`HasOne` needs a `OneToOne<{Owner}>` with this field's name as `related_name` in `{Self}`; for a `ForeignKey` use `HasMany`"
)]
pub trait OneRelatedName<Owner, const NAME: u64> {}

/// FNV-1a of a name, at compile time.
pub const fn name_hash(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}
