//! Runs steps one after the other, shows their output and time, and counts tests.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The steps of one run.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
    /// Variables that every cargo command gets.
    env: Vec<(String, String)>,
    tests: Tests,
    remarks: Vec<String>,
}

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tests {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Steps {
    /// Runs a step that is a function of ours.
    pub(crate) fn call(
        &mut self,
        name: &str,
        step: impl FnOnce() -> Result<String, String>,
    ) -> Result<(), String> {
        let start = self.begin(name);
        let note = step().map_err(|message| format!("{message}\n\n{name} failed"))?;
        if !note.is_empty() {
            println!("{note}");
        }
        self.end(name, start);
        Ok(())
    }

    /// Gives variables to every cargo command from here on.
    pub(crate) fn set_env(&mut self, env: &[(String, String)]) {
        self.env = env.to_vec();
    }

    /// Adds a line that nobody should overlook to the end of the summary.
    pub(crate) fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Runs a step that is a cargo command.
    pub(crate) fn cargo(&mut self, name: &str, words: &[&str]) -> Result<(), String> {
        self.cargo_with(name, words, &[])
    }

    /// Runs a cargo command with environment variables.
    pub(crate) fn cargo_with(
        &mut self,
        name: &str,
        words: &[&str],
        env: &[(&str, &str)],
    ) -> Result<(), String> {
        let start = self.begin(name);
        let mut command = Command::new(cargo());
        let ours = self.env.iter().map(|(name, value)| (name, value));
        command.args(words).envs(ours).envs(env.iter().copied());
        let (status, tests) = run_and_show(&mut command)?;
        self.tests.passed += tests.passed;
        self.tests.failed += tests.failed;
        if status != Some(0) {
            let code = status.map_or("a signal".to_owned(), |code| format!("exit code {code}"));
            return Err(format!(
                "{name} failed with {code}: cargo {}",
                words.join(" ")
            ));
        }
        self.end(name, start);
        Ok(())
    }

    fn begin(&self, name: &str) -> Instant {
        println!("\n==> {name}");
        Instant::now()
    }

    fn end(&mut self, name: &str, start: Instant) {
        let time = start.elapsed();
        println!("<== {name}: {:.1} s", time.as_secs_f64());
        self.done.push((name.to_owned(), time));
    }

    /// The table of times, the count of tests, and the remarks.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        for (name, time) in &self.done {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{name:<28} {:>7.1} s", time.as_secs_f64());
        }
        let Tests { passed, failed } = self.tests;
        let _ = write!(text, "{passed} passed, {failed} failed");
        for remark in &self.remarks {
            let _ = write!(text, "\n{remark}");
        }
        text
    }
}

/// The cargo that runs us.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

fn run_and_show(command: &mut Command) -> Result<(Option<i32>, Tests), String> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let stdout = child.stdout.take().expect("stdout was piped");
    let stderr = child.stderr.take().expect("stderr was piped");
    let (left, right) = std::thread::scope(|scope| {
        let left = scope.spawn(|| show(stdout, std::io::stdout()));
        let right = show(stderr, std::io::stderr());
        (left.join().expect("showing a line does not panic"), right)
    });
    let status = child.wait().map_err(|error| error.to_string())?;
    let tests = Tests {
        passed: left.passed + right.passed,
        failed: left.failed + right.failed,
    };
    Ok((status.code(), tests))
}

fn show(from: impl Read, mut to: impl Write) -> Tests {
    let mut tests = Tests::default();
    let mut line = Vec::new();
    let mut from = BufReader::new(from);
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // A closed terminal is no reason to stop counting.
        let _ = to.write_all(&line);
        let counted = count(&String::from_utf8_lossy(&line));
        tests.passed += counted.passed;
        tests.failed += counted.failed;
        line.clear();
    }
    tests
}

/// Reads the closing line of libtest or nextest; zero for every other line.
pub(crate) fn count(line: &str) -> Tests {
    let line = line.trim_start();
    let closing = line.starts_with("test result:") || line.starts_with("Summary [");
    if !closing {
        return Tests::default();
    }
    let number_before = |word: &str| {
        let words: Vec<&str> = line
            .split([' ', ';', ','])
            .filter(|w| !w.is_empty())
            .collect();
        words
            .windows(2)
            .find(|pair| pair[1] == word)
            .and_then(|pair| pair[0].parse().ok())
            .unwrap_or(0)
    };
    Tests {
        passed: number_before("passed"),
        failed: number_before("failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_closing_lines_of_both_runners() {
        let libtest = "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(
            count(libtest),
            Tests {
                passed: 12,
                failed: 1
            }
        );
        let nextest =
            "     Summary [   0.350s] 41 tests run: 40 passed (1 slow), 1 failed, 2 skipped";
        let (passed, failed) = (40, 1);
        assert_eq!(count(nextest), Tests { passed, failed });
        assert_eq!(count("running 3 passed"), Tests::default());
    }

    #[test]
    fn a_failing_step_is_an_error_with_its_name() {
        let mut steps = Steps::default();
        let error = steps.call("layers", || Err("bad".to_owned())).unwrap_err();
        assert!(error.contains("layers failed"), "{error}");
        assert!(steps.done.is_empty());
    }
}
