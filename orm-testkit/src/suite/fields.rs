//! Field types: what goes in comes out, and what each parameter does.

use crate::case::{Case, CaseResult, Context};
use crate::models::{City, Contract, Post, Sample, User, library, noon};
use crate::{Failure, cases, check};
use orm_core::entity::Entity;
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::schema::FieldMeta;

pub(super) const CASES: &[Case] = cases! {
    "fields::int::round_trip" => int_round_trip, ["fields.int", "model"];
    "fields::int::pk_is_generated_and_unique" => pk_is_generated_and_unique, ["fields.int.pk", "exceptions.integrity_error"];
    "fields::int::parameters" => int_parameters, ["fields.int.null", "fields.int.default", "fields.int.index", "fields.int.description"];
    "fields::int::unique" => int_unique, ["fields.int.unique", "exceptions.integrity_error"];
    "fields::char::round_trip" => char_round_trip, ["fields.char"];
    "fields::char::max_length_counts_code_points" => max_length_counts_code_points, ["fields.char.max_length", "exceptions.validation_error"];
    "fields::char::parameters" => char_parameters, ["fields.char.null", "fields.char.default", "fields.char.index", "fields.char.description"];
    "fields::char::unique" => char_unique, ["fields.char.unique", "exceptions.integrity_error"];
    "fields::text::round_trip" => text_round_trip, ["fields.text"];
    "fields::text::parameters" => text_parameters, ["fields.text.null", "fields.text.default", "fields.text.description"];
    "fields::text::nul_is_refused" => nul_is_refused, ["fields.text", "exceptions.validation_error"];
    "fields::boolean::round_trip_and_parameters" => boolean, ["fields.boolean", "fields.boolean.null", "fields.boolean.default", "fields.boolean.description"];
    "fields::datetime::keeps_microseconds_in_utc" => keeps_microseconds, ["fields.datetime"];
    "fields::datetime::parameters" => datetime_parameters, ["fields.datetime.null", "fields.datetime.default", "fields.datetime.description"];
    "fields::datetime::auto_now_on_every_save" => auto_now_on_every_save, ["fields.datetime.auto_now"];
    "fields::datetime::auto_now_add_on_creation_only" => auto_now_add_once, ["fields.datetime.auto_now_add"];
    "fields::datetime::range_is_checked" => range_is_checked, ["fields.datetime", "exceptions.validation_error"];
    "fields::foreign_key::description" => foreign_key_description, ["fields.foreign_key.description", "fields.foreign_key.on_delete"];
    "fields::many_to_many::description" => many_to_many_description, ["fields.many_to_many.description"];
    "fields::validation::reports_every_field" => reports_every_field, ["exceptions.validation_error"];
    "fields::data::stored_value_that_does_not_fit" => stored_value_that_does_not_fit, ["model.all"];
};

async fn sample(serial: i32) -> Result<Sample> {
    Sample::create(kw!(serial = serial, code = format!("c{serial}"))).await
}

fn meta(name: &str) -> CaseResult<&'static FieldMeta> {
    Sample::meta()
        .field(name)
        .ok_or_else(|| Failure::new(format!("no field {name}")))
}

/// Every 32-bit number comes back.
async fn int_round_trip(_: &Context) -> CaseResult {
    for serial in [i32::MIN, -1, 0, 1, i32::MAX] {
        let made = sample_with(serial).await?;
        check::eq(Sample::get(kw!(id = made.id)).await?.serial, serial)?;
        check::eq(Sample::filter(kw!(serial = serial)).count().await?, 1)?;
    }
    Ok(())
}

async fn sample_with(serial: i32) -> Result<Sample> {
    let code: String = format!("{serial}").chars().rev().take(8).collect();
    Sample::create(kw!(serial = serial, code = code)).await
}

