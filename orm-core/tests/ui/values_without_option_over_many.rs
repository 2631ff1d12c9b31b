#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    #[derive(Values)]
    #[values(Post, crate = "orm_core")]
    struct Card {
        id: i32,
        #[values(tags.name)]
        tag: String,
    }
}
