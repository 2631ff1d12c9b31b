//! What a dialect does not claim is refused before there is a text.

use crate::dialects::{ALL, Plain};
use crate::models::{self, POST, USER};
use crate::shapes::{q, rows};
use orm_core::backend::{Capabilities, Dialect, SqlFamily, TextSpelling};
use orm_core::error::{Error, Result};
use orm_core::query::{DatePart, Lookup};
use orm_core::schema::{FieldMeta, ModelMeta};
use orm_core::sql;
use orm_core::sql::ddl::{SchemaOptions, create_schema, create_schema_with};
use orm_core::value::{ColumnType, Value};
use std::borrow::Cow;

static NONE: Capabilities = Capabilities::none();
static COMMENTS: Capabilities = {
    let mut facts = Capabilities::none();
    facts.comments = true;
    facts
};

/// A plain dialect with other facts.
#[derive(Debug)]
struct With(&'static Plain, &'static Capabilities);

impl Dialect for With {
    fn name(&self) -> &'static str {
        "with"
    }
    fn family(&self) -> SqlFamily {
        self.0.family()
    }
    fn capabilities(&self) -> &'static Capabilities {
        self.1
    }
    fn column_type(&self, ty: ColumnType) -> Cow<'static, str> {
        self.0.column_type(ty)
    }
    fn generated_key(&self) -> &'static str {
        self.0.generated_key()
    }
    fn text_lookup(&self, lookup: Lookup) -> Option<TextSpelling> {
        self.0.text_lookup(lookup)
    }
    fn date_part(&self, part: DatePart) -> &'static str {
        self.0.date_part(part)
    }
    fn literal(&self, value: &Value) -> Result<String> {
        match value {
            Value::Text(text) => Ok(format!("'{}'", text.replace('\'', "''"))),
            other => self.0.literal(other),
        }
    }
}

static BARE: [With; 3] = [
    With(&ALL[0], &NONE),
    With(&ALL[1], &NONE),
    With(&ALL[2], &NONE),
];

fn refused<T>(result: Result<T>) -> &'static str {
    match result {
        Err(Error::Unsupported(name)) => name,
        Err(error) => panic!("another error: {error}"),
        Ok(_) => panic!("not refused"),
    }
}

#[test]
fn each_gate_names_its_capability() {
    for bare in &BARE {
        let mut select = rows(&USER, vec![q(&USER, "name__regex", "a")]);
        assert_eq!(refused(sql::select(&mut select, bare)), "regex");
        let many = sql::insert_many(&USER, &[1], 2, vec!["a".into(), "b".into()], false, bare);
        assert_eq!(refused(many), "multi_row_insert");
        let one = sql::insert(&USER, &[1], vec!["a".into()], &[0, 1], bare);
        assert_eq!(refused(one), "returning_insert");
        let options = SchemaOptions::new();
        let schema = |options: SchemaOptions| create_schema_with(&[&POST], bare, &options);
        assert_eq!(refused(schema(options)), "composite_keys");
        let single = options.composite_keys(false);
        assert_eq!(refused(schema(single)), "foreign_keys");
    }
}

#[test]
fn without_constraints_only_indexes_can_be_refused() {
    for bare in &BARE {
        let options = SchemaOptions::new().foreign_keys(false);
        let options = options.composite_keys(false);
        let texts = create_schema_with(&models::ALL, bare, &options).unwrap();
        assert!(!texts.iter().any(|text| text.contains("FOREIGN KEY")));
        let safe = create_schema_with(&models::ALL, bare, &options.safe(true));
        if bare.family() == SqlFamily::MySql {
            assert!(safe.is_ok(), "its indexes are parts of the table");
        } else {
            assert_eq!(refused(safe), "index_if_not_exists");
        }
    }
}

const NOTE: FieldMeta = FieldMeta {
    description: "it's; here",
    ..FieldMeta::new("note", ColumnType::Text)
};
static NOTES: ModelMeta = ModelMeta {
    name: "Note",
    table: "note",
    description: "",
    fields: &[NOTE],
    relations: &[],
    pk: 0,
    ordering: &[],
    unique_together: &[],
    indexes: &[],
};

#[test]
fn descriptions_are_comments_where_they_are_claimed() {
    let schema = |plain: &'static Plain, facts| {
        let with = With(plain, facts);
        create_schema(&[&NOTES], &with, false).unwrap().join(";\n")
    };
    let postgres = schema(&ALL[0], &COMMENTS);
    assert!(postgres.ends_with("COMMENT ON COLUMN \"note\".\"note\" IS 'it''s; here'"));
    assert!(schema(&ALL[1], &COMMENTS).contains(" COMMENT 'it''s; here'"));
    assert!(!schema(&ALL[0], &NONE).contains("COMMENT"));
    assert!(!schema(&ALL[1], &NONE).contains("COMMENT"));
}
