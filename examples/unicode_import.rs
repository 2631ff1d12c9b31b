//! Imports `UnicodeData.txt` (Debian package unicode-data) and prints rows per second and memory.
//!
//! Run with `cargo run --release --example unicode_import -- /usr/share/unicode/UnicodeData.txt`.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;
use indicatif::ProgressBar;
use std::{fs, process::ExitCode, time::Instant};

/// One code point.
#[derive(Model, Clone, Debug, Default)]
pub struct CodePoint {
    #[field(pk, generated = false)]
    pub id: i32,
    #[field(max_length = 120)]
    pub name: String,
    #[field(max_length = 2, index)]
    pub category: String,
    pub combining: i16,
    #[field(max_length = 3)]
    pub direction: String,
    pub uppercase: Option<i32>,
    pub lowercase: Option<i32>,
}

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: unicode_import PATH-OF-UnicodeData.txt");
        return ExitCode::from(2);
    };
    match run_async(import(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn code(text: &str) -> Option<i32> {
    i32::from_str_radix(text, 16).ok()
}

/// One line of the file: 15 fields separated by `;` (Unicode Standard Annex 44).
fn parse(line: &str) -> Option<CodePoint> {
    let fields: Vec<&str> = line.split(';').collect();
    let [id, name, category, combining, direction, ..] = fields.as_slice() else {
        return None;
    };
    Some(CodePoint {
        id: code(id)?,
        name: (*name).to_owned(),
        category: (*category).to_owned(),
        combining: combining.parse().ok()?,
        direction: (*direction).to_owned(),
        uppercase: fields.get(12).and_then(|text| code(text)),
        lowercase: fields.get(13).and_then(|text| code(text)),
    })
}

async fn import(path: &str) -> Result<()> {
    let text = fs::read_to_string(path)
        .map_err(|error| Error::configuration(format!("cannot read {path}: {error}")))?;
    let config = Config::new("sqlite::memory:")
        .models(models![CodePoint])
        .generate_schemas(true);
    Tortoise::init(config).await?;
    let lines: Vec<&str> = text.lines().collect();
    let bar = ProgressBar::new(lines.len() as u64);
    let begun = Instant::now();
    in_transaction(async |_tx| {
        for chunk in lines.chunks(1_000) {
            let rows: Option<Vec<CodePoint>> = chunk.iter().map(|line| parse(line)).collect();
            let rows =
                rows.ok_or_else(|| Error::validation("line", "not a line of UnicodeData.txt"))?;
            CodePoint::bulk_create(rows).await?;
            bar.inc(chunk.len() as u64);
        }
        Ok::<_, Error>(())
    })
    .await?;
    bar.finish_and_clear();
    let stored = CodePoint::all().count().await?;
    println!(
        "{stored} rows, {:.0} rows per second",
        stored as f64 / begun.elapsed().as_secs_f64()
    );
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak}");
    }
    let letters = CodePoint::filter(kw!(name__icontains = "latin small letter", category = "Ll"));
    println!("{} small Latin letters", letters.count().await?);
    Ok(())
}

/// The largest resident size so far, where the system tells.
fn peak_memory() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
