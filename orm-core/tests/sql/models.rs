//! Models made by hand, with every kind of relation.

use orm_core::schema::{FieldMeta, ModelMeta, OnDelete, RelationKind, RelationMeta, ThroughMeta};
use orm_core::value::ColumnType;

const fn field(name: &'static str, ty: ColumnType) -> FieldMeta {
    FieldMeta::new(name, ty)
}

const fn key() -> FieldMeta {
    FieldMeta {
        pk: true,
        generated: true,
        ..field("id", ColumnType::BigInt)
    }
}

const fn foreign(name: &'static str, relation: usize, null: bool) -> FieldMeta {
    FieldMeta {
        null,
        relation: Some(relation),
        ..field(name, ColumnType::BigInt)
    }
}

const fn relation(
    name: &'static str,
    kind: RelationKind,
    target: fn() -> &'static ModelMeta,
) -> RelationMeta {
    RelationMeta {
        name,
        kind,
        target,
        column: None,
        null: false,
        on_delete: OnDelete::Cascade,
        related_name: "",
        through: None,
    }
}

const fn model(
    name: &'static str,
    table: &'static str,
    fields: &'static [FieldMeta],
    relations: &'static [RelationMeta],
) -> ModelMeta {
    ModelMeta {
        name,
        table,
        description: "",
        fields,
        relations,
        pk: 0,
        ordering: &[],
        unique_together: &[],
        indexes: &[],
    }
}

static USER_FIELDS: [FieldMeta; 4] = [
    key(),
    FieldMeta {
        unique: true,
        ..field("name", ColumnType::Char(50))
    },
    FieldMeta {
        null: true,
        ..field("age", ColumnType::Int)
    },
    foreign("boss_id", 0, true),
];
static USER_RELATIONS: [RelationMeta; 5] = [
    RelationMeta {
        column: Some(&USER_FIELDS[3]),
        null: true,
        on_delete: OnDelete::SetNull,
        related_name: "reports",
        ..relation("boss", RelationKind::ForeignKey, || &USER)
    },
    relation("reports", RelationKind::HasMany, || &USER),
    relation("posts", RelationKind::HasMany, || &POST),
    relation("edited", RelationKind::HasMany, || &POST),
    RelationMeta {
        null: true,
        ..relation("profile", RelationKind::HasOne, || &PROFILE)
    },
];
/// A user: a table named by a reserved word, a relation to itself.
pub(crate) static USER: ModelMeta = model("User", "user", &USER_FIELDS, &USER_RELATIONS);

static POST_FIELDS: [FieldMeta; 7] = [
    key(),
    field("title", ColumnType::Char(100)),
    field("score", ColumnType::Int),
    field("rating", ColumnType::Float),
    field("created", ColumnType::DateTime),
    foreign("author_id", 0, false),
    foreign("editor_id", 1, true),
];
const POST_TAG: ThroughMeta = ThroughMeta {
    table: "post_tag",
    source_column: "post_id",
    target_column: "tag_id",
};
static POST_RELATIONS: [RelationMeta; 4] = [
    RelationMeta {
        column: Some(&POST_FIELDS[5]),
        related_name: "posts",
        ..relation("author", RelationKind::ForeignKey, || &USER)
    },
    RelationMeta {
        column: Some(&POST_FIELDS[6]),
        null: true,
        on_delete: OnDelete::Restrict,
        related_name: "edited",
        ..relation("editor", RelationKind::ForeignKey, || &USER)
    },
    RelationMeta {
        related_name: "posts",
        through: Some(POST_TAG),
        ..relation("tags", RelationKind::ManyToMany, || &TAG)
    },
    relation("comments", RelationKind::HasMany, || &COMMENT),
];
/// A post: two relations to one table, tags, comments, a default ordering.
pub(crate) static POST: ModelMeta = ModelMeta {
    ordering: &["-created", "id"],
    unique_together: &[&["author", "title"]],
    indexes: &[&["created", "score"]],
    ..model("Post", "post", &POST_FIELDS, &POST_RELATIONS)
};

static TAG_FIELDS: [FieldMeta; 2] = [key(), field("name", ColumnType::Char(20))];
static TAG_RELATIONS: [RelationMeta; 1] = [relation("posts", RelationKind::HasMany, || &POST)];
/// A tag.
pub(crate) static TAG: ModelMeta = model("Tag", "tag", &TAG_FIELDS, &TAG_RELATIONS);

static COMMENT_FIELDS: [FieldMeta; 3] = [
    key(),
    field("text", ColumnType::Text),
    foreign("post_id", 0, false),
];
static COMMENT_RELATIONS: [RelationMeta; 1] = [RelationMeta {
    column: Some(&COMMENT_FIELDS[2]),
    related_name: "comments",
    ..relation("post", RelationKind::ForeignKey, || &POST)
}];
/// A comment on a post.
pub(crate) static COMMENT: ModelMeta =
    model("Comment", "comment", &COMMENT_FIELDS, &COMMENT_RELATIONS);

static PROFILE_FIELDS: [FieldMeta; 3] = [
    key(),
    field("bio", ColumnType::Text),
    FieldMeta {
        unique: true,
        ..foreign("user_id", 0, false)
    },
];
static PROFILE_RELATIONS: [RelationMeta; 1] = [RelationMeta {
    column: Some(&PROFILE_FIELDS[2]),
    related_name: "profile",
    ..relation("user", RelationKind::OneToOne, || &USER)
}];
/// The one profile of a user.
pub(crate) static PROFILE: ModelMeta =
    model("Profile", "profile", &PROFILE_FIELDS, &PROFILE_RELATIONS);

/// All of them.
pub(crate) const ALL: [&ModelMeta; 5] = [&COMMENT, &USER, &POST, &TAG, &PROFILE];

/// The through table between posts and tags, seen from the post.
pub(crate) const THROUGH: ThroughMeta = POST_TAG;
