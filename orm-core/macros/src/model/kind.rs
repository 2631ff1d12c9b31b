//! What a field is, told by the last name of its type.

use syn::{GenericArgument, Ident, PathArguments, Type, TypePath};

/// What a field is.
pub(super) enum Kind {
    /// A column.
    Plain(Plain),
    /// `ForeignKey<T>` or `OneToOne<T>`.
    Forward {
        /// The model at the other end.
        target: Type,
        /// Wrapped in `Option`.
        null: bool,
        /// `OneToOne`.
        unique: bool,
    },
    /// `ManyToMany<T>`.
    ManyToMany(Type),
    /// `HasMany<T>`.
    HasMany(Type),
    /// `HasOne<T>`.
    HasOne(Type),
}

/// A column.
pub(super) struct Plain {
    /// Wrapped in `Option`.
    pub(super) null: bool,
    /// What it holds.
    pub(super) scalar: Scalar,
    /// Spelt `CharField`.
    pub(super) char_field: bool,
}

/// What a column holds, as far as the name of its type tells.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    Text,
    Integer,
    DateTime,
    /// Boolean, float or bytes.
    Other,
    /// A name that the derive does not know, such as an alias.
    Unknown,
}

impl Kind {
    /// Tells from the type. `own` is the model itself, which `Self` stands for.
    pub(super) fn of(ty: &Type, own: &Ident) -> Kind {
        match wrapper(ty) {
            Some((name, inner)) if name == "Option" => match Kind::of(inner, own) {
                Kind::Forward { target, unique, .. } => Kind::Forward {
                    target,
                    null: true,
                    unique,
                },
                Kind::Plain(plain) => Kind::Plain(Plain {
                    null: true,
                    ..plain
                }),
                other => other,
            },
            Some((name, inner)) => Kind::of_wrapper(name, target(inner, own), ty),
            None => Kind::Plain(Plain::of(ty)),
        }
    }

    fn of_wrapper(name: &Ident, target: Type, ty: &Type) -> Kind {
        let (null, unique) = (false, name == "OneToOne");
        match name.to_string().as_str() {
            "ForeignKey" | "OneToOne" => Kind::Forward {
                target,
                null,
                unique,
            },
            "ManyToMany" => Kind::ManyToMany(target),
            "HasMany" => Kind::HasMany(target),
            "HasOne" => Kind::HasOne(target),
            _ => Kind::Plain(Plain::of(ty)),
        }
    }
}

impl Plain {
    fn of(ty: &Type) -> Plain {
        let name = last_name(ty).map(ToString::to_string).unwrap_or_default();
        let scalar = match name.as_str() {
            "String" | "CharField" | "TextField" => Scalar::Text,
            "i16" | "i32" | "i64" | "IntField" | "BigIntField" | "SmallIntField" => Scalar::Integer,
            "DateTime" | "DateTimeField" => Scalar::DateTime,
            "bool" | "f64" | "Vec" | "BooleanField" | "FloatField" | "BinaryField" => Scalar::Other,
            _ => Scalar::Unknown,
        };
        Plain {
            null: false,
            scalar,
            char_field: name == "CharField",
        }
    }
}

/// `Name<Inner>`.
fn wrapper(ty: &Type) -> Option<(&Ident, &Type)> {
    let Type::Path(TypePath { path, .. }) = ty else {
        return None;
    };
    let last = path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some((&last.ident, inner)),
        _ => None,
    }
}

/// The last name of a path.
pub(super) fn last_name(ty: &Type) -> Option<&Ident> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|s| &s.ident),
        _ => None,
    }
}

/// `Self` means the model, also outside its impls.
fn target(ty: &Type, own: &Ident) -> Type {
    match ty {
        Type::Path(path) if path.path.is_ident("Self") => syn::parse_quote!(#own),
        other => other.clone(),
    }
}
