//! What a database says about its own tables, asked in the words of its SQL family.

use crate::case::{CaseResult, Context, Failure};
use orm_core::backend::SqlFamily;
use orm_core::value::Value;

/// A column as the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Whether it takes NULL.
    pub null: bool,
}

/// An index or a constraint that is kept by one. A primary key that has no index of its own is
/// none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Whether two rows cannot have the same values.
    pub unique: bool,
    /// Its columns, in order.
    pub columns: Vec<String>,
}

/// A foreign key of one column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ForeignKey {
    /// The column.
    pub column: String,
    /// The table that it refers to.
    pub target: String,
    /// What becomes of the row when its target is deleted, in upper case.
    pub on_delete: String,
}

async fn rows(cx: &Context, sql: &str) -> CaseResult<Vec<Vec<Value>>> {
    Ok(cx
        .client()
        .execute_query(sql, Vec::new())
        .await?
        .into_rows())
}

fn text(value: &Value) -> CaseResult<String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Bytes(bytes) => Ok(String::from_utf8_lossy(bytes).into_owned()),
        other => Err(Failure::new(format!("the catalogue says {other:?}"))),
    }
}

fn yes(value: &Value) -> CaseResult<bool> {
    match value {
        Value::Bool(yes) => Ok(*yes),
        Value::I64(number) => Ok(*number != 0),
        other => Err(Failure::new(format!("the catalogue says {other:?}"))),
    }
}

/// The columns of a table, in order; none if there is no such table.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn columns(cx: &Context, table: &str) -> CaseResult<Vec<Column>> {
    let sql = match cx.client().dialect().family() {
        SqlFamily::Sqlite => {
            format!("SELECT name, \"notnull\" = 0 FROM pragma_table_info('{table}') ORDER BY cid")
        }
        family => format!(
            "SELECT {}, CASE WHEN is_nullable = 'YES' THEN 1 ELSE 0 END \
             FROM information_schema.columns \
             WHERE table_name = '{table}' AND table_schema = {} ORDER BY ordinal_position",
            as_text(family, "column_name"),
            here(family)
        ),
    };
    let mut columns = Vec::new();
    for row in rows(cx, &sql).await? {
        columns.push(Column {
            name: text(&row[0])?,
            null: yes(&row[1])?,
        });
    }
    Ok(columns)
}

/// The schema or database that statements without a name of one use.
fn here(family: SqlFamily) -> &'static str {
    match family {
        SqlFamily::MySql => "DATABASE()",
        _ => "current_schema()",
    }
}

/// Catalogues have types of their own for names.
fn as_text(family: SqlFamily, column: &str) -> String {
    match family {
        SqlFamily::Postgres => format!("CAST({column} AS text)"),
        _ => column.to_owned(),
    }
}

/// The indexes of a table, sorted by their columns.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn indexes(cx: &Context, table: &str) -> CaseResult<Vec<Index>> {
    let sql = match cx.client().dialect().family() {
        SqlFamily::Sqlite => format!(
            "SELECT list.name, list.\"unique\", info.name FROM pragma_index_list('{table}') list, \
             pragma_index_info(list.name) info ORDER BY list.name, info.seqno"
        ),
        SqlFamily::MySql => format!(
            "SELECT index_name, CASE WHEN non_unique = 0 THEN 1 ELSE 0 END, column_name \
             FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name = '{table}' \
             ORDER BY index_name, seq_in_index"
        ),
        _ => format!(
            "SELECT CAST(own.relname AS text), CASE WHEN i.indisunique THEN 1 ELSE 0 END, \
             CAST(a.attname AS text) FROM pg_index i \
             JOIN pg_class of ON of.oid = i.indrelid JOIN pg_class own ON own.oid = i.indexrelid \
             JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k(att, n) ON true \
             JOIN pg_attribute a ON a.attrelid = of.oid AND a.attnum = k.att \
             WHERE of.relname = '{table}' ORDER BY own.relname, k.n"
        ),
    };
    let mut found: Vec<(String, Index)> = Vec::new();
    for row in rows(cx, &sql).await? {
        let (name, column) = (text(&row[0])?, text(&row[2])?);
        match found.last_mut() {
            Some((last, index)) if *last == name => index.columns.push(column),
            _ => {
                let (unique, columns) = (yes(&row[1])?, vec![column]);
                found.push((name, Index { unique, columns }));
            }
        }
    }
    let mut indexes: Vec<Index> = found.into_iter().map(|(_, index)| index).collect();
    indexes.sort_by(|a, b| a.columns.cmp(&b.columns));
    Ok(indexes)
}

/// The foreign keys of a table, sorted by their columns.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn foreign_keys(cx: &Context, table: &str) -> CaseResult<Vec<ForeignKey>> {
    let sql = match cx.client().dialect().family() {
        SqlFamily::Sqlite => {
            format!("SELECT \"from\", \"table\", on_delete FROM pragma_foreign_key_list('{table}')")
        }
        SqlFamily::MySql => format!(
            "SELECT k.column_name, k.referenced_table_name, r.delete_rule \
             FROM information_schema.key_column_usage k \
             JOIN information_schema.referential_constraints r \
             ON r.constraint_schema = k.constraint_schema AND r.table_name = k.table_name \
             AND r.constraint_name = k.constraint_name \
             WHERE k.table_schema = DATABASE() AND k.table_name = '{table}'"
        ),
        _ => format!(
            "SELECT CAST(a.attname AS text), CAST(target.relname AS text), \
             CASE c.confdeltype WHEN 'a' THEN 'NO ACTION' WHEN 'r' THEN 'RESTRICT' \
             WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END \
             FROM pg_constraint c JOIN pg_class own ON own.oid = c.conrelid \
             JOIN pg_class target ON target.oid = c.confrelid \
             JOIN pg_attribute a ON a.attrelid = own.oid AND a.attnum = c.conkey[1] \
             WHERE c.contype = 'f' AND own.relname = '{table}'"
        ),
    };
    let mut keys = Vec::new();
    for row in rows(cx, &sql).await? {
        keys.push(ForeignKey {
            column: text(&row[0])?,
            target: text(&row[1])?,
            on_delete: text(&row[2])?.to_uppercase(),
        });
    }
    keys.sort();
    Ok(keys)
}

/// The comment of a column; `None` where the database keeps none.
///
/// # Errors
/// The catalogue cannot be read.
pub async fn comment(cx: &Context, table: &str, column: &str) -> CaseResult<Option<String>> {
    let sql = match cx.client().dialect().family() {
        SqlFamily::Sqlite => return Ok(None),
        SqlFamily::MySql => format!(
            "SELECT column_comment FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name = '{table}' \
             AND column_name = '{column}'"
        ),
        _ => format!(
            "SELECT col_description(a.attrelid, a.attnum) FROM pg_attribute a \
             JOIN pg_class own ON own.oid = a.attrelid \
             WHERE own.relname = '{table}' AND a.attname = '{column}'"
        ),
    };
    let rows = rows(cx, &sql).await?;
    match rows.first().and_then(|row| row.first()) {
        None | Some(Value::Null) => Ok(None),
        Some(comment) => text(comment).map(|text| (!text.is_empty()).then_some(text)),
    }
}
