//! Emission of relations: metadata, typed handles, slots.

use super::input::{Field, Model};
use super::kind::{Kind, last_name};
use crate::names;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

/// What the expansion needs of one relation.
pub(super) struct Relation<'a> {
    pub(super) field: &'a Field,
    pub(super) index: usize,
    pub(super) target: &'a Type,
    kind: &'static str,
}

impl<'a> Relation<'a> {
    /// The relation of a field, if it is one.
    pub(super) fn of(field: &'a Field) -> Option<Self> {
        let (target, kind) = match &field.kind {
            Kind::Plain(_) => return None,
            Kind::Forward {
                target,
                unique: false,
                ..
            } => (target, "ForeignKey"),
            Kind::Forward { target, .. } => (target, "OneToOne"),
            Kind::ManyToMany(target) => (target, "ManyToMany"),
            Kind::HasMany(target) => (target, "HasMany"),
            Kind::HasOne(target) => (target, "HasOne"),
        };
        Some(Relation {
            field,
            index: field.relation?,
            target,
            kind,
        })
    }

    /// Whether the row at the other end may be missing.
    fn null(&self) -> bool {
        !matches!(self.field.kind, Kind::Forward { null: false, .. })
    }

    /// Whether at most one row of the model refers to each target.
    fn at_most_one(&self) -> bool {
        match self.field.kind {
            Kind::Forward { unique, .. } => unique || self.field.options.unique.is_some(),
            _ => false,
        }
    }

    /// The literal of its `RelationMeta`.
    pub(super) fn meta(&self, model: &Model) -> TokenStream {
        let (p, target, name, null) = (&model.private, self.target, &self.field.name, self.null());
        let options = &self.field.options;
        let kind = format_ident!("{}", self.kind);
        let column = match self.field.column {
            Some(column) => quote!(Some(&FIELDS[#column])),
            None => quote!(None),
        };
        let on_delete = match &options.on_delete {
            Some(given) => given.value.clone(),
            None => Ident::new("Cascade", self.field.ident.span()),
        };
        let related_name = options
            .related_name
            .as_ref()
            .map_or(String::new(), |r| r.value.value());
        let through = self.through(model);
        quote! {
            #p::schema::RelationMeta {
                name: #name,
                kind: #p::schema::RelationKind::#kind,
                target: <#target as #p::entity::Entity>::meta,
                column: #p::core::option::Option::#column,
                null: #null,
                on_delete: #p::schema::OnDelete::#on_delete,
                related_name: #related_name,
                through: #p::core::option::Option::#through,
            }
        }
    }

    /// The table in the middle, named from what is written.
    fn through(&self, model: &Model) -> TokenStream {
        if !matches!(self.field.kind, Kind::ManyToMany(_)) {
            return quote!(None);
        }
        let p = &model.private;
        let table = match &self.field.options.through {
            Some(given) => given.value.value(),
            None => format!("{}_{}", model.table(), self.field.name),
        };
        let own = names::text_of(&model.name).to_lowercase();
        let other = last_name(self.target)
            .map(names::text_of)
            .unwrap_or_default()
            .to_lowercase();
        let source = format!("{own}_id");
        // A relation to the model itself would have two columns of one name.
        let target = if own == other {
            format!("{other}_rel_id")
        } else {
            format!("{other}_id")
        };
        quote! {
            Some(#p::schema::ThroughMeta {
                table: #table,
                source_column: #source,
                target_column: #target,
            })
        }
    }

    /// Type of the handle, as a member of `<Model>Fields<S>`.
    pub(super) fn member_type(&self, p: &TokenStream, presence: &TokenStream) -> TokenStream {
        let (target, scope) = (self.target, if self.null() { "Nullable" } else { "Joined" });
        let scope = format_ident!("{scope}");
        quote!(#p::columns::Rel<S, <S as #p::entity::Scope>::#scope, #target, #presence>)
    }

    /// Type of the handle, as a constant of the model.
    pub(super) fn const_type(&self, model: &Model, presence: &TokenStream) -> TokenStream {
        let (p, name, target) = (&model.private, &model.name, self.target);
        let scope = format_ident!("{}", if self.null() { "Opt" } else { "Via" });
        quote!(#p::columns::Rel<#name, #p::entity::#scope<#name>, #target, #presence>)
    }

    /// Proof that both ends of a relation name each other.
    pub(super) fn related_name(&self, model: &Model) -> TokenStream {
        let (p, name, target) = (&model.private, &model.name, self.target);
        match &self.field.kind {
            Kind::HasMany(_) | Kind::HasOne(_) => {
                let proof = match &self.field.kind {
                    Kind::HasOne(_) => quote_spanned!(target.span()=> OneRelatedName),
                    _ => quote_spanned!(target.span()=> RelatedName),
                };
                // One span for all of it, so that the error shows the field and not the model.
                let (field, span) = (&self.field.name, target.span());
                let (p, name) = (respan(p.clone(), span), respan(quote!(#name), span));
                quote_spanned! {target.span()=>
                    const _: fn() = || {
                        fn related<T>()
                        where
                            T: #p::relation::#proof<#name, { #p::relation::name_hash(#field) }>,
                        {
                        }
                        related::<#target>();
                    };
                }
            }
            _ => match &self.field.options.related_name {
                Some(given) => {
                    let related = &given.value;
                    let proof = |proof: TokenStream| {
                        quote! {
                            #[automatically_derived]
                            impl #p::relation::#proof<
                                #target,
                                { #p::relation::name_hash(#related) },
                            > for #name {}
                        }
                    };
                    let one = self.at_most_one().then(|| proof(quote!(OneRelatedName)));
                    let any = proof(quote!(RelatedName));
                    quote!(#any #one)
                }
                None => TokenStream::new(),
            },
        }
    }

    /// The arm of `relation_slot`.
    pub(super) fn slot(&self, p: &TokenStream) -> TokenStream {
        let (index, ident) = (self.index, &self.field.ident);
        let slot = match &self.field.kind {
            Kind::Forward { null: true, .. } => quote! {
                match self.#ident.as_mut() {
                    #p::core::option::Option::Some(slot) => #p::entity::RelationSlot::One(slot),
                    #p::core::option::Option::None => #p::entity::RelationSlot::Absent,
                }
            },
            Kind::Forward { .. } | Kind::HasOne(_) => {
                quote!(#p::entity::RelationSlot::One(&mut self.#ident))
            }
            _ => quote!(#p::entity::RelationSlot::Many(&mut self.#ident)),
        };
        quote!(#index => #slot)
    }
}

/// The same tokens, as if written at `span`.
fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}
