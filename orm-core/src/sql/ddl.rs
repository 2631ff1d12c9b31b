//! Tables from models: CREATE TABLE, constraints, indexes, through tables. All text is our own,
//! since names of constraints, comments and types must not get lost.

mod names;
mod tables;

use super::render;
use crate::backend::{Dialect, SqlFamily};
use crate::error::{Error, Result};
use crate::schema::{FieldMeta, ModelMeta, OnDelete, RelationMeta, ThroughMeta};
use crate::value::{ColumnType, Value};

/// The scripts that create the tables of these models, in the order in which they must run. Most
/// are one statement.
///
/// Targets come before what refers to them; where models refer to each other in a circle, a
/// reference to a later table is written as it is if the database allows that, else added at the
/// end. With `safe`, what exists is left alone. Equal models give equal texts.
///
/// # Errors
/// `Unsupported` for foreign keys, circles or actions that the database lacks; `Configuration` for
/// options that name missing fields, and for SET DEFAULT without a default; what
/// [`Dialect::literal`] fails with.
pub fn create_schema(
    models: &[&'static ModelMeta],
    dialect: &dyn Dialect,
    safe: bool,
) -> Result<Vec<String>> {
    create_schema_with(models, dialect, &SchemaOptions::new().safe(safe))
}

/// How to create tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SchemaOptions {
    /// What exists is left alone.
    pub safe: bool,
    /// Foreign keys become constraints. Without, the database neither refuses a key without a
    /// target nor does what `on_delete` says: for databases that have no foreign keys.
    pub foreign_keys: bool,
}

impl SchemaOptions {
    /// Everything is new; foreign keys become constraints.
    pub fn new() -> Self {
        SchemaOptions {
            safe: false,
            foreign_keys: true,
        }
    }

    /// Whether what exists is left alone.
    #[must_use]
    pub fn safe(mut self, safe: bool) -> Self {
        self.safe = safe;
        self
    }

    /// Whether foreign keys become constraints.
    #[must_use]
    pub fn foreign_keys(mut self, foreign_keys: bool) -> Self {
        self.foreign_keys = foreign_keys;
        self
    }
}

impl Default for SchemaOptions {
    fn default() -> Self {
        SchemaOptions::new()
    }
}

/// As [`create_schema`], with all options.
///
/// # Errors
/// As [`create_schema`].
pub fn create_schema_with(
    models: &[&'static ModelMeta],
    dialect: &dyn Dialect,
    options: &SchemaOptions,
) -> Result<Vec<String>> {
    let mut schema = Schema {
        dialect,
        safe: options.safe,
        foreign_keys: options.foreign_keys,
        created: Vec::new(),
        tables: Vec::new(),
        indexes: Vec::new(),
        later: Vec::new(),
        comments: Vec::new(),
    };
    let ordered = targets_first(models);
    for model in &ordered {
        schema.table(model, &ordered)?;
        schema.created.push(model.table);
    }
    for model in &ordered {
        for relation in model.relations {
            if let Some(through) = relation.through {
                schema.through(model, relation, through, &ordered)?;
            }
        }
    }
    // Without the words, a second run would fail half way.
    if options.safe && !schema.indexes.is_empty() && !dialect.capabilities().index_if_not_exists {
        return Err(Error::Unsupported("index_if_not_exists"));
    }
    let mut statements = schema.tables;
    statements.append(&mut schema.later);
    statements.append(&mut schema.indexes);
    statements.append(&mut schema.comments);
    Ok(statements)
}

/// What has been written so far.
#[derive(Debug)]
struct Schema<'d> {
    dialect: &'d dyn Dialect,
    safe: bool,
    foreign_keys: bool,
    created: Vec<&'static str>,
    tables: Vec<String>,
    indexes: Vec<String>,
    later: Vec<String>,
    comments: Vec<String>,
}

