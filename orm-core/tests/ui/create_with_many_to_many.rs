#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(user: User, tag: Tag) {
        let _ = Post::create(kw!(title = "Hello", author = &user, tags = &tag));
    }
}
