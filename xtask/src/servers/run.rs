//! Servers for the time of one command: used if they are up, else started and ended after it.

use super::{Wanted, down, folder, up};
use std::fs::File;

/// The servers of a command that runs tests.
#[derive(Debug)]
pub(crate) struct Run {
    /// Held together with other runs; whoever holds it alone is the last.
    lease: Option<File>,
    env: Vec<(String, String)>,
}

impl Run {
    /// Brings servers up; none if none are wanted.
    ///
    /// # Errors
    /// If one is missing. What was started for this run is down again.
    pub(crate) fn begin(wanted: Wanted) -> Result<Self, String> {
        if wanted.servers.is_empty() {
            let (lease, env) = (None, Vec::new());
            return Ok(Run { lease, env });
        }
        let mut run = Run {
            lease: Some(lease()?),
            env: Vec::new(),
        };
        match up(&wanted, true) {
            Ok(urls) => {
                let named = urls.into_iter();
                run.env = named
                    .map(|(s, url)| (s.variable().to_owned(), url))
                    .collect();
                Ok(run)
            }
            Err(why) => match run.end() {
                Ok(()) => Err(why),
                Err(also) => Err(format!("{why}\n\n{also}")),
            },
        }
    }

    /// The variables that tell the tests where the servers are.
    pub(crate) fn env(&self) -> &[(String, String)] {
        &self.env
    }

    /// Ends what was started for test runs, if this is the last of them.
    ///
    /// # Errors
    /// If a server does not end.
    pub(crate) fn end(self) -> Result<(), String> {
        let Some(lease) = self.lease else {
            return Ok(());
        };
        drop(lease);
        let alone = open()?;
        if alone.try_lock().is_err() {
            return Ok(());
        }
        let ended = down(true)?;
        if !ended.is_empty() {
            eprintln!("{ended}");
        }
        Ok(())
    }
}

fn lease() -> Result<File, String> {
    let file = open()?;
    file.lock_shared().map_err(|error| error.to_string())?;
    Ok(file)
}

fn open() -> Result<File, String> {
    let folder = folder();
    let file = std::fs::create_dir_all(&folder).and_then(|()| File::create(folder.join("in-use")));
    file.map_err(|error| format!("{}: {error}", folder.display()))
}
