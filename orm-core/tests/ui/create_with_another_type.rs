#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    create::<User>(kw!(username = 7, email = "x"));
}
