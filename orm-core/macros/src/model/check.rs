//! Rules across the options of a field and across fields. Each mistake is reported on its token,
//! with the way out.

use super::Faults;
use super::input::{Field, Model};
use super::kind::{Kind, Plain, Scalar};
use crate::names;
use std::collections::HashSet;
use syn::LitStr;

/// Functions of `Entity` and `Model`, which a column constant of that name would hide.
const RESERVED: &[&str] = &[
    "all",
    "bind_relations",
    "bulk_create",
    "bulk_update",
    "by_pk",
    "create",
    "delete",
    "exclude",
    "fetch_related",
    "fields",
    "fields_at",
    "filter",
    "filter_by",
    "first",
    "from_row",
    "get",
    "get_or_create",
    "get_or_none",
    "get_value",
    "in_bulk",
    "meta",
    "new",
    "pk",
    "refresh_from_db",
    "relation_slot",
    "relation_target",
    "save",
    "set_pk",
    "set_value",
    "update_from_dict",
    "update_or_create",
];

/// Checks the whole model.
pub(super) fn check(model: &Model, faults: &mut Faults) {
    for field in &model.fields {
        check_name(model, field, faults);
        match &field.kind {
            Kind::Plain(plain) => check_plain(field, plain, faults),
            Kind::Forward { null, .. } => check_forward(field, *null, faults),
            Kind::ManyToMany(_) | Kind::HasMany(_) | Kind::HasOne(_) => check_many(field, faults),
        }
    }
    check_keys(model, faults);
    check_repeated_columns(model, faults);
    check_groups(model, faults);
}

fn check_name(model: &Model, field: &Field, faults: &mut Faults) {
    let (name, owner) = (&field.name, &model.name);
    if RESERVED.contains(&name.as_str()) {
        faults.push_fatal(
            &field.ident,
            format!(
                "a field named `{name}` would hide `{owner}::{name}(..)`: rename it and keep the \
                 column with `#[field(column = \"{name}\")]`"
            ),
        );
    }
    if name.contains("__") {
        faults.push_fatal(
            &field.ident,
            format!("`{name}` contains `__`, which goes between the names of a path: use one `_`"),
        );
    }
}