/// The database gives each row a key of its own; one that is taken is refused.
async fn pk_is_generated_and_unique(_: &Context) -> CaseResult {
    let (a, b) = (sample(1).await?, sample(2).await?);
    check::that(
        a.id != b.id && a.id > 0 && b.id > 0,
        "keys are positive and differ",
    )?;
    check::that(meta("id")?.pk && meta("id")?.generated, "the model says so")?;
    let result = Sample::create(kw!(id = a.id, serial = 3, code = "x")).await;
    let error = check::fails(result, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "a key is unique")
}

/// NULL, a default, an index, a description.
async fn int_parameters(_: &Context) -> CaseResult {
    let made = sample(1).await?;
    check::eq((made.rank, made.stock), (None, 7))?;
    let made = Sample::create(kw!(serial = 2, code = "x", rank = 5, stock = 0)).await?;
    check::eq((made.rank, made.stock), (Some(5), 0))?;
    check::that(
        meta("rank")?.index && meta("rank")?.null,
        "the model says so",
    )?;
    check::eq(meta("serial")?.description, "serial number")
}

/// A second row with the value is refused, and the error says which column.
async fn int_unique(_: &Context) -> CaseResult {
    sample(1).await?;
    let result = Sample::create(kw!(serial = 1, code = "other")).await;
    let error = check::fails(result, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "it is the unique constraint")?;
    let columns: Vec<_> = error
        .constraint()
        .into_iter()
        .flat_map(|c| c.columns())
        .collect();
    check::eq(columns, ["serial"])?;
    check::eq(Sample::all().count().await?, 1)
}

/// Every text comes back as it was given.
async fn char_round_trip(_: &Context) -> CaseResult {
    let texts = [
        "",
        " a ",
        "it's",
        "\"",
        "日本語",
        "👩‍👩‍👧",
        "a\tb",
        "-- ;",
        "%s ?1 $1",
    ];
    for (serial, text) in (1..).zip(texts) {
        let shelf = Some(text);
        let made = Sample::create(kw!(
            serial = serial,
            code = format!("{serial}"),
            shelf = shelf
        ))
        .await?;
        let stored = Sample::get(kw!(id = made.id)).await?;
        check::eq(stored.shelf.as_deref(), shelf)?;
    }
    Ok(())
}

/// The limit counts characters, not bytes, and holds before anything is sent.
async fn max_length_counts_code_points(cx: &Context) -> CaseResult {
    let fits = "ä".repeat(8);
    Sample::create(kw!(serial = 1, code = &fits)).await?;
    check::eq(Sample::get(kw!(serial = 1)).await?.code, fits)?;
    let long = "ä".repeat(9);
    let work = async { Sample::create(kw!(serial = 2, code = &long)).await };
    let (result, sent) = cx.watch(work).await;
    check::mentions(check::fails(result, ErrorKind::Validation)?, &["code", "8"])?;
    check::eq(sent.len(), 0)?;
    let mut stored = Sample::get(kw!(serial = 1)).await?;
    stored.code = long;
    check::fails(stored.save().await, ErrorKind::Validation)?;
    check::eq(Sample::filter(kw!(code = "x".repeat(30))).count().await?, 0)
}

/// NULL, a default, an index, a description.
async fn char_parameters(_: &Context) -> CaseResult {
    let made = sample(1).await?;
    check::eq((made.shelf.as_deref(), made.state.as_str()), (None, "new"))?;
    let made = Sample::create(kw!(serial = 2, code = "x", shelf = "", state = "used")).await?;
    check::eq(
        (made.shelf.as_deref(), made.state.as_str()),
        (Some(""), "used"),
    )?;
    check::that(
        meta("shelf")?.index && meta("shelf")?.null,
        "the model says so",
    )?;
    check::eq(
        (meta("code")?.description, meta("code")?.max_length()),
        ("short code", Some(8)),
    )
}

