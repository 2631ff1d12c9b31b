#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    let _: Q<Post> = filter::<Post>(User::username.eq("x"));
}
