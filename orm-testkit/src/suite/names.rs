//! Names that need quoting: reserved words, capitals, other scripts, quotes and placeholders.

use crate::case::{Case, CaseResult, Context};
use crate::{Failure, cases, check};
use orm_core::entity::Entity;
use orm_core::error::ErrorKind;
use orm_core::prelude::*;
use orm_core::schema::{FieldMeta, ModelMeta};
use orm_core::tortoise;
use orm_core::value::ColumnType;

pub(super) const CASES: &[Case] = cases! {
    "names::reserved::words_of_every_dialect" => reserved_words, ["model", "model.filter", "queryset.order_by", "queryset.update"];
    "names::script::capitals_and_other_scripts" => other_scripts, ["model", "model.filter"];
    "names::script::errors_name_them" => errors_name_them, ["exceptions.integrity_error"];
    "names::quoted::quotes_and_placeholders" => quotes_and_placeholders, ["model", "model.filter", "queryset.update"];
    "names::control::refused_unsent" => control_characters, ["model", "tortoise.init.generate_schemas"];
    "names::length::over_the_limit_is_refused_unsent" => over_the_limit, ["model", "tortoise.init.generate_schemas"];
};

/// Every name is a word of SQL.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "order", indexes = [["group", "user"]])]
struct Reserved {
    /// Key.
    #[field(pk, column = "primary")]
    id: i32,
    /// Text.
    #[field(max_length = 20, unique)]
    select: String,
    /// Number.
    #[field(default = 0)]
    group: i32,
    /// Number.
    #[field(default = 0, index)]
    user: i32,
    /// Text.
    #[field(max_length = 20, default = "x", column = "where")]
    place: String,
    /// Number that may be missing.
    limit: Option<i32>,
    /// Number that may be missing.
    #[field(column = "default")]
    usual: Option<i32>,
    /// What it belongs to.
    #[field(column = "references", related_name = "table")]
    key: Option<ForeignKey<Reserved>>,
    /// What belongs to it.
    table: HasMany<Reserved>,
}

/// Names with capitals and of other scripts.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_Größe")]
struct Scripts {
    /// Key.
    #[field(pk, column = "Id")]
    id: i32,
    /// Text.
    #[field(max_length = 20, unique, column = "Bezeichnung_Ä")]
    title: String,
    /// Number.
    #[field(default = 0, column = "número", index)]
    number: i32,
    /// Number.
    #[field(default = 0, column = "camelCase")]
    camel: i32,
}

/// Names with every character that means something in SQL text.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit \"odd\"`t'")]
struct Quoted {
    /// Key.
    #[field(pk, column = "i\"d")]
    id: i32,
    /// Text.
    #[field(max_length = 20, unique, column = "a`b'c")]
    title: String,
    /// Number.
    #[field(default = 0, column = "w? $1 :x @y")]
    holes: i32,
    /// Number.
    #[field(default = 0, column = "x -- y; /*", index)]
    comment: i32,
    /// Number.
    #[field(default = 0, column = "p%s\\q{c}[r]")]
    slashes: i32,
}

/// Models, columns and indexes may be named like words of SQL.
async fn reserved_words(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Reserved::meta()]).await?;
    let top = Reserved::create(kw!(select = "a", group = 1, place = "here", limit = 3)).await?;
    Reserved::create(kw!(select = "b", group = 2, key = &top, usual = 9)).await?;
    let query = Reserved::filter(kw!(group__gt = 0, place__startswith = "h"));
    check::eq(query.count().await?, 1)?;
    let ordered = Reserved::all()
        .order_by(["-group", "user", "select"])
        .limit(1);
    check::eq(ordered.await?[0].select.as_str(), "b")?;
    check::eq(Reserved::filter(kw!(key__select = "a")).count().await?, 1)?;
    check::eq(Reserved::filter(kw!(table__usual = 9)).count().await?, 1)?;
    let changed = Reserved::filter(kw!(limit = 3));
    check::eq(
        changed
            .update(kw!(user = F(user) + 1, place = "there"))
            .await?,
        1,
    )?;
    let with = Reserved::all().prefetch_related("table").order_by("group");
    check::eq(with.await?[0].table.get()?.len(), 1)?;
    check::eq(Reserved::filter(kw!(usual = 9)).delete().await?, 1)
}

