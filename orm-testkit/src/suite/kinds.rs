//! Kinds of fields beyond the documented samples: numbers of every width, bytes, long texts, and
//! models that are wide or have unusual names.

use crate::case::{Case, CaseResult, Context};
use crate::models::{User, noon};
use crate::{Failure, cases, check};
use orm_core::entity::Entity;
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use serde_json::json;
use std::sync::atomic::{AtomicI32, Ordering};

pub(super) const CASES: &[Case] = cases! {
    "fields::int::sixty_four_bits_are_exact" => sixty_four_bits, ["fields.int"];
    "fields::int::sixteen_bits" => sixteen_bits, ["fields.int"];
    "fields::int::too_large_is_refused_and_never_wraps" => too_large, ["fields.int", "exceptions.validation_error"];
    "fields::int::zero_asks_for_a_generated_key" => zero_asks_for_a_key, ["fields.int.pk"];
    "fields::int::zero_is_a_chosen_key" => zero_is_a_chosen_key, ["fields.int.pk"];
    "fields::int::unique_takes_many_nulls" => unique_takes_many_nulls, ["fields.int.unique", "fields.int.null"];
    "fields::char::unique_is_binary" => unique_is_binary, ["fields.char.unique"];
    "fields::text::one_megabyte" => one_megabyte, ["fields.text"];
    "fields::text::sixteen_megabytes_or_a_limit" => sixteen_megabytes, ["fields.text"], level Full;
    "fields::boolean::another_number_is_none" => two_is_no_boolean, ["fields.boolean"];
    "fields::default::one_call_for_each_instance" => one_call_each, ["fields.int.default"];
    "fields::float::exact" => floats_are_exact, ["model"];
    "fields::float::nan_and_infinity_are_refused" => nan_is_refused, ["exceptions.validation_error"];
    "fields::binary::round_trip" => bytes_round_trip, ["model"];
    "fields::model::every_kind_set_and_null" => every_kind, ["model", "model.create"];
    "fields::model::hundred_columns" => hundred_columns, ["model", "model.create", "instance.save"];
};

/// Every kind of column, each of which may be missing.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_reading")]
struct Reading {
    /// Key.
    #[field(pk)]
    id: i32,
    /// SmallIntField.
    small: Option<i16>,
    /// IntField.
    #[field(unique)]
    plain: Option<i32>,
    /// BigIntField.
    big: Option<i64>,
    /// FloatField.
    ratio: Option<f64>,
    /// BooleanField.
    flag: Option<bool>,
    /// CharField.
    #[field(max_length = 40, unique)]
    label: Option<String>,
    /// TextField.
    note: Option<String>,
    /// BinaryField.
    blob: Option<Vec<u8>>,
    /// DateTimeField.
    at: Option<DateTime<Utc>>,
}

static NEXT: AtomicI32 = AtomicI32::new(1);

fn next_number() -> i32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Has a key of the program's choice and a default that differs on each call.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_counter")]
struct Slot {
    /// Key.
    #[field(pk, generated = false)]
    id: i32,
    /// A number of its own.
    #[field(default = next_number())]
    number: i32,
}

async fn readings(cx: &Context) -> Result<()> {
    cx.create_tables_of(&[Reading::meta()]).await
}

/// Numbers that a double cannot hold come back whole, over every path.
async fn sixty_four_bits(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let beyond = (1_i64 << 53) + 1;
    for big in [i64::MIN, -beyond, -1, 0, beyond, i64::MAX - 1, i64::MAX] {
        let made = Reading::create(kw!(big = big)).await?;
        check::eq(Reading::get(kw!(id = made.id)).await?.big, Some(big))?;
        check::eq(Reading::filter(kw!(big = big)).count().await?, 1)?;
        check::eq(Reading::filter(kw!(big__in = [big])).count().await?, 1)?;
        let listed = Reading::filter(kw!(id = made.id));
        check::eq(listed.values_list((Reading::big,)).await?, [(Some(big),)])?;
        let mut other = Reading::create(kw!(small = 1_i16)).await?;
        other.update_from_dict(json!({ "big": big }))?;
        other.save().await?;
        check::eq(Reading::get(kw!(id = other.id)).await?.big, Some(big))?;
        Reading::all().delete().await?;
    }
    Ok(())
}

