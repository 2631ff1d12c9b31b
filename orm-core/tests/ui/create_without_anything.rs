#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::create(kw!());
}
