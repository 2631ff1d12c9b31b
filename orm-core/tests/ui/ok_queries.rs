//! Everything that `kw!` and columns accept, and what it becomes.

#![allow(unused_must_use, reason = "conditions are made, not used")]

#[path = "support/models.rs"]
mod models;

use models::*;
use orm_core::columns::{IntoOrder, OrderKey};

fn shown<M: Entity>(condition: Q<M>) -> String {
    condition.into_predicate().describe()
}

fn user(id: i32) -> User {
    User {
        id,
        username: "jo".into(),
        email: "x".into(),
        bio: None,
        posts: HasMany::default(),
    }
}

/// A nullable column and a required one of the same base type are compared, either way round.
fn nullable_with_required() {
    let same = "author_id = editor_id";
    assert_eq!(shown::<Post>(kw!(author_id = F(editor_id))), same);
    assert_eq!(shown::<Post>(kw!(Post: author_id = F(editor_id))), same);
    assert_eq!(shown(Post::author_id.eq(Post::editor_id)), same);
    assert_eq!(
        shown::<Post>(kw!(editor_id = F(author_id))),
        "editor_id = author_id"
    );
    filter::<Post>(kw!(author_id = F(editor_id) + 1, author_id__lt = F(editor_id)));
    filter::<Post>(kw!(title = F(author__bio), author__bio = F(title)));
    filter::<Post>(kw!(editor__bio = F(author__username), author__username = F(editor__bio)));
    filter(Post::editor_id.eq(Post::author_id) | Post::author_id.ne(Post::editor_id + 1));
    filter(Post::author_id.in_([Post::editor_id]) & Post::title.gt(Post::editor.username));
    update::<Post>(kw!(editor_id = F(author_id)));
}

fn conditions() {
    let saved = user(7);
    assert_eq!(shown::<Post>(kw!(title = "x")), "title = ?");
    assert_eq!(
        shown::<Post>(kw!(views__gt = 3, title__icontains = "x")),
        "(title icontains ? and views > ?)"
    );
    assert_eq!(shown::<Post>(kw!(author = &saved)), "author_id = ?");
    assert_eq!(shown::<Post>(kw!(author__id = 1)), "author_id = ?");
    assert_eq!(
        shown::<Post>(kw!(author.id__in = [1, 2])),
        "author_id in (2 values)"
    );
    assert_eq!(
        shown::<Post>(kw!(author__in = [&saved])),
        "author_id in (1 values)"
    );
    assert_eq!(shown::<Post>(kw!(editor = None)), "editor_id isnull true");
    assert_eq!(
        shown::<Post>(kw!(editor__isnull = false)),
        "editor_id isnull false"
    );
    assert_eq!(
        shown::<Post>(kw!(author__posts__tags__name = "rust")),
        "author__posts__tags__name = ?"
    );
    assert_eq!(
        shown::<Post>(kw!(created_at__year = 2024)),
        "created_at__year = ?"
    );
    assert_eq!(
        shown::<Post>(kw!(created_at__month__in = [1, 2])),
        "created_at__month in (2 values)"
    );
    assert_eq!(
        shown::<Post>(kw!(created_at.week_day.range = (2, 6))),
        "created_at__week_day range ? .. ?"
    );
    assert_eq!(
        shown::<Post>(kw!(views__range = 1..=10)),
        "views range ? .. ?"
    );
    assert_eq!(shown::<Post>(kw!(title__not = "x")), "not title = ?");
    assert_eq!(
        shown::<Post>(kw!(title__not_in = ["x", "y"])),
        "not title in (2 values)"
    );
    assert_eq!(shown::<Post>(kw!(title__iregex = "^x")), "title iregex ?");
    assert_eq!(shown::<User>(kw!(bio = None)), "bio isnull true");
    assert_eq!(shown::<User>(kw!(bio = None::<&str>)), "bio isnull true");
    assert_eq!(
        shown::<User>(kw!(bio__in = [Some("a"), None])),
        "(bio in (1 values) or bio isnull true)"
    );
    assert_eq!(
        shown::<Post>(kw!(tags__isnull = true)),
        "not tags__id isnull false"
    );
    assert_eq!(shown::<Post>(kw!()), "anything");
    let ids: Vec<i64> = Vec::new();
    let _ = ids;
    assert_eq!(shown::<Post>(kw!(id__in = Vec::<i32>::new())), "nothing");
}

