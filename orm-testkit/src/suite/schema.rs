//! What schema generation leaves in the database, as the database itself tells it.

use crate::case::{Case, CaseResult, Context};
use crate::introspect::{self, Column, Index};
use crate::models::{Contract, Post, Sample, Tag, User, library};
use crate::{Failure, cases, check};
use orm_core::connection;
use orm_core::entity::Entity;
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::prelude::*;
use orm_core::schema::ModelMeta;
use orm_core::sql::ddl;
use orm_core::sql::ddl::SchemaOptions;
use orm_core::tortoise;
use orm_core::value::Value;

pub(super) const CASES: &[Case] = cases! {
    "schema::tables::columns_and_null" => columns_and_null, ["tortoise.init.generate_schemas", "fields.int.null", "fields.char.null", "fields.datetime.null"];
    "schema::tables::named_as_the_model_says" => named_as_the_model_says, ["model", "tortoise.init.generate_schemas"];
    "schema::indexes::there_and_not_doubled" => indexes_once, ["fields.int.unique", "fields.int.index", "fields.char.unique", "fields.char.index"];
    "schema::indexes::unique_together" => unique_together, ["model", "exceptions.integrity_error"], needs [CompositeKeys];
    "schema::foreign_keys::with_their_actions" => actions, ["fields.foreign_key.on_delete", "fields.many_to_many.through"], needs [ForeignKeys];
    "schema::through::each_pair_once" => each_pair_once, ["fields.many_to_many.through"], needs [CompositeKeys];
    "schema::create::again_is_safe_and_keeps_rows" => again_is_safe, ["tortoise.init.generate_schemas"], needs [IndexIfNotExists];
    "schema::create::failing_statement_is_reported" => failing_statement, ["tortoise.init.generate_schemas"], needs [CompositeKeys];
    "schema::create::same_models_same_statements" => same_statements, ["tortoise.init.generate_schemas"];
    "schema::models::two_of_one_table_are_refused" => two_of_one_table, ["tortoise.init", "model"];
    "schema::literal::hostile_texts_are_values" => hostile_literals, ["fields.char.default", "fields.char.description"];
    "schema::comments::are_in_the_database" => comments, ["fields.int.description", "fields.text.description", "fields.boolean.description", "fields.datetime.description"], needs [Comments];
};

/// Where someone sits: one person a place, one place a person.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_seat", unique_together = [["row", "place"]], indexes = [["guest", "row"]])]
struct Seat {
    /// Key.
    #[field(pk)]
    id: i32,
    /// Row.
    #[field(column = "in_row")]
    row: i32,
    /// Place in the row.
    #[field(max_length = 4)]
    place: String,
    /// Who sits there.
    #[field(max_length = 20)]
    guest: Option<String>,
}

/// Is called like another table.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_tag")]
struct Impostor {
    /// Key.
    #[field(pk)]
    id: i32,
}

/// Has no name of its own for its table.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core")]
struct KitPlain {
    /// Key.
    #[field(pk)]
    id: i32,
    /// A number.
    #[field(column = "value_of_it")]
    value: i32,
}

