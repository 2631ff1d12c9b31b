#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::filter(kw!(title = "y", author.posts.tgs.name = "x"));
}
