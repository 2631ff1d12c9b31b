#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = User::create(kw!(username = None, email = "x"));
}
