#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    update(Post::author_id.set(Post::editor_id));
}
