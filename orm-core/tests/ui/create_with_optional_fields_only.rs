#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    create::<Post>(kw!(title = "x", created_at = Utc::now(), id = 7));
}
