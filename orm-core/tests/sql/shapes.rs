//! The shapes of the golden files.

use crate::models::{COMMENT, POST, TAG, THROUGH, USER};
use orm_core::backend::{Dialect, Statement};
use orm_core::error::Result;
use orm_core::query::{
    Argument, ArithmeticOp, Assignment, Expr, Linked, Output, Predicate, Select, Update,
    resolve_column, resolve_filter, resolve_order,
};
use orm_core::schema::ModelMeta;
use orm_core::sql;
use orm_core::value::Value;

type Make = fn(&'static dyn Dialect) -> Result<Statement>;

/// A condition by name.
pub(crate) fn q(model: &'static ModelMeta, name: &str, argument: impl Into<Argument>) -> Predicate {
    resolve_filter(model, name, argument.into()).unwrap()
}

/// A column by name.
pub(crate) fn col(model: &'static ModelMeta, name: &str) -> Expr {
    Expr::Column(resolve_column(model, name).unwrap().0)
}

/// A read of rows under these filters.
pub(crate) fn rows(model: &'static ModelMeta, filters: Vec<Predicate>) -> Select {
    let mut select = Select::new(model);
    filters.into_iter().for_each(|filter| select.filter(filter));
    select
}

fn ids(model: &'static ModelMeta, filters: Vec<Predicate>) -> Select {
    let mut select = rows(model, filters);
    select.output = Output::Exprs(vec![col(model, "id")]);
    select.order_set = true;
    select
}

fn get(mut select: Select, dialect: &'static dyn Dialect) -> Result<Statement> {
    sql::select(&mut select, dialect)
}

fn arithmetic(op: ArithmeticOp, left: Expr, right: Expr) -> Expr {
    Expr::Arithmetic(op, Box::new(left), Box::new(right))
}

fn change(select: Select, sets: Vec<(&str, Expr)>) -> Update {
    let model = select.model;
    let assignments = sets
        .into_iter()
        .map(|(name, expr)| Assignment {
            field: model.field(name).unwrap(),
            expr,
        })
        .collect();
    Update {
        select,
        assignments,
    }
}

pub(crate) const SHAPES: &[(&str, Make)] = &[
    ("all rows in the default order", |d| {
        get(rows(&POST, vec![]), d)
    }),
    ("by key", |d| get(rows(&USER, vec![q(&USER, "id", 7)]), d)),
    ("null and its complement", |d| {
        get(
            ids(
                &USER,
                vec![q(&USER, "age", Value::Null), q(&USER, "age__not", 3)],
            ),
            d,
        )
    }),
    ("complement without null", |d| {
        get(ids(&USER, vec![q(&USER, "name__not", "a")]), d)
    }),
    ("list, padded", |d| {
        get(ids(&USER, vec![q(&USER, "id__in", [1, 2, 3])]), d)
    }),
    ("complement of a list", |d| {
        get(ids(&USER, vec![q(&USER, "age__not_in", [1, 2])]), d)
    }),
    ("any of equalities is a list", |d| {
        let any = q(&USER, "id", 1)
            .or(q(&USER, "id", 2))
            .or(q(&USER, "name", "x"));
        get(ids(&USER, vec![any]), d)
    }),
    ("range", |d| {
        get(ids(&POST, vec![q(&POST, "score__range", [1, 9])]), d)
    }),
    ("contains, with signs", |d| {
        get(ids(&POST, vec![q(&POST, "title__contains", "5%_\\")]), d)
    }),
    ("istartswith", |d| {
        get(ids(&POST, vec![q(&POST, "title__istartswith", "Ab")]), d)
    }),
    ("regex", |d| {
        get(ids(&POST, vec![q(&POST, "title__regex", "^a")]), d)
    }),
    ("date part", |d| {
        get(ids(&POST, vec![q(&POST, "created__year__gte", 2024)]), d)
    }),
    ("to-one joins", |d| {
        let all = q(&POST, "author__name", "a").and(q(&POST, "editor__name", "b"));
        get(
            ids(&POST, vec![all, q(&POST, "author__boss__age__gt", 40)]),
            d,
        )
    }),
    ("complement over a nullable path", |d| {
        get(ids(&POST, vec![q(&POST, "editor__name", "b").negate()]), d)
    }),
    ("foreign key without a join", |d| {
        get(
            ids(
                &POST,
                vec![q(&POST, "author__id", 1), q(&POST, "editor", 2)],
            ),
            d,
        )
    }),
    ("reverse one-to-one", |d| {
        get(ids(&USER, vec![q(&USER, "profile__bio", "x")]), d)
    }),
    ("same related row in one filter", |d| {
        get(
            ids(
                &USER,
                vec![q(&USER, "posts__title", "a").and(q(&USER, "posts__score__gt", 1))],
            ),
            d,
        )
    }),
    ("separate filters", |d| {
        get(
            ids(
                &USER,
                vec![
                    q(&USER, "posts__title", "a"),
                    q(&USER, "posts__score__gt", 1),
                ],
            ),
            d,
        )
    }),
    ("each branch of an or", |d| {
        get(
            ids(
                &USER,
                vec![q(&USER, "posts__title", "a").or(q(&USER, "posts__score__gt", 1))],
            ),
            d,
        )
    }),
    ("an or about the same row", |d| {
        let any = q(&USER, "posts__score", 1).or(q(&USER, "posts__rating", 2.0));
        get(ids(&USER, vec![q(&USER, "posts__title", "a").and(any)]), d)
    }),
    ("complement over a to-many path", |d| {
        get(ids(&USER, vec![q(&USER, "posts__score", 1).negate()]), d)
    }),
    ("many-to-many and deeper", |d| {
        let all = q(&USER, "posts__tags__name", "t").and(q(&USER, "posts__comments__text", "c"));
        get(
            ids(&USER, vec![all.and(q(&USER, "posts__editor__name", "e"))]),
            d,
        )
    }),
    ("linked key without its row", |d| {
        get(ids(&POST, vec![q(&POST, "tags__id__in", [1, 2])]), d)
    }),
    ("no related rows", |d| {
        get(ids(&USER, vec![q(&USER, "posts__isnull", true)]), d)
    }),
    ("column against column", |d| {
        let test = Predicate::Compare(
            col(&POST, "author__age"),
            orm_core::query::Lookup::Gt,
            orm_core::query::Operand::Expr(arithmetic(
                ArithmeticOp::Divide,
                col(&POST, "score"),
                Expr::Value(2.into()),
            )),
        );
        get(ids(&POST, vec![test.negate()]), d)
    }),
    ("order, limit, offset", |d| {
        let mut select = rows(&USER, vec![q(&USER, "age__gt", 1)]);
        select.order = vec![
            resolve_order(&USER, "-age").unwrap(),
            resolve_order(&USER, "boss__name").unwrap(),
            resolve_order(&USER, "id").unwrap(),
        ];
        select.order_set = true;
        select.limit = Some(10);
        select.offset = Some(20);
        get(select, d)
    }),
    ("offset alone", |d| {
        let mut select = ids(&USER, vec![]);
        select.offset = Some(20);
        get(select, d)
    }),
    ("values over paths", |d| {
        let mut select = rows(&USER, vec![q(&USER, "posts__score", 1)]);
        let names = ["name", "posts__title", "posts__tags__name", "boss__name"];
        select.output = Output::Exprs(names.map(|name| col(&USER, name)).to_vec());
        get(select, d)
    }),
    ("count", |d| {
        let mut select = rows(&POST, vec![q(&POST, "author__name", "a")]);
        select.output = Output::Count;
        get(select, d)
    }),
    ("count of a slice", |d| {
        let mut select = rows(&POST, vec![q(&POST, "score", 1)]);
        select.output = Output::Count;
        select.limit = Some(5);
        select.offset = Some(2);
        get(select, d)
    }),
    ("exists", |d| {
        let mut select = rows(&POST, vec![q(&POST, "score", 1)]);
        select.output = Output::Exists;
        get(select, d)
    }),
    ("linked to owners", |d| {
        let mut select = rows(&TAG, vec![q(&TAG, "name__not", "x")]);
        select.linked = Some(Linked {
            through: THROUGH,
            owners: vec![1.into(), 2.into(), 3.into()],
        });
        get(select, d)
    }),
    ("linked to one owner", |d| {
        let Expr::Column(column) = col(&TAG, "id") else {
            unreachable!("a name is a column")
        };
        let linked = Predicate::LinkedTo {
            column,
            through: THROUGH,
            owner: 9.into(),
        };
        get(ids(&TAG, vec![linked]), d)
    }),
    ("update", |d| {
        let sets = vec![
            (
                "score",
                arithmetic(
                    ArithmeticOp::Add,
                    col(&POST, "score"),
                    Expr::Value(1.into()),
                ),
            ),
            ("title", Expr::Value("t".into())),
        ];
        sql::update(&mut change(rows(&POST, vec![q(&POST, "id", 3)]), sets), d)
    }),
    ("update over relations, with a limit", |d| {
        let mut select = rows(&POST, vec![q(&POST, "author__name", "a")]);
        select.limit = Some(3);
        select.order = vec![resolve_order(&POST, "id").unwrap()];
        sql::update(
            &mut change(select, vec![("score", Expr::Value(0.into()))]),
            d,
        )
    }),
    ("update from a related row", |d| {
        sql::update(
            &mut change(
                rows(&POST, vec![]),
                vec![("title", col(&POST, "author__name"))],
            ),
            d,
        )
    }),
    ("update of columns from each other", |d| {
        let sets = vec![
            ("age", col(&USER, "boss_id")),
            ("boss_id", col(&USER, "age")),
        ];
        sql::update(&mut change(rows(&USER, vec![]), sets), d)
    }),
    ("delete", |d| {
        sql::delete(&mut rows(&POST, vec![q(&POST, "score__lt", 0)]), d)
    }),
    ("delete over a to-many path", |d| {
        sql::delete(
            &mut rows(&POST, vec![q(&POST, "tags__name", "x").negate()]),
            d,
        )
    }),
    ("insert", |d| {
        let values = vec!["a".into(), 3.into()];
        sql::insert(&USER, &[1, 2], values, &[0], d)
    }),
    ("insert of defaults", |d| {
        sql::insert(&USER, &[], vec![], &[0], d)
    }),
    ("insert of many rows", |d| {
        let values = vec!["a".into(), 1.into(), "b".into(), 2.into()];
        sql::insert_many(&COMMENT, &[1, 2], 2, values, false, d)
    }),
    ("update by key", |d| {
        sql::update_by_pk(&USER, &[1, 2], vec!["a".into(), Value::Null], 5.into(), d)
    }),
    ("delete by key", |d| sql::delete_by_pk(&USER, 5.into(), d)),
    ("link", |d| {
        sql::link(THROUGH, 1.into(), vec![2.into(), 3.into(), 4.into()], d)
    }),
    ("link many", |d| {
        sql::link(THROUGH, 1.into(), (0..1200).map(Value::I64).collect(), d)
    }),
    ("unlink", |d| {
        sql::unlink(THROUGH, 1.into(), vec![2.into(), 3.into()], d)
    }),
    ("unlink all", |d| sql::unlink_all(THROUGH, 1.into(), d)),
];
