//! Instants: the ends of their range, order, time zones, and the days on which clocks change.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Sample, User};
use crate::{Failure, cases, check};
use orm_core::backend::SqlFamily;
use orm_core::prelude::*;
use serde_json::json;

pub(super) const CASES: &[Case] = cases! {
    "instant::range::first_and_last" => first_and_last, ["fields.datetime"];
    "instant::range::finer_digits_never_round_up" => never_round_up, ["fields.datetime"];
    "instant::range::leap_days" => leap_days, ["fields.datetime"];
    "instant::range::a_day_of_utc" => a_day_of_utc, ["fields.datetime", "model.filter"];
    "instant::order::is_chronological" => order_is_chronological, ["fields.datetime", "queryset.order_by"];
    "instant::zone::any_offset_is_the_same_instant" => any_offset, ["fields.datetime", "model.filter"];
    "instant::zone::repeated_hour_stays_distinct" => repeated_hour, ["fields.datetime"];
    "instant::zone::of_the_session_is_irrelevant" => zone_of_the_session, ["fields.datetime"], needs [Transactions];
    "instant::zone::text_without_offset_is_utc" => text_without_offset, ["fields.datetime", "instance.update_from_dict"];
    "instant::bulk::same_as_create" => bulk_same_as_create, ["fields.datetime", "model.bulk_create"], needs [MultiRowInsert];
};

fn at(text: &str) -> CaseResult<DateTime<Utc>> {
    text.parse()
        .map_err(|error| Failure::new(format!("{text}: {error}")))
}

async fn stored(author: &User, instant: DateTime<Utc>) -> Result<Post> {
    let title = instant.to_rfc3339();
    Post::create(kw!(title = title, author = author, published = instant)).await
}

/// The first and the last instant that the field holds.
async fn first_and_last(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let ends = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"];
    for end in [at(ends[0])?, at(ends[1])?] {
        let made = stored(&ann, end).await?;
        check::eq(Post::get(kw!(id = made.id)).await?.published, Some(end))?;
        check::eq(Post::filter(kw!(published = end)).count().await?, 1)?;
    }
    let (first, last) = (at(ends[0])?, at(ends[1])?);
    let all = Post::filter(kw!(published__range = (first, last)));
    check::eq(all.count().await?, 2)
}

/// Digits beyond the microsecond are cut, also before the last second of a year.
async fn never_round_up(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    for (given, expected) in [
        (
            "2023-12-31T23:59:59.999999999Z",
            "2023-12-31T23:59:59.999999Z",
        ),
        (
            "1969-12-31T23:59:59.999999999Z",
            "1969-12-31T23:59:59.999999Z",
        ),
        (
            "9999-12-31T23:59:59.999999999Z",
            "9999-12-31T23:59:59.999999Z",
        ),
    ] {
        let made = stored(&ann, at(given)?).await?;
        check::eq(made.published, Some(at(expected)?))?;
        let found = Post::get(kw!(id = made.id)).await?;
        check::eq(found.published, Some(at(expected)?))?;
    }
    Ok(())
}

/// Days that only some years have.
async fn leap_days(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    for text in [
        "2024-02-29T00:00:00Z",
        "2000-02-29T12:00:00Z",
        "0004-02-29T00:00:00Z",
    ] {
        let made = stored(&ann, at(text)?).await?;
        let found = Post::get(kw!(id = made.id, published__day = 29)).await?;
        check::eq(found.published, Some(at(text)?))?;
    }
    Ok(())
}

/// A day is what UTC says, to the microsecond at both ends.
async fn a_day_of_utc(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    for text in [
        "2024-05-31T23:59:59.999999Z",
        "2024-06-01T00:00:00Z",
        "2024-06-01T23:59:59.999999Z",
        "2024-06-02T00:00:00Z",
    ] {
        stored(&ann, at(text)?).await?;
    }
    let (from, to) = (at("2024-06-01T00:00:00Z")?, at("2024-06-02T00:00:00Z")?);
    let day = Post::filter(kw!(published__gte = from, published__lt = to));
    check::eq(day.count().await?, 2)?;
    check::eq(
        Post::filter(kw!(published__month = 6, published__day = 1))
            .count()
            .await?,
        2,
    )
}

/// Instants sort as time does, whatever their fractions and years.
async fn order_is_chronological(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let texts = [
        "0001-01-01T00:00:00Z",
        "0999-12-31T23:59:59Z",
        "1969-12-31T23:59:59.9Z",
        "1970-01-01T00:00:00Z",
        "2024-06-01T11:59:59.999999Z",
        "2024-06-01T12:00:00Z",
        "2024-06-01T12:00:00.000001Z",
        "2024-06-01T12:00:00.1Z",
        "2024-06-01T12:00:00.12Z",
        "2024-06-01T12:00:01Z",
        "9999-12-31T00:00:00Z",
    ];
    let sorted: Vec<DateTime<Utc>> = texts.into_iter().map(at).collect::<CaseResult<_>>()?;
    // Stored in another order than the one to be found.
    for place in [6, 0, 10, 3, 8, 1, 9, 2, 7, 5, 4] {
        stored(&ann, sorted[place]).await?;
    }
    let found = Post::all().order_by("published").await?;
    let found: Vec<_> = found.iter().filter_map(|post| post.published).collect();
    check::eq(&found, &sorted)?;
    let found = Post::all().order_by("-published").await?;
    let found: Vec<_> = found
        .iter()
        .rev()
        .filter_map(|post| post.published)
        .collect();
    check::eq(&found, &sorted)?;
    for (place, instant) in sorted.iter().enumerate() {
        let earlier = Post::filter(kw!(published__lt = *instant)).count().await?;
        check::eq(earlier, place as u64)?;
    }
    Ok(())
}

