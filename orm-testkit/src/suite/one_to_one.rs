//! One-to-one relations: access, loading and filters from both sides, uniqueness, deletes.

use crate::case::{Case, CaseResult, Context};
use crate::models::{Library, Profile, User, library, usernames};
use crate::{Failure, cases, check};
use orm_core::error::{ConstraintKind, ErrorKind};
use orm_core::prelude::*;

pub(super) const CASES: &[Case] = cases! {
    "one_to_one::create::with_object_or_key" => with_object_or_key, ["foreign_key.create_with_object"];
    "one_to_one::create::a_second_one_is_a_unique_violation" => second_is_refused, ["exceptions.integrity_error", "model.create"];
    "one_to_one::create::many_without_a_target" => many_without_a_target, ["fields.foreign_key.null"];
    "one_to_one::save::taking_the_place_of_another_is_refused" => taken_place_is_refused, ["exceptions.integrity_error", "instance.save"];
    "one_to_one::access::forward" => forward, ["foreign_key.access"];
    "one_to_one::access::reverse" => reverse, ["foreign_key.access", "fields.foreign_key.related_name"];
    "one_to_one::access::reverse_without_a_row_is_none" => reverse_without_a_row, ["foreign_key.access"];
    "one_to_one::access::reverse_not_loaded_is_an_error" => reverse_not_loaded, ["foreign_key.access"];
    "one_to_one::access::reverse_of_an_unsaved_instance_is_refused" => reverse_of_unsaved, ["foreign_key.access"];
    "one_to_one::prefetch::forward" => prefetch_forward, ["queryset.prefetch_related"];
    "one_to_one::prefetch::reverse" => prefetch_reverse, ["queryset.prefetch_related"];
    "one_to_one::prefetch::there_and_back" => prefetch_there_and_back, ["queryset.prefetch_related"];
    "one_to_one::filter::forward" => filter_forward, ["model.filter"];
    "one_to_one::filter::reverse" => filter_reverse, ["model.filter"];
    "one_to_one::filter::isnull_of_the_nullable_side" => isnull_of_the_nullable_side, ["model.filter", "fields.foreign_key.null"];
    "one_to_one::filter::isnull_of_the_reverse_side" => isnull_of_the_reverse_side, ["model.filter"];
    "one_to_one::filter::by_instance_from_both_sides" => by_instance, ["model.filter"];
    "one_to_one::order_by::across_the_reverse_side" => order_across, ["queryset.order_by"];
    "one_to_one::on_delete::cascade" => cascade, ["fields.foreign_key.on_delete"], needs [ForeignKeys];
    "one_to_one::on_delete::set_null" => set_null, ["fields.foreign_key.on_delete", "fields.foreign_key.null"], needs [ForeignKeys];
};

/// The library, with a profile of Ann that Bob looks after, and one of Bob that nobody does.
async fn profiles(cx: &Context) -> CaseResult<(Library, Profile, Profile)> {
    let rows = library(cx).await?;
    let ann = Profile::create(kw!(motto = "read", user = &rows.ann, guardian = &rows.bob)).await?;
    let bob = Profile::create(kw!(motto = "write", user = &rows.bob)).await?;
    Ok((rows, ann, bob))
}

/// A one-to-one takes the object or its key, and `None` where it may be absent.
async fn with_object_or_key(cx: &Context) -> CaseResult {
    let rows = library(cx).await?;
    let first = Profile::create(kw!(motto = "a", user = &rows.ann)).await?;
    let second = Profile::create(kw!(motto = "b", user_id = rows.bob.id, guardian = None)).await?;
    check::eq(
        (*first.user.key(), *second.user.key()),
        (rows.ann.id, rows.bob.id),
    )?;
    let second = Profile::get(kw!(id = second.id)).await?;
    check::that(second.guardian.is_none(), "nobody looks after it")
}

/// No two rows refer to one target.
async fn second_is_refused(cx: &Context) -> CaseResult {
    let (rows, ..) = profiles(cx).await?;
    let result = Profile::create(kw!(motto = "again", user = &rows.ann)).await;
    let error = check::fails(result, ErrorKind::Integrity)?;
    let kind = error.constraint().map(|constraint| constraint.kind());
    check::eq(kind, Some(ConstraintKind::Unique))?;
    let result = Profile::create(kw!(motto = "c", user = &rows.cyd, guardian = &rows.bob)).await;
    check::that(
        check::fails(result, ErrorKind::Integrity)?.is_unique_violation(),
        "Bob looks after Ann's already",
    )?;
    check::eq(Profile::all().count().await?, 2)
}

/// Any number of rows may refer to nothing.
async fn many_without_a_target(cx: &Context) -> CaseResult {
    let (rows, ..) = profiles(cx).await?;
    Profile::create(kw!(motto = "rest", user = &rows.cyd)).await?;
    check::eq(
        Profile::filter(kw!(guardian__isnull = true))
            .count()
            .await?,
        2,
    )
}

