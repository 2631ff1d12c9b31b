//! Bare impls for a model with mistakes, so that one mistake gives one error and not one more at
//! every use of the model.

use super::input::Model;
use proc_macro2::TokenStream;
use quote::quote;

/// `Entity` and `Model` without any column.
pub(super) fn expand(model: &Model) -> TokenStream {
    let (name, p) = (&model.name, &model.private);
    quote! {
        const _: () = {
            #[automatically_derived]
            impl #p::entity::Entity for #name {
                type Pk = i32;
                type Fields<S: #p::entity::Scope> = #p::core::marker::PhantomData<fn() -> S>;
                type Required = #p::columns::End;
                fn meta() -> &'static #p::schema::ModelMeta { #p::core::unreachable!() }
                fn fields_at<S: #p::entity::Scope>(
                    _: #p::core::option::Option<&'static #p::query::Node>,
                ) -> Self::Fields<S> { #p::core::unreachable!() }
                fn fields() -> &'static Self::Fields<Self> { #p::core::unreachable!() }
                fn pk(&self) -> &i32 { #p::core::unreachable!() }
                fn set_pk(&mut self, _: i32) {}
                fn from_row(
                    _: &dyn #p::backend::RowAccess,
                    _: usize,
                ) -> #p::error::Result<Self> { #p::core::unreachable!() }
                fn get_value(&self, _: usize) -> #p::value::Value { #p::core::unreachable!() }
                fn set_value(
                    &mut self,
                    _: usize,
                    _: #p::value::Value,
                ) -> #p::error::Result<()> { #p::core::unreachable!() }
                fn relation_slot(&mut self, _: usize) -> #p::entity::RelationSlot<'_> {
                    #p::core::unreachable!()
                }
                fn bind_relations(&mut self) {}
            }
            #[automatically_derived]
            impl #p::model::Model for #name {}
            #[automatically_derived]
            impl #p::queryset::Related for #name {
                fn relation_target(_: usize) -> &'static dyn #p::queryset::Target {
                    #p::core::unreachable!()
                }
            }
        };
    }
}