/// An instant that is written with another offset is the same one.
async fn any_offset(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let post = stored(&ann, at("2024-06-01T12:00:00+05:30")?).await?;
    let utc = at("2024-06-01T06:30:00Z")?;
    check::eq(Post::get(kw!(id = post.id)).await?.published, Some(utc))?;
    for text in [
        "2024-06-01T06:30:00Z",
        "2024-06-01T01:00:00-05:30",
        "2024-05-31T16:30:00-14:00",
    ] {
        let same = Post::filter(kw!(published = at(text)?));
        check::eq(same.count().await?, 1)?;
        let same = Post::filter(kw!(published__in = [at(text)?]));
        check::eq(same.count().await?, 1)?;
        let other = Post::filter(kw!(published__gt = at(text)?));
        check::eq(other.count().await?, 0)?;
    }
    Ok(())
}

/// The two instants that a clock shows alike in autumn, and the hour that is missing in spring.
async fn repeated_hour(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let twice = [
        at("2024-10-27T02:30:00+02:00")?,
        at("2024-10-27T02:30:00+01:00")?,
    ];
    let missing = at("2024-03-31T01:30:00Z")?;
    for instant in [twice[0], twice[1], missing] {
        stored(&ann, instant).await?;
    }
    for instant in [twice[0], twice[1], missing] {
        let found = Post::get(kw!(published = instant)).await?;
        check::eq(found.published, Some(instant))?;
    }
    Ok(())
}

/// The command that gives the session another zone, where sessions have one.
fn another_zone(family: SqlFamily) -> Option<&'static str> {
    match family {
        SqlFamily::Postgres => Some("SET TIME ZONE 'Asia/Kolkata'"),
        SqlFamily::MySql => Some("SET time_zone = '+05:30'"),
        _ => None,
    }
}

/// Reading, writing, comparing and taking apart give the same whatever the session's zone.
async fn zone_of_the_session(cx: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let instant = at("2024-05-31T22:15:00.5Z")?;
    let before = stored(&ann, instant).await?;
    let zone = another_zone(cx.client().dialect().family());
    cx.ready();
    let found: Result<_> = in_transaction(async |tx| {
        if let Some(command) = zone {
            tx.script(command).await?;
        }
        let inside = stored(&ann, instant).await?;
        let read = Post::get(kw!(id = before.id)).await?.published;
        let equal = Post::filter(kw!(published = instant)).count().await?;
        let parts = Post::filter(kw!(
            published__day = 31,
            published__hour = 22,
            published__minute = 15
        ));
        let parts = parts.count().await?;
        Ok((inside, read, equal, parts))
    })
    .await;
    let (inside, read, equal, parts) = found?;
    check::eq((read, equal, parts), (Some(instant), 2, 2))?;
    let stored = Post::get(kw!(id = inside.id)).await?;
    check::eq(stored.published, Some(instant))
}

/// A text without an offset is read as UTC, one with an offset as what it says.
async fn text_without_offset(_: &Context) -> CaseResult {
    let ann = User::create(kw!(username = "ann")).await?;
    let mut post = stored(&ann, at("2000-01-01T00:00:00Z")?).await?;
    for (text, expected) in [
        ("2024-06-01T12:00:00", "2024-06-01T12:00:00Z"),
        ("2024-06-01 12:00:00.25", "2024-06-01T12:00:00.25Z"),
        ("2024-06-01T12:00:00+02:00", "2024-06-01T10:00:00Z"),
    ] {
        post.update_from_dict(json!({ "published": text }))?;
        post.save().await?;
        let found = Post::get(kw!(id = post.id)).await?;
        check::eq(found.published, Some(at(expected)?))?;
    }
    let refused = post.update_from_dict(json!({ "published": "tomorrow" }));
    check::mentions(
        check::fails(refused, orm_core::error::ErrorKind::Validation)?,
        &["published"],
    )
}

/// Many rows at once store the same instants as one row each.
async fn bulk_same_as_create(_: &Context) -> CaseResult {
    let instant = at("2024-06-01T12:00:00.123456789Z")?;
    let first = Sample::create(kw!(serial = 1, code = "a", checked_at = instant)).await?;
    let mut second = first.clone();
    (second.id, second.serial, second.code) = (0, 2, "b".into());
    second.checked_at = Some(instant);
    let made = Sample::bulk_create(vec![second]).await?;
    check::eq(made[0].checked_at, first.checked_at)?;
    let stored = Sample::get(kw!(serial = 2)).await?;
    check::eq(stored.checked_at, first.checked_at)?;
    check::eq(stored.due_at, first.due_at)?;
    let same = Sample::filter(kw!(checked_at = instant));
    check::eq(same.count().await?, 2)
}
