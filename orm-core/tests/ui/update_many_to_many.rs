#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(tag: Tag) {
        let _ = Post::all().update(kw!(tags = &tag));
    }
}
