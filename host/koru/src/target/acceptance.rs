// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks whether a machine's kernel will accept a module, before it is loaded.

use std::fs;

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::ModInfo;
use koru_protocol::Exec;
use koru_session::Session;

use crate::loadable::Loadable;

/// The end of a `.ko` that was signed.
const SIGNED: &[u8] = b"~Module signature appended~\n";

const SECURE_BOOT: &str =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

/// The bit of CAP_SYS_MODULE.
const MAY_LOAD: u64 = 1 << 16;

/// Returns an error if the kernel would refuse the module, with the reason and a remedy.
/// `place` names the kernel.
pub fn check(session: &Session, module: &Loadable, release: &str, place: &str) -> Result<()> {
    let content = fs::read(&module.path).path_context("reading", &module.path)?;
    let info = ModInfo::read(&module.path)?;
    let ours = info.get("vermagic").unwrap_or_default();
    let capabilities = TargetCapabilities::read(session, release)?;
    match capabilities.blocker(ours, content.ends_with(SIGNED), release) {
        None => Ok(()),
        Some(LoadBlocker {
            kind,
            message,
            help,
        }) => {
            let attempted = format!("loading {} into {place}", module.name);
            Err(Error::new(kind, attempted, message).help(help))
        }
    }
}

/// What the machine reports about itself. Fields are empty where it reports nothing.
#[derive(Default)]
struct TargetCapabilities {
    status: String,
    uid_map: String,
    modules_disabled: String,
    sig_enforce: String,
    lockdown: String,
    secure_boot: bool,
    /// The vermagic of one of the kernel's own modules.
    vermagic: String,
}

#[derive(Debug)]
struct LoadBlocker {
    kind: Kind,
    message: String,
    help: String,
}

