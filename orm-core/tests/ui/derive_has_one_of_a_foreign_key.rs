use orm_core::Model;
use orm_core::relation::{ForeignKey, HasOne};

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct User {
    #[field(pk)]
    pub id: i32,
    pub profile: HasOne<Profile>,
}

#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core")]
pub struct Profile {
    #[field(pk)]
    pub id: i32,
    #[field(related_name = "profile")]
    pub user: ForeignKey<User>,
}

fn main() {}
