#![deny(unused_must_use)]

#[path = "support/models.rs"]
mod models;
use models::*;

fn main() {
    User::create(kw!(username = "john", email = "x"));
}
