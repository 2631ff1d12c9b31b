//! The documented items: what the suite must cover. A case names the items that it is about.

use crate::case::Case;
use orm_core::backend::Capability;
use std::collections::BTreeSet;

/// One documented item: its name in `covers`, and what the reference calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiItem {
    /// Name, such as `queryset.limit`.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
}

const fn item(name: &'static str, what: &'static str) -> ApiItem {
    ApiItem { name, what }
}

/// Every class, function, method and parameter of the ORM reference, in its order.
pub const API_ITEMS: &[ApiItem] = &[
    item("model", "`class Model`: the base of every model"),
    item("fields.int", "`IntField`"),
    item("fields.int.pk", "primary key"),
    item("fields.int.null", "allow NULL"),
    item("fields.int.default", "default value"),
    item("fields.int.unique", "unique constraint"),
    item("fields.int.index", "index"),
    item("fields.int.description", "description"),
    item("fields.char", "`CharField`"),
    item("fields.char.max_length", "longest text, in code points"),
    item("fields.char.null", "allow NULL"),
    item("fields.char.default", "default value"),
    item("fields.char.unique", "unique constraint"),
    item("fields.char.index", "index"),
    item("fields.char.description", "description"),
    item("fields.text", "`TextField`"),
    item("fields.text.null", "allow NULL"),
    item("fields.text.default", "default value"),
    item("fields.text.description", "description"),
    item("fields.boolean", "`BooleanField`"),
    item("fields.boolean.null", "allow NULL"),
    item("fields.boolean.default", "default value"),
    item("fields.boolean.description", "description"),
    item("fields.datetime", "`DateTimeField`"),
    item("fields.datetime.null", "allow NULL"),
    item("fields.datetime.default", "default value"),
    item("fields.datetime.auto_now", "set on every save"),
    item("fields.datetime.auto_now_add", "set on creation"),
    item("fields.datetime.description", "description"),
    item("fields.foreign_key", "`ForeignKeyField`"),
    item("fields.foreign_key.model_name", "the related model"),
    item(
        "fields.foreign_key.related_name",
        "name of the reverse side",
    ),
    item("fields.foreign_key.null", "allow NULL"),
    item("fields.foreign_key.on_delete", "what a deleted target does"),
    item("fields.foreign_key.description", "description"),
    item("fields.many_to_many", "`ManyToManyField`"),
    item("fields.many_to_many.model_name", "the related model"),
    item(
        "fields.many_to_many.related_name",
        "name of the reverse side",
    ),
    item("fields.many_to_many.through", "table of the links"),
    item("fields.many_to_many.description", "description"),
    item("tortoise.init", "`Tortoise.init(config)`"),
    item(
        "tortoise.init.generate_schemas",
        "`Tortoise.init(.., generate_schemas)`",
    ),
    item(
        "tortoise.close_connections",
        "`Tortoise.close_connections()`",
    ),
    item("tortoise.get_connection", "`Tortoise.get_connection(name)`"),
    item("run_async", "`run_async(coroutine)`"),
    item("model.all", "`Model.all(..)`"),
    item("model.get", "`Model.get(..)`"),
    item("model.filter", "`Model.filter(..)`"),
    item("model.create", "`Model.create(..)`"),
    item("model.bulk_create", "`Model.bulk_create(..)`"),
    item("queryset.order_by", "`QuerySet.order_by(..)`"),
    item("queryset.limit", "`QuerySet.limit(..)`"),
    item("queryset.offset", "`QuerySet.offset(..)`"),
    item(
        "queryset.prefetch_related",
        "`QuerySet.prefetch_related(..)`",
    ),
    item("queryset.update", "`QuerySet.update(..)`"),
    item("queryset.delete", "`QuerySet.delete(..)`"),
    item("instance.save", "`instance.save(..)`"),
    item("instance.delete", "`instance.delete(..)`"),
    item(
        "instance.update_from_dict",
        "`instance.update_from_dict(..)`",
    ),
    item("foreign_key.access", "`user.posts.all()`, `post.author`"),
    item(
        "foreign_key.create_with_object",
        "`Post.create(author=user)`",
    ),
    item("many_to_many.add", "`post.tags.add(..)`"),
    item("many_to_many.remove", "`post.tags.remove(..)`"),
    item("many_to_many.clear", "`post.tags.clear(..)`"),
    item("many_to_many.all", "`post.tags.all(..)`"),
    item("in_transaction", "`in_transaction()`"),
    item("exceptions.does_not_exist", "`DoesNotExist`"),
    item("exceptions.integrity_error", "`IntegrityError`"),
    item("exceptions.validation_error", "`ValidationError`"),
];

/// What is wrong with the registry: documented items and capabilities without a case, cases that
/// name an unknown item or none, and ids that are not unique or not of three parts.
pub fn gaps(cases: &[Case]) -> Vec<String> {
    let known: BTreeSet<&str> = API_ITEMS.iter().map(|item| item.name).collect();
    let covered: BTreeSet<&str> = cases.iter().flat_map(|case| case.covers).copied().collect();
    let mut gaps = Vec::new();
    for name in known.difference(&covered) {
        gaps.push(format!("no case covers the documented item `{name}`"));
    }
    for capability in Capability::all() {
        if !cases.iter().any(|case| case.needs.contains(&capability)) {
            gaps.push(format!("no case needs the capability `{capability}`"));
        }
    }
    let mut ids = BTreeSet::new();
    for case in cases {
        for name in case.covers.iter().filter(|name| !known.contains(**name)) {
            gaps.push(format!(
                "`{}` covers `{name}`, which is not documented",
                case.id
            ));
        }
        if case.covers.is_empty() {
            gaps.push(format!("`{}` covers nothing", case.id));
        }
        if case.id.split("::").count() != 3 {
            gaps.push(format!(
                "`{}` is not of the form area::item::aspect",
                case.id
            ));
        }
        if !ids.insert(case.id) {
            gaps.push(format!("`{}` is the id of two cases", case.id));
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(id: &'static str, covers: &'static [&'static str]) -> Case {
        Case {
            id,
            covers,
            needs: &[],
            level: crate::Level::Core,
            serial: false,
            network: false,
            run: |_| Box::pin(async { Ok(()) }),
        }
    }

    #[test]
    fn item_names_are_unique() {
        let names: BTreeSet<_> = API_ITEMS.iter().map(|item| item.name).collect();
        assert_eq!(names.len(), API_ITEMS.len());
        assert_eq!(names.len(), 69);
    }

    #[test]
    fn an_uncovered_item_and_an_unknown_one_are_gaps() {
        let found = gaps(&[case("a::b::c", &["queryset.limit", "queryset.limt"])]);
        assert!(found.iter().any(|gap| gap.contains("`queryset.limt`")));
        assert!(found.iter().any(|gap| gap.contains("`queryset.offset`")));
        assert!(found.iter().any(|gap| gap.contains("capability `regex`")));
        assert!(
            !found
                .iter()
                .any(|gap| gap.contains("item `queryset.limit`"))
        );
    }

    #[test]
    fn ids_are_unique_and_of_three_parts() {
        let found = gaps(&[case("a::b", &["model"]), case("a::b", &["model"])]);
        assert_eq!(
            found
                .iter()
                .filter(|gap| gap.contains("area::item::aspect"))
                .count(),
            2
        );
        assert_eq!(
            found.iter().filter(|gap| gap.contains("two cases")).count(),
            1
        );
    }
}
