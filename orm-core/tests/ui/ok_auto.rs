//! `Auto` keys: what the derive makes of them, and every place that takes a key or its number.

#![allow(unused_must_use, reason = "conditions are made, not used")]

#[path = "support/models.rs"]
mod models;

use models::*;
use orm_core::backend::RowAccess;
use orm_core::error::{ErrorKind, Result};
use orm_core::query::{Expr, Predicate};
use orm_core::value::{Auto, Cell, ColumnType, Field, Key, Value};

#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core")]
pub struct Slot {
    #[field(pk)]
    pub id: Auto<i64>,
    #[field(default = 0)]
    pub size: i64,
    pub last: Option<i64>,
    #[field(related_name = "below")]
    pub above: Option<ForeignKey<Slot>>,
    pub below: HasMany<Slot>,
    pub uses: HasMany<Use>,
}

#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core")]
pub struct Use {
    #[field(pk)]
    pub id: Auto<i32>,
    #[field(related_name = "uses")]
    pub slot: ForeignKey<Slot>,
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
    let pk = Slot::meta().pk();
    assert!(pk.generated && pk.pk && !pk.null && pk.ty == ColumnType::BigInt);
    let above = Slot::meta().field("above_id").expect("the key's column");
    assert!(above.null && above.ty == ColumnType::BigInt);
    let slot = Use::meta().field("slot_id").expect("the key's column");
    assert!(!slot.null && slot.ty == ColumnType::BigInt);
}

fn reading() {
    let row = |key: Value| Row(vec![key, 3_i64.into(), Value::Null, 0_i64.into()]);
    let slot = Slot::from_row(&row(Value::I64(0)), 0).expect("zero is a key");
    assert_eq!((slot.id, slot.id.get()), (Auto::new(0), Some(0)));
    assert_eq!(slot.above.as_ref().map(|above| above.id()), Some(Auto::new(0)));
    let unset = Slot::from_row(&row(Value::Null), 0).expect("a row still to be inserted");
    assert!(unset.id.is_unset());
    let missing = Use::from_row(&Row(vec![Value::I64(1), Value::Null]), 0);
    assert_eq!(missing.expect_err("no such key").kind(), ErrorKind::Data);
}

fn relations() {
    let unsaved = Slot::default();
    let error = unsaved.uses.get().expect_err("unsaved");
    assert_eq!(error.kind(), ErrorKind::Unsaved);
    let mut zero = Slot::default();
    zero.set_pk(Auto::new(0));
    let error = zero.uses.get().expect_err("not loaded");
    assert_eq!(error.kind(), ErrorKind::NotLoaded);
}

fn keywords() {
    let (key, zero) = (Auto::new(7_i64), Slot { id: Auto::new(0), ..Slot::default() });
    create::<Slot>(kw!(id = 0));
    create::<Slot>(kw!(id = key, size = key, last = key, above_id = key));
    create::<Slot>(kw!(id = &key, last = Some(key), above_id = Some(&key)));
    create::<Slot>(kw!(above = &zero, last = None));
    create::<Slot>(kw!(above = None));
    create::<Slot>(kw!(above_id = None));
    create::<Use>(kw!(slot = &zero));
    create::<Use>(kw!(slot_id = 3));
    update::<Slot>(kw!(size = 3, above_id = 4) );
    filter::<Slot>(kw!(id = 0, id__gt = 3, id__in = [1, 2], id__range = (1, 5)));
    filter::<Slot>(kw!(id = key, id__lte = &key, id__in = [key], id__ne = 4));
    filter::<Use>(kw!(slot__id = 0, slot_id = key, slot__above_id__isnull = true));
    filter(Slot::id.eq(3) | Slot::id.eq(key) | Slot::above_id.eq(None::<i64>));
    filter(Use::slot_id.in_([1, 2]) & Use::slot.above.id.gt(1));
    filter(Slot::id.gt(Slot::id + 1) & Slot::id.eq(Slot::size) & Slot::last.eq(Slot::id));
    filter::<Slot>(kw!(id = F(size), size = F(id), last = F(id)));
    filter::<Slot>(kw!(id = F(last), size = F(above_id), above_id = F(size)));
    filter::<Slot>(kw!(above_id = F(id), last = F(above_id), id__lt = F(size) + 1));
    let ids: Vec<(Auto<i32>, Auto<i64>, Option<Auto<i64>>)> =
        values_list::<Use, _>((Use::id, Use::slot_id, Use::slot.above_id));
    assert!(ids.is_empty());
}

/// An unset key is an error in a comparison, never NULL.
fn unset_keys() {
    let unset = Auto::<i64>::unset();
    let failed = |q: Q<Slot>| match q.into_predicate() {
        Predicate::Compare(_, _, orm_core::query::Operand::Expr(Expr::Error(error))) => {
            error.kind() == ErrorKind::Unsaved
        }
        other => panic!("{other:?}"),
    };
    assert!(failed(Slot::id.eq(unset)));
    assert!(failed(filter(kw!(above_id = unset))));
    let new = create::<Slot>(kw!(id = unset)).into_assignments();
    assert!(matches!(new[0].expr, Expr::Value(Value::Null)));
    assert_eq!(unset.to_value(), Value::Null);
}

fn main() {
    metadata();
    reading();
    relations();
    keywords();
    unset_keys();
}
