#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    create::<Post>(kw!(title = "Hello", author__username = "x"));
}
