//! Checks over the models of an application, and the closure over their relations.

use super::{ModelMeta, OnDelete, RelationKind};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// The given models and every model that their relations reach, each once, in a stable order.
pub fn closure_over_relations(models: &[&'static ModelMeta]) -> Vec<&'static ModelMeta> {
    let mut all: Vec<&'static ModelMeta> = Vec::new();
    let mut queue: Vec<&'static ModelMeta> = models.iter().rev().copied().collect();
    while let Some(model) = queue.pop() {
        if all.iter().any(|known| std::ptr::eq(*known, model)) {
            continue;
        }
        all.push(model);
        queue.extend(
            model
                .relations
                .iter()
                .rev()
                .map(|relation| relation.target()),
        );
    }
    all
}

/// Refuses metadata that cannot work: names that are no identifiers, one table for two models,
/// reverse sides without a forward side, options that name missing fields.
///
/// `max_identifier` is the dialect's limit in bytes.
///
/// # Errors
/// [`Error::Configuration`] with every problem found, one a line.
pub fn check_models(models: &[&'static ModelMeta], max_identifier: usize) -> Result<()> {
    let mut problems = Vec::new();
    let mut tables: HashMap<&str, &str> = HashMap::new();
    for model in models {
        if let Some(other) = tables.insert(model.table, model.name) {
            problems.push(format!(
                "models `{other}` and `{}` share the table `{}`",
                model.name, model.table
            ));
        }
        check_names(model, max_identifier, &mut problems);
        check_relations(model, &mut problems);
        check_options(model, &mut problems);
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::configuration(problems.join("\n")))
    }
}

fn check_names(model: &'static ModelMeta, max_identifier: usize, problems: &mut Vec<String>) {
    let through = model
        .relations
        .iter()
        .filter_map(|r| r.through)
        .flat_map(|t| [t.table, t.source_column, t.target_column]);
    for name in std::iter::once(model.table)
        .chain(model.fields.iter().map(|f| f.column))
        .chain(through)
    {
        if name.is_empty() || name.chars().any(char::is_control) {
            problems.push(format!(
                "`{}`: a table or column name is empty or has control characters",
                model.name
            ));
        } else if name.len() > max_identifier {
            problems.push(format!(
                "`{}`: the name `{name}` is longer than {max_identifier} bytes",
                model.name
            ));
        }
    }
    for (i, field) in model.fields.iter().enumerate() {
        if model.fields[..i]
            .iter()
            .any(|other| other.column == field.column)
        {
            problems.push(format!(
                "`{}`: two fields use the column `{}`",
                model.name, field.column
            ));
        }
    }
}

fn check_relations(model: &'static ModelMeta, problems: &mut Vec<String>) {
    for (i, relation) in model.relations.iter().enumerate() {
        if matches!(relation.kind, RelationKind::HasMany | RelationKind::HasOne)
            && relation.reach(model).is_none()
        {
            problems.push(format!(
                "`{}.{}`: no relation of `{}` to `{}` has `related_name = \"{}\"`",
                model.name,
                relation.name,
                relation.target().name,
                model.name,
                relation.name
            ));
        }
        if relation.on_delete == OnDelete::SetNull && !relation.null {
            problems.push(format!(
                "`{}.{}`: on_delete = SetNull needs a nullable relation",
                model.name, relation.name
            ));
        }
        let clash = !relation.related_name.is_empty()
            && model.relations[..i].iter().any(|other| {
                other.related_name == relation.related_name
                    && std::ptr::eq(other.target(), relation.target())
            });
        if clash {
            problems.push(format!(
                "`{}`: two relations to `{}` have `related_name = \"{}\"`",
                model.name,
                relation.target().name,
                relation.related_name
            ));
        }
    }
}

fn check_options(model: &'static ModelMeta, problems: &mut Vec<String>) {
    let ordering = model
        .ordering
        .iter()
        .map(|name| name.trim_start_matches('-'));
    let groups = model
        .unique_together
        .iter()
        .chain(model.indexes)
        .flat_map(|group| group.iter().copied());
    for name in ordering.clone().filter(|n| !n.contains("__")).chain(groups) {
        if model.field(name).is_none() && model.relation(name).and_then(|r| r.column).is_none() {
            problems.push(format!(
                "`{}`: an option names the field `{name}`, which does not exist",
                model.name
            ));
        }
    }
}
