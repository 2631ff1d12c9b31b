#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(user: User) {
        let _ = Post::all().update(kw!(autor = &user));
    }
}
