#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = Post::filter(kw!(author____username = "x"));
}
