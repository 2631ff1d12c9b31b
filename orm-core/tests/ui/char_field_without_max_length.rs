use orm_core::Model;
use orm_core::fields::CharField;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct F {
    #[field(pk)]
    pub id: i32,
    pub name: CharField,
}

fn main() {}
