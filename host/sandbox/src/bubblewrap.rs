// SPDX-License-Identifier: MIT OR Apache-2.0

//! The command line of bubblewrap: what the program sees, and who it is.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{Seek, Write},
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use koru_error::{Error, IoContext, Kind, Result};
use rustix::fs::{MemfdFlags, memfd_create};

use crate::{Sandbox, ids, x86::seccomp};

/// The folders of the distribution's programs and libraries. On most distributions, all but the
/// first are links into it.
const SYSTEM: [&str; 7] = [
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
];

/// The folders that are links into `/usr` in [another system](Sandbox::system).
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// Where another system's programs are.
const PATH: &str = "/usr/sbin:/usr/bin";

/// What the dynamic linker and the distribution's choice of compilers need.
const SETTINGS: [&str; 4] = [
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
];

/// Where the program's own files are, before they are copied into its work folder.
const SOURCES: &str = "/run/sources";

/// The byte that says that the sandbox exists.
pub const MADE: u8 = b'M';
/// The byte that says that the work folder is filled and that the program waits for a line.
pub const READY: u8 = b'R';

/// Runs in the sandbox before the program, is trusted, and becomes the program. It waits for a
/// line because this process first opens the work folder. If this process dies instead, the
/// program never starts.
const PRELUDE: &str = r#"
printf M
from=$1 at=$2 owner=$3
shift 3
if [ -n "$at" ]; then
    /usr/bin/cp -R --preserve=timestamps -- "$from/." "$at" || exit 1
    [ -z "$owner" ] || /usr/bin/chown -R -- "$owner:$owner" "$at" || exit 1
fi
printf R
read -r _ || exit 1
exec "$@" </dev/null
"#;