/// A second row with the text is refused, on create and on save.
async fn char_unique(_: &Context) -> CaseResult {
    Sample::create(kw!(serial = 1, code = "a")).await?;
    let mut other = Sample::create(kw!(serial = 2, code = "b")).await?;
    let result = Sample::create(kw!(serial = 3, code = "a")).await;
    check::that(
        check::fails(result, ErrorKind::Integrity)?.is_unique_violation(),
        "unique",
    )?;
    other.code = "a".into();
    let error = check::fails(other.save().await, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "unique")?;
    check::eq(Sample::get(kw!(serial = 2)).await?.code, "b")
}

/// Long texts come back whole.
async fn text_round_trip(_: &Context) -> CaseResult {
    let long = "A line with 日本語 and 'quotes'.\r\n".repeat(20_000);
    let made = Sample::create(kw!(serial = 1, code = "a", note = &long)).await?;
    let stored = Sample::get(kw!(id = made.id)).await?;
    check::that(stored.note == long, "the text is whole")
}

/// NULL, a default that is no harmless literal, a description.
async fn text_parameters(_: &Context) -> CaseResult {
    let made = sample(1).await?;
    let stored = Sample::get(kw!(id = made.id)).await?;
    check::eq(
        (stored.remark, stored.note.as_str()),
        (None, "it's \"new\"; -- \\"),
    )?;
    check::eq(meta("note")?.description, "free text")?;
    check::that(meta("remark")?.null, "the model says so")
}

/// A NUL character is refused before it is sent, in every call that takes a text.
async fn nul_is_refused(cx: &Context) -> CaseResult {
    let user = User::create(kw!(username = "ann")).await?;
    let work = async {
        check::fails(
            User::create(kw!(username = "a\0b")).await,
            ErrorKind::Validation,
        )?;
        check::fails(
            User::all().update(kw!(bio = "a\0b")).await,
            ErrorKind::Validation,
        )?;
        let mut user = user.clone();
        user.bio = Some("a\0b".into());
        check::fails(user.save().await, ErrorKind::Validation).map(drop)
    };
    let (result, sent) = cx.watch(work).await;
    result?;
    check::eq(sent.len(), 0)
}

/// Both values and NULL come back; a default; a description.
async fn boolean(_: &Context) -> CaseResult {
    let made = sample(1).await?;
    check::eq((made.sold, made.flag), (false, None))?;
    let made = Sample::create(kw!(serial = 2, code = "x", sold = true, flag = false)).await?;
    let stored = Sample::get(kw!(id = made.id)).await?;
    check::eq((stored.sold, stored.flag), (true, Some(false)))?;
    check::eq(Sample::filter(kw!(sold = false)).count().await?, 1)?;
    check::eq(Sample::exclude(kw!(flag = false)).count().await?, 1)?;
    check::eq(meta("sold")?.description, "sold out")
}

fn at(text: &str) -> CaseResult<DateTime<Utc>> {
    text.parse()
        .map_err(|error| Failure::new(format!("{text}: {error}")))
}

/// Instants keep their microseconds; what is finer is cut before sending.
async fn keeps_microseconds(_: &Context) -> CaseResult {
    let instants = [
        ("2024-02-29T23:59:59.123456Z", "2024-02-29T23:59:59.123456Z"),
        ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("2024-06-01T12:00:00+05:30", "2024-06-01T06:30:00Z"),
        (
            "2024-06-01T12:00:00.123456789Z",
            "2024-06-01T12:00:00.123456Z",
        ),
    ];
    for (serial, (given, expected)) in (1..).zip(instants) {
        let (given, expected) = (at(given)?, at(expected)?);
        let code = serial.to_string();
        let made = Sample::create(kw!(serial = serial, code = code, checked_at = given)).await?;
        check::eq(made.checked_at, Some(expected))?;
        check::eq(
            Sample::get(kw!(id = made.id)).await?.checked_at,
            Some(expected),
        )?;
        check::eq(Sample::filter(kw!(checked_at = given)).count().await?, 1)?;
    }
    Ok(())
}

