#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    update::<Post>(kw!(author_id = F(editor_id)));
}
