//! The models of the suite, and the rows that most cases read.

use crate::case::{CaseResult, Context};
use crate::prop::Grain;
use orm_core::prelude::*;
use orm_core::schema::ModelMeta;

/// Writes posts and edits those of others.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_user")]
pub struct User {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// Login name.
    #[field(max_length = 50, unique)]
    pub username: String,
    /// A text that may be missing.
    pub bio: Option<String>,
    /// A number that may be missing.
    pub age: Option<i32>,
    /// Whether the account is open.
    #[field(default = true)]
    pub is_active: bool,
    /// Posts written.
    pub posts: HasMany<Post>,
    /// Posts edited.
    pub edited: HasMany<Post>,
    /// What the user says of themselves.
    pub profile: HasOne<Profile>,
    /// The profile that the user looks after.
    pub guarded: HasOne<Profile>,
}

/// At most one for each user, and each looked after by at most one other.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_profile")]
pub struct Profile {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// A few words.
    #[field(max_length = 80)]
    pub motto: String,
    /// Whose it is.
    #[field(related_name = "profile", on_delete = Cascade)]
    pub user: OneToOne<User>,
    /// Who looks after it.
    #[field(related_name = "guarded", on_delete = SetNull)]
    pub guardian: Option<OneToOne<User>>,
}

/// A word that marks posts.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_tag")]
pub struct Tag {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// The word.
    #[field(max_length = 30, unique)]
    pub name: String,
    /// Posts with this tag.
    pub posts: HasMany<Post>,
}

/// Something written.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_post")]
pub struct Post {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// Headline.
    #[field(max_length = 200)]
    pub title: String,
    /// How often it was read.
    #[field(default = 0)]
    pub views: i32,
    /// A number that may be missing.
    pub rating: Option<i32>,
    /// An instant that may be missing.
    pub published: Option<DateTime<Utc>>,
    /// Who wrote it.
    #[field(related_name = "posts", on_delete = Cascade)]
    pub author: ForeignKey<User>,
    /// Who edited it.
    #[field(related_name = "edited", on_delete = SetNull)]
    pub editor: Option<ForeignKey<User>>,
    /// Its tags.
    #[field(related_name = "posts", through = "kit_post_tags")]
    pub tags: ManyToMany<Tag>,
}

/// A tree.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_category")]
pub struct Category {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// Name.
    #[field(max_length = 50)]
    pub name: String,
    /// The node above.
    #[field(related_name = "children", on_delete = Cascade)]
    pub parent: Option<ForeignKey<Category>>,
    /// The nodes below.
    pub children: HasMany<Category>,
}

/// Keeps its owner from being deleted.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_contract")]
pub struct Contract {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// Who signed.
    #[field(on_delete = Restrict, description = "who signed")]
    pub owner: ForeignKey<User>,
}

/// A model whose key is a text that the program chooses.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_country")]
pub struct Country {
    /// Key.
    #[field(pk, max_length = 2)]
    pub code: String,
    /// Name.
    #[field(max_length = 60)]
    pub name: String,
    /// Its cities.
    pub cities: HasMany<City>,
}

/// Refers to a text key.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_city")]
pub struct City {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// Name.
    #[field(max_length = 60)]
    pub name: String,
    /// Where it lies.
    #[field(related_name = "cities")]
    pub country: ForeignKey<Country>,
}

/// A model with a generated key that may be zero.
#[derive(Model, Clone, Debug, Default)]
#[model(crate = "orm_core", table = "kit_slot")]
pub struct Slot {
    /// Key.
    #[field(pk)]
    pub id: Auto<i64>,
    /// Name.
    #[field(max_length = 20, default = "")]
    pub label: String,
    /// The slot that this one follows.
    #[field(related_name = "next", on_delete = Cascade)]
    pub before: Option<ForeignKey<Slot>>,
    /// The slots that follow this one.
    pub next: HasMany<Slot>,
}

/// Noon of the first day of 2000, in UTC.
pub fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(946_728_000, 0).unwrap_or_default()
}

/// Every field type with each of its parameters.
#[derive(Model, Clone, Debug)]
#[model(crate = "orm_core", table = "kit_sample")]
pub struct Sample {
    /// Key.
    #[field(pk)]
    pub id: i32,
    /// IntField.
    #[field(unique, description = "serial number")]
    pub serial: i32,
    /// IntField that takes NULL.
    #[field(index)]
    pub rank: Option<i32>,
    /// IntField with a default.
    #[field(default = 7)]
    pub stock: i32,
    /// CharField.
    #[field(max_length = 8, unique, description = "short code")]
    pub code: String,
    /// CharField that takes NULL.
    #[field(max_length = 20, index)]
    pub shelf: Option<String>,
    /// CharField with a default.
    #[field(max_length = 20, default = "new")]
    pub state: String,
    /// TextField with a default.
    #[field(default = "it's \"new\"; -- \\", description = "free text")]
    pub note: String,
    /// TextField that takes NULL.
    pub remark: Option<String>,
    /// BooleanField with a default.
    #[field(default = false, description = "sold out")]
    pub sold: bool,
    /// BooleanField that takes NULL.
    pub flag: Option<bool>,
    /// DateTimeField set on every save.
    #[field(auto_now)]
    pub changed_at: DateTime<Utc>,
    /// DateTimeField set on creation.
    #[field(auto_now_add)]
    pub created_at: DateTime<Utc>,
    /// DateTimeField that takes NULL.
    #[field(description = "when it was checked")]
    pub checked_at: Option<DateTime<Utc>>,
    /// DateTimeField with a default.
    #[field(default = noon())]
    pub due_at: DateTime<Utc>,
}

