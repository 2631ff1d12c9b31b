#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::all().update(kw!(title = F(views) + 1));
}
