#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    filter::<Post>(kw!(views__icontains = "1"));
}