/// Returns bubblewrap's command, with pipes for all streams, and the file that it inherits.
pub fn command(
    sandbox: &Sandbox,
    program: &Command,
    attempted: &str,
) -> Result<(Command, OwnedFd)> {
    let bwrap = on_path("bwrap").ok_or_else(|| {
        let message = "there is no bubblewrap (`bwrap`) here; it keeps a build away from your \
                       files and the network";
        Error::new(Kind::Missing, attempted, message)
            .help("`koru setup` installs it; `--trust` builds without a sandbox")
    })?;
    let name = Path::new(program.get_program());
    let is_missing = match &sandbox.system {
        Some(root) => !root.join("usr/bin").join(name).exists(),
        None => on_path(name).is_none(),
    };
    if name.components().count() == 1 && is_missing {
        return Err(Error::new(
            Kind::Missing,
            attempted,
            format!("there is no `{}` here", name.display()),
        )
        .help("`koru doctor` says how to get what is missing; `koru setup` gets it"));
    }
    let filter = filter().context(attempted)?;
    let owner = match rustix::process::geteuid().is_root() {
        true => Some(ids::owner(&sandbox.writable)?.to_string()),
        false => None,
    };
    let mut command = Command::new(bwrap);
    command
        .args(["--unshare-ipc", "--unshare-pid", "--unshare-net"])
        .args(["--unshare-uts", "--unshare-cgroup-try"])
        .args(["--new-session", "--die-with-parent"])
        .args(["--hostname", "sandbox"]);
    match owner {
        // The prelude gives the work folder to the program's user, and becomes that user.
        Some(_) => command
            .args(["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"])
            .args(["--cap-add", "CAP_CHOWN"]),
        None => command.arg("--unshare-user"),
    };
    command
        .arg("--seccomp")
        .arg(filter.as_raw_fd().to_string())
        .args(view(sandbox)?)
        .arg("--chdir")
        .arg(match (program.get_current_dir(), &sandbox.work) {
            (Some(dir), _) => dir,
            (None, Some((_, at))) => at,
            (None, None) => Path::new("/"),
        })
        .args(["--", "/bin/sh", "-c", PRELUDE, "sandbox", SOURCES])
        .arg(sandbox.work.as_ref().map_or(Path::new(""), |(_, at)| at))
        .arg(owner.as_deref().unwrap_or_default());
    if let Some(owner) = &owner {
        command
            .args(["/usr/bin/setpriv", "--reuid", owner, "--regid", owner])
            .args(["--clear-groups", "--inh-caps=-all"]);
    }
    let limits = &sandbox.limits;
    command
        .arg("/usr/bin/prlimit")
        .arg(format!("--as={}", limits.memory))
        // A plain user's limit counts bubblewrap as well. The limit can be exceeded by one, so
        // that it shows.
        .arg(format!("--nproc={}", limits.processes.saturating_add(2)))
        .arg(format!("--fsize={}", limits.disk))
        .arg("--core=0")
        .arg("--")
        .arg(program.get_program())
        .args(program.get_args());
    environment(&mut command, program);
    if sandbox.system.is_some() {
        command.env("PATH", PATH);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok((command, filter))
}

/// Returns the command that runs a program that is trusted, outside of any sandbox, with the
/// programs and libraries of another system, as [`Sandbox::system`] takes it, in place of this
/// machine's. `kept` are folders in `/usr` that stay this machine's own; `shown` are folders that
/// the program sees at another path, which must exist.
pub fn with_system(
    root: &Path,
    kept: &[&str],
    shown: &[(&Path, &str)],
    program: &Command,
    attempted: &str,
) -> Result<Command> {
    let bwrap = on_path("bwrap").ok_or_else(|| {
        let message = format!(
            "there is no bubblewrap (`bwrap`) here; it shows the tools in {} to the build",
            root.display()
        );
        Error::new(Kind::Missing, attempted, message).help("`koru setup` installs it")
    })?;
    let usr = root.join("usr");
    let mut inside = Command::new(bwrap);
    inside.args(["--die-with-parent", "--dev-bind", "/", "/", "--ro-bind"]);
    inside.arg(&usr).arg("/usr");
    for folder in kept {
        inside.args(["--dev-bind-try", folder, folder]);
    }
    for (folder, at) in shown {
        inside.arg("--bind").arg(folder).arg(at);
    }
    for name in MERGED {
        let at = Path::new("/").join(name);
        if at.is_dir() && !at.is_symlink() {
            inside.arg("--ro-bind").arg(usr.join(name)).arg(at);
        }
    }
    inside
        .arg("--")
        .arg(program.get_program())
        .args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => inside.env(name, value),
            None => inside.env_remove(name),
        };
    }
    if let Some(dir) = program.get_current_dir() {
        inside.current_dir(dir);
    }
    inside.env("PATH", PATH);
    Ok(inside)
}

/// Returns the options that make the file system of the sandbox.
fn view(sandbox: &Sandbox) -> Result<Vec<OsString>> {
    let mut view = Options::default();
    match &sandbox.system {
        Some(root) => view.other_system(root),
        None => view.this_system(),
    }
    view.add(["--proc", "/proc", "--dev", "/dev"]);
    view.memory(Path::new("/tmp"), sandbox.limits.disk);
    let readable = readable(&sandbox.readable)?;
    for path in &readable {
        view.folders_above(path, &readable);
        view.read_only(path, path);
    }
    for path in &sandbox.writable {
        let real = path.canonicalize().path_context("finding", path)?;
        // In a folder that is shown, a link leads to the real one as it does outside.
        let shown = readable.iter().any(|r| path.starts_with(r));
        let mut places = vec![&real];
        places.extend(Some(path).filter(|path| !shown && **path != real));
        for at in places {
            view.folders_above(at, &readable);
            view.add(["--bind".as_ref(), real.as_os_str(), at.as_os_str()]);
        }
    }
    if let Some((from, at)) = &sandbox.work {
        view.folders_above(Path::new(SOURCES), &[]);
        view.read_only(from, Path::new(SOURCES));
        view.folders_above(at, &readable);
        view.memory(at, sandbox.limits.disk);
    }
    // What bubblewrap itself made is in memory as well, and has no limit.
    view.add(["--remount-ro", "/dev", "--remount-ro", "/"]);
    Ok(view.0)
}

