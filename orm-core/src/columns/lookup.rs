//! Comparisons of columns: every lookup as a method, checked against the column's type.

use super::{Col, Comparable, Expr, IntoExpr, IntoKv, IntoRange, IntoSet, Kv, Order, Q, Set};
use crate::entity::{Entity, Scope};
use crate::query::{self, Assignment, DatePart, Lookup, Operand, Predicate};
use crate::value::{Field, Temporal, TextLike};
use std::ops::Neg;

/// `left op right`.
pub(super) fn compare<M>(left: query::Expr, lookup: Lookup, right: query::Expr) -> Q<M> {
    Q::from_predicate(Predicate::Compare(left, lookup, Operand::Expr(right)))
}

/// `left = right`, or `left IS NULL` for a bound NULL.
pub(super) fn equals(left: query::Expr, right: query::Expr) -> Predicate {
    match right {
        query::Expr::Value(value) => Predicate::equals(left, value),
        right => Predicate::Compare(left, Lookup::Exact, Operand::Expr(right)),
    }
}

/// The same as a condition of a model.
pub(super) fn equal<M>(left: query::Expr, right: query::Expr) -> Q<M> {
    Q::from_predicate(equals(left, right))
}

pub(super) fn is_null<M>(left: query::Expr, yes: bool) -> Q<M> {
    Q::from_predicate(Predicate::is_null(left, yes))
}

/// Values go into one list; what is computed per row is compared one by one.
pub(super) fn one_of<M>(left: query::Expr, items: impl Iterator<Item = query::Expr>) -> Q<M> {
    let (mut values, mut computed) = (Vec::new(), Predicate::Nothing);
    for item in items {
        match item {
            query::Expr::Value(value) => values.push(value),
            other => computed = computed.or(equals(left.clone(), other)),
        }
    }
    Q::from_predicate(Predicate::one_of(left, values).or(computed))
}

pub(super) fn between<M>(left: query::Expr, ends: (query::Expr, query::Expr)) -> Q<M> {
    let ends = Operand::Between(Box::new(ends.0), Box::new(ends.1));
    Q::from_predicate(Predicate::Compare(left, Lookup::Range, ends))
}

