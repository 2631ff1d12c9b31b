//! Laws that hold between answers of one backend, whatever the rows: no model is needed.

use super::model::{Data, Tree, sorted};
use super::plan::Cond;
use super::random::Random;
use super::schema::{CATEGORY, CITY, CONTRACT, GRAIN, Grain, TABLES};
use super::subject::{Instance, Subject, build, tree, with_model};
use super::{draw, run, settings};
use crate::case::{CaseResult, Context, Failure};
use crate::models::{Country, Post, Tag, User};
use orm_core::prelude::*;
use orm_core::transaction::begin;

/// A law, for one set of rows.
type Law = for<'a> fn(&'a mut Random, &'a Data, bool) -> BoxFuture<'a>;
type BoxFuture<'a> = std::pin::Pin<Box<dyn Future<Output = CaseResult> + Send + 'a>>;

/// Checks a law on as many sets of rows as 2000 plans have rounds of ten.
async fn check(cx: &Context, law: Law) -> CaseResult {
    cx.ready();
    begin().await?.rollback().await?;
    let settings = settings::get();
    for round in 0..settings.plans.div_ceil(200).max(1) {
        let seed = settings.seed.wrapping_add(round);
        let mut random = Random::new(seed);
        let data = draw::data(&mut random);
        run::store(cx, &data).await?;
        law(&mut random, &data, cx.capabilities().regex)
            .await
            .map_err(|failure| Failure::new(format!("seed {seed}: {failure}")))?;
    }
    Ok(())
}

async fn all_rows<M: Subject>(query: QuerySet<M>) -> CaseResult<Vec<Tree>> {
    let rows = query.await?;
    Ok(rows
        .iter()
        .map(|row| tree(row as &dyn Instance, &[]))
        .collect::<Result<_>>()?)
}

fn same(found: &[Tree], expected: &[Tree], law: &str, what: &dyn std::fmt::Display) -> CaseResult {
    if found == expected {
        return Ok(());
    }
    let keys = |rows: &[Tree]| {
        rows.iter()
            .map(|row| row.row[0].to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    Err(Failure::new(format!(
        "{law}: {what}: keys [{}], expected [{}]",
        keys(found),
        keys(expected)
    )))
}

fn disjoint<'a, M: Subject>(cond: &'a Cond) -> BoxFuture<'a> {
    Box::pin(async move {
        let (with, without) = (
            M::all().filter(run::condition::<M>(cond)?),
            M::all().exclude(run::condition::<M>(cond)?),
        );
        let counts = (with.clone().count().await?, without.clone().count().await?);
        let (with, without) = (all_rows(with).await?, all_rows(without).await?);
        if counts != (with.len() as u64, without.len() as u64) {
            return Err(Failure::new(format!(
                "{cond}: counts {counts:?} are not those of the rows"
            )));
        }
        let together = sorted(with.into_iter().chain(without).collect());
        same(
            &together,
            &sorted(all_rows(M::all()).await?),
            "filter and exclude are no partition",
            cond,
        )
    })
}

/// `filter(p)` and `exclude(p)` share no row and leave none out.
pub(crate) async fn filter_and_exclude_part_the_rows(cx: &Context) -> CaseResult {
    check(cx, |random, data, regex| {
        Box::pin(async move {
            for _ in 0..20 {
                let table = random.below(TABLES.len());
                let cond = draw::any_condition(random, data, table, regex);
                async fn one<M: Subject>(cond: &Cond) -> CaseResult {
                    disjoint::<M>(cond).await
                }
                with_model!(table, one(&cond))?;
            }
            Ok(())
        })
    })
    .await
}

/// A query in an order without ties.
fn ordered<M: Subject>(cond: &Cond, random: &mut Random) -> CaseResult<(QuerySet<M>, Vec<String>)> {
    let columns = TABLES[M::TABLE].columns;
    let first = columns[random.below(columns.len())].name;
    let sign = |random: &mut Random| if random.chance(50) { "-" } else { "" };
    let keys = vec![
        format!("{}{first}", sign(random)),
        format!("{}{}", sign(random), columns[0].name),
    ];
    let query = M::all()
        .filter(run::condition::<M>(cond)?)
        .order_by(keys.clone());
    Ok((query, keys))
}

/// Pages of any size, put together, are the whole.
pub(crate) async fn pages_are_the_whole(cx: &Context) -> CaseResult {
    async fn one<M: Subject>(cond: &Cond, random: &mut Random) -> CaseResult {
        let (query, keys) = ordered::<M>(cond, random)?;
        let whole = all_rows(query.clone()).await?;
        let size = 1 + random.below(4) as u64;
        let mut pages = Vec::new();
        for page in 0..=whole.len() as u64 / size {
            pages.extend(all_rows(query.clone().offset(page * size).limit(size)).await?);
        }
        same(
            &pages,
            &whole,
            "pages",
            &format!("{cond} by {keys:?} in pages of {size}"),
        )?;
        let skipped = random.below(whole.len() + 2);
        let rest = all_rows(query.offset(skipped as u64)).await?;
        same(
            &rest,
            whole.get(skipped..).unwrap_or(&[]),
            "rest",
            &format!("{cond} from {skipped}"),
        )
    }
    check(cx, |random, data, regex| {
        Box::pin(async move {
            for _ in 0..8 {
                let table = random.below(TABLES.len());
                let cond = draw::any_condition(random, data, table, regex);
                with_model!(table, one(&cond, random))?;
            }
            Ok(())
        })
    })
    .await
}

