#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    create::<User>(kw!(username__icontains = "x", username = "x", email = "x"));
}
