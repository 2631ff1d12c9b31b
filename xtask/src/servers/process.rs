//! Processes that outlive us: started apart, known again later, ended by their number.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a process may take to end when asked, before it is made to.
const GRACE: Duration = Duration::from_secs(20);

/// A process. Its number alone does not name it, as numbers are used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// When it began, as the system writes it.
    pub(crate) born: String,
}

/// The account that a program runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Process {
    /// Starts a program apart from our terminal, with its output in a file.
    ///
    /// # Errors
    /// If it cannot be started or ends at once.
    pub(crate) fn start(mut command: Command, log: &Path) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let bad = |error: std::io::Error| format!("cannot start {name}: {error}");
        let out = File::create(log).map_err(bad)?;
        let errors = out.try_clone().map_err(bad)?;
        apart(&mut command);
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .map_err(bad)?;
        let pid = child.id();
        let born = born(pid).ok_or_else(|| format!("{name} ended at once"))?;
        Ok(Process { pid, born })
    }

    /// Whether this very process still runs.
    pub(crate) fn runs(&self) -> bool {
        born(self.pid).as_ref() == Some(&self.born)
    }

    /// Ends it with a signal, and by force if that takes too long. One that ended before is fine.
    ///
    /// # Errors
    /// If it goes on even so.
    pub(crate) fn end(&self, signal: &str) -> Result<(), String> {
        for signal in [signal, "KILL"] {
            if !self.runs() {
                return Ok(());
            }
            // Whether the signal arrived shows below.
            let _ = Command::new("sh")
                .args(["-c", "kill -s \"$0\" \"$1\"", signal, &self.pid.to_string()])
                .status();
            let start = Instant::now();
            while self.runs() && start.elapsed() < GRACE {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        if self.runs() {
            return Err(format!("process {} does not end", self.pid));
        }
        Ok(())
    }
}

/// When a process that still runs began.
fn born(pid: u32) -> Option<String> {
    if Path::new("/proc/self/stat").exists() {
        let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        return born_in_stat(&text);
    }
    let pid = pid.to_string();
    let words = ["-o", "stat=,lstart=", "-p", &pid];
    let output = Command::new("ps").args(words).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let (stat, born) = text.split_once(char::is_whitespace)?;
    (!stat.starts_with('Z')).then(|| born.trim().to_owned())
}

/// Field 22 of `/proc/<pid>/stat`; the name of the program, field 2, may hold spaces and brackets.
/// A process that has ended but was not waited for (`Z`, `X`) does not run.
fn born_in_stat(stat: &str) -> Option<String> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    let born = fields.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| born.to_owned())
}

/// Whether we are the superuser.
pub(crate) fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// The first of these accounts that the system has.
pub(crate) fn account(names: &[&str]) -> Option<Account> {
    let text = std::fs::read_to_string("/etc/passwd").ok()?;
    names.iter().find_map(|name| account_in(&text, name))
}

fn account_in(passwd: &str, name: &str) -> Option<Account> {
    let mut lines = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let fields = lines.find(|fields| fields.first() == Some(&name))?;
    let number = |at: usize| fields.get(at).and_then(|field| field.parse().ok());
    let (uid, gid) = (number(2)?, number(3)?);
    Some(Account { uid, gid })
}

#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}

/// Makes a command run as another account.
#[cfg(unix)]
pub(crate) fn run_as(command: &mut Command, account: Account) {
    use std::os::unix::process::CommandExt;
    command.uid(account.uid).gid(account.gid).current_dir("/");
}

#[cfg(not(unix))]
pub(crate) fn run_as(_: &mut Command, _: Account) {}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper() -> (Process, std::path::PathBuf) {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let log = std::env::temp_dir().join(format!("fd-sleep-{}-{number}", std::process::id()));
        let mut command = Command::new("sleep");
        command.arg("600");
        (Process::start(command, &log).unwrap(), log)
    }

    #[test]
    fn a_process_is_known_again_and_ends() {
        let (process, log) = sleeper();
        assert!(process.runs());
        process.end("TERM").unwrap();
        assert!(!process.runs());
        process.end("TERM").unwrap();
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn a_number_that_was_used_again_is_left_alone() {
        let (process, log) = sleeper();
        let other = Process {
            born: "0".to_owned(),
            ..process.clone()
        };
        other.end("KILL").unwrap();
        assert!(process.runs(), "it is not the process that was recorded");
        process.end("TERM").unwrap();
        std::fs::remove_file(log).unwrap();
    }

    #[test]
    fn the_name_of_a_program_does_not_shift_the_fields() {
        let fields = "1 1 1 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 98765 1000 50";
        let born = Some("98765".to_owned());
        assert_eq!(born_in_stat(&format!("42 (a) b (c) S {fields}")), born);
        assert_eq!(born_in_stat(&format!("42 (gone) Z {fields}")), None);
        assert_eq!(born_in_stat("42 (short) S 1"), None);
    }

    #[test]
    fn accounts_are_found_by_their_whole_name() {
        let text =
            "root:x:0:0:root:/root:/bin/sh\nmysqlx:x:7:8::/:\nmysql:x:101:102::/:/bin/false\n";
        let (uid, gid) = (101, 102);
        assert_eq!(account_in(text, "mysql"), Some(Account { uid, gid }));
        assert_eq!(account_in(text, "postgres"), None);
    }
}