/// The ends of the range come back.
async fn sixteen_bits(cx: &Context) -> CaseResult {
    readings(cx).await?;
    for small in [i16::MIN, -1, 0, i16::MAX] {
        let made = Reading::create(kw!(small = small)).await?;
        check::eq(Reading::get(kw!(id = made.id)).await?.small, Some(small))?;
        check::eq(Reading::filter(kw!(small = small)).count().await?, 1)?;
    }
    Ok(())
}

/// A number beyond the field is refused: unsent where it is known, by the database where it is
/// computed.
async fn too_large(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let mut made = Reading::create(kw!(small = i16::MAX, plain = i32::MAX, big = i64::MAX)).await?;
    let data = json!({ "small": 32_768, "plain": 2_147_483_648_i64, "big": 9.3e18 });
    let error = check::fails(made.update_from_dict(data), ErrorKind::Validation)?;
    check::mentions(error, &["small", "plain", "big"])?;
    check::fails(
        Reading::all().update(kw!(small = F(small) + 1)).await,
        ErrorKind::Data,
    )?;
    check::fails(
        Reading::all().update(kw!(plain = F(plain) + 1)).await,
        ErrorKind::Data,
    )?;
    check::fails(
        Reading::all().update(kw!(big = F(big) + 1)).await,
        ErrorKind::Data,
    )?;
    let stored = Reading::get(kw!(id = made.id)).await?;
    check::eq(
        (stored.small, stored.plain, stored.big),
        (Some(i16::MAX), Some(i32::MAX), Some(i64::MAX)),
    )
}

/// Zero in a generated key is the unset key, on every database.
async fn zero_asks_for_a_key(_: &Context) -> CaseResult {
    let made = User::create(kw!(id = 0, username = "ann")).await?;
    check::that(made.id != 0, "the database gave a key")?;
    check::eq(User::get(kw!(id = made.id)).await?.username, "ann")?;
    check::eq(User::filter(kw!(id = 0)).count().await?, 0)
}

/// Zero in a key that the program chooses is a key like others.
async fn zero_is_a_chosen_key(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Slot::meta()]).await?;
    let mut zero = Slot::create(kw!(id = 0, number = 5)).await?;
    check::eq(zero.id, 0)?;
    zero.number = 6;
    zero.save().await?;
    let stored = Slot::get(kw!(id = 0)).await?;
    check::eq((stored.id, stored.number), (0, 6))?;
    stored.delete().await?;
    check::eq(Slot::all().count().await?, 0)
}

/// NULL is no value: any number of rows may have it in a unique column.
async fn unique_takes_many_nulls(cx: &Context) -> CaseResult {
    readings(cx).await?;
    for _ in 0..3 {
        Reading::create(kw!(big = 1_i64)).await?;
    }
    Reading::create(kw!(plain = 1)).await?;
    let again = Reading::create(kw!(plain = 1)).await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "a value is unique")?;
    let none: Option<i32> = None;
    check::eq(Reading::filter(kw!(plain = none)).count().await?, 3)
}

/// Texts that a language may take for equal are different values.
async fn unique_is_binary(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let labels = [
        "a", "A", "a ", " a", "ä", "a\u{308}", "Ä", "ａ", "ß", "ss", "", " ",
    ];
    for label in labels {
        Reading::create(kw!(label = label)).await?;
    }
    for label in labels {
        check::eq(Reading::filter(kw!(label = label)).count().await?, 1)?;
        let again = Reading::create(kw!(label = label)).await;
        check::fails(again.map(drop), ErrorKind::Integrity)?;
    }
    Ok(())
}

