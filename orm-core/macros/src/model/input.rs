//! The struct as the derive sees it.

use super::Faults;
use super::attr::{FieldOptions, ModelOptions, doc_text};
use super::kind::Kind;
use crate::names;
use proc_macro2::TokenStream;
use quote::format_ident;
use syn::{Attribute, Data, DeriveInput, Fields, Ident, Type, Visibility};

/// A model.
pub(super) struct Model {
    pub(super) name: Ident,
    pub(super) vis: Visibility,
    /// `<crate>::__private`.
    pub(super) private: TokenStream,
    pub(super) options: ModelOptions,
    pub(super) description: String,
    pub(super) fields: Vec<Field>,
}

/// One field of the struct.
pub(super) struct Field {
    pub(super) ident: Ident,
    /// Its name, without `r#`.
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) kind: Kind,
    pub(super) options: FieldOptions,
    pub(super) docs: Vec<Attribute>,
    /// Position of its column in the metadata; relations to many rows have none.
    pub(super) column: Option<usize>,
    /// Position of its relation in the metadata.
    pub(super) relation: Option<usize>,
}

/// Reads the struct, or says why it can be no model.
pub(super) fn read(derive: &DeriveInput, faults: &mut Faults) -> Option<Model> {
    let Data::Struct(data) = &derive.data else {
        faults.push_fatal(&derive.ident, "a model is a struct with named fields");
        return None;
    };
    let Fields::Named(fields) = &data.fields else {
        faults.push_fatal(&derive.ident, "a model is a struct with named fields");
        return None;
    };
    if !derive.generics.params.is_empty() {
        faults.push_fatal(
            &derive.generics,
            "a model cannot be generic: it stands for one table",
        );
        return None;
    }
    let options = ModelOptions::read(&derive.attrs, faults);
    let krate = &options.krate;
    let mut model = Model {
        name: derive.ident.clone(),
        vis: derive.vis.clone(),
        private: quote::quote!(#krate::__private),
        options,
        description: doc_text(&derive.attrs),
        fields: Vec::new(),
    };
    let (mut columns, mut relations) = (0.., 0..);
    for field in &fields.named {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let kind = Kind::of(&field.ty, &model.name);
        model.fields.push(Field {
            name: names::text_of(&ident),
            ident,
            ty: field.ty.clone(),
            options: FieldOptions::read(&field.attrs, faults),
            docs: field
                .attrs
                .iter()
                .filter(|a| a.path().is_ident("doc"))
                .cloned()
                .collect(),
            column: kind.has_column().then(|| columns.next()).flatten(),
            relation: kind.is_relation().then(|| relations.next()).flatten(),
            kind,
        });
    }
    Some(model)
}

impl Kind {
    /// Whether the field is a column, or has one.
    fn has_column(&self) -> bool {
        matches!(self, Kind::Plain(_) | Kind::Forward { .. })
    }

    fn is_relation(&self) -> bool {
        !matches!(self, Kind::Plain(_))
    }
}

impl Model {
    /// The primary key; the first one if there are two.
    pub(super) fn pk(&self) -> Option<&Field> {
        self.fields.iter().find(|f| f.options.pk.is_some())
    }

    /// The struct of typed columns.
    pub(super) fn columns_name(&self) -> Ident {
        format_ident!("{}Fields", self.name)
    }

    /// The module of markers for required fields.
    pub(super) fn markers_name(&self) -> Ident {
        format_ident!("{}Field", self.name)
    }

    /// The table's name.
    pub(super) fn table(&self) -> String {
        match &self.options.table {
            Some(table) => table.value(),
            None => names::text_of(&self.name).to_lowercase(),
        }
    }
}

impl Field {
    /// Name of the column's field in the metadata: `<name>_id` for a foreign key.
    pub(super) fn column_field(&self) -> String {
        match self.kind {
            Kind::Forward { .. } => format!("{}_id", self.name),
            _ => self.name.clone(),
        }
    }

    /// The identifier of the typed column.
    pub(super) fn column_ident(&self) -> Ident {
        match self.kind {
            Kind::Forward { .. } => format_ident!("{}_id", self.name, span = self.ident.span()),
            _ => self.ident.clone(),
        }
    }

    /// The database assigns an unset value.
    pub(super) fn is_generated(&self) -> bool {
        let integer =
            matches!(&self.kind, Kind::Plain(p) if p.scalar == super::kind::Scalar::Integer);
        let wanted = self.options.generated.as_ref().is_none_or(|g| g.value);
        self.options.pk.is_some() && integer && wanted
    }

    /// Whether `create` must be given it.
    pub(super) fn is_required(&self) -> bool {
        let null = match &self.kind {
            Kind::Plain(plain) => plain.null,
            Kind::Forward { null, .. } => *null,
            _ => true,
        };
        let options = &self.options;
        !(null
            || self.is_generated()
            || options.default.is_some()
            || options.auto_now.is_some()
            || options.auto_now_add.is_some())
    }

    /// The option, else the doc comment.
    pub(super) fn description(&self) -> String {
        match &self.options.description {
            Some(given) => given.value.value(),
            None => doc_text(&self.docs),
        }
    }
}
