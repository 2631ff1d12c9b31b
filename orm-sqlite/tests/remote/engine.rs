//! The statements of the protocol, run on SQLite: requests and answers as JSON.

use libsql::{Builder, Connection, Database, Value};
use serde_json::{Value as Json, json};
use std::path::Path;

/// A stream as the server holds it: one connection of its own.
pub(crate) struct Stream {
    connection: Connection,
    _database: Database,
}

/// A report of a failed statement.
struct Failed {
    message: String,
    code: &'static str,
}

impl Failed {
    fn json(&self) -> Json {
        json!({ "message": self.message, "code": self.code })
    }
}

struct Answer {
    columns: Vec<Json>,
    rows: Vec<Json>,
    affected: u64,
    last: String,
}

impl Stream {
    pub(crate) async fn open(path: &Path) -> Stream {
        let database = Builder::new_local(path).build().await.expect("a file");
        let connection = database.connect().expect("a connection");
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL"] {
            let mut rows = connection.query(pragma, ()).await.expect("a pragma");
            while rows.next().await.expect("its answer").is_some() {}
        }
        Stream {
            connection,
            _database: database,
        }
    }

    pub(crate) fn is_autocommit(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// The answer to one request of a pipeline. `wait` says whether to try again for a lock.
    pub(crate) async fn request(&self, request: &Json, wait: &dyn Fn() -> bool) -> Json {
        let response = match request["type"].as_str() {
            Some("close") => Ok(json!({ "type": "close" })),
            Some("get_autocommit") => Ok(json!({
                "type": "get_autocommit", "is_autocommit": self.is_autocommit()
            })),
            Some("describe") => self.describe(&request["sql"]).await,
            Some("execute") => self
                .statement(&request["stmt"], wait)
                .await
                .map(|answer| json!({ "type": "execute", "result": result(answer) }))
                .map_err(|(_, failed)| failed),
            Some("batch") => {
                let steps = self.batch(&request["batch"], wait).await;
                let (mut results, mut errors) = (Vec::new(), Vec::new());
                for step in steps {
                    let (good, bad) = match step {
                        None => (Json::Null, Json::Null),
                        Some(Ok(answer)) => (result(answer), Json::Null),
                        Some(Err((_, failed))) => (Json::Null, failed.json()),
                    };
                    results.push(good);
                    errors.push(bad);
                }
                Ok(json!({ "type": "batch", "result": {
                    "step_results": results, "step_errors": errors, "replication_index": null
                }}))
            }
            other => panic!("a request that the client does not send: {other:?}"),
        };
        match response {
            Ok(response) => json!({ "type": "ok", "response": response }),
            Err(failed) => json!({ "type": "error", "error": failed.json() }),
        }
    }

    /// The entries of a cursor over a batch.
    pub(crate) async fn cursor(&self, batch: &Json, wait: &dyn Fn() -> bool) -> Vec<Json> {
        let mut entries = Vec::new();
        for (at, step) in self.batch(batch, wait).await.into_iter().enumerate() {
            let begin = |columns| json!({ "type": "step_begin", "step": at, "cols": columns });
            match step {
                None => {}
                Some(Ok(answer)) => {
                    entries.push(begin(answer.columns));
                    let rows = answer.rows.into_iter();
                    entries.extend(rows.map(|row| json!({ "type": "row", "row": row })));
                    entries.push(json!({ "type": "step_end",
                        "affected_row_count": answer.affected, "last_insert_rowid": answer.last }));
                }
                Some(Err((columns, failed))) => {
                    entries.extend(columns.map(begin));
                    entries
                        .push(json!({ "type": "step_error", "step": at, "error": failed.json() }));
                }
            }
        }
        entries
    }

    async fn batch(
        &self,
        batch: &Json,
        wait: &dyn Fn() -> bool,
    ) -> Vec<Option<Result<Answer, (Option<Vec<Json>>, Failed)>>> {
        let mut done = Vec::new();
        for step in batch["steps"].as_array().expect("steps") {
            let ready = self.holds(&step["condition"], &done);
            done.push(match ready {
                true => Some(self.statement(&step["stmt"], wait).await),
                false => None,
            });
        }
        done
    }

    fn holds<E>(&self, condition: &Json, done: &[Option<Result<Answer, E>>]) -> bool {
        let step = || {
            &done[usize::try_from(condition["step"].as_u64().expect("a step")).expect("a number")]
        };
        match condition["type"].as_str() {
            None => true,
            Some("ok") => matches!(step(), Some(Ok(_))),
            Some("error") => matches!(step(), Some(Err(_))),
            Some("not") => !self.holds(&condition["cond"], done),
            Some("is_autocommit") => self.is_autocommit(),
            other => panic!("a condition that the client does not send: {other:?}"),
        }
    }

    async fn describe(&self, sql: &Json) -> Result<Json, Failed> {
        let statement = self.connection.prepare(sql.as_str().expect("a text")).await;
        let statement = statement.map_err(|error| failed(&error))?;
        let columns: Vec<_> = statement.columns().iter().map(column).collect();
        let params = vec![json!({ "name": null }); statement.parameter_count()];
        Ok(json!({ "type": "describe", "result": {
            "params": params, "cols": columns, "is_explain": false, "is_readonly": false
        }}))
    }

    async fn statement(
        &self,
        statement: &Json,
        wait: &dyn Fn() -> bool,
    ) -> Result<Answer, (Option<Vec<Json>>, Failed)> {
        loop {
            let result = self.run(statement).await;
            let busy = result.as_ref().is_err_and(|(_, f)| f.code == "SQLITE_BUSY");
            if !busy || !wait() {
                return result;
            }
        }
    }

    async fn run(&self, statement: &Json) -> Result<Answer, (Option<Vec<Json>>, Failed)> {
        let sql = statement["sql"].as_str().expect("a text");
        let before = self.connection.total_changes();
        let prepared = self.connection.prepare(sql).await;
        let prepared = prepared.map_err(|error| (None, failed(&error)))?;
        let columns: Vec<_> = prepared.columns().iter().map(column).collect();
        let args = statement["args"].as_array().cloned().unwrap_or_default();
        if args.len() != prepared.parameter_count() {
            let message = "wrong number of arguments".to_owned();
            let code = "ARGS_INVALID";
            return Err((None, Failed { message, code }));
        }
        let args: Vec<Value> = args.iter().map(from_json).collect();
        let after_begin = |error: libsql::Error| (Some(columns.clone()), failed(&error));
        let mut stepped = prepared.query(args).await.map_err(after_begin)?;
        let mut rows = Vec::new();
        while let Some(row) = stepped.next().await.map_err(after_begin)? {
            let cells = (0..row.column_count()).map(|i| to_json(row.get_value(i).expect("a cell")));
            rows.push(Json::Array(cells.collect()));
        }
        drop(stepped);
        if statement["want_rows"] == json!(false) {
            rows.clear();
        }
        let changed = self.connection.total_changes() != before;
        Ok(Answer {
            columns,
            rows,
            affected: if changed {
                self.connection.changes()
            } else {
                0
            },
            last: self.connection.last_insert_rowid().to_string(),
        })
    }
}

