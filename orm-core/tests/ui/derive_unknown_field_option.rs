use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct A {
    #[field(pk)]
    pub id: i32,
    #[field(max_lenght = 3)]
    pub name: String,
}

fn main() {}
