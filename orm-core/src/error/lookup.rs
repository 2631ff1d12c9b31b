//! Errors about finding: rows that are not there, names that do not exist, relations not loaded.

use super::Error;
use std::fmt;

/// Raised when no instance matches, or an instance's row is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DoesNotExist {
    /// Name of the model.
    pub model: &'static str,
    /// The condition, without its values, such as `username = ?`.
    pub filter: Box<str>,
}

/// Raised when `get` matches more than one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultipleObjectsReturned {
    /// Name of the model.
    pub model: &'static str,
    /// The condition, without its values.
    pub filter: Box<str>,
}

/// A name given at run time that the model does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The model that was searched.
    pub model: &'static str,
    /// The whole name as given.
    pub path: Box<str>,
    /// The segment of it that does not exist.
    pub segment: Box<str>,
    /// What stood to be found there: "field", "relation", "lookup".
    pub expected: &'static str,
    /// Up to three names that are close.
    pub nearest: Vec<String>,
    /// Why a name that exists cannot be used here; empty otherwise.
    pub reason: Box<str>,
}

/// A relation that no query has loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotLoaded {
    /// The model that holds the relation.
    pub model: &'static str,
    /// The relation's name.
    pub relation: &'static str,
    /// What to write to load it.
    pub hint: &'static str,
}

impl DoesNotExist {
    /// No instance of `model` under this condition.
    pub fn new(model: &'static str, filter: impl Into<String>) -> Self {
        DoesNotExist {
            model,
            filter: filter.into().into_boxed_str(),
        }
    }
}

impl MultipleObjectsReturned {
    /// Several instances of `model` under this condition.
    pub fn new(model: &'static str, filter: impl Into<String>) -> Self {
        MultipleObjectsReturned {
            model,
            filter: filter.into().into_boxed_str(),
        }
    }
}

impl FieldError {
    /// `segment` of `path` is no `expected` of `model`; suggests from `names`.
    pub fn unknown<'a>(
        model: &'static str,
        path: &str,
        segment: &str,
        expected: &'static str,
        names: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        FieldError {
            model,
            path: path.into(),
            segment: segment.into(),
            expected,
            nearest: nearest_names(segment, names),
            reason: "".into(),
        }
    }

    /// `segment` exists but cannot stand here, because of `reason`.
    pub fn misused(
        model: &'static str,
        path: &str,
        segment: &str,
        reason: impl Into<String>,
    ) -> Self {
        FieldError {
            model,
            path: path.into(),
            segment: segment.into(),
            expected: "field",
            nearest: Vec::new(),
            reason: reason.into().into_boxed_str(),
        }
    }
}

impl NotLoaded {
    /// `model.relation` was read without having been loaded.
    pub fn new(model: &'static str, relation: &'static str, hint: &'static str) -> Self {
        NotLoaded {
            model,
            relation,
            hint,
        }
    }
}

/// Up to three of `names` that are close to `wrong`, nearest first.
///
/// Close means at most one edit plus a third of the name's length (Levenshtein distance).
pub fn nearest_names<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut close: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| (edit_distance(wrong, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.chars().count() / 3)
        .collect();
    close.sort_unstable();
    close.dedup();
    close
        .into_iter()
        .take(3)
        .map(|(_, name)| name.to_owned())
        .collect()
}

fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(left != *right))
                .min(row[j] + 1)
                .min(above + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}

impl fmt::Display for DoesNotExist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.filter.is_empty() {
            write!(f, "no {} exists", self.model)
        } else {
            write!(f, "no {} matches {}", self.model, self.filter)
        }
    }
}

impl fmt::Display for MultipleObjectsReturned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.filter.is_empty() {
            write!(
                f,
                "more than one {} exists where one was expected",
                self.model
            )
        } else {
            write!(f, "more than one {} matches {}", self.model, self.filter)
        }
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.reason.is_empty() {
            write!(
                f,
                "`{}` has no {} `{}`",
                self.model, self.expected, self.segment
            )?;
        } else {
            write!(f, "`{}` of `{}` {}", self.segment, self.model, self.reason)?;
        }
        if *self.path != *self.segment {
            write!(f, " (in `{}`)", self.path)?;
        }
        match self.nearest.split_last() {
            None => Ok(()),
            Some((only, [])) => write!(f, "; did you mean `{only}`?"),
            Some((last, rest)) => write!(f, "; did you mean `{}` or `{last}`?", rest.join("`, `")),
        }
    }
}

impl fmt::Display for NotLoaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}.{}` was not loaded: {}",
            self.model, self.relation, self.hint
        )
    }
}

impl std::error::Error for DoesNotExist {}
impl std::error::Error for MultipleObjectsReturned {}
impl std::error::Error for FieldError {}
impl std::error::Error for NotLoaded {}

impl From<DoesNotExist> for Error {
    fn from(error: DoesNotExist) -> Self {
        Error::DoesNotExist(Box::new(error))
    }
}
impl From<MultipleObjectsReturned> for Error {
    fn from(error: MultipleObjectsReturned) -> Self {
        Error::MultipleObjectsReturned(Box::new(error))
    }
}
impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Error::Field(Box::new(error))
    }
}
impl From<NotLoaded> for Error {
    fn from(error: NotLoaded) -> Self {
        Error::NotLoaded(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_names_come_first_and_far_ones_not_at_all() {
        let names = ["username", "email", "usernames", "id"];
        assert_eq!(nearest_names("usrname", names), ["username", "usernames"]);
        assert!(nearest_names("zzzzzz", names).is_empty());
    }
}