fn result(answer: Answer) -> Json {
    json!({
        "cols": answer.columns, "rows": answer.rows, "affected_row_count": answer.affected,
        "last_insert_rowid": answer.last, "replication_index": null
    })
}

fn column(column: &libsql::Column<'_>) -> Json {
    json!({ "name": column.name(), "decltype": column.decl_type() })
}

fn failed(error: &libsql::Error) -> Failed {
    let (code, message) = match error {
        libsql::Error::SqliteFailure(code, message) => (*code, message.clone()),
        other => panic!("an error that SQLite does not have: {other}"),
    };
    // The server leaves out the extended part.
    let code = match code & 0xff {
        5 => "SQLITE_BUSY",
        6 => "SQLITE_LOCKED",
        18 => "SQLITE_TOOBIG",
        19 => "SQLITE_CONSTRAINT",
        20 => "SQLITE_MISMATCH",
        _ => "SQLITE_UNKNOWN",
    };
    let message = format!("SQLite error: {message}");
    Failed { message, code }
}

fn to_json(value: Value) -> Json {
    match value {
        Value::Null => json!({ "type": "null" }),
        Value::Integer(value) => json!({ "type": "integer", "value": value.to_string() }),
        Value::Real(value) => json!({ "type": "float", "value": value }),
        Value::Text(value) => json!({ "type": "text", "value": value }),
        Value::Blob(value) => json!({ "type": "blob", "base64": encode(&value) }),
    }
}

fn from_json(value: &Json) -> Value {
    let text = |key: &str| value[key].as_str().expect("a text");
    match text("type") {
        "null" => Value::Null,
        "integer" => Value::Integer(text("value").parse().expect("an integer")),
        "float" => Value::Real(value["value"].as_f64().expect("a number")),
        "text" => Value::Text(text("value").to_owned()),
        "blob" => Value::Blob(decode(text("base64"))),
        other => panic!("no type of the protocol: {other}"),
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> String {
    let mut out = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - three.len()));
        for digit in 0..=three.len() {
            out.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
        }
    }
    out
}

fn decode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for digit in text.bytes() {
        let value = DIGITS.iter().position(|known| *known == digit);
        bits = bits << 6 | u32::try_from(value.expect("a digit of base 64")).expect("a number");
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    out
}