/// NULL, a default, a description.
async fn datetime_parameters(_: &Context) -> CaseResult {
    let made = sample(1).await?;
    check::eq((made.checked_at, made.due_at), (None, noon()))?;
    check::eq(meta("checked_at")?.description, "when it was checked")
}

/// Each save sets it anew.
async fn auto_now_on_every_save(_: &Context) -> CaseResult {
    sample(1).await?;
    Sample::all().update(kw!(changed_at = noon())).await?;
    // Read again: the instance that is saved must hold the old time.
    let mut sample = Sample::get(kw!(serial = 1)).await?;
    check::eq(sample.changed_at, noon())?;
    sample.save().await?;
    let stored = Sample::get(kw!(serial = 1)).await?;
    check::that(stored.changed_at > noon(), "the save set it")?;
    check::eq(stored.changed_at, sample.changed_at)
}

/// Creation sets it to the current time, and no save changes it.
async fn auto_now_add_once(_: &Context) -> CaseResult {
    let before = Utc::now() - std::time::Duration::from_millis(1);
    let mut sample = sample(1).await?;
    let made = sample.created_at;
    check::that(
        before <= made && made <= Utc::now(),
        "it is the time of the creation",
    )?;
    sample.stock = 1;
    sample.save().await?;
    check::eq(Sample::get(kw!(serial = 1)).await?.created_at, made)
}

/// Years that not every database can hold are refused before sending.
async fn range_is_checked(cx: &Context) -> CaseResult {
    let far = DateTime::<Utc>::MAX_UTC;
    let work = async { Sample::create(kw!(serial = 1, code = "a", checked_at = far)).await };
    let (result, sent) = cx.watch(work).await;
    check::mentions(
        check::fails(result, ErrorKind::Validation)?,
        &["checked_at"],
    )?;
    check::eq(sent.len(), 0)
}

/// A foreign key knows its column, target and description.
async fn foreign_key_description(_: &Context) -> CaseResult {
    let field = Contract::meta().field("owner_id");
    check::eq(field.map(|field| field.description), Some("who signed"))?;
    let relation = Post::meta().relation("author");
    check::eq(
        relation.map(|relation| relation.target().name),
        Some("User"),
    )?;
    let relation = City::meta().relation("country");
    check::eq(
        relation.map(|relation| relation.related_name),
        Some("cities"),
    )
}

/// A many-to-many relation knows its table and both its sides.
async fn many_to_many_description(cx: &Context) -> CaseResult {
    library(cx).await?;
    let relation = Post::meta().relation("tags");
    let through = relation.and_then(|relation| relation.through);
    check::eq(through.map(|through| through.table), Some("kit_post_tags"))?;
    check::eq(relation.map(|relation| relation.target().name), Some("Tag"))
}

/// All fields that are wrong are reported together.
async fn reports_every_field(cx: &Context) -> CaseResult {
    let (long, far) = ("x".repeat(21), DateTime::<Utc>::MAX_UTC);
    let work = async {
        Sample::create(kw!(
            serial = 1,
            code = "a\0",
            shelf = &long,
            checked_at = far
        ))
        .await
    };
    let (result, sent) = cx.watch(work).await;
    match result {
        Err(Error::Validation(found)) => {
            let mut names: Vec<_> = found.issues().iter().map(|i| i.field.to_string()).collect();
            names.sort();
            check::eq(names, ["checked_at", "code", "shelf"])?;
        }
        other => return Err(Failure::new(format!("found {other:?}"))),
    }
    check::eq(sent.len(), 0)
}

/// A stored value that the field cannot hold is an error that names model and field.
async fn stored_value_that_does_not_fit(cx: &Context) -> CaseResult {
    User::create(kw!(username = "ann")).await?;
    let sql = "UPDATE kit_user SET age = 'old'";
    if cx.client().execute_query(sql, Vec::new()).await.is_err() {
        // The database itself keeps such values out.
        return Ok(());
    }
    let result = User::all().await;
    check::mentions(check::fails(result, ErrorKind::Data)?, &["User", "age"])
}
