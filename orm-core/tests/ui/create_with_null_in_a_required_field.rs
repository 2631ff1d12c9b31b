#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    create::<User>(kw!(username = None, email = "x"));
}
