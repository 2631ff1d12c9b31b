//! Spellings that differ by family, and the skeletons of statements (by sea-query).
//!
//! sea-query silently drops or mangles some things; what it sees here is only what it renders well
//! on every family: columns, tables with aliases, joins, conditions and ordering as finished text.
//! Paging, upserts, RETURNING and placeholders are text of our own.

use crate::backend::{Cost, Dialect, Intent, SqlFamily};
use crate::query::ArithmeticOp;
use sea_query::{
    Alias, Expr, IntoIden, JoinType, MysqlQueryBuilder, NullOrdering, Order, PostgresQueryBuilder,
    Query, QueryStatementWriter, SelectStatement, SqliteQueryBuilder,
};

/// A text that still has slot marks, and what is known of the statement.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) intent: Intent,
    pub(super) cost: Cost,
}

/// Around a slot number. Names cannot hold control characters, and no value is in the text.
const MARK: char = '\u{1}';

/// What stands for the value of a slot until the text is complete.
pub(super) fn slot(slot: usize) -> String {
    format!("{MARK}{slot}{MARK}")
}

/// Replaces slot marks by placeholders; gives back the slots in the order of the placeholders.
pub(super) fn place_values(text: &str, family: SqlFamily) -> (String, Vec<u32>) {
    use std::fmt::Write;
    let mut sql = String::with_capacity(text.len());
    let mut order = Vec::new();
    for (i, part) in text.split(MARK).enumerate() {
        if i % 2 == 0 {
            sql.push_str(part);
            continue;
        }
        order.push(part.parse().expect("only slot numbers stand between marks"));
        match family {
            SqlFamily::Postgres => {
                write!(sql, "${}", order.len()).expect("writing into a String does not fail");
            }
            SqlFamily::MySql | SqlFamily::Sqlite => sql.push('?'),
        }
    }
    (sql, order)
}

/// Appends a quoted name.
pub(super) fn push_name(out: &mut String, name: &str, family: SqlFamily) {
    let quote = match family {
        SqlFamily::MySql => '`',
        SqlFamily::Postgres | SqlFamily::Sqlite => '"',
    };
    out.push(quote);
    for c in name.chars() {
        if c == quote {
            out.push(quote);
        }
        out.push(c);
    }
    out.push(quote);
}

pub(super) fn name(name: &str, dialect: &dyn Dialect) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    push_name(&mut out, name, dialect.family());
    out
}

/// `"alias"."column"`.
pub(super) fn qualified(alias: &str, column: &str, dialect: &dyn Dialect) -> String {
    let mut out = String::with_capacity(alias.len() + column.len() + 5);
    push_name(&mut out, alias, dialect.family());
    out.push('.');
    push_name(&mut out, column, dialect.family());
    out
}

/// Names in quotes, with commas.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a str>, dialect: &dyn Dialect) -> String {
    let mut out = String::new();
    for (i, name) in names.enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        push_name(&mut out, name, dialect.family());
    }
    out
}

/// A sub-query with the values of a list bound as one JSON text.
pub(super) fn list_table(template: &str, text: &str) -> String {
    template.replace("{r}", text)
}

/// A placeholder for an array of this type.
pub(super) fn array(text: &str, array_type: &str) -> String {
    format!("CAST({text} AS {array_type})")
}

/// An array as a table of one column.
pub(super) fn unnest(text: &str, array_type: &str) -> String {
    format!("unnest({})", array(text, array_type))
}

/// The operator between two operands.
pub(super) fn arithmetic(op: ArithmeticOp, integers: bool, family: SqlFamily) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        // `/` of two integers cuts towards zero elsewhere, and gives a decimal here.
        ArithmeticOp::Divide if integers && family == SqlFamily::MySql => "DIV",
        ArithmeticOp::Divide => "/",
    }
}

/// Whether dividing by zero is an error, which elsewhere gives NULL.
pub(super) fn division_fails(family: SqlFamily) -> bool {
    matches!(family, SqlFamily::Postgres)
}

/// ` LIMIT .. OFFSET ..`; an offset alone needs a limit on some families.
pub(super) fn paging(limit: Option<String>, offset: Option<String>, family: SqlFamily) -> String {
    let limit = match (limit, &offset, family) {
        (Some(limit), ..) => Some(limit),
        (None, None, _) | (None, Some(_), SqlFamily::Postgres) => None,
        (None, Some(_), SqlFamily::Sqlite) => Some("-1".to_owned()),
        (None, Some(_), SqlFamily::MySql) => Some(u64::MAX.to_string()),
    };
    let limit = limit.map_or_else(String::new, |limit| format!(" LIMIT {limit}"));
    let offset = offset.map_or_else(String::new, |offset| format!(" OFFSET {offset}"));
    limit + &offset
}

/// Whether a statement may not read the table that it changes in a sub-query, unless that is
/// wrapped once more.
pub(super) fn hides_changed_table(family: SqlFamily) -> bool {
    matches!(family, SqlFamily::MySql)
}

/// Whether later assignments of an update see what earlier ones have set.
pub(super) fn assigns_in_order(family: SqlFamily) -> bool {
    matches!(family, SqlFamily::MySql)
}