/// A text of a mebibyte comes back whole.
async fn one_megabyte(_: &Context) -> CaseResult {
    let text = "0123456789abcde\u{e9}".repeat(65_536);
    let made = User::create(kw!(username = "ann", bio = &text)).await?;
    let stored = User::get(kw!(id = made.id)).await?;
    check::that(stored.bio.as_deref() == Some(&text), "the text is whole")?;
    check::eq(User::filter(kw!(bio = &text)).count().await?, 1)
}

/// A text of 16 MiB comes back whole, or is a limit of the database that is reported as such; the
/// connection works on.
async fn sixteen_megabytes(_: &Context) -> CaseResult {
    let text = "0123456789abcdef".repeat(1 << 20);
    match User::create(kw!(username = "ann", bio = &text)).await {
        Ok(made) => {
            let stored = User::get(kw!(id = made.id)).await?;
            check::that(stored.bio.as_deref() == Some(&text), "the text is whole")?;
        }
        Err(error) => check::eq(error.kind(), ErrorKind::Resource)?,
    }
    User::create(kw!(username = "bob")).await?;
    check::eq(User::filter(kw!(username = "bob")).count().await?, 1)
}

/// A stored number that is neither of the two values is an error that names the field.
async fn two_is_no_boolean(cx: &Context) -> CaseResult {
    User::create(kw!(username = "ann")).await?;
    let sql = "UPDATE kit_user SET is_active = 2";
    if cx.client().execute_query(sql, Vec::new()).await.is_err() {
        // The database itself keeps such values out.
        return check::eq(User::get(kw!(username = "ann")).await?.is_active, true);
    }
    let error = check::fails(User::all().await, ErrorKind::Data)?;
    check::mentions(error, &["User", "is_active"])
}

/// A default that is computed is computed once for an instance, which equals its row.
async fn one_call_each(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Slot::meta()]).await?;
    let mut numbers = Vec::new();
    for id in 1..=3 {
        let made = Slot::create(kw!(id = id)).await?;
        check::eq(Slot::get(kw!(id = id)).await?.number, made.number)?;
        numbers.push(made.number);
    }
    numbers.dedup();
    check::eq(numbers.len(), 3)
}

/// Doubles come back bit by bit, from the smallest to the largest.
async fn floats_are_exact(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let third = 1.0_f64 / 3.0;
    for ratio in [
        0.0,
        0.1,
        -third,
        1e15 + 0.3,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
    ] {
        let made = Reading::create(kw!(ratio = ratio)).await?;
        let stored = Reading::get(kw!(id = made.id)).await?.ratio;
        check::eq(stored.map(f64::to_bits), Some(ratio.to_bits()))?;
        check::eq(Reading::filter(kw!(ratio = ratio)).count().await?, 1)?;
        check::eq(
            Reading::filter(kw!(ratio__gte = ratio)).exists().await?,
            true,
        )?;
    }
    Ok(())
}

/// What not every database can hold is refused before it is sent, in every call.
async fn nan_is_refused(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let made = Reading::create(kw!(ratio = 1.0)).await?;
    for ratio in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let work = async {
            check::fails(
                Reading::create(kw!(ratio = ratio)).await,
                ErrorKind::Validation,
            )?;
            check::fails(
                Reading::all().update(kw!(ratio = ratio)).await,
                ErrorKind::Validation,
            )?;
            check::fails(
                Reading::filter(kw!(ratio__lt = ratio)).await,
                ErrorKind::Validation,
            )?;
            let mut changed = made.clone();
            changed.ratio = Some(ratio);
            check::fails(changed.save().await, ErrorKind::Validation)
        };
        let (result, sent) = cx.watch(work).await;
        check::mentions(result?, &["ratio"])?;
        check::eq(sent.len(), 0)?;
    }
    check::eq(Reading::get(kw!(id = made.id)).await?.ratio, Some(1.0))
}

