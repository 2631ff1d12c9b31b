use orm_core::Model;

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct F {
    pub id: i32,
    #[field(max_length = 3)]
    pub n: i32,
    #[field(uniqe)]
    pub name: String,
}

fn main() {}
