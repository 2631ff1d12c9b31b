#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    create::<User>(kw!(usrname = "john", email = "x"));
}