/// The descending order is the ascending one backwards, NULL included.
pub(crate) async fn descending_is_ascending_backwards(cx: &Context) -> CaseResult {
    async fn one<M: Subject>(cond: &Cond, random: &mut Random) -> CaseResult {
        let (query, keys) = ordered::<M>(cond, random)?;
        let turned: Vec<String> = keys
            .iter()
            .map(|key| {
                key.strip_prefix('-')
                    .map_or_else(|| format!("-{key}"), str::to_owned)
            })
            .collect();
        let mut backwards = all_rows(query.clone().order_by(turned)).await?;
        backwards.reverse();
        same(
            &backwards,
            &all_rows(query).await?,
            "backwards",
            &format!("{cond} by {keys:?}"),
        )
    }
    check(cx, |random, data, regex| {
        Box::pin(async move {
            for _ in 0..10 {
                let table = random.below(TABLES.len());
                let cond = draw::any_condition(random, data, table, regex);
                with_model!(table, one(&cond, random))?;
            }
            Ok(())
        })
    })
    .await
}

/// What `prefetch_related` loads is what asking for each parent gives.
pub(crate) async fn prefetch_is_the_loop(cx: &Context) -> CaseResult {
    async fn rows<M: Subject>(loaded: Result<&[M]>, asked: QuerySet<M>) -> CaseResult {
        let loaded = loaded?
            .iter()
            .map(|row| tree(row as &dyn Instance, &[]))
            .collect::<Result<_>>()?;
        same(
            &sorted(loaded),
            &sorted(all_rows(asked).await?),
            "prefetch",
            &TABLES[M::TABLE].name,
        )
    }
    check(cx, |_, _, _| {
        Box::pin(async move {
            for user in User::all()
                .prefetch_related(["posts", "edited", "posts__tags"])
                .await?
            {
                rows(user.posts.get(), user.posts.all()).await?;
                rows(user.edited.get(), user.edited.all()).await?;
                for post in user.posts.get()? {
                    rows(post.tags.get(), post.tags.all()).await?;
                }
            }
            for tag in Tag::all().prefetch_related("posts").await? {
                rows(tag.posts.get(), tag.posts.all()).await?;
            }
            for post in Post::all().prefetch_related(["author", "editor"]).await? {
                rows(
                    post.author.get().map(std::slice::from_ref),
                    User::filter(kw!(id = post.author.id())),
                )
                .await?;
                match &post.editor {
                    Some(editor) => {
                        rows(
                            editor.get().map(std::slice::from_ref),
                            User::filter(kw!(id = editor.id())),
                        )
                        .await?;
                    }
                    None => continue,
                }
            }
            for country in Country::all().prefetch_related("cities").await? {
                rows(country.cities.get(), country.cities.all()).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Rows stored by one `bulk_create` are those that storing one by one gives.
pub(crate) async fn bulk_create_is_create_repeated(cx: &Context) -> CaseResult {
    async fn one<M: Subject>(data: &Data) -> CaseResult {
        let before = all_rows(M::all()).await?;
        M::all().delete().await?;
        for row in &data.rows[M::TABLE] {
            M::bulk_create(vec![build::<M>(row)?]).await?;
        }
        let name = TABLES[M::TABLE].name;
        same(
            &sorted(all_rows(M::all()).await?),
            &sorted(before),
            "one by one",
            &name,
        )
    }
    async fn created(before: Vec<Grain>) -> CaseResult {
        Grain::all().delete().await?;
        for grain in &before {
            Grain::create(kw!(
                id = grain.id,
                small = grain.small,
                big = grain.big,
                ratio = grain.ratio,
                label = grain.label.clone(),
                at = grain.at,
                flag = grain.flag,
                user_id = grain.user.as_ref().map(|user| user.id())
            ))
            .await?;
        }
        let after = Grain::all().order_by("id").await?;
        match after == before {
            true => Ok(()),
            false => Err(Failure::new(format!(
                "created {after:?}, expected {before:?}"
            ))),
        }
    }
    check(cx, |_, data, _| {
        Box::pin(async move {
            // Deleting users would take the rows of other tables with them.
            for table in [CONTRACT, GRAIN, CITY, CATEGORY] {
                with_model!(table, one(data))?;
            }
            created(Grain::all().order_by("id").await?).await
        })
    })
    .await
}

/// An instance that was changed and saved is read back equal, and no other row changed.
pub(crate) async fn saved_is_read_back(cx: &Context) -> CaseResult {
    async fn one<M: Subject>(random: &mut Random) -> CaseResult {
        let before = all_rows(M::all().order_by(TABLES[M::TABLE].columns[0].name)).await?;
        if before.is_empty() {
            return Ok(());
        }
        let at = random.below(before.len());
        let mut row = before[at].row.clone();
        let other = draw::data(random);
        for (column, meta) in TABLES[M::TABLE].columns.iter().enumerate() {
            let values = &other.rows[M::TABLE];
            if meta.free && !values.is_empty() {
                row[column] = values[random.below(values.len())][column].clone();
            }
        }
        let mut expected = before;
        expected[at].row = row.clone();
        build::<M>(&row)?.save().await?;
        let found = all_rows(M::all().order_by(TABLES[M::TABLE].columns[0].name)).await?;
        if found == expected {
            return Ok(());
        }
        let shown: Vec<String> = row.iter().map(|value| value.to_string()).collect();
        Err(Failure::new(format!(
            "{} saved as ({}) is read otherwise",
            TABLES[M::TABLE].name,
            shown.join(", ")
        )))
    }
    check(cx, |random, _, _| {
        Box::pin(async move {
            for (table, meta) in TABLES.iter().enumerate() {
                if meta.columns.iter().any(|column| column.free) {
                    with_model!(table, one(random))?;
                }
            }
            Ok(())
        })
    })
    .await
}
