//! Arguments: those of libtest, and ours.

use crate::case::Case;
use libtest_mimic::Arguments;
use std::path::PathBuf;

/// What the arguments ask for.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// What every test binary understands: filters, `--exact`, `--list`, …
    pub(crate) harness: Arguments,
    /// Only these backends.
    pub(crate) backends: Vec<String>,
    /// Backends that must be there.
    pub(crate) require: Vec<String>,
    area: Option<String>,
    item: Option<String>,
    /// Where the report goes.
    pub(crate) report: Option<PathBuf>,
    /// Only check that every documented item has a case.
    pub(crate) coverage: bool,
    /// Backends that may be missing.
    allow_not_run: Vec<String>,
    /// A file whose table of backends must be that of the report.
    pub(crate) readme: Option<PathBuf>,
    /// Write the table instead of comparing it.
    pub(crate) bless: bool,
    /// Seed of the first round of random plans.
    pub(crate) seed: Option<u64>,
    /// Random plans on each backend.
    pub(crate) plans: Option<u64>,
}

impl Options {
    /// Reads the words of a command line, the program's name first. Ends the process for `--help`
    /// and for words that nobody understands, as test binaries do.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Options, String> {
        let mut options = Options::default();
        let mut rest = Vec::new();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (word.as_str(), None),
            };
            let mut value = || {
                let value = inline.clone().or_else(|| words.next());
                value.ok_or_else(|| format!("`{name}` needs a value"))
            };
            match name {
                "--backend" => options.backends.extend(names(&value()?)),
                "--require" => options.require.extend(names(&value()?)),
                "--area" => options.area = Some(value()?),
                "--item" => options.item = Some(value()?),
                "--report" => options.report = Some(value()?.into()),
                "--coverage" => options.coverage = true,
                "--allow-not-run" => options.allow_not_run.extend(names(&value()?)),
                "--readme" => options.readme = Some(value()?.into()),
                "--bless" => options.bless = true,
                "--seed" => options.seed = Some(number(name, &value()?)?),
                "--plans" => options.plans = Some(number(name, &value()?)?),
                _ => rest.push(word),
            }
        }
        options.harness = Arguments::from_iter(rest);
        if options.readme.is_some() && !options.is_full() {
            return Err("`--readme` speaks of the whole suite: leave out the filters".to_owned());
        }
        Ok(options)
    }

    /// Whether a backend that cannot run fails the run.
    pub(crate) fn must_run(&self, name: &str) -> bool {
        !self.allow_not_run.iter().any(|allowed| allowed == name)
    }

    /// The report speaks for the backends, so they are asked for versions and claims.
    pub(crate) fn identifies(&self) -> bool {
        !self.harness.list && (self.is_full() || self.report.is_some())
    }

    pub(crate) fn wants_backend(&self, name: &str) -> bool {
        self.backends.is_empty() || self.backends.iter().any(|wanted| wanted == name)
    }

    pub(crate) fn wants_case(&self, case: &Case) -> bool {
        self.area
            .as_deref()
            .is_none_or(|wanted| case.area() == wanted)
            && self
                .item
                .as_deref()
                .is_none_or(|wanted| case.covers.contains(&wanted))
    }

    /// Whether the arguments choose this case on this backend.
    pub(crate) fn selects(&self, backend: &str, case: &Case) -> bool {
        let name = format!("{backend}::{}", case.id);
        let fits = |filter: &String| match self.harness.exact {
            true => name == *filter,
            false => name.contains(filter.as_str()),
        };
        self.wants_backend(backend)
            && self.wants_case(case)
            && self.harness.filter.as_ref().is_none_or(fits)
            && !self.harness.skip.iter().any(fits)
    }

    /// Nothing narrows the run: it speaks for the whole suite.
    pub(crate) fn is_full(&self) -> bool {
        self.area.is_none() && self.item.is_none() && !self.is_filtered()
    }

    /// A name filter that matches nothing is no failure, as with other test binaries: `cargo test
    /// name` hands it to all of them.
    pub(crate) fn may_select_nothing(&self) -> bool {
        self.is_filtered() && !self.harness.exact && self.report.is_none()
    }

    fn is_filtered(&self) -> bool {
        self.harness.filter.is_some() || !self.harness.skip.is_empty() || self.harness.ignored
    }
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("`{name}` takes a whole number, not `{text}`"))
}

fn names(list: &str) -> impl Iterator<Item = String> + use<> {
    let names: Vec<_> = list.split(',').map(str::to_owned).collect();
    names.into_iter().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Options, String> {
        Options::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn our_options_are_taken_out_and_the_rest_is_libtests() {
        let options = parse("bin limit --report out --require=a,b --exact --item queryset.limit")
            .expect("fine");
        assert_eq!(options.harness.filter.as_deref(), Some("limit"));
        assert!(options.harness.exact && !options.is_full());
        assert_eq!(options.require, ["a", "b"]);
        assert_eq!(options.report, Some(PathBuf::from("out")));
    }

    #[test]
    fn a_value_that_is_missing_is_an_error() {
        assert!(parse("bin --report").is_err());
        assert!(parse("bin --readme README.md --area bulk").is_err());
        assert!(parse("bin --plans many").is_err());
        assert!(parse("bin").expect("fine").is_full());
    }
}
