#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(post: Post) {
        let _ = Post::filter(kw!(author = &post));
    }
}
