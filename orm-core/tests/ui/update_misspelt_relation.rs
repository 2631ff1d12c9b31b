#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(user: User) {
        update::<Post>(kw!(autor = &user));
    }
}