/// The models, each after those that its foreign keys refer to, as far as there is no circle.
fn targets_first(models: &[&'static ModelMeta]) -> Vec<&'static ModelMeta> {
    let mut ordered: Vec<&'static ModelMeta> = Vec::with_capacity(models.len());
    let mut seen: Vec<&'static ModelMeta> = Vec::new();
    // Each model is met twice: first its targets are put before it, then it is placed.
    let mut pending: Vec<(&'static ModelMeta, bool)> =
        models.iter().rev().map(|model| (*model, false)).collect();
    while let Some((model, targets_done)) = pending.pop() {
        if targets_done {
            ordered.push(model);
            continue;
        }
        if seen.contains(&model) {
            continue;
        }
        seen.push(model);
        pending.push((model, true));
        for relation in model.relations.iter().rev() {
            let target = relation.target();
            if relation.column.is_some() && models.contains(&target) {
                pending.push((target, false));
            }
        }
    }
    ordered
}

/// A foreign key: where it is and what it refers to.
#[derive(Clone, Copy, Debug)]
struct ForeignKey {
    table: &'static str,
    column: &'static str,
    target: &'static ModelMeta,
    on_delete: OnDelete,
}

/// A column of an index.
#[derive(Clone, Copy, Debug)]
struct IndexColumn {
    column: &'static str,
    ty: ColumnType,
    null: bool,
}

impl Schema<'_> {
    fn name(&self, name: &str) -> String {
        render::name(name, self.dialect)
    }

    /// `CONSTRAINT name FOREIGN KEY (column) REFERENCES table (key) ON DELETE action`.
    fn foreign_key(&self, key: ForeignKey) -> Result<String> {
        let facts = self.dialect.capabilities();
        if !facts.foreign_keys {
            return Err(Error::Unsupported("foreign_keys"));
        }
        let name = names::derive("fk", key.table, &[key.column], facts.max_identifier);
        Ok(format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON DELETE {}",
            self.name(&name),
            self.name(key.column),
            self.name(key.target.table),
            self.name(key.target.pk().column),
            self.action(key.on_delete)?
        ))
    }

    fn action(&self, on_delete: OnDelete) -> Result<&'static str> {
        Ok(match on_delete {
            OnDelete::Cascade => "CASCADE",
            OnDelete::Restrict => "RESTRICT",
            OnDelete::SetNull => "SET NULL",
            OnDelete::NoAction => "NO ACTION",
            // The storage engine takes the words and then refuses the table.
            OnDelete::SetDefault if self.dialect.family() == SqlFamily::MySql => {
                return Err(Error::Unsupported("on_delete = SetDefault"));
            }
            OnDelete::SetDefault => "SET DEFAULT",
        })
    }

    /// Writes the key into the table's `parts`, or keeps it for the end.
    fn refer(
        &mut self,
        key: ForeignKey,
        among: &[&'static ModelMeta],
        parts: &mut Vec<String>,
    ) -> Result<()> {
        if !self.foreign_keys {
            return Ok(());
        }
        let text = self.foreign_key(key)?;
        let facts = self.dialect.capabilities();
        let exists = key.table == key.target.table
            || self.created.contains(&key.target.table)
            || !among.contains(&key.target);
        if exists || facts.forward_references {
            parts.push(text);
        } else if facts.alter_add_foreign_key {
            let add = format!("ALTER TABLE {} ADD {text}", self.name(key.table));
            let add = self.unless_there(&key, add);
            self.later.push(add);
        } else {
            return Err(Error::Unsupported("forward_references"));
        }
        Ok(())
    }

    /// Where the database has no words for "add if missing" but has blocks, a block; where it has
    /// none either, a statement that is chosen by what the catalogue says.
    fn unless_there(&self, key: &ForeignKey, add: String) -> String {
        if !self.safe {
            return add;
        }
        match self.dialect.family() {
            SqlFamily::Postgres => {
                format!("DO $fk$ BEGIN {add}; EXCEPTION WHEN duplicate_object THEN NULL; END $fk$")
            }
            SqlFamily::MySql => {
                let max = self.dialect.capabilities().max_identifier;
                let name = names::derive("fk", key.table, &[key.column], max);
                let quoted = |text: &str| text.replace('\'', "''");
                format!(
                    "SET @fd_add = IF(EXISTS (SELECT 1 FROM information_schema.table_constraints \
                     WHERE constraint_schema = DATABASE() AND table_name = '{}' \
                     AND constraint_name = '{}'), 'DO 0', '{}'); \
                     PREPARE fd_add FROM @fd_add; EXECUTE fd_add; DEALLOCATE PREPARE fd_add",
                    quoted(key.table),
                    quoted(&name),
                    quoted(&add),
                )
            }
            SqlFamily::Sqlite => add,
        }
    }

    /// A named index: a statement of its own, or a part of the table where an index cannot be
    /// created "if missing".
    fn index(&mut self, table: &'static str, fields: &[IndexColumn], parts: &mut Vec<String>) {
        let facts = self.dialect.capabilities();
        let columns: Vec<&str> = fields.iter().map(|field| field.column).collect();
        let name = names::derive("idx", table, &columns, facts.max_identifier);
        let name = self.name(&name);
        let columns: Vec<String> = fields
            .iter()
            .map(|field| self.index_column(field))
            .collect();
        let columns = columns.join(", ");
        if self.dialect.family() == SqlFamily::MySql {
            parts.push(format!("INDEX {name} ({columns})"));
            return;
        }
        let guard = if self.safe && facts.index_if_not_exists {
            "IF NOT EXISTS "
        } else {
            ""
        };
        let table = self.name(table);
        self.indexes
            .push(format!("CREATE INDEX {guard}{name} ON {table} ({columns})"));
    }

    /// An index that is to serve ORDER BY has NULL where queries put it.
    fn index_column(&self, field: &IndexColumn) -> String {
        let mut name = self.name(field.column);
        if let Some(length) = self.dialect.index_prefix(field.ty) {
            name.push_str(&format!("({length})"));
        }
        if field.null && self.dialect.family() == SqlFamily::Postgres {
            name.push_str(" NULLS FIRST");
        }
        name
    }

    /// The description of a field, where the database keeps such things: what follows the column,
    /// or a statement of its own.
    fn comment(&mut self, table: &str, field: &FieldMeta) -> Result<String> {
        if !self.dialect.capabilities().comments || field.description.is_empty() {
            return Ok(String::new());
        }
        if self.dialect.family() == SqlFamily::MySql {
            // A plain literal, of at most 1024 characters (manual, "CREATE TABLE Statement"). With
            // both doubled it ends where it should, whether or not backslashes escape.
            let text: String = field.description.chars().take(1024).collect();
            let text = text.replace('\\', "\\\\").replace('\'', "''");
            return Ok(format!(" COMMENT '{text}'"));
        }
        let text = self.dialect.literal(&Value::from(field.description))?;
        let (table, column) = (self.name(table), self.name(field.column));
        self.comments
            .push(format!("COMMENT ON COLUMN {table}.{column} IS {text}"));
        Ok(String::new())
    }

    fn create(&mut self, table: &str, parts: &[String]) {
        let guard = if self.safe { "IF NOT EXISTS " } else { "" };
        let suffix = match self.dialect.table_suffix().trim() {
            "" => String::new(),
            suffix => format!(" {suffix}"),
        };
        self.tables.push(format!(
            "CREATE TABLE {guard}{} (\n    {}\n){suffix}",
            self.name(table),
            parts.join(",\n    ")
        ));
    }

    /// The table in the middle of a many-to-many, unless a model stands for it.
    fn through(
        &mut self,
        model: &'static ModelMeta,
        relation: &'static RelationMeta,
        through: ThroughMeta,
        among: &[&'static ModelMeta],
    ) -> Result<()> {
        if self.created.contains(&through.table) {
            return Ok(());
        }
        self.created.push(through.table);
        let target = relation.target();
        let mut parts = Vec::new();
        for (column, model) in [
            (through.source_column, model),
            (through.target_column, target),
        ] {
            let ty = self
                .dialect
                .column_type(tables::stored_type(model, model.pk()));
            parts.push(format!("{} {ty} NOT NULL", self.name(column)));
        }
        parts.push(format!(
            "PRIMARY KEY ({}, {})",
            self.name(through.source_column),
            self.name(through.target_column)
        ));
        for (column, target) in [
            (through.source_column, model),
            (through.target_column, target),
        ] {
            let key = ForeignKey {
                table: through.table,
                column,
                target,
                on_delete: OnDelete::Cascade,
            };
            self.refer(key, among, &mut parts)?;
        }
        let index = IndexColumn {
            column: through.target_column,
            ty: tables::stored_type(target, target.pk()),
            null: false,
        };
        self.index(through.table, &[index], &mut parts);
        self.create(through.table, &parts);
        Ok(())
    }
}

/// The column that an option names: a field, or the column of a relation.
fn option_field(model: &'static ModelMeta, name: &str) -> Result<&'static FieldMeta> {
    model
        .field(name)
        .or_else(|| model.relation(name).and_then(|relation| relation.column))
        .ok_or_else(|| {
            Error::configuration(format!(
                "`{}`: an option names the field `{name}`, which does not exist",
                model.name
            ))
        })
}
