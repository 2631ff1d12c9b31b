//! A driver for GlueSQL in memory: an engine that lacks most of what others have.

use crate::dialect::GlueDialect;
use async_trait::async_trait;
use gluesql_core::ast::{ColumnDef, Expr, OrderByExpr, Query, SetExpr, Statement as Parsed};
use gluesql_core::error::ValidateError::DuplicateEntryOnUniqueField;
use gluesql_core::error::{InsertError, ValueError};
use gluesql_core::prelude::{Error as GlueError, Glue, Key, ParamLiteral, Payload, Value as Data};
use gluesql_core::prelude::{parse, translate_with_params};
use gluesql_core::sqlparser::ast::Statement as Text;
use gluesql_core::store::{Planner, Store};
use gluesql_core::translate::IntoParamLiteral;
use gluesql_memory_storage::MemoryStorage;
use orm_core::backend::{
    Backend, BaseDBAsyncClient, ConnectOptions, ConnectionUrl, Connector, Dialect, Done, Health,
    Intent, Lease, RowAccess, Session, Sink, SinkFlow, Statement, StatementText,
    TransactionManager,
};
use orm_core::error::{
    ConstraintKind, DataError, DatabaseError, Error, ErrorKind, IntegrityError, Result,
};
use orm_core::pool::Pool;
use orm_core::value::{Cell, Value};
use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

// guide: connector
/// One database, which its connections share.
type Shared = Mutex<Glue<MemoryStorage>>;
type Database = Arc<Shared>;

/// The databases by name, as long as a client has them.
static DATABASES: LazyLock<Mutex<HashMap<String, Weak<Shared>>>> = LazyLock::new(Mutex::default);

/// Makes connections of the database of this name.
#[derive(Debug)]
pub struct GlueConnector {
    name: String,
    database: Database,
}

impl GlueConnector {
    fn new(name: &str) -> Self {
        let mut databases = DATABASES.lock().unwrap_or_else(PoisonError::into_inner);
        let known = databases.get(name).and_then(Weak::upgrade);
        let database = known.unwrap_or_else(|| {
            let new = Database::new(Mutex::new(Glue::new(MemoryStorage::default())));
            databases.insert(name.to_owned(), Arc::downgrade(&new));
            new
        });
        GlueConnector {
            name: name.to_owned(),
            database,
        }
    }
}

#[async_trait]
impl Connector for GlueConnector {
    type Session = GlueSession;

    fn dialect(&self) -> &'static dyn Dialect {
        &GlueDialect
    }

    fn target(&self) -> String {
        self.name.clone()
    }

    async fn connect(&self, _: Intent) -> Result<GlueSession> {
        Ok(GlueSession(self.database.clone()))
    }
}
// guide: end

// guide: client
/// The pooled client.
#[derive(Debug)]
pub struct GlueClient(Pool<GlueConnector>);

#[async_trait]
impl BaseDBAsyncClient for GlueClient {
    fn dialect(&self) -> &'static dyn Dialect {
        &GlueDialect
    }

    async fn acquire(&self, intent: Intent) -> Result<Lease> {
        self.0.acquire(intent).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

/// The driver: serves `glue:name`.
#[derive(Debug)]
pub struct GlueBackend;

#[async_trait]
impl Backend for GlueBackend {
    fn schemes(&self) -> &'static [&'static str] {
        &["glue"]
    }

    async fn connect(
        &self,
        url: &ConnectionUrl,
        options: &ConnectOptions,
    ) -> Result<Arc<dyn BaseDBAsyncClient>> {
        if let Some((name, _)) = url.options().next() {
            let message = format!("GlueSQL URL: unknown option `{name}`; there are none");
            return Err(Error::configuration(message));
        }
        let pool = Pool::new(GlueConnector::new(url.path()), options)?;
        Ok(Arc::new(GlueClient(pool)))
    }
}
// guide: end

// guide: session
/// One connection. The engine runs a statement at once, so nothing is ever half done.
pub struct GlueSession(Database);

