use crate::{Config, Error, KernelTree, Kind, Result, Toolchain};

/// rustc's target for ring 0: no SSE, no x87, no red zone, kernel code model.
pub const TARGET: &str = "x86_64-unknown-none";

/// The rustc flags that a kernel's config asks for: what the kernel's own
/// build would pass for Rust code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codegen {
    /// In the order they are passed; never with a space inside.
    pub flags: Vec<String>,
}

impl Codegen {
    pub fn new(tree: &KernelTree, toolchain: &Toolchain) -> Result<Codegen> {
        Self::of_config(
            &tree.config,
            &tree.release,
            |option| toolchain.has_option(option),
            toolchain.minor(),
        )
    }

    fn of_config(
        config: &Config,
        release: &str,
        has_option: impl Fn(&str) -> bool,
        rustc: (u32, u32),
    ) -> Result<Codegen> {
        let mut flags: Vec<String> = Vec::new();
        let mut features: Vec<&str> = Vec::new();
        let mut add = |f: &str| flags.push(f.to_owned());

        add("-Cpanic=abort");
        add("-Cembed-bitcode=n");
        add("-Cforce-unwind-tables=n");
        add("-Csymbol-mangling-version=v0");
        add("-Crelocation-model=static");
        add("-Ccode-model=kernel");
        add("-Cno-redzone=y");
        // Else calls go through a GOT, which the module loader does not know.
        add("-Zplt=yes");
        // Cargo's profiles would set these after us; `Builder` sets them there.
        add(if config.yes("CC_OPTIMIZE_FOR_SIZE") {
            "-Copt-level=s"
        } else {
            "-Copt-level=2"
        });
        add("-Ccodegen-units=1");

        let ibt = config.yes("X86_KERNEL_IBT");
        let either = |new: &str, old: &str| config.yes(new) || config.yes(old);
        let retpoline = either("MITIGATION_RETPOLINE", "RETPOLINE");
        if ibt {
            add("-Zcf-protection=branch");
        }
        // A jump table is an indirect jump without a landing pad or thunk; and on kernels
        // that need neither, one that looks like a call through a pointer.
        add(if rustc >= (1, 93) {
            "-Cjump-tables=n"
        } else {
            "-Zno-jump-tables"
        });
        if retpoline {
            if has_option("retpoline-external-thunk") {
                add("-Zretpoline");
                add("-Zretpoline-external-thunk");
            } else {
                features.extend([
                    "+retpoline-external-thunk",
                    "+retpoline-indirect-branches",
                    "+retpoline-indirect-calls",
                ]);
            }
        }
        if either("MITIGATION_RETHUNK", "RETHUNK") {
            add("-Zfunction-return=thunk-extern");
        }
        if either("MITIGATION_SLS", "SLS") {
            features.extend(["+harden-sls-ijmp", "+harden-sls-ret"]);
        }
        if config.yes("CALL_PADDING") {
            let bytes = config.get("FUNCTION_PADDING_BYTES").ok_or_else(|| {
                Error::new(
                    Kind::Usage,
                    format!("reading the config of {release}"),
                    "CALL_PADDING is set but FUNCTION_PADDING_BYTES is not",
                )
            })?;
            add(&format!("-Zpatchable-function-entry={bytes},{bytes}"));
        }
        if config.yes("FRAME_POINTER") {
            add("-Cforce-frame-pointers=y");
        }
        if config.yes("CFI_CLANG") || config.yes("CFI") {
            add("-Zsanitizer=kcfi");
            add("-Zsanitizer-cfi-normalize-integers");
        }
        // Without types where the kernel has none: what is inlined where is needed anyway.
        add(if config.yes("DEBUG_INFO") {
            "-Cdebuginfo=2"
        } else {
            "-Cdebuginfo=1"
        });
        add(if config.yes("DEBUG_INFO_DWARF4") {
            "-Zdwarf-version=4"
        } else {
            "-Zdwarf-version=5"
        });
        if !features.is_empty() {
            flags.push(format!("-Ctarget-feature={}", features.join(",")));
        }
        Ok(Codegen { flags })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(config: &str, rustc: (u32, u32), options: &[&str]) -> Vec<String> {
        Codegen::of_config(
            &Config::parse(config),
            "test",
            |o| options.contains(&o),
            rustc,
        )
        .unwrap()
        .flags
    }
    fn has(flags: &[String], wanted: &str) -> bool {
        flags.iter().any(|f| f == wanted)
    }

    #[test]
    fn a_plain_kernel_gets_no_mitigations() {
        let f = flags("", (1, 96), &[]);
        assert!(has(&f, "-Copt-level=2") && has(&f, "-Zplt=yes"));
        assert!(has(&f, "-Cjump-tables=n") && has(&f, "-Cdebuginfo=1"));
        assert!(!f.iter().any(|f| f.contains("retpoline")
            || f.contains("thunk")
            || f.contains("cf-protection")
            || f.contains("target-feature")));
    }

    #[test]
    fn mitigations_by_old_and_new_names() {
        let old = flags(
            "CONFIG_RETPOLINE=y\nCONFIG_RETHUNK=y\nCONFIG_SLS=y\n",
            (1, 96),
            &["retpoline-external-thunk"],
        );
        let new = flags(
            "CONFIG_MITIGATION_RETPOLINE=y\nCONFIG_MITIGATION_RETHUNK=y\nCONFIG_MITIGATION_SLS=y\n",
            (1, 96),
            &["retpoline-external-thunk"],
        );
        assert_eq!(old, new);
        for wanted in [
            "-Zretpoline",
            "-Zretpoline-external-thunk",
            "-Zfunction-return=thunk-extern",
            "-Cjump-tables=n",
            "-Ctarget-feature=+harden-sls-ijmp,+harden-sls-ret",
        ] {
            assert!(has(&new, wanted), "{wanted} in {new:?}");
        }
    }

    #[test]
    fn older_rustc_spells_them_otherwise() {
        let f = flags(
            "CONFIG_RETPOLINE=y\nCONFIG_X86_KERNEL_IBT=y\n",
            (1, 85),
            &[],
        );
        assert!(has(&f, "-Zno-jump-tables") && has(&f, "-Zcf-protection=branch"));
        assert!(f.iter().any(|f| f.contains("+retpoline-indirect-calls")));
    }

    #[test]
    fn padding_needs_its_size() {
        let f = flags(
            "CONFIG_CALL_PADDING=y\nCONFIG_FUNCTION_PADDING_BYTES=16\n",
            (1, 96),
            &[],
        );
        assert!(has(&f, "-Zpatchable-function-entry=16,16"));
        assert!(
            Codegen::of_config(
                &Config::parse("CONFIG_CALL_PADDING=y\n"),
                "t",
                |_| true,
                (1, 96)
            )
            .is_err()
        );
    }

    #[test]
    fn the_rest_of_the_table() {
        let f = flags(
            "CONFIG_FRAME_POINTER=y\nCONFIG_CFI_CLANG=y\nCONFIG_CC_OPTIMIZE_FOR_SIZE=y\nCONFIG_DEBUG_INFO=y\nCONFIG_DEBUG_INFO_DWARF4=y\n",
            (1, 96),
            &[],
        );
        for wanted in [
            "-Cforce-frame-pointers=y",
            "-Zsanitizer=kcfi",
            "-Zsanitizer-cfi-normalize-integers",
            "-Copt-level=s",
            "-Cdebuginfo=2",
            "-Zdwarf-version=4",
        ] {
            assert!(has(&f, wanted), "{wanted} in {f:?}");
        }
    }
}
