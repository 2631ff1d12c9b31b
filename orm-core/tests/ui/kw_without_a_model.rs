#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let q = kw!(title = "a");
    let _ = Post::filter(q);
}
