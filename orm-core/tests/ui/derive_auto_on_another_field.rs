use orm_core::Model;
use orm_core::value::Auto;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Slot {
    #[field(pk)]
    pub id: Auto<String>,
    pub size: Auto<i64>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Use {
    #[field(pk, generated = false)]
    pub id: Auto<i64>,
}

fn main() {}
