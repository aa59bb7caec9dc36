// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the build directory of a machine's kernel, or fetches it from the machine.

use std::path::Path;

use indicatif::HumanBytes;
use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, NO_BUILD_DIR, pack_script};
use koru_protocol::Exec;
use koru_session::{ProcessEvent, Session};

use crate::{context::Context, target::name::TargetName};

/// Returns the installed headers of this machine's kernel, or otherwise Koru's tree of the
/// same release.
pub fn of_this_machine(context: &Context, release: &str) -> Result<KernelTree> {
    let installed = KernelTree::open(Path::new(&format!("/lib/modules/{release}/build")));
    installed.or_else(|e| match context.kernels.exactly(release) {
        Some(tree) => tree,
        None => Err(e.help(format!(
            "install the kernel's headers: sudo apt-get install linux-headers-{release}"
        ))),
    })
}

/// Returns `tree` if it is of the release that a target runs.
pub fn same_release(
    tree: KernelTree,
    release: &str,
    attempted: String,
    help: &str,
) -> Result<KernelTree> {
    if tree.release == release {
        return Ok(tree);
    }
    let message = format!("it runs {release}, not {}", tree.release);
    Err(Error::new(Kind::Usage, attempted, message).help(help))
}

/// Returns Koru's tree of this release, or otherwise fetches the machine's own and keeps it.
pub fn of_machine(
    context: &Context,
    session: &Session,
    target: &TargetName,
    release: &str,
) -> Result<KernelTree> {
    if let Some(tree) = context.kernels.exactly(release) {
        return tree;
    }
    let attempted = format!("fetching the headers of {release} from {target}");
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+~-".contains(c);
    if !release.chars().all(plain) {
        return Err(Error::new(
            Kind::System,
            attempted,
            "this is not the name of a kernel",
        ));
    }
    context.kernels.import(release, &*context.ui, |take| {
        let script = pack_script(&format!("/lib/modules/{release}/build"));
        let process = session.exec(Exec::new(["sh", "-c", &script]));
        let process = process?;
        let (mut stderr, mut bytes) = (Vec::new(), 0);
        loop {
            match process.next()? {
                ProcessEvent::Started(_) => {}
                ProcessEvent::Stdout(part) => {
                    bytes += part.len() as u64;
                    let status = format!("{attempted}: {}", HumanBytes(bytes));
                    context.ui.progress(&attempted, &status);
                    if let Err(e) = take(&part) {
                        return Err(Error::new(Kind::System, attempted, e.to_string()));
                    }
                }
                ProcessEvent::Stderr(part) => stderr.extend(part),
                ProcessEvent::Exited(exit) if exit.success() => return Ok(()),
                ProcessEvent::Exited(exit) if exit.status() == NO_BUILD_DIR => {
                    return Err(missing(session, attempted, release));
                }
                ProcessEvent::Exited(exit) => {
                    let message = format!("packing them on the target failed ({})", exit.status());
                    return Err(Error::new(Kind::System, attempted, message)
                        .output(String::from_utf8_lossy(&stderr))
                        .help("the target needs find, sed, sort, tar and gzip"));
                }
            }
        }
    })
}

/// Returns the error for missing headers, with the command of the machine's distribution that
/// installs them.
fn missing(session: &Session, attempted: String, release: &str) -> Error {
    let system = session.get_file("/etc/os-release").unwrap_or_default();
    let system = String::from_utf8_lossy(&system).into_owned();
    let is = |names: &[&str]| {
        let mut lines = system.lines().filter(|l| l.starts_with("ID"));
        lines.any(|l| names.iter().any(|name| l.contains(name)))
    };
    let install = match () {
        _ if is(&["debian", "ubuntu"]) => format!("sudo apt-get install linux-headers-{release}"),
        _ if is(&["fedora", "rhel"]) => format!("sudo dnf install kernel-devel-{release}"),
        _ if is(&["suse"]) => "sudo zypper install kernel-default-devel".into(),
        _ if is(&["arch"]) => "sudo pacman -S linux-headers".into(),
        _ => format!("the package of its distribution, such as linux-headers-{release}"),
    };
    Error::new(
        Kind::Missing,
        attempted,
        format!("there is no /lib/modules/{release}/build"),
    )
    .help(format!(
        "install them on the target: {install}\nor add them here: koru kernel add {release}"
    ))
}
