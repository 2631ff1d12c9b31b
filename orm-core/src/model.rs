//! The top half of a model. // placeholder

use crate::entity::Entity;
use crate::relation::Target;

/// A model. `#[derive(Model)]` implements it.
pub trait Model: Entity {
    /// The model at the other end of the relation at this position.
    fn relation_target(relation: usize) -> &'static dyn Target;
}
