-- all rows in the default order
SELECT "t0"."id", "t0"."title", "t0"."score", "t0"."rating", "t0"."created", "t0"."author_id", "t0"."editor_id" FROM "post" AS "t0" ORDER BY "t0"."created" DESC, "t0"."id" ASC
-- [] Read Scan

-- by key
SELECT "t0"."id", "t0"."name", "t0"."age", "t0"."boss_id" FROM "user" AS "t0" WHERE "t0"."id" = $1
-- [7] Read Point

-- null and its complement
SELECT "t0"."id" FROM "user" AS "t0" WHERE "t0"."age" IS NULL AND (("t0"."age" = $1) IS NOT TRUE)
-- [3] Read Scan

-- complement without null
SELECT "t0"."id" FROM "user" AS "t0" WHERE "t0"."name" <> $1
-- ["a"] Read Scan

-- list, padded
SELECT "t0"."id" FROM "user" AS "t0" WHERE "t0"."id" = ANY(CAST($1 AS bigint[]))
-- [array(3 items)] Read Scan

-- complement of a list
SELECT "t0"."id" FROM "user" AS "t0" WHERE ("t0"."age" = ANY(CAST($1 AS bigint[]))) IS NOT TRUE
-- [array(2 items)] Read Scan

-- any of equalities is a list
SELECT "t0"."id" FROM "user" AS "t0" WHERE "t0"."id" IN ($1, $2) OR "t0"."name" = $3
-- [1, 2, "x"] Read Scan

-- range
SELECT "t0"."id" FROM "post" AS "t0" WHERE "t0"."score" BETWEEN $1 AND $2
-- [1, 9] Read Scan

-- contains, with signs
SELECT "t0"."id" FROM "post" AS "t0" WHERE "t0"."title" LIKE $1 ESCAPE '\'
-- ["%5\\%\\_\\\\%"] Read Scan

-- istartswith
SELECT "t0"."id" FROM "post" AS "t0" WHERE lower("t0"."title") LIKE lower($1) ESCAPE '\'
-- ["Ab%"] Read Scan

-- regex
SELECT "t0"."id" FROM "post" AS "t0" WHERE "t0"."title" LIKE $1 ESCAPE '\'
-- ["^a"] Read Scan

-- date part
SELECT "t0"."id" FROM "post" AS "t0" WHERE CAST(EXTRACT(YEAR FROM "t0"."created") AS INT) >= $1
-- [2024] Read Scan

-- to-one joins
SELECT "t0"."id" FROM "post" AS "t0" INNER JOIN "user" AS "t1" ON "t1"."id" = "t0"."author_id" LEFT JOIN "user" AS "t2" ON "t2"."id" = "t0"."editor_id" LEFT JOIN "user" AS "t3" ON "t3"."id" = "t1"."boss_id" WHERE ("t1"."name" = $1 AND "t2"."name" = $2) AND "t3"."age" > $3
-- ["a", "b", 40] Read Scan

-- complement over a nullable path
SELECT "t0"."id" FROM "post" AS "t0" LEFT JOIN "user" AS "t1" ON "t1"."id" = "t0"."editor_id" WHERE ("t1"."name" = $1) IS NOT TRUE
-- ["b"] Read Scan

-- foreign key without a join
SELECT "t0"."id" FROM "post" AS "t0" WHERE "t0"."author_id" = $1 AND "t0"."editor_id" = $2
-- [1, 2] Read Scan

-- reverse one-to-one
SELECT "t0"."id" FROM "user" AS "t0" LEFT JOIN "profile" AS "t1" ON "t1"."user_id" = "t0"."id" WHERE "t1"."bio" = $1
-- ["x"] Read Scan

-- same related row in one filter
SELECT "t0"."id" FROM "user" AS "t0" WHERE EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."title" = $1 AND "t1"."score" > $2))
-- ["a", 1] Read Scan

-- separate filters
SELECT "t0"."id" FROM "user" AS "t0" WHERE EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."title" = $1)) AND EXISTS (SELECT 1 FROM "post" AS "t2" WHERE "t2"."author_id" = "t0"."id" AND ("t2"."score" > $2))
-- ["a", 1] Read Scan

-- each branch of an or
SELECT "t0"."id" FROM "user" AS "t0" WHERE EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."title" = $1)) OR EXISTS (SELECT 1 FROM "post" AS "t2" WHERE "t2"."author_id" = "t0"."id" AND ("t2"."score" > $2))
-- ["a", 1] Read Scan