impl<S: Scope, T: Field, K> Col<S, T, K> {
    /// Equal, case-sensitively; `None` asks for NULL.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(Post::title.eq("Hello")).count().await?, 1);
    /// assert_eq!(User::filter(User::bio.eq(None::<&str>)).await?[0].username, "bob");
    /// assert_eq!(Post::filter(Post::views.eq(Post::id)).count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn eq<V: Comparable<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        equal(self.tree(), value.into_compared())
    }

    /// Equal: the long name of [`eq`](Self::eq).
    pub fn exact<V: Comparable<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        self.eq(value)
    }

    /// Not equal: the exact complement of [`eq`](Self::eq), so NULL rows are included.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(User::filter(User::bio.ne("writes")).await?[0].username, "bob");
    /// # Ok(()) }) }
    /// ```
    pub fn ne<V: Comparable<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        !self.eq(value)
    }

    /// Greater.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(Post::views.gt(20)).count().await?, 1);
    /// assert_eq!(Post::filter(Post::views.gte(20)).count().await?, 2);
    /// assert_eq!(Post::filter(Post::views.lt(20) | Post::views.lte(20)).count().await?, 2);
    /// assert_eq!(Post::filter(Post::views.gt(Post::id + 10)).count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn gt<V: IntoExpr<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        compare(self.tree(), Lookup::Gt, value.into_expr())
    }

    /// Greater or equal.
    pub fn gte<V: IntoExpr<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        compare(self.tree(), Lookup::Gte, value.into_expr())
    }

    /// Less.
    pub fn lt<V: IntoExpr<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        compare(self.tree(), Lookup::Lt, value.into_expr())
    }

    /// Less or equal.
    pub fn lte<V: IntoExpr<S::Root, T::Base>>(self, value: V) -> Q<S::Root> {
        compare(self.tree(), Lookup::Lte, value.into_expr())
    }

    /// One of these values. `None` among them also matches NULL rows; no value matches nothing.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(Post::views.in_([1, 300])).count().await?, 2);
    /// assert_eq!(Post::filter(Post::views.not_in([1, 300])).count().await?, 1);
    /// assert_eq!(User::filter(User::bio.in_([Some("writes"), None])).count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn in_<V>(self, values: impl IntoIterator<Item = V>) -> Q<S::Root>
    where
        V: Comparable<S::Root, T::Base>,
    {
        let values = values.into_iter().map(Comparable::into_compared);
        one_of(self.tree(), values)
    }

    /// None of these values: the exact complement of [`in_`](Self::in_), NULL rows included.
    pub fn not_in<V>(self, values: impl IntoIterator<Item = V>) -> Q<S::Root>
    where
        V: Comparable<S::Root, T::Base>,
    {
        !self.in_(values)
    }

    /// Between two values, both included: `(1, 10)`, `[1, 10]` or `1..=10`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(Post::filter(Post::views.range(1..=20)).count().await?, 2);
    /// assert_eq!(Post::filter(Post::views.range((20, 300))).count().await?, 2);
    /// # Ok(()) }) }
    /// ```
    pub fn range<V: IntoRange<S::Root, T::Base>>(self, ends: V) -> Q<S::Root> {
        between(self.tree(), ends.into_range())
    }

    /// Whether the column is NULL.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// assert_eq!(User::filter(User::bio.isnull(true)).await?[0].username, "bob");
    /// assert_eq!(User::filter(User::bio.not_isnull(true)).await?[0].username, "ann");
    /// # Ok(()) }) }
    /// ```
    pub fn isnull(self, yes: bool) -> Q<S::Root> {
        is_null(self.tree(), yes)
    }

    /// Whether the column is not NULL.
    pub fn not_isnull(self, yes: bool) -> Q<S::Root> {
        is_null(self.tree(), !yes)
    }

    /// Smallest first; NULL before everything.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let oldest = Post::all().order_by((Post::title.asc(), Post::id.desc())).first().await?;
    /// assert_eq!(oldest.map(|post| post.title).as_deref(), Some("Hello"));
    /// # Ok(()) }) }
    /// ```
    pub fn asc(self) -> Order<S::Root> {
        Order::new(self.tree(), false)
    }

    /// Largest first, NULL last; so is the unary minus: `-Post::views`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// let posts = Post::all().order_by(-Post::views).await?;
    /// assert_eq!(posts[0].views, 300);
    /// # Ok(()) }) }
    /// ```
    pub fn desc(self) -> Order<S::Root> {
        Order::new(self.tree(), true)
    }

    /// `kw!(column = value)`.
    #[doc(hidden)]
    pub fn __kv<V: IntoKv<S::Root, S::Wrap<T>>>(self, value: V) -> Kv<S, V::Presence<K>> {
        Kv::new(self.column(), value.into_kv())
    }
}

/// Text lookups. The argument is taken literally, except in regular expressions.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let count = async |condition| Post::filter(condition).count().await;
/// assert_eq!(count(Post::title.contains("Rust") & Post::title.startswith("More")).await?, 1);
/// assert_eq!(count(Post::title.icontains("RUST") & Post::title.iendswith("rust")).await?, 2);
/// assert_eq!(count(Post::title.istartswith("he") & Post::title.endswith("lo")).await?, 1);
/// assert_eq!(count(Post::title.iexact("hello")).await?, 1);
/// assert_eq!(count(Post::title.regex("^R.st$") | Post::title.iregex("^h")).await?, 2);
/// # Ok(()) }) }
/// ```
impl<S: Scope, T: Field, K> Col<S, T, K> {
    fn text<V>(self, lookup: Lookup, value: V) -> Q<S::Root>
    where
        V: IntoExpr<S::Root, String>,
    {
        compare(self.tree(), lookup, value.into_expr())
    }

