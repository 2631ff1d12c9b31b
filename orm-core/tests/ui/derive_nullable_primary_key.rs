use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct B {
    #[field(pk)]
    pub id: Option<i32>,
}

fn main() {}
