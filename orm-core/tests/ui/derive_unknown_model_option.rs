use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", tabel = "a")]
pub struct A {
    #[field(pk)]
    pub id: i32,
}

fn main() {}
