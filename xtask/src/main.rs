//! Development commands of the workspace: `cargo xtask <command>`.

mod args;
mod backends;
mod ci;
mod crates;
mod scan;
mod servers;
mod steps;
mod tidy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match args::parse(&words) {
        Ok(command) => ci::run(&command),
        Err(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}
