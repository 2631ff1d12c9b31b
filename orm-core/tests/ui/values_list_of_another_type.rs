#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _: Vec<(i32, i32)> = values_list::<Post, _>((Post::id, Post::title));
}
