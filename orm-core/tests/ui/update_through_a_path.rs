#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    update::<Post>(kw!(author__username = "x"));
}
