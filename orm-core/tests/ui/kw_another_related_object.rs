#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(post: Post) {
        filter::<Post>(kw!(author = &post));
    }
}
