use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct C {
    #[field(pk)]
    pub id: i32,
    pub filter: i32,
}

fn main() {}