    /// Holds the text.
    pub fn contains<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::Contains, value)
    }

    /// Holds the text, in any case of letters.
    pub fn icontains<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::IContains, value)
    }

    /// Begins with the text.
    pub fn startswith<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::StartsWith, value)
    }

    /// Begins with the text, in any case of letters.
    pub fn istartswith<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::IStartsWith, value)
    }

    /// Ends with the text.
    pub fn endswith<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::EndsWith, value)
    }

    /// Ends with the text, in any case of letters.
    pub fn iendswith<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::IEndsWith, value)
    }

    /// Equal, in any case of letters.
    pub fn iexact<V: IntoExpr<S::Root, String>>(self, value: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::IExact, value)
    }

    /// Matches the regular expression.
    pub fn regex<V: IntoExpr<S::Root, String>>(self, pattern: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::Regex, pattern)
    }

    /// Matches the regular expression, in any case of letters.
    pub fn iregex<V: IntoExpr<S::Root, String>>(self, pattern: V) -> Q<S::Root>
    where
        T: TextLike,
    {
        self.text(Lookup::IRegex, pattern)
    }
}

/// Parts of a date-time, in UTC, as expressions that compare like columns:
/// `Post::created_at.year().gte(2024)`. Selected, they are `Option`, since the date may be NULL.
///
/// # Examples
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
/// # fn main() -> Result<()> { run(async {
/// let fresh = Post::created_at.year().gte(2024) & Post::created_at.month().range(1..=12);
/// assert_eq!(Post::filter(fresh).count().await?, 3);
/// let hours = Post::all().values_list((Post::created_at.hour(), Post::created_at.week_day()));
/// assert!(hours.await?[0].0 < Some(24));
/// let days = Post::filter(kw!(created_at__day__lte = 31, created_at__quarter__in = [1, 2, 3, 4]));
/// assert_eq!(days.count().await?, 3);
/// let at = Post::created_at;
/// let clock = at.week().lte(53) & at.minute().lt(60) & at.second().lt(60) & at.microsecond().gte(0);
/// assert_eq!(Post::filter(clock).count().await?, 3);
/// # Ok(()) }) }
/// ```
impl<S: Scope, T: Field, K> Col<S, T, K> {
    fn part(self, part: DatePart) -> Expr<S::Root, Option<i32>> {
        Expr::from_tree(query::Expr::DatePart(part, Box::new(self.tree())))
    }

    /// Year.
    pub fn year(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Year)
    }

    /// Quarter, 1 to 4.
    pub fn quarter(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Quarter)
    }

    /// Month, 1 to 12.
    pub fn month(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Month)
    }

    /// ISO 8601 week, 1 to 53.
    pub fn week(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Week)
    }

    /// Day of the month, 1 to 31.
    pub fn day(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Day)
    }

    /// Day of the week, 1 (Sunday) to 7 (Saturday).
    pub fn week_day(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::WeekDay)
    }

    /// Hour, 0 to 23.
    pub fn hour(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Hour)
    }

    /// Minute, 0 to 59.
    pub fn minute(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Minute)
    }

    /// Second, 0 to 59.
    pub fn second(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Second)
    }

    /// Microsecond within the second, 0 to 999 999.
    pub fn microsecond(self) -> Expr<S::Root, Option<i32>>
    where
        T: Temporal,
    {
        self.part(DatePart::Microsecond)
    }
}

impl<M: Entity, T: Field, K> Col<M, T, K> {
    /// Sets the field in an `update`: `Post::views.set(Post::views + 1)`. Combine with `&`.
    ///
    /// # Examples
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doctest_setup.rs"));
    /// # fn main() -> Result<()> { run(async {
    /// Post::all().update(Post::views.set(Post::views + 1) & Post::title.set("Same")).await?;
    /// assert_eq!(Post::filter(kw!(views = 2, title = "Same")).count().await?, 1);
    /// # Ok(()) }) }
    /// ```
    pub fn set<V: IntoSet<M, T>>(self, value: V) -> Set<M> {
        Set::from_repr(vec![Assignment {
            field: self.field(),
            expr: value.into_set(),
        }])
    }
}

impl<S: Scope, T: Field, K> Neg for Col<S, T, K> {
    type Output = Order<S::Root>;
    fn neg(self) -> Order<S::Root> {
        self.desc()
    }
}
