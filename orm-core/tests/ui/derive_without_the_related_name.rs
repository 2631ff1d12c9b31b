use orm_core::Model;
use orm_core::relation::{ForeignKey, HasMany};

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Shop {
    #[field(pk)]
    pub id: i32,
    pub items: HasMany<Item>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Item {
    #[field(pk)]
    pub id: i32,
    pub shop: ForeignKey<Shop>,
}

fn main() {}
