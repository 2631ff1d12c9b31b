//! The documented API from start to end on embedded SQLite, printing what it does.
//!
//! Run with `cargo run --example quickstart`.

#![allow(
    missing_docs,
    reason = "the models here say what they are by their names"
)]

use fast_django::orm::prelude::*;

/// A person who writes.
#[derive(Model, Clone, Debug, Default)]
pub struct User {
    #[field(pk)]
    pub id: i32,
    /// Login name.
    #[field(max_length = 50, unique)]
    pub username: String,
    pub bio: Option<String>,
    #[field(default = true)]
    pub is_active: bool,
    #[field(auto_now_add)]
    pub created_at: DateTime<Utc>,
    #[field(auto_now)]
    pub updated_at: DateTime<Utc>,
    pub posts: HasMany<Post>,
}

#[derive(Model, Clone, Debug, Default)]
pub struct Tag {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 30, unique)]
    pub name: String,
    pub posts: HasMany<Post>,
}

#[derive(Model, Clone, Debug)]
pub struct Post {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 200)]
    pub title: String,
    #[field(default = 0, index)]
    pub views: i32,
    #[field(related_name = "posts", on_delete = Cascade)]
    pub author: ForeignKey<User>,
    #[field(related_name = "posts", through = "post_tags")]
    pub tags: ManyToMany<Tag>,
}

fn main() -> Result<()> {
    run_async(async {
        let config = Config::new("sqlite::memory:")
            .models(models![User, Post, Tag])
            .generate_schemas(true);
        Tortoise::init(config).await?;
        models_and_queries().await?;
        relations().await?;
        transactions().await?;
        exceptions().await?;
        Tortoise::close_connections().await
    })
}

async fn models_and_queries() -> Result<()> {
    println!("== create, bulk_create, get, filter");
    let john = User::create(kw!(username = "john", bio = "writes")).await?;
    println!(
        "created {} with key {} at {}",
        john.username,
        john.id,
        john.created_at.format("%F")
    );
    let many = User::bulk_create(vec![
        User {
            username: "ann".into(),
            is_active: true,
            ..User::default()
        },
        User {
            username: "bob".into(),
            ..User::default()
        },
    ])
    .await?;
    println!(
        "bulk_create gave the keys {:?}",
        many.iter().map(|u| u.id).collect::<Vec<_>>()
    );
    let page = User::all().order_by("-username").offset(1).limit(2).await?;
    println!("second page by name, descending: {:?}", names(&page));
    let active = User::filter(kw!(is_active = true)).count().await?;
    println!("{active} active of {}", User::all().count().await?);

    println!("== update, save, update_from_dict, delete");
    let changed = User::filter(kw!(username__startswith = "b"))
        .update(kw!(is_active = true))
        .await?;
    println!("activated {changed}");
    let mut john = User::get(kw!(username = "john")).await?;
    john.bio = None;
    john.save().await?;
    john.update_from_dict([("username", "johnny")])?;
    john.save().await?;
    println!(
        "renamed to {}",
        User::get(kw!(id = john.id)).await?.username
    );
    many[1].delete().await?;
    println!(
        "left after deleting bob: {:?}",
        names(&User::all().order_by("id").await?)
    );
    Ok(())
}

fn names(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.username.as_str()).collect()
}

async fn relations() -> Result<()> {
    println!("== foreign keys and many-to-many");
    let user = User::get(kw!(username = "johnny")).await?;
    let post = Post::create(kw!(title = "Hello", author = &user)).await?;
    Post::create(kw!(title = "Rust at last", author_id = user.id, views = 7)).await?;
    let rust = Tag::create(kw!(name = "rust")).await?;
    let news = Tag::create(kw!(name = "news")).await?;
    post.tags.add([&rust, &news]).await?;
    post.tags.remove(&news).await?;
    println!(
        "{} has {} posts",
        user.username,
        user.posts.all().count().await?
    );
    println!(
        "the author of {:?} is {}",
        post.title,
        post.author.fetch().await?.username
    );

    let found = Post::filter(kw!(
        author__username__icontains = "JOHN",
        tags__name = "rust"
    ))
    .await?;
    println!(
        "found across relations: {:?}",
        found.iter().map(|p| &p.title).collect::<Vec<_>>()
    );
    let q = Post::title.icontains("rust") | !Post::views.gt(5);
    println!("typed columns: {} posts", Post::filter(q).count().await?);
    Post::filter(kw!(author = &user))
        .update(kw!(views = F(views) + 1))
        .await?;

    for user in User::all()
        .order_by("id")
        .prefetch_related("posts__tags")
        .await?
    {
        for post in user.posts.get()? {
            let tags: Vec<&str> = post
                .tags
                .get()?
                .iter()
                .map(|tag| tag.name.as_str())
                .collect();
            println!(
                "{}: {:?} seen {} times, tags {tags:?}",
                user.username, post.title, post.views
            );
        }
    }
    let rows = Post::all()
        .order_by("id")
        .values_list((Post::title, Post::author.username))
        .await?;
    println!("values_list: {rows:?}");
    post.tags.clear().await?;
    println!("tags after clear: {}", post.tags.all().count().await?);
    Ok(())
}

async fn transactions() -> Result<()> {
    println!("== transactions");
    in_transaction(async |_tx| {
        let user = User::create(kw!(username = "carl")).await?;
        Post::create(kw!(title = "Together", author = &user)).await?;
        let inner: Result<()> = in_transaction(async |_tx| {
            User::create(kw!(username = "carl")).await?;
            Ok(())
        })
        .await;
        println!("the nested block failed alone: {}", inner.is_err());
        Ok::<_, Error>(())
    })
    .await?;
    println!(
        "carl is stored: {}",
        User::filter(kw!(username = "carl")).exists().await?
    );
    Ok(())
}

async fn exceptions() -> Result<()> {
    println!("== exceptions");
    for result in [
        User::get(kw!(username = "nobody")).await,
        User::create(kw!(username = "carl")).await,
        User::create(kw!(username = "x".repeat(51))).await,
    ] {
        match result {
            Err(Error::DoesNotExist(error)) => println!("DoesNotExist: {error}"),
            Err(Error::Integrity(error)) => println!("IntegrityError: {error}"),
            Err(Error::Validation(error)) => println!("ValidationError: {error}"),
            other => println!("unexpected: {other:?}"),
        }
    }
    Ok(())
}
