#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    filter::<Post>(kw!(title = "y", author.posts.tgs.name = "x"));
}
