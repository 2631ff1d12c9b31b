#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    filter::<Post>(kw!(author_id = F(title)));
}
