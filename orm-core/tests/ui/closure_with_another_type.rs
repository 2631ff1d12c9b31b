#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::filter_with(|p| p.views.gt("x"));
}
