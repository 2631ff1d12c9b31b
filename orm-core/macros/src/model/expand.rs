//! Emission of a model: declarations and calls, no logic.

use super::input::{Field, Model};
use super::kind::{Kind, Plain, Scalar};
use super::relation::Relation;
use crate::names;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

/// Everything that the derive emits for a model without mistakes.
pub(super) fn expand(model: &Model, pk: &Field) -> TokenStream {
    let columns = columns_struct(model);
    let markers = markers_module(model);
    let statics = statics(model, pk);
    let consts = consts(model);
    let entity = entity(model, pk);
    let top = top(model);
    let related = relations(model).map(|r| r.related_name(model));
    quote! {
        #markers
        #columns
        const _: () = {
            #statics
            #consts
            #entity
            #top
            #(#related)*
        };
    }
}

fn relations(model: &Model) -> impl Iterator<Item = Relation<'_>> {
    model.fields.iter().filter_map(Relation::of)
}

/// The marker type that says whether `create` needs the field.
fn presence(model: &Model, field: &Field) -> TokenStream {
    let p = &model.private;
    if field.column.is_none() {
        return quote!(#p::columns::Many);
    }
    if !field.is_required() {
        return quote!(#p::columns::Optional);
    }
    let (markers, marker) = (model.markers_name(), &field.ident);
    quote!(#p::columns::Required<#markers::#marker>)
}

/// The type of a field's column: its own, or the target's key.
fn column_type(model: &Model, field: &Field) -> TokenStream {
    let p = &model.private;
    match &field.kind {
        Kind::Forward {
            target, null: true, ..
        } => quote!(#p::core::option::Option<<#target as #p::entity::Entity>::Pk>),
        Kind::Forward { target, .. } => quote!(<#target as #p::entity::Entity>::Pk),
        _ => {
            let ty = &field.ty;
            quote!(#ty)
        }
    }
}

/// `mod PostField { pub struct title; .. }`: unit structs that bear the names of required fields.
fn markers_module(model: &Model) -> TokenStream {
    let (vis, markers) = (&model.vis, model.markers_name());
    let names = model
        .fields
        .iter()
        .filter(|f| f.column.is_some() && f.is_required());
    // At the field's place, so that an error about a missing field shows it.
    let names = names.map(|f| {
        let ident = &f.ident;
        quote_spanned!(ident.span()=> pub struct #ident;)
    });
    quote! {
        #[doc(hidden)]
        #[allow(
            non_camel_case_types, non_snake_case, dead_code, missing_docs,
            missing_debug_implementations, unreachable_pub, unnameable_types
        )]
        #vis mod #markers { #(#names)* }
    }
}

/// `struct PostFields<S> { title: Col<S, ..>, .. }`: the typed columns, seen from a scope.
fn columns_struct(model: &Model) -> TokenStream {
    let (p, vis, columns) = (&model.private, &model.vis, model.columns_name());
    let members = model.fields.iter().map(|field| {
        let (docs, ident, presence) = (&field.docs, &field.ident, presence(model, field));
        let relation = Relation::of(field).map(|r| {
            let ty = r.member_type(p, &presence);
            quote!(#(#docs)* pub #ident: #ty,)
        });
        let column = field.column.map(|_| {
            let (ident, ty) = (field.column_ident(), column_type(model, field));
            quote!(#(#docs)* pub #ident: #p::columns::Col<S, #ty, #presence>,)
        });
        quote!(#relation #column)
    });
    let doc = format!("Typed columns and relations of [`{}`].", model.name);
    let parts = part_methods(model);
    quote! {
        #[doc = #doc]
        #[allow(
            missing_docs, missing_debug_implementations, unreachable_pub, dead_code,
            private_interfaces
        )]
        #vis struct #columns<S: #p::entity::Scope> { #(#members)* }
        #parts
    }
}

/// A field that bears the name of a date part gets a method of that name, since `kw!` emits one.
fn part_methods(model: &Model) -> Option<TokenStream> {
    let (p, columns) = (&model.private, model.columns_name());
    let named_like_part =
        |f: &&Field| matches!(f.kind, Kind::Plain(_)) && names::PARTS.contains(&f.name.as_str());
    let methods: Vec<_> = model
        .fields
        .iter()
        .filter(named_like_part)
        .map(|field| {
            let (ident, ty, presence) = (&field.ident, &field.ty, presence(model, field));
            quote! {
                #[doc(hidden)]
                #[allow(missing_docs, unreachable_pub, dead_code)]
                pub fn #ident(&self) -> #p::columns::Col<S, #ty, #presence> { self.#ident }
            }
        })
        .collect();
    (!methods.is_empty()).then(|| {
        quote! {
            #[automatically_derived]
            impl<S: #p::entity::Scope> #columns<S> { #(#methods)* }
        }
    })
}

/// `Post::title`, `Post::author`, `Post::author_id`.
fn consts(model: &Model) -> TokenStream {
    let (p, name, vis) = (&model.private, &model.name, &model.vis);
    let consts = model.fields.iter().map(|field| {
        let (docs, ident, presence) = (&field.docs, &field.ident, presence(model, field));
        let relation = Relation::of(field).map(|r| {
            let (index, ty) = (r.index, r.const_type(model, &presence));
            quote! {
                #(#docs)*
                #vis const #ident: #ty = {
                    static NODE: #p::query::Node = #p::query::Node::root(&RELATIONS[#index]);
                    #p::columns::Rel::new(&NODE)
                };
            }
        });
        let column = field.column.map(|index| {
            let (ident, ty) = (field.column_ident(), column_type(model, field));
            quote! {
                #(#docs)*
                #vis const #ident: #p::columns::Col<#name, #ty, #presence> =
                    #p::columns::Col::new(#p::core::option::Option::None, &FIELDS[#index]);
            }
        });
        quote!(#relation #column)
    });
    quote! {
        #[automatically_derived]
        #[allow(
            non_upper_case_globals, missing_docs, dead_code, unreachable_pub, private_interfaces
        )]
        impl #name { #(#consts)* }
    }
}

/// The metadata.
fn statics(model: &Model, pk: &Field) -> TokenStream {
    let (p, name, table) = (&model.private, model.name.to_string(), model.table());
    let fields = model.fields.iter().filter(|f| f.column.is_some());
    let fields: Vec<_> = fields.map(|f| field_meta(model, f)).collect();
    let relations: Vec<_> = relations(model).map(|r| r.meta(model)).collect();
    let (description, pk, options) = (&model.description, pk.column, &model.options);
    let (field_count, relation_count) = (fields.len(), relations.len());
    let ordering = &options.ordering;
    let unique_together = groups(model, &options.unique_together);
    let indexes = groups(model, &options.indexes);
    quote! {
        static FIELDS: [#p::schema::FieldMeta; #field_count] = [#(#fields),*];
        static RELATIONS: [#p::schema::RelationMeta; #relation_count] = [#(#relations),*];
        static META: #p::schema::ModelMeta = #p::schema::ModelMeta {
            name: #name,
            table: #table,
            description: #description,
            fields: &FIELDS,
            relations: &RELATIONS,
            pk: #pk,
            ordering: &[#(#ordering),*],
            unique_together: #unique_together,
            indexes: #indexes,
        };
    }
}

/// Groups of names, with the name of the column's field for a foreign key.
fn groups(model: &Model, groups: &[Vec<syn::LitStr>]) -> TokenStream {
    let groups = groups.iter().map(|group| {
        let names = group.iter().map(|name| {
            let name = name.value();
            let field = match name.as_str() {
                "pk" => model.pk(),
                name => model
                    .fields
                    .iter()
                    .find(|f| f.column.is_some() && f.name == name),
            };
            field.map_or(name, Field::column_field)
        });
        quote!(&[#(#names),*])
    });
    quote!(&[#(#groups),*])
}

/// The literal of a `FieldMeta`: only what differs from a plain column is written.
fn field_meta(model: &Model, field: &Field) -> TokenStream {
    let (p, name, options) = (&model.private, field.column_field(), &field.options);
    let (ty, null, unique) = match &field.kind {
        Kind::Forward {
            target,
            null,
            unique,
        } => {
            let key = quote!(<#target as #p::entity::Entity>::Pk);
            (quote!(<#key as #p::value::Field>::TYPE), *null, *unique)
        }
        Kind::Plain(plain) => (plain_type(model, field), plain.null, false),
        _ => (quote!(), false, false),
    };
    let column = options.column.as_ref().map(|c| {
        let column = &c.value;
        quote!(column: #column,)
    });
    let default = options.default.as_ref().map(|given| {
        let default = default(model, field, given.value.as_ref());
        quote!(default: #p::core::option::Option::Some(|| #default),)
    });
    let relation = field
        .relation
        .map(|index| quote!(relation: #p::core::option::Option::Some(#index),));
    let description = Some(field.description()).filter(|d| !d.is_empty());
    let description = description.map(|d| quote!(description: #d,));
    let switches = [
        ("null", null),
        ("pk", options.pk.is_some()),
        ("generated", field.is_generated()),
        ("unique", unique || options.unique.is_some()),
        ("index", options.index.is_some() || field.relation.is_some()),
        ("auto_now", options.auto_now.is_some()),
        ("auto_now_add", options.auto_now_add.is_some()),
    ];
    let switches = switches.iter().filter(|(_, on)| *on).map(|(name, _)| {
        let name = format_ident!("{name}");
        quote!(#name: true,)
    });
    quote! {
        #p::schema::FieldMeta {
            #(#switches)*
            #column
            #default
            #relation
            #description
            ..#p::schema::FieldMeta::new(#name, #ty)
        }
    }
}

fn plain_type(model: &Model, field: &Field) -> TokenStream {
    let (p, ty) = (&model.private, &field.ty);
    match &field.options.max_length {
        Some(given) => {
            let length = given.value;
            quote!(#p::value::ColumnType::Char(#length))
        }
        None => quote!(<#ty as #p::value::Field>::TYPE),
    }
}

/// The value of the default, evaluated each time it is needed.
fn default(model: &Model, field: &Field, value: Option<&syn::Expr>) -> TokenStream {
    let (p, ty) = (&model.private, column_type(model, field));
    let converts = matches!(
        &field.kind,
        Kind::Plain(Plain {
            scalar: Scalar::Text,
            ..
        }) | Kind::Plain(Plain { null: true, .. })
            | Kind::Forward { .. }
    );
    match value {
        None => quote! {
            #p::value::Field::into_value(<#ty as #p::core::default::Default>::default())
        },
        Some(value) if converts => quote!(#p::columns::default_value::<#ty>(#value)),
        Some(value) => quote! {{
            let value: #ty = #value;
            #p::value::Field::into_value(value)
        }},
    }
}

/// `Required`: the required fields, sorted like the keywords of `kw!`.
fn required(model: &Model) -> TokenStream {
    let (p, markers) = (&model.private, model.markers_name());
    let mut required: Vec<_> = model
        .fields
        .iter()
        .filter(|f| f.column.is_some() && f.is_required())
        .map(|f| (names::sort_key(&f.name), &f.ident))
        .collect();
    required.sort();
    required.iter().rfold(
        quote!(#p::columns::End),
        |rest, (_, marker)| quote!(#p::columns::Req<#markers::#marker, #rest>),
    )
}

fn entity(model: &Model, pk: &Field) -> TokenStream {
    let (p, name, columns) = (&model.private, &model.name, model.columns_name());
    let (pk_ident, pk_type) = (&pk.ident, &pk.ty);
    let (required, members) = (required(model), members(model));
    let from_row = from_row(model, pk);
    let gets = model.fields.iter().filter_map(|f| get(model, f));
    let sets = model.fields.iter().filter_map(|f| set(model, f));
    let slots = relations(model).map(|r| r.slot(p));
    let binds = relations(model)
        .filter(|r| r.field.column.is_none())
        .map(|r| {
            let (ident, index) = (&r.field.ident, r.index);
            quote!(self.#ident.bind(#p::entity::owner_key(&self.#pk_ident, &META), &META, #index);)
        });
    quote! {
        #[automatically_derived]
        impl #p::entity::Entity for #name {
            type Pk = #pk_type;
            type Fields<S: #p::entity::Scope> = #columns<S>;
            type Required = #required;
            fn meta() -> &'static #p::schema::ModelMeta { &META }
            fn fields_at<S: #p::entity::Scope>(
                at: #p::core::option::Option<&'static #p::query::Node>,
            ) -> #columns<S> {
                #columns { #(#members)* }
            }
            fn fields() -> &'static #columns<Self> {
                static ROOT: #p::std::sync::OnceLock<#columns<#name>> =
                    #p::std::sync::OnceLock::new();
                ROOT.get_or_init(|| {
                    <#name as #p::entity::Entity>::fields_at::<#name>(
                        #p::core::option::Option::None,
                    )
                })
            }
            fn pk(&self) -> &#pk_type { &self.#pk_ident }
            fn set_pk(&mut self, key: #pk_type) {
                self.#pk_ident = key;
                #p::entity::Entity::bind_relations(self);
            }
            #from_row
            fn get_value(&self, field: usize) -> #p::value::Value {
                match field { #(#gets,)* _ => #p::core::unreachable!() }
            }
            fn set_value(
                &mut self,
                field: usize,
                value: #p::value::Value,
            ) -> #p::error::Result<()> {
                match field { #(#sets,)* _ => #p::core::unreachable!() }
                #p::core::result::Result::Ok(())
            }
            fn relation_slot(&mut self, relation: usize) -> #p::entity::RelationSlot<'_> {
                match relation { #(#slots,)* _ => #p::core::unreachable!() }
            }
            fn bind_relations(&mut self) { #(#binds)* }
        }
    }
}

/// The members of `<Model>Fields` behind a path.
fn members(model: &Model) -> Vec<TokenStream> {
    let p = &model.private;
    let member = |field: &Field| {
        let ident = &field.ident;
        let relation = field.relation.map(|i| {
            quote! {
                #ident: #p::columns::Rel::new(#p::query::Node::child(at, &RELATIONS[#i])),
            }
        });
        let column = field.column.map(|i| {
            let ident = field.column_ident();
            quote!(#ident: #p::columns::Col::new(at, &FIELDS[#i]),)
        });
        quote!(#relation #column)
    };
    model.fields.iter().map(member).collect()
}

fn from_row(model: &Model, pk: &Field) -> TokenStream {
    let (p, pk_ident) = (&model.private, &pk.ident);
    let reads = model.fields.iter().filter_map(|field| {
        let (index, ident, ty) = (field.column?, &field.ident, column_type(model, field));
        let read = match field.options.pk {
            Some(_) => quote!(read_key),
            None => quote!(read_field),
        };
        let read = quote!(#p::entity::#read::<#ty>(__row, __at + #index, &META, #index)?);
        Some(match &field.kind {
            Kind::Forward { null: true, .. } => {
                let relation = field.relation;
                quote! {
                    let #ident = #read.map(|key| {
                        #p::relation::ForeignKey::from_key(key).located(&META, #relation)
                    });
                }
            }
            Kind::Forward { .. } => {
                let relation = field.relation;
                quote! {
                    let #ident = #p::relation::ForeignKey::from_key(#read).located(&META, #relation);
                }
            }
            _ => quote!(let #ident = #read;),
        })
    });
    let bound = relations(model)
        .filter(|r| r.field.column.is_none())
        .map(|r| {
            let (ident, ty, index) = (&r.field.ident, &r.field.ty, r.index);
            quote! {
                let #ident = <#ty>::bound(#p::entity::owner_key(&#pk_ident, &META), &META, #index);
            }
        });
    let idents = model.fields.iter().map(|f| &f.ident);
    quote! {
        fn from_row(
            __row: &dyn #p::backend::RowAccess,
            __at: usize,
        ) -> #p::error::Result<Self> {
            #(#reads)*
            #(#bound)*
            #p::core::result::Result::Ok(Self { #(#idents),* })
        }
    }
}

/// The arm of `get_value`.
fn get(model: &Model, field: &Field) -> Option<TokenStream> {
    let (p, index, ident) = (&model.private, field.column?, &field.ident);
    Some(match &field.kind {
        Kind::Forward { null: true, .. } => quote! {
            #index => match &self.#ident {
                #p::core::option::Option::Some(reference) => {
                    #p::value::Field::to_value(reference.key())
                }
                #p::core::option::Option::None => #p::value::Value::Null,
            }
        },
        Kind::Forward { .. } => quote!(#index => #p::value::Field::to_value(self.#ident.key())),
        _ => quote!(#index => #p::value::Field::to_value(&self.#ident)),
    })
}

/// The arm of `set_value`.
fn set(model: &Model, field: &Field) -> Option<TokenStream> {
    let (p, index, ident) = (&model.private, field.column?, &field.ident);
    let ty = column_type(model, field);
    let take = quote!(#p::entity::take_field::<#ty>(&value, &META, #index)?);
    Some(match &field.kind {
        Kind::Forward { null: true, .. } => quote! {
            #index => match (#take, &mut self.#ident) {
                (#p::core::option::Option::None, slot) => {
                    *slot = #p::core::option::Option::None;
                }
                (
                    #p::core::option::Option::Some(key),
                    #p::core::option::Option::Some(reference),
                ) => reference.set_key(key),
                (#p::core::option::Option::Some(key), slot) => {
                    *slot = #p::core::option::Option::Some(
                        #p::relation::ForeignKey::from_key(key),
                    );
                }
            }
        },
        Kind::Forward { .. } => quote!(#index => self.#ident.set_key(#take)),
        _ if field.options.pk.is_some() => {
            quote!(#index => #p::entity::Entity::set_pk(self, #take))
        }
        _ => quote!(#index => self.#ident = #take),
    })
}

fn top(model: &Model) -> TokenStream {
    let (p, name) = (&model.private, &model.name);
    let targets = relations(model).map(|r| {
        let (index, target) = (r.index, r.target);
        quote!(#index => #p::queryset::target::<#target>())
    });
    quote! {
        #[automatically_derived]
        impl #p::queryset::Related for #name {
            fn relation_target(relation: usize) -> &'static dyn #p::queryset::Target {
                match relation { #(#targets,)* _ => #p::core::unreachable!() }
            }
        }
        #[automatically_derived]
        impl #p::model::Model for #name {}
    }
}