-- an or about the same row
SELECT "t0"."id" FROM "user" AS "t0" WHERE EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."title" = $1 AND ("t1"."score" = $2 OR "t1"."rating" = $3)))
-- ["a", 1, 2.0] Read Scan

-- complement over a to-many path
SELECT "t0"."id" FROM "user" AS "t0" WHERE NOT (EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."score" = $1)))
-- [1] Read Scan

-- many-to-many and deeper
SELECT "t0"."id" FROM "user" AS "t0" WHERE EXISTS (SELECT 1 FROM "post" AS "t1" LEFT JOIN "user" AS "t5" ON "t5"."id" = "t1"."editor_id" WHERE "t1"."author_id" = "t0"."id" AND (EXISTS (SELECT 1 FROM "post_tag" AS "t3" INNER JOIN "tag" AS "t2" ON "t2"."id" = "t3"."tag_id" WHERE "t3"."post_id" = "t1"."id" AND ("t2"."name" = $1)) AND EXISTS (SELECT 1 FROM "comment" AS "t4" WHERE "t4"."post_id" = "t1"."id" AND ("t4"."text" = $2)) AND "t5"."name" = $3))
-- ["t", "c", "e"] Read Scan

-- linked key without its row
SELECT "t0"."id" FROM "post" AS "t0" WHERE EXISTS (SELECT 1 FROM "post_tag" AS "t2" WHERE "t2"."post_id" = "t0"."id" AND ("t2"."tag_id" = ANY(CAST($1 AS bigint[]))))
-- [array(2 items)] Read Scan

-- no related rows
SELECT "t0"."id" FROM "user" AS "t0" WHERE NOT (EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."id" IS NOT NULL)))
-- [] Read Scan

-- column against column
SELECT "t0"."id" FROM "post" AS "t0" INNER JOIN "user" AS "t1" ON "t1"."id" = "t0"."author_id" WHERE ("t1"."age" > ("t0"."score" / $1)) IS NOT TRUE
-- [2] Read Scan

-- order, limit, offset
SELECT "t0"."id", "t0"."name", "t0"."age", "t0"."boss_id" FROM "user" AS "t0" LEFT JOIN "user" AS "t1" ON "t1"."id" = "t0"."boss_id" WHERE "t0"."age" > $1 ORDER BY "t0"."age" DESC NULLS LAST, "t1"."name" ASC NULLS FIRST, "t0"."id" ASC LIMIT $2 OFFSET $3
-- [1, 10, 20] Read Scan

-- offset alone
SELECT "t0"."id" FROM "user" AS "t0" OFFSET $1
-- [20] Read Scan

-- values over paths
SELECT "t0"."name", "t2"."title", "t4"."name", "t5"."name" FROM "user" AS "t0" LEFT JOIN "post" AS "t2" ON "t2"."author_id" = "t0"."id" LEFT JOIN "post_tag" AS "t3" ON "t3"."post_id" = "t2"."id" LEFT JOIN "tag" AS "t4" ON "t4"."id" = "t3"."tag_id" LEFT JOIN "user" AS "t5" ON "t5"."id" = "t0"."boss_id" WHERE EXISTS (SELECT 1 FROM "post" AS "t1" WHERE "t1"."author_id" = "t0"."id" AND ("t1"."score" = $1))
-- [1] Read Scan

-- count
SELECT COUNT(*) FROM "post" AS "t0" INNER JOIN "user" AS "t1" ON "t1"."id" = "t0"."author_id" WHERE "t1"."name" = $1
-- ["a"] Read Scan

-- count of a slice
SELECT COUNT(*) FROM (SELECT 1 FROM "post" AS "t0" WHERE "t0"."score" = $1 LIMIT $2 OFFSET $3) AS "t1"
-- [1, 5, 2] Read Scan

-- exists
SELECT 1 FROM "post" AS "t0" WHERE "t0"."score" = $1 LIMIT 1
-- [1] Read Scan

-- linked to owners
SELECT "t1"."post_id", "t0"."id", "t0"."name" FROM "tag" AS "t0" INNER JOIN "post_tag" AS "t1" ON "t1"."tag_id" = "t0"."id" WHERE "t0"."name" <> $1 AND "t1"."post_id" = ANY(CAST($2 AS bigint[]))
-- ["x", array(3 items)] Read Scan