impl TargetCapabilities {
    fn read(session: &Session, release: &str) -> Result<TargetCapabilities> {
        let bytes = |path: &str| match session.get_file(path) {
            Ok(bytes) => Ok(bytes),
            Err(koru_session::Error::Refused { .. }) => Ok(Vec::new()),
            Err(e) => Err(Error::from(e)),
        };
        let text = |path: &str| bytes(path).map(|b| String::from_utf8_lossy(&b).trim().to_owned());
        // The module may be compressed; modinfo can read it nevertheless.
        let script = format!(
            "one=$(find /lib/modules/{release}/kernel -name '*.ko*' | head -n 1)
            [ -n \"$one\" ] && modinfo -F vermagic \"$one\""
        );
        let own = session.output(Exec::new(["sh", "-c", &script]));
        let own = own.map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
        Ok(TargetCapabilities {
            // This is the agent's own status, because the agent loads modules.
            status: text("/proc/self/status")?,
            uid_map: text("/proc/self/uid_map")?,
            modules_disabled: text("/proc/sys/kernel/modules_disabled")?,
            sig_enforce: text("/sys/module/module/parameters/sig_enforce")?,
            lockdown: text("/sys/kernel/security/lockdown")?,
            // The variable has four bytes of attributes, then the value.
            secure_boot: bytes(SECURE_BOOT)?.get(4) == Some(&1),
            vermagic: own.unwrap_or_default(),
        })
    }

    /// Returns the first reason why a module with this vermagic cannot be loaded.
    fn blocker(&self, ours: &str, signed: bool, release: &str) -> Option<LoadBlocker> {
        let refuse = |kind, message: String, help: &str| {
            Some(LoadBlocker {
                kind,
                message,
                help: help.into(),
            })
        };
        let built_for = ours.split(' ').next().unwrap_or_default();
        if built_for != release {
            return refuse(
                Kind::Usage,
                format!("it was built for {built_for}, and this kernel is {release}"),
                "give koru the module's folder or name instead of the .ko, and koru builds it for \
                 that kernel",
            );
        }
        let theirs = &self.vermagic;
        let same = words(ours).eq(words(theirs));
        if theirs.starts_with(&format!("{release} ")) && !same {
            return refuse(
                Kind::Usage,
                format!("it was built for `{ours}`, and the kernel's own modules for `{theirs}`"),
                "build it with the headers of exactly that kernel",
            );
        }
        if !self.may_load() {
            return refuse(
                Kind::System,
                "root there may not load modules (no CAP_SYS_MODULE): it is a container".into(),
                "use the machine that the container is on, or a virtual machine: --target vm",
            );
        }
        if self.modules_disabled == "1" {
            return refuse(
                Kind::System,
                "it does not allow loading modules any more (kernel.modules_disabled is 1)".into(),
                "only a reboot turns that off; look in /etc/sysctl.d for what sets it",
            );
        }
        if signed {
            return None;
        }
        const SIGN: &str = "sign the module with a key that this kernel trusts (scripts/sign-file)";
        let secure_boot = match self.secure_boot {
            true => ", as Secure Boot is on",
            false => "",
        };
        if let Some(level) = self.lockdown() {
            return refuse(
                Kind::System,
                format!(
                    "the module is not signed, and the kernel is locked down ({level}\
                     {secure_boot})"
                ),
                &match self.secure_boot {
                    true => format!(
                        "in a virtual machine: turn Secure Boot off in its firmware; or {SIGN}"
                    ),
                    false => format!("boot without lockdown= on the command line; or {SIGN}"),
                },
            );
        }
        if self.sig_enforce == "Y" {
            return refuse(
                Kind::System,
                format!(
                    "the module is not signed, and the kernel requires signatures \
                     (module.sig_enforce{secure_boot})"
                ),
                &format!("boot without module.sig_enforce; or {SIGN}"),
            );
        }
        None
    }

    fn may_load(&self) -> bool {
        let field = |name: &str| self.status.lines().find_map(|l| l.strip_prefix(name));
        let capabilities = field("CapEff:").map(|c| u64::from_str_radix(c.trim(), 16));
        // In a user namespace root has all capabilities, but they count for nothing outside of
        // it.
        let namespace = words(&self.uid_map).eq(["0", "0", "4294967295"]);
        let within = !self.uid_map.is_empty() && !namespace;
        !within && capabilities.is_none_or(|c| c.is_ok_and(|c| c & MAY_LOAD != 0))
    }

    /// Returns the level of the lockdown from a text such as `none [integrity]
    /// confidentiality`.
    fn lockdown(&self) -> Option<&str> {
        let (_, rest) = self.lockdown.split_once('[')?;
        let (level, _) = rest.split_once(']')?;
        (level != "none").then_some(level)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: &str = "6.1.0-9 SMP preempt mod_unload modversions ";

    fn refused(capabilities: &TargetCapabilities, magic: &str, signed: bool) -> String {
        let refusal = capabilities.blocker(magic, signed, "6.1.0-9");
        refusal.map_or("no".into(), |r| r.message)
    }

    #[test]
    fn reasons() {
        let plain = TargetCapabilities {
            status: "Name:\tx\nCapEff:\t000001ffffffffff\n".into(),
            uid_map: "         0          0 4294967295".into(),
            modules_disabled: "0".into(),
            sig_enforce: "N".into(),
            lockdown: "[none] integrity confidentiality".into(),
            secure_boot: true,
            vermagic: MAGIC.trim().into(),
        };
        assert_eq!(refused(&plain, MAGIC, false), "no");
        // A machine that reports nothing at all is assumed to accept the module.
        assert_eq!(refused(&TargetCapabilities::default(), MAGIC, false), "no");
        assert!(refused(&plain, "6.1.0-8 SMP", false).contains("6.1.0-8"));
        assert!(refused(&plain, "6.1.0-9 SMP preempt", false).contains("`6.1.0-9 SMP preempt`"));

        let with = |change: fn(&mut TargetCapabilities)| {
            let mut capabilities = TargetCapabilities {
                status: plain.status.clone(),
                uid_map: plain.uid_map.clone(),
                ..TargetCapabilities::default()
            };
            change(&mut capabilities);
            (
                refused(&capabilities, MAGIC, false),
                refused(&capabilities, MAGIC, true),
            )
        };
        let (unsigned, signed) = with(|f| f.lockdown = "none [integrity] confidentiality".into());
        assert!(unsigned.contains("locked down (integrity)"), "{unsigned}");
        assert_eq!(signed, "no");
        let (unsigned, signed) = with(|f| f.sig_enforce = "Y".into());
        assert!(unsigned.contains("sig_enforce"), "{unsigned}");
        assert_eq!(signed, "no");
        let (_, signed) = with(|f| f.modules_disabled = "1".into());
        assert!(signed.contains("modules_disabled"), "{signed}");
        let (_, signed) = with(|f| f.status = "CapEff:\t00000000a80425fb".into());
        assert!(signed.contains("container"), "{signed}");
        let (_, signed) = with(|f| f.uid_map = "0 100000 65536".into());
        assert!(signed.contains("container"), "{signed}");
    }
}
