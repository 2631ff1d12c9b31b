#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    order_by::<Post>(User::username);
}
