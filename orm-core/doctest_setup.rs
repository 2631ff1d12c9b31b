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
        // As text, since each example is compiled with all of this.
        let rows = "
            INSERT INTO user (username, bio) VALUES ('ann', 'writes'), ('bob', NULL);
            INSERT INTO tag (name) VALUES ('rust'), ('news');
            INSERT INTO post (title, views, created_at, author_id) VALUES
                ('Hello', 1, '2026-01-05 08:00:00.000000+00:00', 1),
                ('Rust', 20, '2026-01-06 08:00:00.000000+00:00', 1),
                ('More Rust', 300, '2026-01-07 08:00:00.000000+00:00', 1);
            INSERT INTO post_tags (post_id, tag_id) VALUES (2, 1), (3, 1);
        ";
        Tortoise::get_connection("default")?.execute_script(rows).await?;
        example.await
    })
}
