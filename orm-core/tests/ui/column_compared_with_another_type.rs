#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    filter::<Post>(Post::views.gt("x"));
}
