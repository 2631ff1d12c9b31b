//! Every public async operation of orm-core is dropped at every poll by a case.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::{ImplItem, Item, ReturnType, TraitItem, Type, Visibility};

/// Traits that drivers implement and only core calls: their futures are dropped with those of
/// leases, transactions and pools.
const CALLED_BY_CORE: [&str; 3] = ["Connector", "Session", "TransactionManager"];

/// Finds the operations of a module and of those below it.
struct Scan {
    /// The first module of the path, which names free functions.
    area: String,
    /// Macros of this file that make types to await.
    makers: Vec<String>,
    found: BTreeSet<String>,
}

impl Scan {
    /// What orm-core offers.
    fn of_core() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../orm-core/src");
        let mut found = BTreeSet::new();
        module(&root.join("lib.rs"), &root, "", &mut found);
        found
    }

    fn of_text(area: &str, text: &str) -> BTreeSet<String> {
        let file = syn::parse_file(text).expect("the text is Rust");
        let mut scan = Scan::new(area);
        scan.items(&file.items);
        scan.found
    }

    fn new(area: &str) -> Self {
        Scan {
            area: area.to_owned(),
            makers: Vec::new(),
            found: BTreeSet::new(),
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items.iter().filter(|item| !is_test(item)) {
            match item {
                Item::Fn(item) if is_public(&item.vis) && is_async(&item.sig) => {
                    self.found
                        .insert(format!("{}::{}", self.area, item.sig.ident));
                }
                Item::Trait(item) if is_public(&item.vis) => {
                    let name = item.ident.to_string();
                    if !CALLED_BY_CORE.contains(&name.as_str()) {
                        self.trait_items(&name, &item.items);
                    }
                }
                Item::Impl(item) => self.implementation(item),
                Item::Macro(item) => self.macro_item(item),
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        self.items(items);
                    }
                }
                _ => {}
            }
        }
    }

    fn trait_items(&mut self, name: &str, items: &[TraitItem]) {
        for item in items {
            if let TraitItem::Fn(item) = item
                && is_async(&item.sig)
            {
                self.found.insert(format!("{name}::{}", item.sig.ident));
            }
        }
    }

    fn implementation(&mut self, item: &syn::ItemImpl) {
        let name = type_name(&item.self_ty);
        if let Some((_, path, _)) = &item.trait_ {
            let of = path.segments.last().map(|last| last.ident.to_string());
            if of.is_some_and(|of| of == "IntoFuture" || of == "Future") {
                self.found.insert(name);
            }
            return;
        }
        for item in &item.items {
            if let ImplItem::Fn(item) = item
                && is_public(&item.vis)
                && is_async(&item.sig)
            {
                self.found.insert(format!("{name}::{}", item.sig.ident));
            }
        }
    }

    /// Remembers macros that make types to await, and takes the names that are given to them.
    fn macro_item(&mut self, item: &syn::ItemMacro) {
        let text = item.mac.tokens.to_string();
        match &item.ident {
            Some(name) if text.contains("IntoFuture") => self.makers.push(name.to_string()),
            Some(_) => {}
            None => {
                let name = item
                    .mac
                    .path
                    .segments
                    .last()
                    .map(|last| last.ident.to_string());
                if name.is_some_and(|name| self.makers.contains(&name)) {
                    let (before, _) = text.rsplit_once("->").expect("`Name -> Answer`");
                    let made = before.split_whitespace().last().expect("a name");
                    self.found.insert(made.to_owned());
                }
            }
        }
    }
}

/// The module in this file, and those that it declares.
fn module(file: &Path, folder: &Path, area: &str, found: &mut BTreeSet<String>) {
    let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let mut scan = Scan::new(area);
    scan.items(&parsed.items);
    found.append(&mut scan.found);
    for item in parsed.items.iter().filter(|item| !is_test(item)) {
        let Item::Mod(item) = item else { continue };
        if item.content.is_some() || item.ident == "__private" {
            continue;
        }
        let name = item.ident.to_string();
        let below: PathBuf = folder.join(format!("{name}.rs"));
        let area = if area.is_empty() { &name } else { area };
        module(&below, &folder.join(&name), area, found);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether calling it gives a future.
fn is_async(signature: &syn::Signature) -> bool {
    let ReturnType::Type(_, output) = &signature.output else {
        return signature.asyncness.is_some();
    };
    let returns = match &**output {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "BoxFuture"),
        Type::ImplTrait(types) => types.bounds.iter().any(|bound| match bound {
            syn::TypeParamBound::Trait(bound) => {
                let last = bound
                    .path
                    .segments
                    .last()
                    .map(|last| last.ident.to_string());
                last.is_some_and(|last| last == "Future" || last == "IntoFuture")
            }
            _ => false,
        }),
        _ => false,
    };
    signature.asyncness.is_some() || returns
}

fn type_name(of: &Type) -> String {
    match of {
        Type::Path(path) => match path.path.segments.last() {
            Some(last) => last.ident.to_string(),
            None => String::new(),
        },
        Type::Reference(of) => type_name(&of.elem),
        _ => String::new(),
    }
}

/// Whether an item is only there for tests.
fn is_test(item: &Item) -> bool {
    let attributes = match item {
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list.tokens.to_string() == "test",
        _ => false,
    })
}

/// Internal traits whose futures are parts of those of query sets.
const PARTS: [&str; 1] = ["Target::load"];

#[test]
fn every_public_async_operation_is_dropped_at_every_poll() {
    let found = Scan::of_core();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    let listed: BTreeSet<&str> = orm_testkit::suite::cancelled()
        .iter()
        .flat_map(|(_, operations)| operations.iter().copied())
        .chain(PARTS)
        .collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        missing.is_empty(),
        "add a case to orm-testkit/src/suite/cancel.rs for {missing:?}"
    );
    assert!(gone.is_empty(), "no longer in orm-core: {gone:?}");
    assert!(found.len() > 50, "{found:?}");
}

#[test]
fn new_operations_are_found_however_they_are_written() {
    let found = Scan::of_text(
        "area",
        "pub async fn free() {}
         pub fn boxed() -> BoxFuture<'static, ()> { todo() }
         pub fn opaque() -> impl Future<Output = ()> { todo() }
         async fn private() {}
         pub(crate) async fn inner() {}
         impl<M> Thing<M> { pub async fn method(&self) {} pub fn plain(&self) {} }
         impl<M> IntoFuture for Builder<M> { }
         pub trait Client { async fn call(&self); fn name(&self); }
         pub trait Session { async fn run(&self); }
         macro_rules! single { ($name:ident) => { impl IntoFuture for $name {} } }
         single! { /// Doc.
             Made -> Out }
         #[cfg(test)] mod tests { pub async fn tested() {} }",
    );
    let found: Vec<_> = found.iter().map(String::as_str).collect();
    let expected = [
        "Builder",
        "Client::call",
        "Made",
        "Thing::method",
        "area::boxed",
        "area::free",
        "area::opaque",
    ];
    assert_eq!(found, expected);
}