fn check_plain(field: &Field, plain: &Plain, faults: &mut Faults) {
    let (name, options) = (&field.name, &field.options);
    if let Some(instead) = plain.refused {
        let ty = &field.ty;
        let shown = quote::quote!(#ty).to_string().replace(' ', "");
        faults.push_fatal(
            ty,
            format!("`{shown}` cannot be a column of a model: {instead}"),
        );
    }
    if let Some(given) = &options.max_length
        && !matches!(plain.scalar, Scalar::Text | Scalar::Unknown)
    {
        faults.push(
            &given.name,
            "`max_length` is for text: the field is no `String`",
        );
    }
    if plain.char_field && options.max_length.is_none() {
        faults.push(
            &field.ty,
            format!("`{name}` needs a maximum length: write `#[field(max_length = 50)]`"),
        );
    }
    for switch in [&options.auto_now, &options.auto_now_add]
        .into_iter()
        .flatten()
    {
        if !matches!(plain.scalar, Scalar::DateTime | Scalar::Unknown) {
            faults.push(
                switch,
                format!("`{switch}` is for date-times: `{name}: DateTime<Utc>`"),
            );
        }
    }
    if let (Some(_), Some(both)) = (&options.auto_now, &options.auto_now_add) {
        faults.push(
            both,
            "`auto_now` sets the time on creation too: remove `auto_now_add`",
        );
    }
    if plain.auto && options.pk.is_none() {
        faults.push_fatal(
            &field.ty,
            "`Auto` is for the primary key: use the integer itself",
        );
    }
    if let (None, Some(given)) = (&options.pk, &options.generated) {
        faults.push(&given.name, "`generated` is for the primary key");
    }
    relation_options_are_for_relations(field, faults);
}

fn relation_options_are_for_relations(field: &Field, faults: &mut Faults) {
    let options = &field.options;
    if let Some(given) = &options.on_delete {
        faults.push(
            &given.name,
            "`on_delete` is for `ForeignKey` and `OneToOne`",
        );
    }
    if let Some(given) = &options.related_name {
        faults.push(&given.name, "`related_name` is for relations");
    }
    if let Some(given) = &options.through {
        faults.push(&given.name, "`through` is for `ManyToMany`");
    }
}

fn check_forward(field: &Field, null: bool, faults: &mut Faults) {
    let options = &field.options;
    if let Some(given) = &options.on_delete {
        if given.value == "SetNull" && !null {
            let ty = &field.ty;
            faults.push(
                &given.value,
                format!(
                    "on_delete = SetNull needs a nullable relation: `Option<{}>`",
                    quote::quote!(#ty).to_string().replace(' ', "")
                ),
            );
        }
        if given.value == "SetDefault" && options.default.is_none() {
            faults.push(&given.value, "on_delete = SetDefault needs `default = ..`");
        }
    }
    if let Some(pk) = &options.pk {
        faults.push_fatal(
            pk,
            "a relation cannot be the primary key: add `#[field(pk)] id: i32`",
        );
    }
    if let Some(given) = &options.through {
        faults.push(&given.name, "`through` is for `ManyToMany`");
    }
    only_for_columns(field, faults);
}

fn check_many(field: &Field, faults: &mut Faults) {
    let options = &field.options;
    let wrapped = super::kind::last_name(&field.ty).is_some_and(|name| name == "Option");
    if wrapped {
        faults.push_fatal(
            &field.ty,
            "this relation may be empty by itself: remove `Option`",
        );
    }
    if let Some(given) = &options.on_delete {
        faults.push(
            &given.name,
            "`on_delete` goes to the `ForeignKey` or `OneToOne` at the other end",
        );
    }
    if !matches!(field.kind, Kind::ManyToMany(_)) {
        if let Some(given) = &options.related_name {
            faults.push(
                &given.name,
                "`related_name` goes to the relation at the other end; this field's name must be it",
            );
        }
        if let Some(given) = &options.through {
            faults.push(&given.name, "`through` is for `ManyToMany`");
        }
    }
    if let Some(pk) = &options.pk {
        faults.push_fatal(
            pk,
            "a relation cannot be the primary key: add `#[field(pk)] id: i32`",
        );
    }
    for switch in [&options.unique, &options.index].into_iter().flatten() {
        faults.push(
            switch,
            format!("`{switch}` is for columns, and this relation has none"),
        );
    }
    if let Some(given) = &options.column {
        faults.push(
            &given.name,
            "`column` is for columns, and this relation has none",
        );
    }
    if let Some(given) = &options.default {
        faults.push(
            &given.name,
            "`default` is for columns, and this relation has none",
        );
    }
    only_for_columns(field, faults);
}

fn only_for_columns(field: &Field, faults: &mut Faults) {
    let options = &field.options;
    if let Some(given) = &options.max_length {
        faults.push(
            &given.name,
            "`max_length` is for text: the field is no `String`",
        );
    }
    for switch in [&options.auto_now, &options.auto_now_add]
        .into_iter()
        .flatten()
    {
        faults.push(switch, format!("`{switch}` is for date-times"));
    }
    if let Some(given) = &options.generated {
        faults.push(&given.name, "`generated` is for the primary key");
    }
}

fn check_keys(model: &Model, faults: &mut Faults) {
    let mut keys = model.fields.iter().filter(|f| f.options.pk.is_some());
    let Some(first) = keys.next() else {
        faults.push_fatal(
            &model.name,
            "a model needs a primary key: add `#[field(pk)] pub id: i32`",
        );
        return;
    };
    for second in keys {
        faults.push_fatal(
            &second.options.pk,
            format!("a model has one primary key, and `{}` is it", first.name),
        );
    }
    if let Kind::Plain(plain) = &first.kind {
        check_key(first, plain, faults);
    }
}

fn check_key(field: &Field, plain: &Plain, faults: &mut Faults) {
    if plain.null {
        faults.push_fatal(&field.ty, "a primary key cannot be NULL: remove `Option`");
    } else if matches!(plain.scalar, Scalar::DateTime | Scalar::Other) {
        faults.push_fatal(&field.ty, "a primary key is an integer or a text");
    }
    if let Some(given) = &field.options.generated
        && !given.value
        && plain.auto
    {
        faults.push(
            &given.name,
            "`Auto` is a key that the database generates: use the integer itself",
        );
    }
    if let Some(given) = &field.options.generated
        && given.value
        && plain.scalar == Scalar::Text
    {
        faults.push(
            &given.name,
            "only integer keys are generated by the database",
        );
    }
}

/// `author: ForeignKey<..>` makes the column `author_id`, which another field may already be.
fn check_repeated_columns(model: &Model, faults: &mut Faults) {
    let mut seen = HashSet::new();
    for field in model.fields.iter().filter(|f| f.column.is_some()) {
        let name = field.column_field();
        if !seen.insert(name.clone()) {
            faults.push_fatal(
                &field.ident,
                format!("two fields are called `{name}`: a foreign key makes one with `_id`"),
            );
        }
    }
}

/// Names in `ordering`, `unique_together` and `indexes`.
fn check_groups(model: &Model, faults: &mut Faults) {
    let mut known: Vec<String> = vec!["pk".to_owned()];
    for field in model.fields.iter().filter(|f| f.column.is_some()) {
        known.push(field.name.clone());
        known.push(field.column_field());
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let mut check = |name: &LitStr, text: &str| {
        if !known.contains(&text) {
            let (owner, hint) = (&model.name, names::suggestion(text, &known));
            faults.push(name, format!("`{owner}` has no column `{text}`: {hint}"));
        }
    };
    for name in &model.options.ordering {
        let text = name.value();
        // A path leads to another model, whose fields are not known here.
        if !text.contains("__") {
            check(name, text.strip_prefix('-').unwrap_or(&text));
        }
    }
    let groups = model
        .options
        .unique_together
        .iter()
        .chain(&model.options.indexes);
    groups.flatten().for_each(|name| check(name, &name.value()));
}
