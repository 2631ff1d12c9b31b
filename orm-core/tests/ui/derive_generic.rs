use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct A<T> {
    #[field(pk)]
    pub id: i32,
    pub value: T,
}

fn main() {}