/// Returns the folders and files to show, each under its own path and under the one that links
/// in that lead to. What is in one of these folders is not listed.
fn readable(given: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for path in given {
        let real = path.canonicalize().path_context("finding", path)?;
        let path = std::path::absolute(path).path_context("finding", path)?;
        for path in [real, path] {
            let system = SYSTEM.iter().any(|s| path.starts_with(s));
            if path.parent().is_none() {
                return Err(Error::new(
                    Kind::Usage,
                    "making a sandbox",
                    "`/` cannot be shown in a sandbox, because the program could then read everything",
                )
                .help("name the folders that the program has to read"));
            }
            if !system && !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    // A folder comes before what is in it.
    paths.sort();
    let mut outer: Vec<PathBuf> = Vec::new();
    for path in paths {
        if !outer.iter().any(|o| path.starts_with(o)) {
            outer.push(path);
        }
    }
    Ok(outer)
}

#[derive(Default)]
struct Options(Vec<OsString>);

impl Options {
    fn add<const N: usize>(&mut self, words: [impl Into<OsString>; N]) {
        self.0.extend(words.map(Into::into));
    }

    fn this_system(&mut self) {
        for folder in SYSTEM.map(Path::new) {
            match fs::read_link(folder) {
                Ok(target) => {
                    self.add(["--symlink".as_ref(), target.as_os_str(), folder.as_os_str()]);
                }
                Err(_) => self.read_only(folder, folder),
            }
        }
        for file in SETTINGS.map(Path::new) {
            self.folders_above(file, &[]);
            self.read_only(file, file);
        }
    }

    /// Shows the system in a folder, which has no settings.
    fn other_system(&mut self, root: &Path) {
        self.read_only(&root.join("usr"), Path::new("/usr"));
        for name in MERGED {
            self.add(["--symlink", &format!("usr/{name}"), &format!("/{name}")]);
        }
    }

    fn read_only(&mut self, from: &Path, at: &Path) {
        self.add(["--ro-bind-try".as_ref(), from.as_os_str(), at.as_os_str()]);
    }

    /// Makes the folders that lead to `path`, which bubblewrap would make for root only. Those
    /// in a folder of `mounted` exist already.
    fn folders_above(&mut self, path: &Path, mounted: &[PathBuf]) {
        let above: Vec<&Path> = path.ancestors().skip(1).collect();
        for folder in above.into_iter().rev() {
            let exists = SYSTEM.iter().map(Path::new).any(|s| folder.starts_with(s))
                || mounted.iter().any(|m| folder.starts_with(m))
                || [Path::new("/"), Path::new("/tmp")].contains(&folder);
            if !exists {
                self.add(["--perms", "0755", "--dir"]);
                self.add([folder]);
            }
        }
    }

    /// Mounts a file system in memory, in which everybody may write.
    fn memory(&mut self, at: &Path, size: u64) {
        self.add(["--perms", "1777", "--size", &size.to_string(), "--tmpfs"]);
        self.add([at]);
    }
}

/// Gives the program the search path, the language, and the variables that its command sets.
fn environment(command: &mut Command, program: &Command) {
    command.env_clear();
    for name in ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "LC_MESSAGES"] {
        command.envs(env::var_os(name).map(|value| (name, value)));
    }
    command.env("HOME", "/tmp").env("TMPDIR", "/tmp");
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
}

/// Returns the filter of system calls as a file that a child inherits.
fn filter() -> std::io::Result<OwnedFd> {
    // Not closed on exec: any child may read it, since it holds nothing secret.
    let mut file = File::from(memfd_create("seccomp", MemfdFlags::empty())?);
    file.write_all(&seccomp::filter())?;
    file.rewind()?;
    Ok(file.into())
}

/// Returns the path of the program of this name in the `PATH`, if there is one.
pub fn on_path(name: impl AsRef<Path>) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|dir| dir.join(name.as_ref()))
        .find(|path| path.is_file())
}

