#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::all().limit(-1);
}
