#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    filter::<Post>(kw!(title = "y", author__posts__tgs__name = "x"));
}
