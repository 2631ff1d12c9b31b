use orm_core::Model;
use orm_core::relation::ForeignKey;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct C {
    #[field(pk)]
    pub id: i32,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct D {
    #[field(pk)]
    pub id: i32,
    #[field(on_delete = Drop)]
    pub other: ForeignKey<C>,
}

fn main() {}
