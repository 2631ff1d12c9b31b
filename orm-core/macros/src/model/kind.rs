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
    /// A type that can be no column, and what to write instead.
    pub(super) refused: Option<&'static str>,
    /// `Auto<..>`.
    pub(super) auto: bool,
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
                Kind::Plain(plain) if plain.null => Kind::Plain(Plain {
                    refused: Some("one `Option` is enough"),
                    ..plain
                }),
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
            "Auto" => Scalar::Integer,
            name if is_integer(name) => Scalar::Integer,
            "DateTime" | "DateTimeField" => Scalar::DateTime,
            "bool" | "f64" | "Vec" | "BooleanField" | "FloatField" | "BinaryField" => Scalar::Other,
            _ => Scalar::Unknown,
        };
        Plain {
            null: false,
            scalar,
            refused: refused(ty, &name),
            auto: name == "Auto",
            char_field: name == "CharField",
        }
    }
}

/// What to write instead of a type that is known to be no column.
///
/// The compiler would refuse it too, but once for each use in the expansion.
fn refused(ty: &Type, name: &str) -> Option<&'static str> {
    let inner = wrapper(ty).and_then(|(_, inner)| last_name(inner));
    match name {
        "i8" | "u8" | "u16" | "u32" | "u64" | "usize" | "isize" | "u128" | "i128" => {
            Some("use i16, i32 or i64")
        }
        "f32" => Some("use f64"),
        "Auto" if inner.is_none_or(|number| !is_integer(&number.to_string())) => {
            Some("use Auto<i16>, Auto<i32> or Auto<i64>")
        }
        "char" | "str" | "Cow" => Some("use String"),
        "NaiveDateTime" | "NaiveDate" | "SystemTime" => Some("use DateTime<Utc>"),
        "DateTime" if inner.is_none_or(|zone| zone != "Utc") => Some("use DateTime<Utc>"),
        "Vec" if inner.is_none_or(|item| item != "u8") => {
            Some("use Vec<u8> for bytes, HasMany or ManyToMany for several rows")
        }
        "HashMap" | "BTreeMap" | "HashSet" | "Box" | "Arc" | "Rc" => {
            Some("use the type of a column, such as String")
        }
        _ if !matches!(ty, Type::Path(_) | Type::Macro(_) | Type::Group(_)) => {
            Some("use the type of a column, such as String")
        }
        _ => None,
    }
}

fn is_integer(name: &str) -> bool {
    matches!(
        name,
        "i16" | "i32" | "i64" | "IntField" | "BigIntField" | "SmallIntField"
    )
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