#[async_trait]
impl Session for GlueSession {
    fn dialect(&self) -> &'static dyn Dialect {
        &GlueDialect
    }

    async fn run(&mut self, statement: &Statement, sink: &mut Sink) -> Result<Done> {
        let result = run(&self.0, statement.sql(), &statement.values);
        let (payload, key) = result.map_err(|error| classify(&error, Some(&statement.text)))?;
        finish(payload, key, sink)
    }

    async fn run_script(&mut self, sql: &str) -> Result<()> {
        for text in parse(sql).map_err(|error| classify(&error, None))? {
            execute(&self.0, &text, &[]).map_err(|error| classify(&error, None))?;
        }
        Ok(())
    }

    fn health(&self) -> Health {
        Health::Clean
    }

    async fn ping(&mut self) -> Result<()> {
        Ok(())
    }

    fn native(&mut self) -> &mut dyn Any {
        &mut self.0
    }
}

/// The engine has no transactions: core refuses them before it gets here.
impl TransactionManager for GlueSession {}
// guide: end

// guide: rows
/// Gives rows to the sink until it says stop; tells what the statement did.
fn finish(payload: Payload, key: Option<i64>, sink: &mut Sink) -> Result<Done> {
    Ok(match payload {
        Payload::Select { labels, rows } => {
            for cells in &rows {
                let labels = &labels;
                if sink.row(&Row { labels, cells })? == SinkFlow::Stop {
                    break;
                }
            }
            Done::default()
        }
        Payload::Insert(rows) => key.map_or(Done::rows(rows as u64), |key| {
            Done::rows(rows as u64).with_last_insert_id(key)
        }),
        Payload::Update(rows) | Payload::Delete(rows) => Done::rows(rows as u64),
        _ => Done::default(),
    })
}

/// A row, as the engine has it.
struct Row<'a> {
    labels: &'a [String],
    cells: &'a [Data],
}

impl RowAccess for Row<'_> {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn name(&self, index: usize) -> &str {
        self.labels.get(index).map_or("", String::as_str)
    }

    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        Ok(match self.cells.get(index) {
            Some(Data::Null) => Cell::Null,
            Some(Data::Bool(value)) => Cell::Bool(*value),
            Some(Data::I64(value)) => Cell::I64(*value),
            Some(Data::U64(value)) => Cell::U64(*value),
            Some(Data::F64(value)) => Cell::F64(*value),
            Some(Data::Str(value)) => Cell::Text(value),
            Some(Data::Bytea(value)) => Cell::Bytes(value),
            Some(Data::Timestamp(value)) => Cell::DateTime(value.and_utc()),
            Some(_) => return Err(DataError::new("a type of GlueSQL's own").into()),
            None => return Err(DataError::new("no such column").into()),
        })
    }
}
// guide: end

// guide: values
/// What a statement gives, and the key that was made for an insert without one.
type Answer = Result<(Payload, Option<i64>), GlueError>;

/// A value as the engine takes it.
fn literal(value: &Value) -> Result<ParamLiteral, GlueError> {
    Ok(match value {
        Value::Null => ParamLiteral::null(),
        Value::Bool(value) => value.into_param_literal(),
        Value::I64(value) => value.into_param_literal(),
        Value::F64(value) => value.into_param_literal(),
        Value::Text(value) => value.as_str().into_param_literal(),
        Value::Bytes(value) => value.clone().into_param_literal(),
        Value::DateTime(value) => value.naive_utc().into_param_literal(),
        other => return Err(GlueError::Parser(other.kind().to_owned())),
    })
}

/// Runs one statement, with its placeholders numbered as the engine wants them.
fn run(database: &Database, sql: &str, values: &[Value]) -> Answer {
    let (mut text, mut count, mut quoted) = (String::new(), 0, false);
    for c in sql.chars() {
        quoted ^= c == '\'';
        if c == '?' && !quoted {
            count += 1;
            text.push_str(&format!("${count}"));
        } else {
            text.push(c);
        }
    }
    let parsed = parse(respelled(text))?;
    if count != values.len() || parsed.len() != 1 {
        return Err(GlueError::Parser(format!("it takes {count} values")));
    }
    let values = values.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
    execute(database, &parsed[0], &values)
}
// guide: end

