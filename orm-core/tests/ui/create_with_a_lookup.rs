#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _ = User::create(kw!(username__icontains = "x", username = "x", email = "x"));
}