/// Bytes are bytes: all values, none at all, and many.
async fn bytes_round_trip(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let all: Vec<u8> = (0..=255).collect();
    for blob in [Vec::new(), vec![0], all.clone(), all.repeat(4096)] {
        let made = Reading::create(kw!(blob = blob.clone())).await?;
        let stored = Reading::get(kw!(id = made.id)).await?;
        check::that(stored.blob.as_ref() == Some(&blob), "the bytes are whole")?;
        check::eq(Reading::filter(kw!(blob = blob)).count().await?, 1)?;
    }
    Reading::create(kw!(big = 1_i64)).await?;
    check::eq(Reading::filter(kw!(blob__isnull = true)).count().await?, 1)
}

/// One row with a value of every kind, one with none, and each turned into the other.
async fn every_kind(cx: &Context) -> CaseResult {
    readings(cx).await?;
    let full = Reading {
        id: 0,
        small: Some(-7),
        plain: Some(8),
        big: Some(1 << 40),
        ratio: Some(0.5),
        flag: Some(false),
        label: Some("l\u{e4}bel".into()),
        note: Some(String::new()),
        blob: Some(vec![0, 255]),
        at: Some(noon()),
    };
    let text = |reading: &Reading| {
        let mut reading = reading.clone();
        reading.id = 0;
        format!("{reading:?}")
    };
    let (mut one, mut two) = (full.clone(), Reading::default());
    one.save().await?;
    two.save().await?;
    check::eq(text(&Reading::get(kw!(id = one.id)).await?), text(&full))?;
    let empty = text(&Reading::default());
    check::eq(text(&Reading::get(kw!(id = two.id)).await?), empty.clone())?;
    (one.id, two.id) = (two.id, one.id);
    two.save().await?;
    one.save().await?;
    check::eq(text(&Reading::get(kw!(id = two.id)).await?), empty)?;
    check::eq(text(&Reading::get(kw!(id = one.id)).await?), text(&full))
}

macro_rules! wide {
    ($($column:ident)*) => {
        /// A hundred columns and a key.
        #[derive(Model, Clone, Debug, Default)]
        #[model(crate = "orm_core", table = "kit_wide")]
        struct Wide {
            /// Key.
            #[field(pk)]
            id: i32,
            $(
                /// A number.
                #[field(default = 0)]
                $column: i32,
            )*
        }

        impl Wide {
            /// The columns in their order.
            fn columns(&mut self) -> Vec<&mut i32> {
                vec![$(&mut self.$column),*]
            }
        }
    };
}

wide! {
    c00 c01 c02 c03 c04 c05 c06 c07 c08 c09 c10 c11 c12 c13 c14 c15 c16 c17 c18 c19
    c20 c21 c22 c23 c24 c25 c26 c27 c28 c29 c30 c31 c32 c33 c34 c35 c36 c37 c38 c39
    c40 c41 c42 c43 c44 c45 c46 c47 c48 c49 c50 c51 c52 c53 c54 c55 c56 c57 c58 c59
    c60 c61 c62 c63 c64 c65 c66 c67 c68 c69 c70 c71 c72 c73 c74 c75 c76 c77 c78 c79
    c80 c81 c82 c83 c84 c85 c86 c87 c88 c89 c90 c91 c92 c93 c94 c95 c96 c97 c98 c99
}

/// Each of many columns keeps its own value.
async fn hundred_columns(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Wide::meta()]).await?;
    let mut wide = Wide::default();
    for (value, column) in (1..).zip(wide.columns()) {
        *column = value;
    }
    wide.save().await?;
    let mut stored = Wide::get(kw!(c41 = 42, c99 = 100)).await?;
    for (value, column) in (1..).zip(stored.columns()) {
        if *column != value {
            return Err(Failure::new(format!("column {value} holds {column}")));
        }
        *column = -value;
    }
    stored.save().await?;
    let mut stored = Wide::get(kw!(id = wide.id)).await?;
    let found: Vec<i32> = stored.columns().into_iter().map(|column| *column).collect();
    check::eq(found, (1..=100).map(|value| -value).collect::<Vec<_>>())
}
