#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    prefetch_related::<Post>(Post::title);
}
