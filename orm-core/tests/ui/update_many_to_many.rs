#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    fn f(tag: Tag) {
        update::<Post>(kw!(tags = &tag));
    }
}
