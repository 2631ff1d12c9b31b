#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::filter(Post::author.posts.tgs.name.eq("x"));
}
