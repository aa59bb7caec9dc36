use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Kind, Result, run};

/// A rustc, and the library source of exactly its version.
#[derive(Debug, Clone)]
pub struct Toolchain {
    pub rustc: PathBuf,
    /// `1.96.0`
    pub release: String,
    /// All of `rustc -vV`, for keys.
    pub version: String,
    /// The folder that has `core/src/lib.rs`.
    pub library: PathBuf,
    /// What `rustc -Zhelp` lists: flags are probed, not guessed from versions.
    unstable_options: String,
}

/// The oldest rustc that upstream's `kernel` crate takes as well.
const OLDEST: (u32, u32) = (1, 85);

impl Toolchain {
    /// The newest pair of a rustc and its library source on this machine;
    /// `$KORU_RUSTC` is taken before all others.
    pub fn find() -> Result<Toolchain> {
        let mut tried = Vec::new();
        let mut found: Vec<Toolchain> = Vec::new();
        let chosen = env::var_os("KORU_RUSTC").map(PathBuf::from);
        for rustc in candidates() {
            let Some((release, version)) = version(&rustc) else {
                continue;
            };
            match library(&rustc, &release) {
                Some(library) if minor(&release) >= Some(OLDEST) => {
                    let help = run(
                        Command::new(&rustc)
                            .arg("-Zhelp")
                            .env("RUSTC_BOOTSTRAP", "1"),
                        "asking rustc for its options",
                    )?;
                    let toolchain = Toolchain {
                        rustc: rustc.clone(),
                        release,
                        version,
                        library,
                        unstable_options: help.stdout,
                    };
                    if Some(&rustc) == chosen.as_ref() {
                        return Ok(toolchain);
                    }
                    found.push(toolchain);
                }
                Some(_) => tried.push(format!("{} {release}: too old", rustc.display())),
                None => tried.push(format!(
                    "{} {release}: no library source of this version",
                    rustc.display()
                )),
            }
        }
        found.sort_by_key(|t| minor(&t.release));
        found.pop().ok_or_else(|| {
            let wrong = if tried.is_empty() {
                "there is no rustc here".to_owned()
            } else {
                tried.join("; ")
            };
            Error::new(
                Kind::Missing,
                "looking for a rustc with its library source",
                wrong,
            )
            .todo(
                "`koru setup` installs a pair; with rustup: `rustup component add rust-src`; \
                 on Debian 12: `apt-get install rustc-web rust-web-src`, \
                 later: `apt-get install rustc rust-src`",
            )
        })
    }

    /// Whether this rustc knows the unstable option `name`.
    pub fn has_option(&self, name: &str) -> bool {
        self.unstable_options.lines().any(|line| {
            line.trim_start()
                .strip_prefix("-Z")
                .and_then(|option| option.trim_start().split('=').next())
                == Some(name)
        })
    }

    /// `(1, 96)` of `1.96.0`.
    pub fn minor(&self) -> (u32, u32) {
        minor(&self.release).unwrap_or(OLDEST)
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut all = Vec::new();
    all.extend(env::var_os("KORU_RUSTC").map(PathBuf::from));
    for dir in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        all.push(dir.join("rustc"));
    }
    all.push("/usr/bin/rustc".into());
    let rustup = env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|h| PathBuf::from(h).join(".rustup")));
    if let Some(rustup) = rustup {
        let toolchains = std::fs::read_dir(rustup.join("toolchains"));
        for entry in toolchains.into_iter().flatten().flatten() {
            all.push(entry.path().join("bin/rustc"));
        }
    }
    let mut unique = Vec::new();
    for rustc in all {
        // /bin is /usr/bin; but rustup's shims are links to rustup, which looks
        // at the name it is called by.
        if rustc.is_file() && !unique.contains(&rustc) && !rustc.starts_with("/bin") {
            unique.push(rustc);
        }
    }
    unique
}

fn version(rustc: &Path) -> Option<(String, String)> {
    let run = run(
        Command::new(rustc).arg("-vV"),
        "asking rustc for its version",
    )
    .ok()?;
    let release = run
        .stdout
        .lines()
        .find_map(|l| l.strip_prefix("release: "))?
        .to_owned();
    Some((release, run.stdout))
}

fn library(rustc: &Path, release: &str) -> Option<PathBuf> {
    let sysroot = run(
        Command::new(rustc).args(["--print", "sysroot"]),
        "asking rustc for its sysroot",
    )
    .ok()?;
    [
        // rustup's rust-src component belongs to its toolchain.
        PathBuf::from(sysroot.stdout.trim()).join("lib/rustlib/src/rust/library"),
        // Debian's rust-src packages carry the version in their path.
        PathBuf::from(format!("/usr/src/rustc-{release}/library")),
    ]
    .into_iter()
    .find(|l| l.join("core/src/lib.rs").is_file())
}

fn minor(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}
