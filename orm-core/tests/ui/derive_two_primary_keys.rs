use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct B {
    #[field(pk)]
    pub id: i32,
    #[field(pk)]
    pub code: String,
}

fn main() {}