/// A save that would make a second row refer to one target changes nothing.
async fn taken_place_is_refused(cx: &Context) -> CaseResult {
    let (rows, _, mut bob) = profiles(cx).await?;
    bob.user.set_key(rows.ann.id);
    let error = check::fails(bob.save().await, ErrorKind::Integrity)?;
    check::that(error.is_unique_violation(), "Ann has a profile")?;
    check::eq(
        *Profile::get(kw!(id = bob.id)).await?.user.key(),
        rows.bob.id,
    )
}

/// The forward side refers to the target, which `fetch` loads with one statement.
async fn forward(cx: &Context) -> CaseResult {
    let (rows, ann, _) = profiles(cx).await?;
    let profile = Profile::get(kw!(id = ann.id)).await?;
    check::eq(*profile.user.key(), rows.ann.id)?;
    check::fails(profile.user.get().map(|user| user.id), ErrorKind::NotLoaded)?;
    let (user, sent) = cx.watch(async { profile.user.fetch().await }).await;
    check::eq(user?.username.as_str(), "ann")?;
    check::eq(sent.len(), 1)?;
    let Some(guardian) = &profile.guardian else {
        return Err(Failure::new("somebody looks after it"));
    };
    check::eq(guardian.fetch().await?.username.as_str(), "bob")
}

/// The reverse side gives the one row that refers to the instance, with one statement.
async fn reverse(cx: &Context) -> CaseResult {
    let (rows, ann, bob) = profiles(cx).await?;
    let user = User::get(kw!(id = rows.bob.id)).await?;
    let (own, sent) = cx.watch(async { user.profile.fetch().await }).await;
    check::eq(own?.map(|profile| profile.id), Some(bob.id))?;
    check::eq(sent.len(), 1)?;
    let guarded = user.guarded.fetch().await?;
    check::eq(guarded.map(|profile| profile.id), Some(ann.id))
}

/// The reverse side without a row is `None`, no error.
async fn reverse_without_a_row(cx: &Context) -> CaseResult {
    let (rows, ..) = profiles(cx).await?;
    check::that(rows.cyd.profile.fetch().await?.is_none(), "Cyd has none")?;
    let user = User::create(kw!(username = "dee")).await?;
    check::that(user.profile.fetch().await?.is_none(), "Dee has none")
}

/// Reading a reverse side that no query loaded is an error that names it, never a query.
async fn reverse_not_loaded(cx: &Context) -> CaseResult {
    let (rows, ..) = profiles(cx).await?;
    let user = User::get(kw!(id = rows.ann.id)).await?;
    let read = async { user.profile.get().map(|found| found.is_some()) };
    let (result, sent) = cx.watch(read).await;
    let error = check::fails(result, ErrorKind::NotLoaded)?;
    check::mentions(&error, &["User", "profile"])?;
    check::eq(sent.len(), 0)
}

/// An instance without a key has no related row to ask for; nothing is sent.
async fn reverse_of_unsaved(cx: &Context) -> CaseResult {
    let nobody = User::new(kw!(username = "nobody"))?;
    let fetch = async { nobody.profile.fetch().await };
    let (result, sent) = cx.watch(fetch).await;
    check::fails(result.map(|found| found.is_some()), ErrorKind::Unsaved)?;
    let (result, _) = cx
        .watch(async { User::default().profile.fetch().await })
        .await;
    check::fails(result.map(|found| found.is_some()), ErrorKind::Unsaved)?;
    check::eq(sent.len(), 0)
}

/// Two forward sides cost two more statements; an absent one stays absent.
async fn prefetch_forward(cx: &Context) -> CaseResult {
    profiles(cx).await?;
    let query = Profile::all()
        .order_by("motto")
        .prefetch_related(["user", "guardian"]);
    let (found, sent) = cx.watch(query.into_future()).await;
    let found = found?;
    check::eq(sent.len(), 3)?;
    let mut names = Vec::new();
    for profile in &found {
        let guardian = match &profile.guardian {
            Some(guardian) => Some(guardian.get()?.username.as_str()),
            None => None,
        };
        names.push((profile.user.get()?.username.as_str(), guardian));
    }
    check::eq(names, [("ann", Some("bob")), ("bob", None)])
}

/// A reverse side costs one more statement; an instance without a row has looked and found none.
async fn prefetch_reverse(cx: &Context) -> CaseResult {
    profiles(cx).await?;
    let query = User::all()
        .order_by("username")
        .prefetch_related((User::profile, User::guarded));
    let (users, sent) = cx.watch(query.into_future()).await;
    let users = users?;
    check::eq(sent.len(), 3)?;
    let mut mottos = Vec::new();
    for user in &users {
        let motto = |found: Option<&Profile>| found.map(|profile| profile.motto.clone());
        mottos.push((motto(user.profile.get()?), motto(user.guarded.get()?)));
    }
    let (read, write) = (Some("read".to_owned()), Some("write".to_owned()));
    check::eq(mottos, [(read.clone(), None), (write, read), (None, None)])
}

