use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct B {
    pub id: i32,
}

fn main() {}
