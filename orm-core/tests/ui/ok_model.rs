//! What the derives make: metadata, reading and setting by position, projections, `#[kwargs]`.

#[path = "support/models.rs"]
mod models;

use models::*;
use orm_core::backend::RowAccess;
use orm_core::entity::RelationSlot;
use orm_core::error::Result;
use orm_core::query::Expr;
use orm_core::schema::{OnDelete, RelationKind};
use orm_core::value::{Cell, ColumnType, Value};

/// An employee, of the firm.
#[derive(Model, Clone, Debug)]
#[model(
    crate = "orm_core",
    table = "staff",
    ordering = ["-year", "id"],
    unique_together = [["boss", "name"]],
    indexes = ["name"],
)]
pub struct Employee {
    #[field(pk, generated = false)]
    pub id: i16,
    /// The name.
    #[field(max_length = 40, default = "nobody", column = "full_name")]
    pub name: String,
    #[field(default = 2)]
    pub level: i16,
    #[field(default = "x")]
    pub note: Option<String>,
    #[field(default)]
    pub year: i64,
    #[field(on_delete = "SET_NULL", related_name = "staff")]
    pub boss: Option<ForeignKey<Self>>,
    pub staff: HasMany<Employee>,
    pub friends: ManyToMany<Employee>,
    pub r#type: i32,
}

#[derive(Values, Debug)]
#[values(Post, crate = "orm_core")]
struct Card {
    id: i32,
    #[values(author.username)]
    by: String,
    #[values(tags.name)]
    tag: Option<String>,
}

struct Row(Vec<Value>);
impl RowAccess for Row {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn name(&self, _: usize) -> &str {
        "column"
    }
    fn cell(&self, index: usize) -> Result<Cell<'_>> {
        Ok(self.0[index].as_cell())
    }
}

fn metadata() {
    let meta = Employee::meta();
    assert_eq!(
        (meta.table, meta.ordering, meta.pk),
        ("staff", &["-year", "id"][..], 0)
    );
    assert_eq!(meta.description, "An employee, of the firm.");
    assert_eq!(
        (meta.unique_together, meta.indexes),
        (&[&["boss_id", "name"][..]][..], &[&["name"][..]][..])
    );
    let names: Vec<_> = meta.fields.iter().map(|f| f.name).collect();
    assert_eq!(
        names,
        ["id", "name", "level", "note", "year", "boss_id", "type"]
    );
    assert!(meta.fields[0].pk && !meta.fields[0].generated && User::meta().pk().generated);
    let name = &meta.fields[1];
    assert_eq!(
        (name.column, name.ty, name.description),
        ("full_name", ColumnType::Char(40), "The name.")
    );
    let default = |i: usize| meta.fields[i].default.map(|make| make());
    assert_eq!(default(1), Some("nobody".into()));
    assert_eq!(default(2), Some(Value::I64(2)));
    assert_eq!(default(3), Some("x".into()));
    assert_eq!(default(4), Some(Value::I64(0)));
    let boss = &meta.relations[0];
    assert_eq!(
        (boss.kind, boss.on_delete, boss.null),
        (RelationKind::ForeignKey, OnDelete::SetNull, true)
    );
    assert_eq!(
        (
            meta.fields[5].ty,
            meta.fields[5].index,
            meta.fields[5].relation
        ),
        (ColumnType::SmallInt, true, Some(0))
    );
    let through = meta.relations[2].through.expect("many to many");
    assert_eq!(
        (through.table, through.source_column, through.target_column),
        ("staff_friends", "employee_id", "employee_rel_id")
    );
    let tags = Post::meta()
        .relation("tags")
        .and_then(|r| r.through)
        .expect("many to many");
    assert_eq!(
        (tags.table, tags.source_column, tags.target_column),
        ("post_tags", "post_id", "tag_id")
    );
}

fn instances() {
    let row = Row(vec![
        Value::Null,
        5i16.into(),
        "Ann".into(),
        1i16.into(),
        Value::Null,
        9i64.into(),
        4i16.into(),
        3i32.into(),
    ]);
    let mut ann = Employee::from_row(&row, 1).expect("fits");
    for (i, value) in row.0[1..].iter().enumerate() {
        assert_eq!(&ann.get_value(i), value);
    }
    ann.set_value(5, Value::Null).expect("nullable");
    assert!(ann.boss.is_none() && matches!(ann.relation_slot(0), RelationSlot::Absent));
    ann.set_value(5, 8i16.into()).expect("a key");
    assert_eq!(ann.get_value(5), Value::I64(8));
    assert!(matches!(ann.relation_slot(0), RelationSlot::One(_)));
    assert!(matches!(ann.relation_slot(1), RelationSlot::Many(_)));
    let error = ann.set_value(1, Value::I64(3)).expect_err("not a text");
    assert_eq!(error.to_string().split(':').next(), Some("`Employee.name`"));
    ann.set_pk(77);
    assert_eq!(*ann.pk(), 77);
    let _ = filter::<Employee>(kw!(boss__year = 3, r#type = 1, boss.r#type__in = [1]));
}

fn projections() {
    let mut exprs = Vec::new();
    <Card as orm_core::columns::Values>::push_exprs(&mut exprs);
    assert!(matches!(&exprs[1], Expr::Column(c) if format!("{c:?}") == "author__username"));
    let row = Row(vec![1i32.into(), "jo".into(), Value::Null]);
    let card = <Card as orm_core::columns::Values>::read(&row, &mut 0).expect("fits");
    assert_eq!((card.id, card.by.as_str(), card.tag), (1, "jo", None));
}

#[orm_core::kwargs(crate = "orm_core")]
fn keywords() {
    let condition = filter::<Post>(views = 3, title__icontains = "x");
    assert_eq!(
        condition.into_predicate().describe(),
        "(title icontains ? and views = ?)"
    );
    let new = create::<User>(username = "jo", email = "x");
    assert_eq!(new.into_assignments().len(), 2);
}

fn main() {
    metadata();
    instances();
    projections();
    keywords();
}
