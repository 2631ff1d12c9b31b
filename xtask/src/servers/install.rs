//! Installs missing servers from Debian's packages, or says how to.

use super::Server;
use super::process::is_root;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Installs packages as root.
#[derive(Debug, Default)]
pub(crate) struct Installer {
    updated: bool,
}

impl Installer {
    /// Installs what a server needs; `folder` is where MySQL's own root goes.
    ///
    /// # Errors
    /// If we are not root, or a package cannot be had.
    pub(crate) fn install(&mut self, server: Server, folder: &Path) -> Result<(), String> {
        if !is_root() {
            return Err(format!("installing needs root\n{}", hint(server)));
        }
        if !self.updated {
            run(Command::new("apt-get").args(["-q", "update"]))?;
            self.updated = true;
        }
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive");
        // Another installation, such as the one at a machine's first start, may hold the lock.
        install.args(["-o", "DPkg::Lock::Timeout=300", "-q", "install", "-y"]);
        install
            .arg("--no-install-recommends")
            .args(packages(server));
        run(&mut install)?;
        if server == Server::MySql {
            let script = "xtask/servers/mysql.sh";
            run(Command::new(script).arg(mysql_root(folder)))?;
        }
        Ok(())
    }
}

/// The folder with MySQL's own root file system.
pub(crate) fn mysql_root(folder: &Path) -> PathBuf {
    folder.join("mysql-root")
}

/// Shows what it does on standard error, as standard output may be read by a shell.
fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}").replace('"', "");
    eprintln!("+ {shown}");
    let status = command
        .stdin(Stdio::null())
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| format!("cannot run {shown}: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{shown} failed, {status}"))
}

fn packages(server: Server) -> &'static [&'static str] {
    match server {
        Server::Postgres => &["postgresql"],
        Server::MariaDb => &["mariadb-server"],
        Server::PgBouncer => &["pgbouncer"],
        Server::MySql => &["debootstrap", "debian-archive-keyring", "gpgv"],
    }
}

/// What to do about a missing server.
pub(crate) fn hint(server: Server) -> String {
    let (title, variable) = (server.title(), server.variable());
    let packages = packages(server).join(" ");
    let install = match server {
        // Debian's stable releases do not carry it.
        Server::MySql => format!(
            "as root `cargo xtask servers up --install`, which runs `apt-get install {packages}` \
             and puts MySQL from Debian unstable into a folder of its own"
        ),
        _ => format!("`apt-get install {packages}`, or as root `cargo xtask servers up --install`"),
    };
    let without = match server {
        Server::PgBouncer => Server::Postgres,
        server => server,
    };
    format!(
        "{title} is missing. Ways to have it:\n  \
         - install it: {install}\n  \
         - start Docker with its Compose plugin, for the services of `compose.yaml`\n  \
         - name a server that runs: {variable}=URL, of a user that may create databases\n  \
         - test without it: `cargo xtask test --without {}`",
        without.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_names_the_command_to_install_it() {
        for (server, command) in [
            (Server::Postgres, "`apt-get install postgresql`"),
            (Server::MariaDb, "`apt-get install mariadb-server`"),
            (Server::PgBouncer, "`apt-get install pgbouncer`"),
            (
                Server::MySql,
                "`apt-get install debootstrap debian-archive-keyring gpgv`",
            ),
        ] {
            let hint = hint(server);
            assert!(hint.contains(command), "{hint}");
            assert!(hint.contains(server.variable()), "{hint}");
        }
    }
}
