#![deny(unused_must_use)]

#[path = "support/models.rs"]
mod models;

use models::{Model, User, kw};

fn main() {
    User::all();
    User::create(kw!(username = "john", email = "x"));
}
