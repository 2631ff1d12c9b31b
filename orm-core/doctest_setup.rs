// The models and the runtime of the examples in the documentation; included by each of them.
use fast_django::orm::prelude::*;

#[derive(Model, Clone, Debug, Default)]
pub struct User {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 50, unique)]
    pub username: String,
    pub bio: Option<String>,
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

#[derive(Model, Clone, Debug, Default)]
pub struct Post {
    #[field(pk)]
    pub id: i32,
    #[field(max_length = 200)]
    pub title: String,
    #[field(default = 0)]
    pub views: i32,
    #[field(auto_now_add)]
    pub created_at: DateTime<Utc>,
    #[field(related_name = "posts")]
    pub author: ForeignKey<User>,
    #[field(related_name = "posts", through = "post_tags")]
    pub tags: ManyToMany<Tag>,
}

/// Runs an example on a database with two users, three posts and two tags.
#[allow(dead_code)]
fn run<F: Future<Output = Result<()>>>(example: F) -> Result<()> {
    run_async(async {
        let config = Config::new("sqlite::memory:").models(models![User, Post, Tag]);
        Tortoise::init(config.generate_schemas(true)).await?;
        let ann = User::create(kw!(username = "ann", bio = "writes")).await?;
        User::create(kw!(username = "bob")).await?;
        let rust = Tag::create(kw!(name = "rust")).await?;
        Tag::create(kw!(name = "news")).await?;
        for (title, views) in [("Hello", 1), ("Rust", 20), ("More Rust", 300)] {
            let post = Post::create(kw!(title, views, author = &ann)).await?;
            if views > 1 {
                post.tags.add(&rust).await?;
            }
        }
        example.await
    })
}