-- linked to one owner
SELECT "t0"."id" FROM "tag" AS "t0" WHERE "t0"."id" IN (SELECT "t1"."tag_id" FROM "post_tag" AS "t1" WHERE "t1"."post_id" = $1)
-- [9] Read Scan

-- update
UPDATE "post" SET "score" = ("post"."score" + $1), "title" = $2 WHERE "post"."id" = $3
-- [1, "t", 3] Write Point

-- update over relations, with a limit
UPDATE "post" SET "score" = $1 WHERE "post"."id" IN (SELECT "t0"."id" FROM "post" AS "t0" INNER JOIN "user" AS "t1" ON "t1"."id" = "t0"."author_id" WHERE "t1"."name" = $2 ORDER BY "t0"."id" ASC LIMIT $3)
-- [0, "a", 3] Write Scan

-- update from a related row
UPDATE "post" SET "title" = (SELECT "t0"."name" FROM "user" AS "t0" WHERE "t0"."id" = "post"."author_id")
-- [] Write Scan

-- update of columns from each other
UPDATE "user" SET "age" = "user"."boss_id", "boss_id" = "user"."age"
-- [] Write Scan

-- delete
DELETE FROM "post" WHERE "post"."score" < $1
-- [0] Write Scan

-- delete over a to-many path
DELETE FROM "post" WHERE "post"."id" IN (SELECT "t0"."id" FROM "post" AS "t0" WHERE NOT (EXISTS (SELECT 1 FROM "post_tag" AS "t2" INNER JOIN "tag" AS "t1" ON "t1"."id" = "t2"."tag_id" WHERE "t2"."post_id" = "t0"."id" AND ("t1"."name" = $1))))
-- ["x"] Write Scan

-- insert
INSERT INTO "user" ("name", "age") VALUES ($1, $2) RETURNING "id"
-- ["a", 3] Write Point

-- insert of defaults
INSERT INTO "user" DEFAULT VALUES RETURNING "id"
-- [] Write Point

-- insert of many rows
INSERT INTO "comment" ("text", "post_id") SELECT * FROM unnest(CAST($1 AS text[]), CAST($2 AS bigint[]))
-- [array(2 items), array(2 items)] Write Point

-- update by key
UPDATE "user" SET "name" = $1, "age" = $2 WHERE "user"."id" = $3
-- ["a", NULL, 5] Write Point

-- delete by key
DELETE FROM "user" WHERE "user"."id" = $1
-- [5] Write Point

-- link
INSERT INTO "post_tag" ("post_id", "tag_id") SELECT $1, * FROM unnest(CAST($2 AS bigint[])) ON CONFLICT DO NOTHING
-- [1, array(3 items)] Write Point

-- link many
INSERT INTO "post_tag" ("post_id", "tag_id") SELECT $1, * FROM unnest(CAST($2 AS bigint[])) ON CONFLICT DO NOTHING
-- [1, array(1200 items)] Write Point

-- unlink
DELETE FROM "post_tag" WHERE "post_tag"."post_id" = $1 AND "post_tag"."tag_id" = ANY(CAST($2 AS bigint[]))
-- [1, array(2 items)] Write Point

-- unlink all
DELETE FROM "post_tag" WHERE "post_tag"."post_id" = $1
-- [1] Write Point

