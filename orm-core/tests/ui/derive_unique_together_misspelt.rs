use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", unique_together = [["name", "coed"]])]
pub struct A {
    #[field(pk)]
    pub id: i32,
    pub name: String,
    pub code: String,
}

fn main() {}
