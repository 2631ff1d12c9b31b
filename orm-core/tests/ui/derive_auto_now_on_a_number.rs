use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct F {
    #[field(pk)]
    pub id: i32,
    #[field(auto_now)]
    pub at: i32,
}

fn main() {}
