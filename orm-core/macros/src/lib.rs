//! The procedural macros of fast-django: `#[derive(Model)]`, `#[derive(Values)]`, `#[kwargs]`, and
//! the engine of `kw!`.
//!
//! Each goes through the same steps: input (typed, with spans) → check (rules, all mistakes
//! together) → expand (declarations and calls into `__private`, no logic).

mod keyword;
mod kwargs;
mod model;
mod names;
mod values;

use proc_macro::TokenStream;

/// Makes a struct a model.
///
/// # The struct: `#[model(..)]`
///
/// | option | meaning |
/// |---|---|
/// | `table = "users"` | the table's name; the struct's name in lower case by default |
/// | `ordering = ["-created_at", "id"]` | order of queries that ask for none |
/// | `unique_together = [["a", "b"]]` | groups of fields that are unique together |
/// | `indexes = [["a", "b"]]` | groups of fields with an index |
/// | `crate = "path"` | where the ORM is found; `::fast_django` by default |
///
/// # Fields: `#[field(..)]`
///
/// | option | meaning |
/// |---|---|
/// | `pk` | the primary key; an integer or `Auto<integer>` key is assigned by the database |
/// | `generated = false` | an integer key that the program assigns |
/// | `max_length = 50` | a text of at most 50 characters (`CharField`) |
/// | `unique`, `index` | a constraint, an index |
/// | `default = expr`, `default` | the value when `create` gets none; evaluated each time |
/// | `auto_now`, `auto_now_add` | the time of each save, of creation |
/// | `column = "name"` | the column's name |
/// | `description = ".."` | a description; the doc comment by default |
/// | `related_name = "posts"` | relations: the field of the target that leads back |
/// | `on_delete = Cascade` | foreign keys: `Cascade`, `Restrict`, `SetNull`, `SetDefault`, `NoAction` |
/// | `through = "post_tags"` | many-to-many: the table in the middle |
///
/// `Option` of a type takes NULL. Relations are `ForeignKey<T>`, `Option<ForeignKey<T>>`,
/// `OneToOne<T>`, `HasOne<T>`, `HasMany<T>` and `ManyToMany<T>`, told by these names.
#[proc_macro_derive(Model, attributes(model, field))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    model::derive(input.into()).into()
}

/// Makes a struct a projection: its fields are selected from a model.
///
/// `#[values(Post)]` on the struct names the model; `#[values(author.username)]` on a field gives
/// its path, which is the field's own name by default. A path that may end without a row needs an
/// `Option`.
#[proc_macro_derive(Values, attributes(values))]
pub fn derive_values(input: TokenStream) -> TokenStream {
    values::derive(input.into()).into()
}

/// Lets calls inside the function take keywords: `User::create(username = "john")`.
///
/// A call whose arguments are all `name = value` gets them wrapped in `kw!`. Calls inside other
/// macros are not seen.
#[proc_macro_attribute]
pub fn kwargs(options: TokenStream, item: TokenStream) -> TokenStream {
    kwargs::expand(options.into(), item.into()).into()
}

/// What `kw!` and `q!` forward to, with the path of their crate: `@ $crate; keywords`.
#[doc(hidden)]
#[proc_macro]
pub fn __kw(input: TokenStream) -> TokenStream {
    keyword::expand(input.into()).into()
}