/// A path may go over a one-to-one and back.
async fn prefetch_there_and_back(cx: &Context) -> CaseResult {
    profiles(cx).await?;
    let query = User::filter(kw!(username = "ann")).prefetch_related("profile__guardian__profile");
    let (users, sent) = cx.watch(query.into_future()).await;
    let users = users?;
    check::eq(sent.len(), 4)?;
    let Some(profile) = users[0].profile.get()? else {
        return Err(Failure::new("Ann has a profile"));
    };
    let Some(guardian) = &profile.guardian else {
        return Err(Failure::new("somebody looks after it"));
    };
    let own = guardian.get()?.profile.get()?;
    check::eq(own.map(|profile| profile.motto.as_str()), Some("write"))
}

/// Conditions go over the forward sides.
async fn filter_forward(cx: &Context) -> CaseResult {
    let (_, ann, _) = profiles(cx).await?;
    let found = Profile::filter(kw!(user__username = "ann", guardian__username = "bob")).await?;
    check::eq(found.len(), 1)?;
    check::eq(found[0].id, ann.id)?;
    let others = Profile::exclude(kw!(guardian__username = "bob"));
    check::eq(others.count().await?, 1)
}

/// Conditions go over the reverse sides; an instance without a row meets none.
async fn filter_reverse(cx: &Context) -> CaseResult {
    profiles(cx).await?;
    check::eq(
        usernames(User::filter(kw!(profile__motto = "read"))).await?,
        ["ann"],
    )?;
    check::eq(
        usernames(User::filter(User::guarded.user.username.eq("ann"))).await?,
        ["bob"],
    )?;
    check::eq(
        usernames(User::exclude(kw!(profile__motto = "read"))).await?,
        ["bob", "cyd"],
    )
}

/// `isnull` of a nullable one-to-one tells who has no target.
async fn isnull_of_the_nullable_side(cx: &Context) -> CaseResult {
    let (_, ann, bob) = profiles(cx).await?;
    let ids = async |query: QuerySet<Profile>| -> CaseResult<Vec<i32>> {
        Ok(query.await?.into_iter().map(|profile| profile.id).collect())
    };
    check::eq(
        ids(Profile::filter(kw!(guardian__isnull = true))).await?,
        [bob.id],
    )?;
    check::eq(
        ids(Profile::filter(kw!(guardian__isnull = false))).await?,
        [ann.id],
    )
}

/// `isnull` of the reverse side tells which instances no row refers to.
async fn isnull_of_the_reverse_side(cx: &Context) -> CaseResult {
    profiles(cx).await?;
    check::eq(
        usernames(User::filter(kw!(profile__isnull = true))).await?,
        ["cyd"],
    )?;
    check::eq(
        usernames(User::filter(kw!(profile__isnull = false))).await?,
        ["ann", "bob"],
    )?;
    check::eq(
        usernames(User::filter(User::guarded.isnull(true))).await?,
        ["ann", "cyd"],
    )?;
    check::eq(
        usernames(User::exclude(kw!(guarded__isnull = true))).await?,
        ["bob"],
    )?;
    check::eq(
        usernames(User::filter_by([("profile__isnull", true)])).await?,
        ["cyd"],
    )
}

/// A relation is compared with an instance, on either side.
async fn by_instance(cx: &Context) -> CaseResult {
    let (rows, ann, bob) = profiles(cx).await?;
    check::eq(Profile::get(kw!(user = &rows.ann)).await?.id, ann.id)?;
    check::eq(usernames(User::filter(kw!(profile = &bob))).await?, ["bob"])?;
    check::eq(usernames(User::filter(kw!(guarded = &ann))).await?, ["bob"])
}

/// An ordering goes over the reverse side; NULL comes first.
async fn order_across(cx: &Context) -> CaseResult {
    profiles(cx).await?;
    let users = User::all().order_by("-profile__motto").await?;
    let names: Vec<_> = users.iter().map(|user| user.username.as_str()).collect();
    check::eq(names, ["bob", "ann", "cyd"])
}

/// CASCADE deletes the row that refers to the deleted one.
async fn cascade(cx: &Context) -> CaseResult {
    let (rows, _, bob) = profiles(cx).await?;
    rows.ann.delete().await?;
    let left = Profile::all().await?;
    check::eq(left.len(), 1)?;
    check::eq(left[0].id, bob.id)
}

/// SET NULL keeps the row and takes its key away; the place is free again.
async fn set_null(cx: &Context) -> CaseResult {
    let (rows, ann, bob) = profiles(cx).await?;
    let dee = User::create(kw!(username = "dee")).await?;
    let mut guarded = Profile::get(kw!(id = bob.id)).await?;
    guarded.guardian = Some((&dee).into());
    guarded.save().await?;
    dee.delete().await?;
    check::that(
        Profile::get(kw!(id = bob.id)).await?.guardian.is_none(),
        "the profile stays, without a guardian",
    )?;
    rows.bob.delete().await?;
    let left = Profile::get(kw!(id = ann.id)).await?;
    check::that(left.guardian.is_none(), "Ann's stays too")?;
    check::eq(*left.user.key(), rows.ann.id)
}