fn shapes() {
    let (title, n) = (String::from("x"), 3);
    let author = &user(1);
    assert_eq!(
        shown::<Post>(kw!(title, author)),
        "(author_id = ? and title = ?)"
    );
    filter::<Post>(any([kw!(title = "a"), not(kw!(author__username = "b"))]));
    filter::<Post>(if n > 2 {
        kw!(views = n)
    } else {
        kw!(title = "b")
    });
    let either = q!(Post, title = "a") | !kw!(Post: author.username.istartswith = "b");
    assert_eq!(
        shown(either),
        "(title = ? or not author__username istartswith ?)"
    );
    macro_rules! by {
        ($v:expr) => {
            filter::<Post>(kw!(title = $v))
        };
    }
    by!("x");
    by!(String::from("y"));
    fn generic(name: &str) -> Q<User> {
        filter(kw!(username = name, posts__views__gte = name.len() as i32))
    }
    generic("x");
    let own = Post::author.username.eq("jo") | !Post::views.gt(10) & Post::title.ne("x");
    filter(own);
    filter(Post::created_at.year().gte(2024) & Post::views.in_([1, 2]));
    filter(Post::author.eq(author) & Post::editor.isnull(true) & Post::tags.name.eq("x"));
    filter(Post::author.username.eq(Post::title));
    filter(Post::editor.username.eq(None::<&str>));
}

fn expressions() {
    let k = 2;
    assert_eq!(
        shown::<Post>(kw!(views__gt = F(id) * k + 1)),
        "views > ((id * ?) + ?)"
    );
    assert_eq!(
        shown::<Post>(kw!(views__lt = 10 - F(author.id))),
        "views < (? - author_id)"
    );
    update::<Post>(kw!(views = F(views) + k, title = "x"));
    update::<User>(kw!(bio = F(username)));
    update::<Post>(kw!(views = F(views) / 2));
    update(Post::views.set(Post::views * 2) & Post::title.set("x"));
    update::<Post>(kw!(editor = None));
    update::<User>(kw!(bio = None));
    filter((Post::views + Post::id).gt(3));
}

fn creation() {
    let author = user(1);
    let reference = ForeignKey::<User>::from_key(3);
    let names = |new: New<Post>| -> Vec<&'static str> {
        new.into_assignments()
            .iter()
            .map(|a| a.field.name)
            .collect()
    };
    assert_eq!(
        names(kw!(title = "x", author = &author)),
        ["author_id", "title"]
    );
    assert_eq!(
        names(kw!(title = "x", author_id = 1)),
        ["author_id", "title"]
    );
    create::<Post>(kw!(author = &reference, views = 1, title = "x"));
    create::<Post>(kw!(author = &author, title = "x", editor = Some(&author)));
    create::<User>(kw!(username = "x", email = "y", bio = "z"));
    create::<User>(kw!(
        username = "x",
        email = "y",
        bio = Some("z".to_string())
    ));
}

fn lists() {
    order_by::<Post>("-created_at");
    order_by::<Post>(["-created_at", "title"]);
    order_by::<Post>((-Post::views, Post::author.username, "title"));
    order_by::<Post>(Post::created_at.year().desc());
    prefetch_related::<Post>(("tags", Post::author.posts));
    prefetch_related::<Post>(vec!["tags", "author"]);
    let rows: Vec<(i32, String, Option<String>)> =
        values_list((Post::id, Post::author.username, Post::editor.username));
    assert!(rows.is_empty());
    let mut keys = Vec::new();
    IntoOrder::<Post>::push_order((-Post::views, "title"), &mut keys);
    assert!(matches!(&keys[..], [OrderKey::Key(k), OrderKey::Name(_)] if k.descending));
}

fn main() {
    nullable_with_required();
    conditions();
    shapes();
    expressions();
    creation();
    lists();
    let unsaved = user(0);
    let predicate = filter::<Post>(kw!(author = &unsaved)).into_predicate();
    assert!(
        format!("{predicate:?}").contains("Unsaved"),
        "{predicate:?}"
    );
}