/// Every field is a column, in order, that takes NULL where the field does.
async fn columns_and_null(cx: &Context) -> CaseResult {
    for model in [Sample::meta(), User::meta(), Post::meta(), Contract::meta()] {
        let fields = model.fields.iter().map(|field| Column {
            name: field.column.to_owned(),
            null: field.null,
        });
        let found = introspect::columns(cx, model.table).await?;
        check::eq(found, fields.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The table is called as the model says, or after the model; columns likewise.
async fn named_as_the_model_says(cx: &Context) -> CaseResult {
    check::eq(introspect::columns(cx, "kitplain").await?.len(), 0)?;
    cx.create_tables_of(&[KitPlain::meta()]).await?;
    let found = introspect::columns(cx, "kitplain").await?;
    let names: Vec<_> = found.iter().map(|column| column.name.as_str()).collect();
    check::eq(names, ["id", "value_of_it"])?;
    KitPlain::create(kw!(value = 3)).await?;
    let sql = "SELECT value_of_it FROM kitplain";
    let rows = cx.client().execute_query(sql, Vec::new()).await?;
    check::eq(rows.rows(), [vec![Value::I64(3)]])
}

/// How many indexes begin with this column; each must be unique or not, as said.
fn count(indexes: &[Index], column: &str, unique: bool) -> CaseResult<usize> {
    let of_it: Vec<_> = indexes.iter().filter(|i| i.columns[0] == column).collect();
    match of_it.iter().find(|index| index.unique != unique) {
        None => Ok(of_it.len()),
        Some(index) => Err(Failure::new(format!(
            "{index:?}, expected unique: {unique}"
        ))),
    }
}

/// What is unique or indexed has one index, nothing else has any.
async fn indexes_once(cx: &Context) -> CaseResult {
    let found = introspect::indexes(cx, "kit_sample").await?;
    for (column, unique, expected) in [
        ("serial", true, 1),
        ("code", true, 1),
        ("rank", false, 1),
        ("shelf", false, 1),
        ("stock", false, 0),
        ("note", false, 0),
    ] {
        check::eq((column, count(&found, column, unique)?), (column, expected))?;
    }
    // A foreign key has an index, so that its reverse side is found.
    let found = introspect::indexes(cx, "kit_post").await?;
    for column in ["author_id", "editor_id"] {
        check::eq((column, count(&found, column, false)?), (column, 1))?;
    }
    Ok(())
}

/// A group of fields is unique together, and the error names them in their order.
async fn unique_together(cx: &Context) -> CaseResult {
    cx.create_tables_of(&[Seat::meta()]).await?;
    let found = introspect::indexes(cx, "kit_seat").await?;
    let pair = found.iter().filter(|i| i.columns == ["in_row", "place"]);
    check::eq(pair.map(|i| i.unique).collect::<Vec<_>>(), [true])?;
    let pair = found.iter().filter(|i| i.columns == ["guest", "in_row"]);
    check::eq(pair.map(|i| i.unique).collect::<Vec<_>>(), [false])?;
    for (row, place) in [(1, "a"), (1, "b"), (2, "a")] {
        Seat::create(kw!(row = row, place = place)).await?;
    }
    let again = Seat::create(kw!(row = 1, place = "b")).await;
    let error = check::fails(again.map(drop), ErrorKind::Integrity)?;
    let Some(broken) = error.constraint() else {
        return Err(Failure::new("no constraint"));
    };
    check::eq(broken.kind(), ConstraintKind::Unique)?;
    check::eq(broken.columns().collect::<Vec<_>>(), ["in_row", "place"])
}

/// Each foreign key refers to the table of its target and has the action of the model.
async fn actions(cx: &Context) -> CaseResult {
    for (table, expected) in [
        (
            "kit_post",
            &[
                ("author_id", "kit_user", "CASCADE"),
                ("editor_id", "kit_user", "SET NULL"),
            ][..],
        ),
        ("kit_contract", &[("owner_id", "kit_user", "RESTRICT")]),
        ("kit_category", &[("parent_id", "kit_category", "CASCADE")]),
        (
            "kit_post_tags",
            &[
                ("post_id", "kit_post", "CASCADE"),
                ("tag_id", "kit_tag", "CASCADE"),
            ],
        ),
    ] {
        let found = introspect::foreign_keys(cx, table).await?;
        let found: Vec<_> = found
            .iter()
            .map(|key| (&*key.column, &*key.target, &*key.on_delete))
            .collect();
        check::eq(found, expected)?;
    }
    Ok(())
}

/// The table in the middle holds each pair once, whoever writes to it.
async fn each_pair_once(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let (post, tag) = (rows.alpha.id, rows.rust.id);
    let sql = format!("INSERT INTO kit_post_tags (post_id, tag_id) VALUES ({post}, {tag})");
    let again = cx.client().execute_query(&sql, Vec::new()).await;
    let error = check::fails(again.map(|rows| rows.len()), ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "a pair is unique")?;
    let found = introspect::columns(cx, "kit_post_tags").await?;
    check::that(found.iter().all(|column| !column.null), "none is NULL")
}

/// Creating what is there changes nothing: rows, indexes and constraints stay as they are.
async fn again_is_safe(cx: &Context) -> CaseResult {
    library(cx).await?;
    let before = introspect::indexes(cx, "kit_sample").await?;
    let keys = introspect::foreign_keys(cx, "kit_post").await?;
    let here = connection::default_connection()?;
    let facts = cx.capabilities();
    let options = SchemaOptions::new()
        .safe(true)
        .foreign_keys(facts.foreign_keys);
    cx.ready();
    for _ in 0..2 {
        tortoise::create_tables_with(&here, &crate::models::all(), &options).await?;
    }
    check::eq(introspect::indexes(cx, "kit_sample").await?, before)?;
    check::eq(introspect::foreign_keys(cx, "kit_post").await?, keys)?;
    check::eq(
        (User::all().count().await?, Post::all().count().await?),
        (3, 4),
    )
}

/// Where a table is there already and that is not allowed, the error has the statement.
async fn failing_statement(cx: &Context) -> CaseResult {
    let refused = cx.create_tables_of(&[Tag::meta()]).await;
    let error = check::fails(refused, ErrorKind::Statement)?;
    let sql = error.as_database().and_then(|database| database.sql());
    check::mentions(sql.unwrap_or_default(), &["CREATE TABLE", "kit_"])
}

/// The statements depend on the models alone, and come with targets first.
async fn same_statements(cx: &Context) -> CaseResult {
    let dialect = cx.client().dialect();
    let facts = cx.capabilities();
    let options = SchemaOptions::new()
        .foreign_keys(facts.foreign_keys)
        .composite_keys(facts.composite_keys);
    let make = |models: &[&'static ModelMeta]| ddl::create_schema_with(models, dialect, &options);
    let once = make(&crate::models::all())?;
    check::eq(make(&crate::models::all())?, once)?;
    let place = |statements: &[String], table: &str| {
        let made = |sql: &&String| sql.starts_with("CREATE TABLE") && sql.contains(table);
        statements.iter().position(|sql| made(&sql))
    };
    let models = [Contract::meta(), User::meta()];
    let statements = make(&models)?;
    check::that(
        place(&statements, "kit_user") < place(&statements, "kit_contract"),
        "the target comes first",
    )
}

/// Two models cannot share a table.
async fn two_of_one_table(cx: &Context) -> CaseResult {
    let here = connection::default_connection()?;
    let models = [Tag::meta(), Impostor::meta()];
    let (result, sent) = cx
        .watch(tortoise::create_tables(&here, &models, true))
        .await;
    let error = check::fails(result, ErrorKind::Configuration)?;
    check::mentions(error, &["Tag", "Impostor", "kit_tag"])?;
    check::eq(sent.len(), 0)
}

/// A literal in a schema is the text that it stands for, or is refused; never another text and
/// never a statement.
async fn hostile_literals(cx: &Context) -> CaseResult {
    let texts = [
        "",
        "it's",
        "''",
        "\\",
        "\\'",
        "a\\nb",
        "\"`",
        "'; DROP TABLE kit_tag; --",
        "$1 ? :x %s",
        "$$ $fk$",
        "/* */ -- #",
        "\u{1f600}\u{e9}",
        "a\nb\tc\r",
    ];
    for text in texts {
        match cx.client().dialect().literal(&Value::from(text)) {
            Ok(literal) => {
                let sql = format!("SELECT {literal}");
                let rows = cx.client().execute_query(&sql, Vec::new()).await?;
                let same = rows.rows()[0][0] == Value::from(text);
                check::that(same, &format!("{literal} is {text:?}"))?;
            }
            Err(error) => {
                check::eq(error.kind(), ErrorKind::Validation)?;
                check::that(
                    text.chars().any(char::is_control),
                    "only control characters",
                )?;
            }
        }
    }
    check::eq(Tag::all().count().await?, 0)
}

/// The description of a field is the comment of its column.
async fn comments(cx: &Context) -> CaseResult {
    for field in Sample::meta().fields {
        let found = introspect::comment(cx, "kit_sample", field.column).await?;
        let kept = cx.capabilities().comments && !field.description.is_empty();
        check::eq(found.as_deref(), kept.then_some(field.description))?;
    }
    Ok(())
}