/// All of them.
pub fn all() -> Vec<&'static ModelMeta> {
    models![
        User, Profile, Post, Tag, Category, Contract, Country, City, Slot, Sample, Grain
    ]
    .into_iter()
    .collect()
}

/// The rows of [`library`].
#[derive(Debug)]
pub struct Library {
    /// Wrote Alpha and beta, edited Gamma. Has a bio, is 30.
    pub ann: User,
    /// Wrote Gamma and delta. No bio, no age.
    pub bob: User,
    /// Wrote nothing. Empty bio, is 20, not active.
    pub cyd: User,
    /// 5 views, rating 3, tags rust and web.
    pub alpha: Post,
    /// 10 views, no rating, tag rust.
    pub beta: Post,
    /// 10 views, rating 1, tag web, edited by Ann.
    pub gamma: Post,
    /// 0 views, no rating, no tag.
    pub delta: Post,
    /// On Alpha and beta.
    pub rust: Tag,
    /// On Alpha and Gamma.
    pub web: Tag,
    /// On nothing.
    pub unused: Tag,
}

/// Three users, four posts, three tags: small enough to know by heart, with NULLs, ties and
/// parents without children.
///
/// # Errors
/// Whatever keeps the rows from being made.
pub async fn library(cx: &Context) -> CaseResult<Library> {
    let ann = User::create(kw!(username = "ann", bio = "likes rust", age = 30)).await?;
    let bob = User::create(kw!(username = "bob")).await?;
    let cyd = User::create(kw!(username = "cyd", bio = "", age = 20, is_active = false)).await?;
    let alpha = Post::create(kw!(title = "Alpha", views = 5, rating = 3, author = &ann)).await?;
    let beta = Post::create(kw!(title = "beta", views = 10, author = &ann)).await?;
    let gamma = Post::create(kw!(
        title = "Gamma",
        views = 10,
        rating = 1,
        author = &bob,
        editor = &ann
    ))
    .await?;
    let delta = Post::create(kw!(title = "delta", author = &bob)).await?;
    let rust = Tag::create(kw!(name = "rust")).await?;
    let web = Tag::create(kw!(name = "web")).await?;
    let unused = Tag::create(kw!(name = "unused")).await?;
    for (post, tag) in [
        (&alpha, &rust),
        (&alpha, &web),
        (&beta, &rust),
        (&gamma, &web),
    ] {
        link(cx, post, tag).await?;
    }
    cx.ready();
    Ok(Library {
        ann,
        bob,
        cyd,
        alpha,
        beta,
        gamma,
        delta,
        rust,
        web,
        unused,
    })
}

/// Adds a tag, by a plain insert where `add` would be refused: most cases only read the links.
async fn link(cx: &Context, post: &Post, tag: &Tag) -> CaseResult {
    if cx.capabilities().ignore_conflicts {
        post.tags.add(tag).await?;
        return Ok(());
    }
    let (post, tag) = (post.id, tag.id);
    let sql = format!("INSERT INTO kit_post_tags (post_id, tag_id) VALUES ({post}, {tag})");
    cx.client().execute_query(&sql, Vec::new()).await?;
    Ok(())
}

/// Titles of the posts that a query gives, in its order.
///
/// # Errors
/// Those of the query.
pub async fn titles(posts: QuerySet<Post>) -> CaseResult<Vec<String>> {
    Ok(posts.await?.into_iter().map(|post| post.title).collect())
}

/// User names that a query gives, sorted, so that the order of the rows does not matter.
///
/// # Errors
/// Those of the query.
pub async fn usernames(users: QuerySet<User>) -> CaseResult<Vec<String>> {
    let mut names: Vec<_> = users.await?.into_iter().map(|user| user.username).collect();
    names.sort();
    Ok(names)
}

/// Titles that a query gives, sorted, so that the order of the rows does not matter.
///
/// # Errors
/// Those of the query.
pub async fn sorted_titles(posts: QuerySet<Post>) -> CaseResult<Vec<String>> {
    let mut found = titles(posts).await?;
    found.sort();
    Ok(found)
}
