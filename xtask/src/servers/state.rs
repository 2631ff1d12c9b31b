//! What we started, in a file, so that another command can use it and end it.

use super::Server;
use super::process::Process;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A server that we started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) server: Server,
    pub(crate) url: String,
    pub(crate) version: String,
    pub(crate) how: How,
    /// The URL of the server that it stands in front of.
    pub(crate) upstream: Option<String>,
    /// Only a test run needs it: it ends with the last of them.
    pub(crate) temporary: bool,
}

/// How we started a server, which is how it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// A process of ours, with a folder of data that goes with it.
    Private { process: Process, folder: PathBuf },
    /// A service of `compose.yaml`.
    Docker,
}

/// The file with the entries.
#[derive(Debug)]
pub(crate) struct State {
    path: PathBuf,
    pub(crate) entries: Vec<Entry>,
}

impl State {
    /// Reads the file of a folder; without a file there are no entries.
    ///
    /// # Errors
    /// If the file cannot be read or is not ours: what it holds may still run.
    pub(crate) fn load(folder: &Path) -> Result<Self, String> {
        let path = folder.join("state.json");
        let bad = |why: String| format!("{}: {why}", path.display());
        let entries = match std::fs::read_to_string(&path) {
            Ok(text) => read(&text).map_err(bad)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(bad(error.to_string())),
        };
        Ok(State { path, entries })
    }

    /// Writes the file, as a whole or not at all.
    pub(crate) fn save(&self) -> Result<(), String> {
        let bad = |error: std::io::Error| format!("{}: {error}", self.path.display());
        let draft = self.path.with_extension("json.new");
        std::fs::write(&draft, write(&self.entries)).map_err(bad)?;
        std::fs::rename(&draft, &self.path).map_err(bad)
    }

    pub(crate) fn find(&self, server: Server) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.server == server)
    }

    /// Puts an entry in the place of the one for the same server.
    pub(crate) fn put(&mut self, entry: Entry) -> Result<(), String> {
        self.entries.retain(|old| old.server != entry.server);
        self.entries.push(entry);
        self.save()
    }
}

fn write(entries: &[Entry]) -> String {
    let entries = entries.iter().map(|entry| {
        let mut value = json!({
            "server": entry.server.name(),
            "url": entry.url,
            "version": entry.version,
            "upstream": entry.upstream,
            "temporary": entry.temporary,
        });
        match &entry.how {
            How::Docker => value["how"] = json!("docker"),
            How::Private { process, folder } => {
                value["how"] = json!("private");
                value["pid"] = json!(process.pid);
                value["born"] = json!(process.born);
                value["folder"] = json!(folder);
            }
        }
        value
    });
    let all = json!({ "servers": entries.collect::<Vec<_>>() });
    format!("{all:#}\n")
}

fn read(text: &str) -> Result<Vec<Entry>, String> {
    let all: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let list = all["servers"]
        .as_array()
        .ok_or("it has no list `servers`")?;
    list.iter().map(entry).collect()
}

fn entry(value: &Value) -> Result<Entry, String> {
    let word = |key: &str| {
        let word = value[key].as_str().map(str::to_owned);
        word.ok_or_else(|| format!("an entry has no text `{key}`"))
    };
    let how = match word("how")?.as_str() {
        "docker" => How::Docker,
        "private" => {
            let pid = value["pid"]
                .as_u64()
                .and_then(|pid| u32::try_from(pid).ok());
            let (pid, born) = (pid.ok_or("an entry has no number `pid`")?, word("born")?);
            let process = Process { pid, born };
            let folder = word("folder")?.into();
            How::Private { process, folder }
        }
        other => return Err(format!("`{other}` is no way to start a server")),
    };
    Ok(Entry {
        server: Server::parse(&word("server")?)?,
        url: word("url")?,
        version: word("version")?,
        how,
        upstream: value["upstream"].as_str().map(str::to_owned),
        temporary: value["temporary"].as_bool().unwrap_or(false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let process = Process {
            pid: 7,
            born: "123".to_owned(),
        };
        let private = Entry {
            server: Server::Postgres,
            url: "postgres://postgres@127.0.0.1:6000/postgres".to_owned(),
            version: "17.2".to_owned(),
            how: How::Private {
                process,
                folder: "/x/postgres \"1\"".into(),
            },
            upstream: None,
            temporary: true,
        };
        let docker = Entry {
            server: Server::MySql,
            how: How::Docker,
            upstream: Some("postgres://a@b:1/c".to_owned()),
            temporary: false,
            ..private.clone()
        };
        vec![private, docker]
    }

    #[test]
    fn what_is_written_can_be_read() {
        assert_eq!(read(&write(&entries())), Ok(entries()));
        assert_eq!(read(&write(&[])), Ok(Vec::new()));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_no_empty_state() {
        for text in [
            "",
            "{}",
            "{\"servers\":[{}]}",
            "{\"servers\":[{\"how\":\"magic\"}]}",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let without_pid = write(&entries()).replace("\"pid\": 7", "\"pid\": -7");
        assert_eq!(
            read(&without_pid).unwrap_err(),
            "an entry has no number `pid`"
        );
    }

    #[test]
    fn an_entry_takes_the_place_of_its_server() {
        let folder = std::env::temp_dir().join(format!("fd-state-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let mut state = State::load(&folder).unwrap();
        for entry in entries() {
            state.put(entry.clone()).unwrap();
            state.put(entry).unwrap();
        }
        let again = State::load(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(again.entries, entries());
        assert_eq!(again.find(Server::MySql), Some(&entries()[1]));
        assert_eq!(again.find(Server::MariaDb), None);
    }
}
