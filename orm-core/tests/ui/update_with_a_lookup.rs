#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    update::<Post>(kw!(views__gt = 3));
}