-- schema, safe = false
CREATE TABLE "user" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "name" VARCHAR(50) NOT NULL UNIQUE,
    "age" INT,
    "boss_id" BIGINT,
    CONSTRAINT "fk_user_boss_id_37ee79cf" FOREIGN KEY ("boss_id") REFERENCES "user" ("id") ON DELETE SET NULL
);
CREATE TABLE "post" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "title" VARCHAR(100) NOT NULL,
    "score" INT NOT NULL,
    "rating" DOUBLE PRECISION NOT NULL,
    "created" TIMESTAMPTZ NOT NULL,
    "author_id" BIGINT NOT NULL,
    "editor_id" BIGINT,
    CONSTRAINT "uq_post_author_id_title_fce3f61c" UNIQUE ("author_id", "title"),
    CONSTRAINT "fk_post_author_id_2d523c52" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_post_editor_id_628a7780" FOREIGN KEY ("editor_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE TABLE "comment" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "text" TEXT NOT NULL,
    "post_id" BIGINT NOT NULL,
    CONSTRAINT "fk_comment_post_id_179f0fe4" FOREIGN KEY ("post_id") REFERENCES "post" ("id") ON DELETE CASCADE
);
CREATE TABLE "tag" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "name" VARCHAR(20) NOT NULL
);
CREATE TABLE "profile" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "bio" TEXT NOT NULL,
    "user_id" BIGINT NOT NULL UNIQUE,
    CONSTRAINT "fk_profile_user_id_680571b1" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE
);
CREATE TABLE "post_tag" (
    "post_id" BIGINT NOT NULL,
    "tag_id" BIGINT NOT NULL,
    PRIMARY KEY ("post_id", "tag_id"),
    CONSTRAINT "fk_post_tag_post_id_04f3a13e" FOREIGN KEY ("post_id") REFERENCES "post" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_post_tag_tag_id_387041a0" FOREIGN KEY ("tag_id") REFERENCES "tag" ("id") ON DELETE CASCADE
);
CREATE INDEX "idx_user_boss_id_37ee79cf" ON "user" ("boss_id" NULLS FIRST);
CREATE INDEX "idx_post_created_score_296669cb" ON "post" ("created", "score");
CREATE INDEX "idx_post_editor_id_628a7780" ON "post" ("editor_id" NULLS FIRST);
CREATE INDEX "idx_comment_post_id_179f0fe4" ON "comment" ("post_id");
CREATE INDEX "idx_post_tag_tag_id_387041a0" ON "post_tag" ("tag_id");

-- schema, safe = true
CREATE TABLE IF NOT EXISTS "user" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "name" VARCHAR(50) NOT NULL UNIQUE,
    "age" INT,
    "boss_id" BIGINT,
    CONSTRAINT "fk_user_boss_id_37ee79cf" FOREIGN KEY ("boss_id") REFERENCES "user" ("id") ON DELETE SET NULL
);
CREATE TABLE IF NOT EXISTS "post" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "title" VARCHAR(100) NOT NULL,
    "score" INT NOT NULL,
    "rating" DOUBLE PRECISION NOT NULL,
    "created" TIMESTAMPTZ NOT NULL,
    "author_id" BIGINT NOT NULL,
    "editor_id" BIGINT,
    CONSTRAINT "uq_post_author_id_title_fce3f61c" UNIQUE ("author_id", "title"),
    CONSTRAINT "fk_post_author_id_2d523c52" FOREIGN KEY ("author_id") REFERENCES "user" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_post_editor_id_628a7780" FOREIGN KEY ("editor_id") REFERENCES "user" ("id") ON DELETE RESTRICT
);
CREATE TABLE IF NOT EXISTS "comment" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "text" TEXT NOT NULL,
    "post_id" BIGINT NOT NULL,
    CONSTRAINT "fk_comment_post_id_179f0fe4" FOREIGN KEY ("post_id") REFERENCES "post" ("id") ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS "tag" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "name" VARCHAR(20) NOT NULL
);
CREATE TABLE IF NOT EXISTS "profile" (
    "id" BIGINT NOT NULL PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    "bio" TEXT NOT NULL,
    "user_id" BIGINT NOT NULL UNIQUE,
    CONSTRAINT "fk_profile_user_id_680571b1" FOREIGN KEY ("user_id") REFERENCES "user" ("id") ON DELETE CASCADE
);
CREATE TABLE IF NOT EXISTS "post_tag" (
    "post_id" BIGINT NOT NULL,
    "tag_id" BIGINT NOT NULL,
    PRIMARY KEY ("post_id", "tag_id"),
    CONSTRAINT "fk_post_tag_post_id_04f3a13e" FOREIGN KEY ("post_id") REFERENCES "post" ("id") ON DELETE CASCADE,
    CONSTRAINT "fk_post_tag_tag_id_387041a0" FOREIGN KEY ("tag_id") REFERENCES "tag" ("id") ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS "idx_user_boss_id_37ee79cf" ON "user" ("boss_id" NULLS FIRST);
CREATE INDEX IF NOT EXISTS "idx_post_created_score_296669cb" ON "post" ("created", "score");
CREATE INDEX IF NOT EXISTS "idx_post_editor_id_628a7780" ON "post" ("editor_id" NULLS FIRST);
CREATE INDEX IF NOT EXISTS "idx_comment_post_id_179f0fe4" ON "comment" ("post_id");
CREATE INDEX IF NOT EXISTS "idx_post_tag_tag_id_387041a0" ON "post_tag" ("tag_id");