/// The settings of a kernel that forbid namespaces, and the value that does.
const FORBIDDING: [(&str, &str); 3] = [
    ("user.max_user_namespaces", "0"),
    ("kernel.unprivileged_userns_clone", "0"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1"),
];

/// Returns why bubblewrap could not make the sandbox, from what it printed.
pub fn refusal(said: &str, attempted: &str) -> Error {
    let setting = FORBIDDING.into_iter().find(|(name, value)| {
        let file = Path::new("/proc/sys").join(name.replace('.', "/"));
        fs::read_to_string(file).is_ok_and(|set| set.trim() == *value)
    });
    let line = said.lines().find_map(|l| l.strip_prefix("bwrap: "));
    let reason = line.unwrap_or_default();
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    let why = if has(&["Unknown option"]) {
        "this bubblewrap is too old (0.8 or later is needed)".to_owned()
    } else if has(&["pivot_root", "make / slave"]) {
        "the root folder is a chroot, not a mount of its own".to_owned()
    } else if has(&["ermission", "not permitted", "namespace", "No space left"]) {
        let by = setting.map(|(name, value)| format!(" (the setting {name} is {value})"));
        format!(
            "this machine or container does not allow you to make namespaces{}",
            by.unwrap_or_default()
        )
    } else if reason.is_empty() {
        "bubblewrap gave no reason".to_owned()
    } else {
        format!("bubblewrap says: {reason}")
    };
    Error::new(
        Kind::System,
        attempted,
        format!("no sandbox can be made here: {why}"),
    )
    .help("`--trust` builds without a sandbox, if you trust the sources")
    .output(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_their_reasons() {
        for (said, why) in [
            ("bwrap: Unknown option --size\n", "too old"),
            ("bwrap: pivot_root: Invalid argument\n", "a chroot"),
            (
                "bwrap: Failed to make / slave: Invalid argument\n",
                "a chroot",
            ),
            (
                "bwrap: setting up uid map: Permission denied\n",
                "does not allow you to make namespaces",
            ),
            (
                "bwrap: Creating new namespace failed: Operation not permitted\n",
                "does not allow you to make namespaces",
            ),
            (
                "bwrap: execvp sh: No such file or directory\n",
                "bubblewrap says: execvp sh",
            ),
        ] {
            let error = refusal(said, "building x");
            assert!(error.message.contains(why), "{said}: {}", error.message);
            assert!(error.help.unwrap().contains("--trust"));
            assert_eq!(error.output.as_deref(), Some(said));
        }
    }

    #[test]
    fn inner_folders_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a b/c");
        fs::create_dir_all(&inner).unwrap();
        let given = [inner, dir.path().to_owned(), "/usr/lib".into()];
        let outer = dir.path().canonicalize().unwrap();
        assert_eq!(readable(&given).unwrap(), [outer]);
    }

    #[test]
    fn everything_is_not_readable() {
        let error = readable(&["/".into()]).unwrap_err();
        assert_eq!(error.kind, Kind::Usage);
        assert_eq!(readable(&["/usr/..".into()]).unwrap_err().kind, Kind::Usage);
    }

    #[test]
    fn command_with_another_system_keeps_its_folder_and_variables() {
        let mut make = Command::new("make");
        make.arg("x")
            .current_dir("/tmp")
            .env("A", "b")
            .env_remove("C");
        let inside = with_system(Path::new("/u"), &["/usr/local"], &[], &make, "testing").unwrap();
        assert_eq!(inside.get_current_dir(), Some(Path::new("/tmp")));
        let arguments: Vec<_> = inside.get_args().collect();
        assert!(arguments.ends_with(&["--".as_ref(), "make".as_ref(), "x".as_ref()]));
        let envs: Vec<_> = inside.get_envs().collect();
        assert!(envs.contains(&("A".as_ref(), Some("b".as_ref()))));
        assert!(envs.contains(&("C".as_ref(), None)));
    }
}
