#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    update::<Post>(kw!(title = F(views) + 1));
}
