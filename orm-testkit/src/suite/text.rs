//! Texts of every script, and what others may have stored in a text column.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Post, Tag, User};
use crate::{cases, check};
use orm_core::backend::SqlFamily;
use orm_core::error::ErrorKind;
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "text::unicode::every_script_as_given" => every_script, ["fields.text", "fields.char"];
    "text::unicode::normal_forms_are_distinct_values" => normal_forms, ["fields.text", "fields.char.unique"];
    "text::control::as_given" => control_characters, ["fields.text", "fields.char"];
    "text::nul::filters_are_refused_unsent" => nul_in_filters, ["model.filter", "exceptions.validation_error"];
    "text::nul::stored_by_others_is_never_cut" => nul_of_others, ["fields.text", "model.all"];
    "text::bytes::not_utf8_is_a_data_error" => not_utf8, ["fields.text", "model.all"];
};

const TEXTS: &[&str] = &[
    "\u{1f600}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
    "\u{10380}\u{12000}\u{13000}",
    "\u{5d0}\u{5d1} \u{627}\u{644}",
    "\u{202e}abc\u{202c}\u{200f}\u{2066}x\u{2069}",
    "\u{feff}bom",
    "a\u{200b}b\u{2060}c",
    "\u{301}",
    "e\u{301}\u{328}",
    "\u{130}i\u{131}I",
    "stra\u{df}e",
    "\u{fffd}\u{ffff}\u{10ffff}",
    "\u{2028}\u{2029}\u{85}\u{a0}",
    "\u{3000}\u{ff21}\u{ff76}\u{ff9e}",
];

/// Four-byte characters, marks, directions and what cannot be seen come back as they were, are
/// found by equality and inside a longer text.
async fn every_script(_: &Context) -> CaseResult {
    for text in TEXTS {
        let long = format!("<{text}>");
        let made = User::create(kw!(username = *text, bio = &long)).await?;
        let stored = User::get(kw!(username = *text, bio__contains = *text)).await?;
        check::eq((stored.id, stored.username.as_str()), (made.id, *text))?;
        check::eq(stored.bio.as_deref(), Some(long.as_str()))?;
        let listed = User::filter(kw!(username__in = [*text]));
        check::eq(listed.count().await?, 1)?;
    }
    check::eq(User::all().count().await?, TEXTS.len() as u64)
}

/// A composed letter and a letter with a mark are two values, also where values are unique.
async fn normal_forms(_: &Context) -> CaseResult {
    for (composed, decomposed) in [("\u{e9}", "e\u{301}"), ("\u{212b}", "\u{c5}")] {
        Tag::create(kw!(name = composed)).await?;
        Tag::create(kw!(name = decomposed)).await?;
        for name in [composed, decomposed] {
            check::eq(Tag::get(kw!(name = name)).await?.name, name)?;
        }
    }
    Ok(())
}

/// Line ends, tabs and the other control characters are kept, at the ends too.
async fn control_characters(_: &Context) -> CaseResult {
    let every: String = (1..=31).chain([127]).map(char::from).collect();
    for text in [
        "\r\n",
        "\n",
        "\r",
        "\ta\t",
        "a\r\nb\nc\rd",
        "\u{1a}",
        "\u{8}\u{7f}",
        &every,
    ] {
        let made = User::create(kw!(username = text, bio = text)).await?;
        let stored = User::get(kw!(username = text, bio = text)).await?;
        check::eq(stored.id, made.id)?;
        check::eq(stored.bio.as_deref(), Some(text))?;
    }
    Ok(())
}

/// A NUL cannot be stored, so a filter with one is a mistake that is found before sending.
async fn nul_in_filters(cx: &Context) -> CaseResult {
    User::create(kw!(username = "a")).await?;
    let work = async {
        let refused = [
            User::filter(kw!(username = "a\0")).await,
            User::filter(kw!(username__in = ["b", "a\0"])).await,
            User::filter(kw!(bio__contains = "\0")).await,
            User::exclude(kw!(bio__istartswith = "a\0")).await,
        ];
        for result in refused {
            check::fails(result, ErrorKind::Validation)?;
        }
        check::fails(
            Post::filter(kw!(author__username = "a\0")).count().await,
            ErrorKind::Validation,
        )
    };
    let (result, sent) = cx.watch(work).await;
    result?;
    check::eq(sent.len(), 0)
}

/// A text with a NUL that another program stored is read whole or is an error, never a part.
async fn nul_of_others(cx: &Context) -> CaseResult {
    let expression = match cx.client().dialect().family() {
        SqlFamily::MySql => "CONCAT('a', CHAR(0), 'b')",
        SqlFamily::Postgres => "'a' || chr(0) || 'b'",
        _ => "'a' || char(0) || 'b'",
    };
    User::create(kw!(username = "ann")).await?;
    let sql = format!("UPDATE kit_user SET bio = {expression}");
    if cx.client().execute_query(&sql, Vec::new()).await.is_ok() {
        match User::get(kw!(username = "ann")).await {
            Ok(user) => check::eq(user.bio.as_deref(), Some("a\0b"))?,
            Err(error) => check::eq(error.kind(), ErrorKind::Data)?,
        }
    }
    // The connection goes on.
    check::eq(User::all().count().await?, 1)
}

/// Bytes in a text column that are no text are an error that names model and field.
async fn not_utf8(cx: &Context) -> CaseResult {
    User::create(kw!(username = "ann")).await?;
    let expression = match cx.client().dialect().family() {
        SqlFamily::MySql => "CONVERT(UNHEX('61FF62') USING binary)",
        SqlFamily::Postgres => "convert_from(decode('61ff62', 'hex'), 'UTF8')",
        _ => "CAST(x'61ff62' AS TEXT)",
    };
    let sql = format!("UPDATE kit_user SET bio = {expression}");
    if cx.client().execute_query(&sql, Vec::new()).await.is_ok() {
        let error = check::fails(User::all().await, ErrorKind::Data)?;
        check::mentions(error, &["User", "bio"])?;
    }
    check::eq(User::all().count().await?, 1)
}