/// What follows the table in an insert of one row without columns.
pub(super) fn default_row(family: SqlFamily) -> &'static str {
    match family {
        SqlFamily::MySql => " () VALUES ()",
        SqlFamily::Postgres | SqlFamily::Sqlite => " DEFAULT VALUES",
    }
}

/// A generated key, asked for by name.
pub(super) fn generated_value(family: SqlFamily) -> &'static str {
    match family {
        SqlFamily::Sqlite => "NULL",
        SqlFamily::Postgres | SqlFamily::MySql => "DEFAULT",
    }
}

/// What ends an insert that leaves existing rows alone. Only rows that are there already are
/// passed over; other faults stay errors.
pub(super) fn or_ignore(column: &str, family: SqlFamily) -> String {
    match family {
        SqlFamily::Postgres | SqlFamily::Sqlite => " ON CONFLICT DO NOTHING".to_owned(),
        SqlFamily::MySql => {
            let mut out = " ON DUPLICATE KEY UPDATE ".to_owned();
            push_name(&mut out, column, family);
            out.push_str(" = ");
            push_name(&mut out, column, family);
            out
        }
    }
}

/// A table in FROM, under an alias.
#[derive(Clone, Debug)]
pub(super) struct Join {
    pub(super) left: bool,
    pub(super) table: &'static str,
    pub(super) alias: String,
    pub(super) on: String,
}

/// One ordering key.
#[derive(Debug)]
pub(super) struct OrderKey {
    pub(super) text: String,
    pub(super) descending: bool,
    pub(super) nullable: bool,
}

/// A SELECT without paging. All texts are finished but for slot marks.
#[derive(Debug)]
pub(super) struct Skeleton {
    pub(super) columns: Vec<String>,
    pub(super) table: &'static str,
    pub(super) alias: String,
    pub(super) joins: Vec<Join>,
    pub(super) filter: Option<String>,
    pub(super) order: Vec<OrderKey>,
}

impl Skeleton {
    pub(super) fn render(self, dialect: &dyn Dialect) -> String {
        let family = dialect.family();
        let mut select = Query::select();
        for column in self.columns {
            select.expr(Expr::cust(column));
        }
        select.from_as(Alias::new(self.table), Alias::new(self.alias));
        for join in self.joins {
            let kind = if join.left {
                JoinType::LeftJoin
            } else {
                JoinType::InnerJoin
            };
            let (table, alias) = (Alias::new(join.table), Alias::new(join.alias));
            select.join_as(kind, table, alias.into_iden(), Expr::cust(join.on));
        }
        if let Some(filter) = self.filter {
            select.and_where(Expr::cust(filter));
        }
        for key in self.order {
            add_order(&mut select, key, family);
        }
        build(&select, family)
    }
}

/// NULL is smaller than everything; on a family where it is larger, that must be said.
fn add_order(select: &mut SelectStatement, key: OrderKey, family: SqlFamily) {
    let expr = Expr::cust(key.text);
    let (order, nulls) = if key.descending {
        (Order::Desc, NullOrdering::Last)
    } else {
        (Order::Asc, NullOrdering::First)
    };
    if key.nullable && family == SqlFamily::Postgres {
        select.order_by_expr_with_nulls(expr, order, nulls);
    } else {
        select.order_by_expr(expr, order);
    }
}

fn build(statement: &impl QueryStatementWriter, family: SqlFamily) -> String {
    let (text, _) = match family {
        SqlFamily::Postgres => statement.build(PostgresQueryBuilder),
        SqlFamily::MySql => statement.build(MysqlQueryBuilder),
        SqlFamily::Sqlite => statement.build(SqliteQueryBuilder),
    };
    text
}

/// `UPDATE table SET column = text, .. WHERE filter`.
pub(super) fn update(
    table: &'static str,
    sets: Vec<(&'static str, String)>,
    filter: Option<String>,
    dialect: &dyn Dialect,
) -> String {
    let mut update = Query::update();
    update.table(Alias::new(table));
    for (column, text) in sets {
        update.value(Alias::new(column), Expr::cust(text));
    }
    if let Some(filter) = filter {
        update.and_where(Expr::cust(filter));
    }
    build(&update, dialect.family())
}

/// `DELETE FROM table WHERE filter`.
pub(super) fn delete(table: &'static str, filter: Option<String>, dialect: &dyn Dialect) -> String {
    let mut delete = Query::delete();
    delete.from_table(Alias::new(table));
    if let Some(filter) = filter {
        delete.and_where(Expr::cust(filter));
    }
    build(&delete, dialect.family())
}

/// The rows of an insert: the owner beside each value of the bound table. The condition is needed:
/// without it, `ON` would be taken for that of a join.
pub(super) fn each_of_table(owner: &str, table: &str, dialect: &dyn Dialect) -> String {
    let (alias, value) = (
        name("fd_list", dialect),
        qualified("fd_list", "value", dialect),
    );
    format!(" SELECT {owner}, {value} FROM ({table}) AS {alias} WHERE true")
}
