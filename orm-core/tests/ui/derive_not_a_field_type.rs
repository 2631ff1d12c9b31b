use orm_core::Model;

#[derive(Clone, Debug)]
pub struct NotField;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct E {
    #[field(pk)]
    pub id: i32,
    pub x: Vec<NotField>,
}

fn main() {}
