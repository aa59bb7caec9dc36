// SPDX-License-Identifier: MIT OR Apache-2.0

//! Chooses between KVM and TCG by evidence, never by the mere presence of `/dev/kvm`.

use std::{
    env, fmt, fs,
    io::Write,
    path::{Path, PathBuf},
};

use crate::x86::kvm_trial;

/// What executes the guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accel {
    /// The processor itself.
    Kvm,
    /// QEMU, which translates them.
    Tcg,
}

impl fmt::Display for Accel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Accel::Kvm => "KVM",
            Accel::Tcg => "TCG",
        })
    }
}

/// The choice that the caller asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AccelChoice {
    /// KVM if it works, otherwise TCG. `KORU_ACCEL=kvm|tcg|try|auto` overrides this.
    #[default]
    Auto,
    /// KVM even without any evidence for it, and TCG if the guest then shows no sign of life.
    Try,
    /// The given one, whatever happens.
    Only(Accel),
}

/// A decision, and whether the guest's first sign of life has to confirm it.
pub struct AccelDecision {
    pub accel: Accel,
    pub on_probation: bool,
    verdict: Option<PathBuf>,
}

impl AccelDecision {
    pub fn make(choice: AccelChoice, cache: &Path) -> Self {
        let certain = |accel| AccelDecision {
            accel,
            on_probation: false,
            verdict: None,
        };
        let attempt = || AccelDecision {
            accel: Accel::Kvm,
            on_probation: true,
            verdict: None,
        };
        let asked = match choice {
            AccelChoice::Only(accel) => return certain(accel),
            AccelChoice::Try => return attempt(),
            AccelChoice::Auto => env::var("KORU_ACCEL").unwrap_or_default(),
        };
        match asked.to_ascii_lowercase().as_str() {
            "kvm" => return certain(Accel::Kvm),
            "tcg" => return certain(Accel::Tcg),
            "try" => return attempt(),
            _ => {}
        }
        if !hardware_says_kvm() {
            return certain(Accel::Tcg);
        }
        let verdict = verdict_file(cache);
        let remembered = verdict.as_ref().and_then(|f| fs::read_to_string(f).ok());
        match remembered.as_deref().map(str::trim) {
            Some("kvm") => certain(Accel::Kvm),
            Some("tcg") => certain(Accel::Tcg),
            _ => {
                let decision = |accel| AccelDecision {
                    accel,
                    on_probation: accel == Accel::Kvm,
                    verdict,
                };
                if kvm_trial::passes() {
                    decision(Accel::Kvm)
                } else {
                    let tcg = decision(Accel::Tcg);
                    tcg.remember(Accel::Tcg);
                    tcg
                }
            }
        }
    }

    /// Remembers for this boot of the host whether the guest came up. A verdict that cannot be
    /// saved is found again next time.
    pub fn remember(&self, accel: Accel) {
        let Some(file) = &self.verdict else { return };
        let Some(dir) = file.parent() else { return };
        let _ = fs::create_dir_all(dir);
        let Ok(mut part) = tempfile::NamedTempFile::new_in(dir) else {
            return;
        };
        let word = match accel {
            Accel::Kvm => "kvm\n",
            Accel::Tcg => "tcg\n",
        };
        if part.write_all(word.as_bytes()).is_ok() {
            let _ = part.persist(file);
        }
    }
}

/// Returns whether there is evidence that KVM is the processor's own. Some hosts emulate KVM
/// behind a `/dev/kvm` that opens, and stock guests never print a byte there.
fn hardware_says_kvm() -> bool {
    let flags = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let in_flags = flags
        .lines()
        .find(|l| l.starts_with("flags"))
        .is_some_and(|l| l.split_whitespace().any(|f| f == "vmx" || f == "svm"));
    let loaded = ["kvm_intel", "kvm_amd"]
        .iter()
        .any(|m| Path::new("/sys/module").join(m).exists());
    in_flags || loaded
}

/// Returns the file for the verdict of this boot of the host: after a new kernel or a changed
/// BIOS setting, the question is asked again.
fn verdict_file(cache: &Path) -> Option<PathBuf> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(cache.join(format!("accel-{}", id.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cache/accel-x");
        let decision = AccelDecision {
            accel: Accel::Kvm,
            on_probation: true,
            verdict: Some(file.clone()),
        };
        decision.remember(Accel::Tcg);
        assert_eq!(fs::read_to_string(file).unwrap(), "tcg\n");
    }

    #[test]
    fn what_is_asked_for_is_taken() {
        let made = AccelDecision::make(AccelChoice::Only(Accel::Kvm), Path::new("/nonexistent"));
        assert_eq!(made.accel, Accel::Kvm);
        assert!(!made.on_probation);
    }
}