// guide: engine
/// Says in the engine's words what it does not know in core's, except inside a text.
fn respelled(mut sql: String) -> String {
    let outside = |sql: &str, at: &usize| sql[..*at].matches('\'').count().is_multiple_of(2);
    while let Some(at) = sql.find(" LIMIT -1").filter(|at| outside(&sql, at)) {
        sql.replace_range(at..at + " LIMIT -1".len(), "");
    }
    while let Some(end) = sql.find(") IS NOT TRUE").filter(|at| outside(&sql, at)) {
        let mut depth = 0;
        let opens = |(_, c): &(usize, char)| {
            depth += i32::from(*c == ')') - i32::from(*c == '(');
            depth == 0
        };
        let start = sql[..=end].char_indices().rev().find(opens);
        sql.replace_range(end..end + ") IS NOT TRUE".len(), ", FALSE) = FALSE");
        sql.insert_str(start.map_or(0, |(at, _)| at), "COALESCE");
    }
    sql
}

/// Runs a statement.
fn execute(database: &Database, text: &Text, values: &[ParamLiteral]) -> Answer {
    // An index changes no result, and the engine has none in memory. A unique one would.
    if matches!(text, Text::CreateIndex(index) if !index.unique) {
        return Ok((Payload::CreateIndex, None));
    }
    let mut glue = database.lock().unwrap_or_else(PoisonError::into_inner);
    let mut parsed = translate_with_params(text, values)?;
    let key = match &mut parsed {
        Parsed::Insert {
            table_name,
            columns,
            source,
        } => add_keys(&mut glue.storage, table_name, columns, source)?,
        // The engine sorts NULL behind everything; core wants it before.
        Parsed::Query(query) => {
            let keys = std::mem::take(&mut query.order_by).into_iter();
            let with_null = |key: OrderByExpr| {
                let expr = Expr::IsNotNull(Box::new(key.expr.clone()));
                [OrderByExpr { expr, asc: key.asc }, key]
            };
            query.order_by = keys.flat_map(with_null).collect();
            None
        }
        _ => None,
    };
    let plan = glue.storage.plan(parsed.into())?;
    Ok((glue.execute_stmt(&plan)?, key))
}

/// The engine makes no keys: they are counted here, under its lock, where an insert names none.
fn add_keys(
    storage: &mut MemoryStorage,
    table: &str,
    columns: &mut Vec<String>,
    source: &mut Query,
) -> Result<Option<i64>, GlueError> {
    let schema = storage.fetch_schema(table)?;
    let defs = schema.and_then(|schema| schema.column_defs);
    let is_key = |def: &&ColumnDef| def.unique.is_some_and(|is| is.is_primary);
    let key = defs
        .iter()
        .flatten()
        .find(is_key)
        .map(|def| def.name.clone());
    let (Some(name), SetExpr::Values(rows)) = (key, &mut source.body) else {
        return Ok(None);
    };
    if columns.is_empty() || columns.contains(&name) {
        return Ok(None);
    }
    let rows_by_key = storage.items.get(table).map(|item| &item.rows);
    let last = rows_by_key.and_then(|rows| rows.last_key_value());
    let mut key = match last.map(|(key, _)| key) {
        None => 0,
        Some(Key::I64(key)) => *key,
        Some(_) => return Ok(None),
    };
    columns.push(name);
    for row in &mut rows.0 {
        key += 1;
        row.push(Expr::Value(Data::I64(key)));
    }
    Ok(Some(key))
}
// guide: end

// guide: errors
/// An error by its kind. Its message is ours where the engine's shows values.
fn classify(error: &GlueError, text: Option<&StatementText>) -> Error {
    let report = |message: String| {
        let report = DatabaseError::new(message);
        text.map_or(report.clone(), |text| report.with_sql(text.sql().clone()))
    };
    let integrity = |kind, column: Option<&String>| {
        let broken = IntegrityError::from_database(kind, report("a constraint failed".to_owned()));
        broken.with_columns(column).into()
    };
    match error {
        GlueError::Validate(DuplicateEntryOnUniqueField(_, column)) => {
            integrity(ConstraintKind::Unique, Some(column))
        }
        GlueError::Validate(_) => integrity(ConstraintKind::Unique, None),
        GlueError::Insert(InsertError::LackOfRequiredColumn(column)) => {
            integrity(ConstraintKind::NotNull, Some(column))
        }
        GlueError::Value(error) if **error == ValueError::NullValueOnNotNullField => {
            integrity(ConstraintKind::NotNull, None)
        }
        GlueError::Value(_) | GlueError::Key(_) => {
            Error::database(ErrorKind::Data, report("a value does not fit".to_owned()))
        }
        other => Error::database(ErrorKind::Statement, report(other.to_string())),
    }
}
// guide: end