/// Capitals are kept, letters of other scripts are letters.
async fn other_scripts(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Scripts::meta()]).await?;
    let mut made = Scripts::create(kw!(title = "a", number = 1, camel = 2)).await?;
    made.camel = 3;
    made.save().await?;
    let found = Scripts::filter(kw!(number = 1, camel__gte = 3)).order_by("-camel");
    check::eq(found.await?.len(), 1)?;
    check::eq(Scripts::all().update(kw!(camel = F(number))).await?, 1)?;
    check::eq(Scripts::get(kw!(camel = 1)).await?.title, "a")
}

/// A broken constraint names its columns as the model does.
async fn errors_name_them(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Scripts::meta()]).await?;
    Scripts::create(kw!(title = "a")).await?;
    let again = Scripts::create(kw!(title = "a")).await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    let columns: Vec<_> = error
        .constraint()
        .into_iter()
        .flat_map(|broken| broken.columns())
        .collect();
    check::eq(columns, ["Bezeichnung_Ä"])
}

/// A name is quoted whatever it holds, in every statement.
async fn quotes_and_placeholders(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Quoted::meta()]).await?;
    let made = Quoted::create(kw!(title = "a", holes = 1, comment = 2, slashes = 3)).await?;
    Quoted::create(kw!(title = "b", holes = 4)).await?;
    let query = Quoted::filter(kw!(
        holes = 1,
        comment__in = [2, 3],
        slashes__range = (3, 3)
    ));
    check::eq(query.order_by("-comment").await?[0].id, made.id)?;
    check::eq(Quoted::all().update(kw!(comment = F(holes) + 1)).await?, 2)?;
    let mut stored = Quoted::get(kw!(comment = 5)).await?;
    stored.slashes = 7;
    stored.save().await?;
    check::eq(Quoted::filter(kw!(slashes = 7)).delete().await?, 1)?;
    let again = Quoted::create(kw!(title = "a")).await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "it is the unique constraint")
}

/// A model that is nothing but a table with this name and a column with that one.
fn model(table: &str, column: &str) -> &'static ModelMeta {
    let key = FieldMeta {
        pk: true,
        column: String::from(column).leak(),
        ..FieldMeta::new("id", ColumnType::Int)
    };
    Box::leak(Box::new(ModelMeta {
        name: "Made",
        table: String::from(table).leak(),
        description: "",
        fields: Vec::leak(vec![key]),
        relations: &[],
        pk: 0,
        ordering: &[],
        unique_together: &[],
        indexes: &[],
    }))
}

/// The schema of a wrong model is refused, and nothing is sent.
async fn refused(cx: &Context, model: &'static ModelMeta) -> CaseResult<Error> {
    let connection = orm_core::connection::default_connection()?;
    let (result, sent) = cx
        .watch(tortoise::create_tables(&connection, &[model], false))
        .await;
    let error = check::fails(result, ErrorKind::Configuration)?;
    check::eq(sent.len(), 0)?;
    Ok(error)
}

/// A name cannot be empty or hold control characters, NUL among them.
async fn control_characters(cx: &Context) -> CaseResult {
    for name in ["", "a\0b", "a\nb", "\u{7f}"] {
        check::mentions(refused(cx, model(name, "id")).await?, &["Made"])?;
        check::mentions(refused(cx, model("kit_made", name)).await?, &["Made"])?;
    }
    Ok(())
}

/// A name that the database would cut is refused, with the limit.
async fn over_the_limit(cx: &Context) -> CaseResult {
    let limit = cx.capabilities().max_identifier;
    let long = "n".repeat(limit + 1);
    for model in [model(&long, "id"), model("kit_made", &long)] {
        check::mentions(refused(cx, model).await?, &[&long, &limit.to_string()])?;
    }
    let fits = "n".repeat(limit);
    match cx.create_tables_of(&[model(&fits, "id")]).await {
        Ok(()) => Ok(()),
        Err(error) => Err(Failure::new(format!("{limit} bytes are refused: {error}"))),
    }
}
