//! The table of one model.

use super::{ForeignKey, IndexColumn, Schema, names, option_field};
use crate::error::{Error, Result};
use crate::schema::{FieldMeta, ModelMeta, OnDelete, RelationKind};
use crate::value::ColumnType;

impl Schema<'_> {
    pub(super) fn table(
        &mut self,
        model: &'static ModelMeta,
        among: &[&'static ModelMeta],
    ) -> Result<()> {
        let mut parts = Vec::with_capacity(model.fields.len() + model.relations.len());
        for field in model.fields {
            let text = self.column(model, field)?;
            parts.push(text + &self.comment(model.table, field)?);
        }
        for group in model.unique_together {
            parts.push(self.unique_together(model, group)?);
        }
        for relation in model.relations {
            if let Some(column) = relation.column {
                let key = ForeignKey {
                    table: model.table,
                    column: column.column,
                    target: relation.target(),
                    on_delete: relation.on_delete,
                };
                self.refer(key, among, &mut parts)?;
            }
        }
        self.indexes(model, &mut parts)?;
        self.create(model.table, &parts);
        Ok(())
    }

    fn column(&self, model: &'static ModelMeta, field: &'static FieldMeta) -> Result<String> {
        let mut text = self.name(field.column);
        text.push(' ');
        let ty = stored_type(model, field);
        text.push_str(&self.dialect.column_type(ty));
        if !field.null {
            text.push_str(" NOT NULL");
        }
        if let Some(default) = self.default(model, field)? {
            text.push_str(" DEFAULT ");
            text.push_str(&default);
        }
        if let Some(check) = self.dialect.column_check(ty)
            && !field.generated
        {
            text.push(' ');
            text.push_str(&check.replace("{c}", &self.name(field.column)));
        }
        if is_key(model, field) {
            text.push_str(" PRIMARY KEY");
            if field.generated && !self.dialect.generated_key().is_empty() {
                text.push(' ');
                text.push_str(self.dialect.generated_key());
            }
        } else if is_unique(model, field) {
            text.push_str(" UNIQUE");
        }
        Ok(text)
    }

    /// The column's default, where deleting the target asks for it. Other defaults are the
    /// program's.
    fn default(
        &self,
        model: &'static ModelMeta,
        field: &'static FieldMeta,
    ) -> Result<Option<String>> {
        let relation = field.relation.and_then(|at| model.relations.get(at));
        if !relation.is_some_and(|r| r.on_delete == OnDelete::SetDefault) {
            return Ok(None);
        }
        match field.default {
            Some(make) => self.dialect.literal(&make()).map(Some),
            None if field.null => Ok(None),
            None => Err(Error::configuration(format!(
                "`{}.{}`: on_delete = SetDefault needs a default",
                model.name, field.name
            ))),
        }
    }

    fn unique_together(&self, model: &'static ModelMeta, group: &[&'static str]) -> Result<String> {
        let mut columns = Vec::with_capacity(group.len());
        for name in group {
            columns.push(option_field(model, name)?.column);
        }
        let max = self.dialect.capabilities().max_identifier;
        let name = names::derive("uq", model.table, &columns, max);
        let columns: Vec<String> = columns.iter().map(|column| self.name(column)).collect();
        Ok(format!(
            "CONSTRAINT {} UNIQUE ({})",
            self.name(&name),
            columns.join(", ")
        ))
    }

    /// Indexes that the model asks for, and one for each foreign key that nothing else serves.
    fn indexes(&mut self, model: &'static ModelMeta, parts: &mut Vec<String>) -> Result<()> {
        let mut groups: Vec<Vec<&'static FieldMeta>> = Vec::new();
        for group in model.indexes.iter().filter(|group| !group.is_empty()) {
            let fields: Result<Vec<_>> =
                group.iter().map(|name| option_field(model, name)).collect();
            groups.push(fields?);
        }
        let mut served: Vec<&'static str> = groups.iter().map(|group| group[0].column).collect();
        for first in model
            .unique_together
            .iter()
            .filter_map(|group| group.first())
        {
            served.push(option_field(model, first)?.column);
        }
        for field in model.fields {
            let asked = field.index || field.relation.is_some();
            let unique = is_key(model, field) || is_unique(model, field);
            if asked && !unique && !served.contains(&field.column) {
                groups.push(vec![field]);
            }
        }
        for group in groups {
            let columns: Vec<IndexColumn> = group
                .iter()
                .map(|field| IndexColumn {
                    column: field.column,
                    ty: stored_type(model, field),
                    null: field.null,
                })
                .collect();
            self.index(model.table, &columns, parts);
        }
        Ok(())
    }
}

fn is_key(model: &'static ModelMeta, field: &'static FieldMeta) -> bool {
    std::ptr::eq(model.pk(), field)
}

/// The type of a column. That of a reference is the one of the key it refers to, whose length only
/// the other model knows.
pub(super) fn stored_type(model: &'static ModelMeta, field: &'static FieldMeta) -> ColumnType {
    let (mut model, mut field) = (model, field);
    // A key may be a reference itself; a circle of those has no type of its own.
    for _ in 0..16 {
        match field.relation.and_then(|at| model.relations.get(at)) {
            Some(relation) => (model, field) = (relation.target(), relation.target().pk()),
            None => break,
        }
    }
    field.ty
}

fn is_unique(model: &'static ModelMeta, field: &'static FieldMeta) -> bool {
    let relation = field.relation.and_then(|at| model.relations.get(at));
    field.unique || relation.is_some_and(|r| r.kind == RelationKind::OneToOne)
}
