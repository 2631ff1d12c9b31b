//! Countries and time zones: the IANA tables in one transaction, then questions to them.
//!
//! Run with `cargo run --example atlas`. The data is described in `examples/data/README.md`.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;
use std::{collections::HashMap, fs, path::Path};

#[derive(Model, Clone, Debug, Default)]
#[model(ordering = ["name"])]
pub struct Country {
    #[field(pk)]
    pub id: i32,
    /// ISO 3166 code of two letters.
    #[field(max_length = 2, unique)]
    pub code: String,
    #[field(max_length = 100)]
    pub name: String,
    pub zones: HasMany<Zone>,
}

#[derive(Model, Clone, Debug, Default)]
#[model(ordering = ["name"])]
pub struct Zone {
    #[field(pk)]
    pub id: i32,
    /// Name in the tz database, such as `Europe/Zurich`.
    #[field(max_length = 60, unique)]
    pub name: String,
    /// Latitude and longitude of its main place, as ISO 6709.
    #[field(max_length = 20)]
    pub coordinates: String,
    pub comment: Option<String>,
    #[field(related_name = "zones")]
    pub countries: ManyToMany<Country>,
}

fn main() -> Result<()> {
    run_async(async {
        let models = models![Country, Zone];
        Tortoise::init(
            Config::new("sqlite::memory:")
                .models(models)
                .generate_schemas(true),
        )
        .await?;
        in_transaction(async |_tx| import().await).await?;
        println!(
            "{} countries, {} zones",
            Country::all().count().await?,
            Zone::all().count().await?
        );
        most_zones().await?;
        shared_zones().await?;
        zones_of("Switzerland").await?;
        rolled_back_rename().await
    })
}

fn table(name: &str) -> Result<Vec<Vec<String>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/data")
        .join(name);
    let text = fs::read_to_string(&path).map_err(|error| {
        Error::configuration(format!("cannot read {}: {error}", path.display()))
    })?;
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    Ok(lines
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect())
}

async fn import() -> Result<()> {
    let mut countries = Vec::new();
    for row in table("iso3166.tab")? {
        countries.push(Country::new(kw!(code = &row[0], name = &row[1]))?);
    }
    let countries = Country::bulk_create(countries).await?;
    let by_code: HashMap<&str, &Country> = countries.iter().map(|c| (c.code.as_str(), c)).collect();
    let rows = table("zone1970.tab")?;
    let mut zones = Vec::new();
    for row in &rows {
        let comment = row.get(3).cloned();
        zones.push(Zone::new(kw!(
            name = &row[2],
            coordinates = &row[1],
            comment = comment
        ))?);
    }
    let zones = Zone::bulk_create(zones).await?;
    for (zone, row) in zones.iter().zip(&rows) {
        let here: Vec<&Country> = row[0]
            .split(',')
            .filter_map(|code| by_code.get(code).copied())
            .collect();
        zone.countries.add(here).await?;
    }
    Ok(())
}

async fn most_zones() -> Result<()> {
    let mut countries = Country::all().prefetch_related("zones").await?;
    countries
        .sort_by_key(|country| std::cmp::Reverse(country.zones.loaded().map_or(0, <[Zone]>::len)));
    println!("most zones:");
    for country in countries.iter().take(5) {
        println!("  {:3} {}", country.zones.get()?.len(), country.name);
    }
    Ok(())
}

async fn shared_zones() -> Result<()> {
    let zones = Zone::filter(kw!(countries__code = "CH"))
        .prefetch_related(Zone::countries)
        .await?;
    for zone in zones {
        let mut names: Vec<&str> = zone
            .countries
            .get()?
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        names.sort_unstable();
        println!("{} is shared by {}", zone.name, names.join(", "));
    }
    Ok(())
}

async fn zones_of(name: &str) -> Result<()> {
    let (country, statements) = fast_django::orm::instrument::record(async {
        Country::get(kw!(name = name))
            .prefetch_related("zones")
            .await
    })
    .await;
    let country = country?;
    let zones: Vec<&str> = country
        .zones
        .get()?
        .iter()
        .map(|zone| zone.name.as_str())
        .collect();
    println!(
        "{name}: {} ({} statements)",
        zones.join(", "),
        statements.len()
    );
    Ok(())
}

async fn rolled_back_rename() -> Result<()> {
    let renamed: Result<()> = in_transaction(async |_tx| {
        Country::filter(kw!(code = "CH"))
            .update(kw!(name = "Helvetia"))
            .await?;
        println!(
            "inside the transaction: {}",
            Country::get(kw!(code = "CH")).await?.name
        );
        Err(Error::validation("name", "kept as it was"))
    })
    .await;
    println!("the transaction failed: {}", renamed.is_err());
    println!(
        "after the rollback: {}",
        Country::get(kw!(code = "CH")).await?.name
    );
    Ok(())
}
