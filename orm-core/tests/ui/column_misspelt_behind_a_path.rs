#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    filter::<Post>(Post::author.posts.tgs.name.eq("x"));
}
