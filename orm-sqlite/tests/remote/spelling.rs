//! The dialect's own spellings, against what they must mean.

use crate::open;
use crate::server::{Limits, Server};
use chrono::{DateTime, Datelike, Days, TimeZone, Timelike, Utc};
use orm_core::backend::{BaseDBAsyncClient, Dialect};
use orm_core::query::{DatePart, Lookup};
use orm_core::value::Value;
use orm_sqlite::LibsqlDialect;

#[tokio::test]
async fn text_lookups_compare_characters_and_nothing_else() {
    let server = Server::start(None, Limits::default());
    let db = open(&server.url()).await.expect("opens");
    let texts = [
        "", "a", "A", "ab", "bab", "%", "a%", "_b", "ü", "aü", "Üa", "🎉", "a🎉", "b\\", "[a]", "*",
    ];
    type Means = fn(&str, &str) -> bool;
    let lookups: [(Lookup, Means); 3] = [
        (Lookup::Contains, |text, part| text.contains(part)),
        (Lookup::StartsWith, |text, part| text.starts_with(part)),
        (Lookup::EndsWith, |text, part| text.ends_with(part)),
    ];
    for (lookup, means) in lookups {
        let spelling = LibsqlDialect.text_lookup(lookup).expect("is supported");
        let sql = spelling
            .template
            .replace("{l}", "l.value")
            .replace("{r}", "r.value");
        let sql = format!(
            "SELECT l.value, r.value, coalesce({sql}, 2) FROM json_each(?) l, json_each(?) r"
        );
        let all = serde_json::json!(texts).to_string();
        let rows = db
            .execute_query(&sql, vec![all.clone().into(), all.into()])
            .await;
        let rows = rows.expect("rows");
        assert_eq!(rows.len(), texts.len() * texts.len());
        for row in rows.rows() {
            let (Value::Text(text), Value::Text(part)) = (&row[0], &row[1]) else {
                panic!("not text: {row:?}");
            };
            let wanted = Value::I64(means(text, part).into());
            assert_eq!(row[2], wanted, "{lookup:?} {text:?} {part:?}");
        }
    }
    for lookup in [Lookup::IContains, Lookup::IExact, Lookup::Regex] {
        assert!(LibsqlDialect.text_lookup(lookup).is_none());
    }
}

fn part(part: DatePart, at: DateTime<Utc>) -> u32 {
    match part {
        DatePart::Year => u32::try_from(at.year()).expect("a year"),
        DatePart::Quarter => at.month().div_ceil(3),
        DatePart::Month => at.month(),
        DatePart::Week => at.iso_week().week(),
        DatePart::Day => at.day(),
        DatePart::WeekDay => at.weekday().number_from_sunday(),
        DatePart::Hour => at.hour(),
        DatePart::Minute => at.minute(),
        DatePart::Second => at.second(),
        DatePart::Microsecond => at.nanosecond() / 1_000,
    }
}

#[tokio::test]
async fn parts_of_dates_are_those_of_the_calendar() {
    let server = Server::start(None, Limits::default());
    let db = open(&server.url()).await.expect("opens");
    let parts = [
        DatePart::Year,
        DatePart::Quarter,
        DatePart::Month,
        DatePart::Week,
        DatePart::Day,
        DatePart::WeekDay,
        DatePart::Hour,
        DatePart::Minute,
        DatePart::Second,
        DatePart::Microsecond,
    ];
    let columns = parts.map(|part| LibsqlDialect.date_part(part).replace("{l}", "at"));
    let sql = format!("SELECT {} FROM (SELECT ? AS at)", columns.join(", "));
    // The days about every turn of a year from 1999 to 2040, and the ends of what can be stored.
    let mut instants = Vec::new();
    for year in 1999..2041 {
        let last = Utc
            .with_ymd_and_hms(year, 12, 26, 23, 59, 59)
            .single()
            .expect("a day");
        let last = last.with_nanosecond(999_999_000).expect("a fraction");
        instants.extend((0..14).map(|days| last + Days::new(days)));
    }
    for (year, month) in [(1, 1), (9999, 12), (2024, 2), (2000, 6)] {
        let at = Utc.with_ymd_and_hms(year, month, 29, 0, 0, 1).single();
        instants.push(at.expect("a day"));
    }
    for at in instants {
        let rows = db
            .execute_query(&sql, vec![at.into()])
            .await
            .expect("parts");
        let wanted = parts.map(|p| Value::I64(part(p, at).into()));
        assert_eq!(rows.rows()[0], wanted, "{at}");
    }
    // Other text has no parts here: it would be taken for another time.
    for text in [
        "2024-01-01T01:00:00+05:30",
        "2024-01-01 01:00:00.000000+01:00",
        "x",
        "",
    ] {
        let rows = db
            .execute_query(&sql, vec![text.into()])
            .await
            .expect("parts");
        assert!(
            rows.rows()[0].iter().all(|part| *part == Value::Null),
            "{text}"
        );
    }
}
