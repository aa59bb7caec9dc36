// SPDX-License-Identifier: MIT OR Apache-2.0

//! Derives rustc's flags from a kernel's configuration.

use koru_error::{Error, Kind, Result};
use koru_kernels::{Config, KernelTree};

use crate::Toolchain;

/// The target of rustc for ring 0: no SSE, no x87, no red zone, kernel code model.
pub const TARGET: &str = "x86_64-unknown-none";

/// The unstable features that a crate of ring 0 may use: the kernel crate's own, and those
/// that upstream's build allows modules to use. `RUSTC_BOOTSTRAP` would allow all of them, and
/// with some, such as specialization, code without `unsafe` is not sound.
const FEATURES: &str = "coerce_unsized,const_eval_select,core_intrinsics,dispatch_from_dyn,\
    formatting_options,unsize,\
    arbitrary_self_types,asm_goto,used_with_arg";

/// The flags of rustc that a kernel's config requires: those that the kernel's own build would
/// pass for Rust code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codegen {
    /// The common flags, in the order in which they are passed. None of them contains a space.
    flags: Vec<String>,
    /// The additional flags for `core`.
    core_flags: Vec<String>,
    /// The additional flags for all other crates.
    crate_flags: Vec<String>,
}

/// What the flags depend on: facts about a kernel and a rustc.
struct Facts<'a> {
    config: &'a Config,
    release: &'a str,
    rustc: (u32, u32),
    has_option: &'a dyn Fn(&str) -> bool,
    exports: &'a dyn Fn(&str) -> bool,
}

impl Codegen {
    pub fn new(tree: &KernelTree, toolchain: &Toolchain) -> Result<Codegen> {
        Self::of(&Facts {
            config: &tree.config,
            release: &tree.release,
            rustc: toolchain.minor(),
            has_option: &|option| toolchain.has_option(option),
            exports: &|symbol| tree.exports(symbol),
        })
    }

    /// Returns the flags that `core` is compiled with.
    pub fn for_core(&self) -> impl Iterator<Item = &String> {
        self.flags.iter().chain(&self.core_flags)
    }

    /// Returns the flags that the `kernel` crate and modules are compiled with.
    pub fn for_crates(&self) -> impl Iterator<Item = &String> {
        self.flags.iter().chain(&self.crate_flags)
    }

    fn of(facts: &Facts<'_>) -> Result<Codegen> {
        let &Facts {
            config,
            release,
            rustc,
            has_option,
            ..
        } = facts;
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
        // Otherwise calls go through a GOT, which the module loader does not know.
        add("-Zplt=yes");
        // These are for `core`, which no profile of cargo's compiles; for other crates the
        // profile sets them as well.
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
        // A jump table is an indirect jump without a landing pad or a thunk. On kernels that
        // need neither, it looks like a call through a pointer.
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
            // Functions that LLVM itself adds, such as KASAN's constructors, get one as well.
            if rustc < (1, 98) && has_option("llvm-module-flag") {
                add("-Zllvm_module_flag=frame-pointer:u32:2:max");
            }
        }
        if either("CFI", "CFI_CLANG") {
            cfi(facts)?.into_iter().for_each(&mut add);
        }
        // Where the kernel has no debug info, types are left out; inlined functions are needed
        // anyway.
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
        // Linking a module reads this section and leaves it out.
        if has_option("emit-stack-sizes") {
            add("-Zemit-stack-sizes");
        }
        if !features.is_empty() {
            flags.push(format!("-Ctarget-feature={}", features.join(",")));
        }
        let mut codegen = Codegen {
            flags,
            core_flags: Vec::new(),
            crate_flags: vec![format!("-Zallow-features={FEATURES}")],
        };
        if config.yes("KASAN_GENERIC") && has_option("sanitizer") {
            codegen.add_kasan(facts)?;
        }
        codegen.add_kcov(facts);
        Ok(codegen)
    }

    /// Lets the kernel tell which code a system call runs, and what that compares (KCOV). All of
    /// `core` would be too much.
    fn add_kcov(&mut self, facts: &Facts<'_>) {
        let has = |symbol: &str| facts.config.yes("KCOV") && (facts.exports)(symbol);
        let add = |option: &str| format!("-Cllvm-args=-sanitizer-coverage-{option}");
        if has("__sanitizer_cov_trace_pc") {
            self.crate_flags.push("-Cpasses=sancov-module".to_owned());
            self.crate_flags.extend(["level=3", "trace-pc"].map(add));
            if has("__sanitizer_cov_trace_cmp8") {
                self.crate_flags.push(add("trace-compares"));
            }
        }
    }

    /// Makes the kernel's generic KASAN check memory accesses.
    fn add_kasan(&mut self, facts: &Facts<'_>) -> Result<()> {
        let config = facts.config;
        let offset = config.get("KASAN_SHADOW_OFFSET").ok_or_else(|| {
            Error::new(
                Kind::Usage,
                format!("reading the config of {}", facts.release),
                "KASAN_GENERIC is set but KASAN_SHADOW_OFFSET is not",
            )
        })?;
        let add = |flags: &mut Vec<String>, option: &str, value: &str| {
            flags.push(format!("-Cllvm-args=-asan-{option}={value}"));
        };
        self.flags.push("-Zsanitizer=kernel-address".to_owned());
        if (facts.has_option)("sanitizer-recover") {
            // Execution continues after a report, as it does in the kernel's own code.
            let recover = "-Zsanitizer-recover=kernel-address";
            self.flags.push(recover.to_owned());
        }
        let all = &mut self.flags;
        add(all, "mapping-offset", offset);
        // Up to this number of accesses in a function are checked inline.
        let inline = config.yes("KASAN_INLINE");
        let threshold = if inline { "10000" } else { "0" };
        add(all, "instrumentation-with-call-threshold", threshold);
        let stack = if config.yes("KASAN_STACK") { "1" } else { "0" };
        add(all, "stack", stack);
        // Older kernels check accesses in memcpy itself.
        if (facts.exports)("__asan_memcpy") {
            add(all, "kernel-mem-intrinsic-prefix", "1");
        }
        // A constructor registers all the globals that were compiled together with the kernel,
        // so neither they nor what they refer to can be left out of a module. For `core` that
        // would be too much.
        add(&mut self.core_flags, "globals", "0");
        let globals = if config.yes("CONSTRUCTORS") { "1" } else { "0" };
        add(&mut self.crate_flags, "globals", globals);
        Ok(())
    }
}

/// Returns the flags for a kernel that checks the types of functions at calls through pointers.
fn cfi(facts: &Facts<'_>) -> Result<Vec<&'static str>> {
    // Without it, an integer of C and one of Rust are never the same type.
    if !facts.config.yes("CFI_ICALL_NORMALIZE_INTEGERS") {
        let message = "the kernel checks the types of the functions that it calls (CFI), but was \
                       built without CFI_ICALL_NORMALIZE_INTEGERS, so it would refuse every \
                       function in Rust";
        let attempted = format!("reading the config of {}", facts.release);
        return Err(Error::new(Kind::Link, attempted, message)
            .help("use a kernel that has this option (since 6.12), or none of CFI"));
    }
    let mut flags = vec![
        "-Zsanitizer=kcfi",
        "-Zsanitizer-cfi-normalize-integers",
        // LLVM merges functions of different types.
        "-Zmerge-functions=disabled",
    ];
    // The number of arguments, for which FineIBT clears the registers that a branch may have
    // mispredicted.
    if facts.config.yes("FINEIBT_BHI") && (facts.has_option)("sanitizer-kcfi-arity") {
        flags.push("-Zsanitizer-kcfi-arity");
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codegen(
        config: &str,
        rustc: (u32, u32),
        options: &[&str],
        exports: &[&str],
    ) -> Result<Codegen> {
        Codegen::of(&Facts {
            config: &Config::parse(config),
            release: "test",
            rustc,
            has_option: &|o| options.contains(&o),
            exports: &|s| exports.contains(&s),
        })
    }
    fn flags(config: &str, rustc: (u32, u32), options: &[&str]) -> Vec<String> {
        codegen(config, rustc, options, &[]).unwrap().flags
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
    fn crates_use_known_features_only() {
        let c = codegen("", (1, 96), &[], &[]).unwrap();
        let allow = |f: &&String| f.starts_with("-Zallow-features=");
        let flag = c.for_crates().find(allow).expect("a list");
        assert!(flag.contains("coerce_unsized") && !flag.contains("specialization"));
        assert!(!flag.contains(' '), "{flag}");
        // `core` itself uses such features.
        assert_eq!(c.for_core().find(allow), None);
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
        assert!(codegen("CONFIG_CALL_PADDING=y\n", (1, 96), &[], &[]).is_err());
    }

    const KASAN: &str = "CONFIG_KASAN=y\nCONFIG_KASAN_GENERIC=y\nCONFIG_CONSTRUCTORS=y\n\
                         CONFIG_KASAN_SHADOW_OFFSET=0xdffffc0000000000\n";
    const SANITIZER: &[&str] = &["sanitizer", "sanitizer-recover"];

    #[test]
    fn kasan_sees_rust_as_it_sees_c() {
        let config = format!("{KASAN}CONFIG_KASAN_INLINE=y\nCONFIG_KASAN_STACK=y\n");
        let c = codegen(&config, (1, 96), SANITIZER, &["__asan_memcpy"]).unwrap();
        for wanted in [
            "-Zsanitizer=kernel-address",
            "-Zsanitizer-recover=kernel-address",
            "-Cllvm-args=-asan-mapping-offset=0xdffffc0000000000",
            "-Cllvm-args=-asan-instrumentation-with-call-threshold=10000",
            "-Cllvm-args=-asan-stack=1",
            "-Cllvm-args=-asan-kernel-mem-intrinsic-prefix=1",
        ] {
            assert!(has(&c.flags, wanted), "{wanted} in {c:?}");
        }
        assert_eq!(c.core_flags, ["-Cllvm-args=-asan-globals=0"]);
        assert!(has(&c.crate_flags, "-Cllvm-args=-asan-globals=1"));
    }

    #[test]
    fn kasan_with_calls_and_without_the_stack() {
        let c = codegen(KASAN, (1, 96), SANITIZER, &[]).unwrap();
        for wanted in [
            "-Cllvm-args=-asan-instrumentation-with-call-threshold=0",
            "-Cllvm-args=-asan-stack=0",
        ] {
            assert!(has(&c.flags, wanted), "{wanted} in {c:?}");
        }
        assert!(!c.flags.iter().any(|f| f.contains("mem-intrinsic")));
        let without = KASAN.replace("CONFIG_CONSTRUCTORS=y\n", "");
        let c = codegen(&without, (1, 96), SANITIZER, &[]).unwrap();
        assert!(has(&c.crate_flags, "-Cllvm-args=-asan-globals=0"));
    }

    #[test]
    fn kcov_sees_the_crates() {
        let exports = ["__sanitizer_cov_trace_pc", "__sanitizer_cov_trace_cmp8"];
        let of = |config: &str, exports: &[&str]| {
            let codegen = codegen(config, (1, 96), &[], exports).unwrap();
            let is_of_kcov = |flag: &&String| flag.contains("sancov") || flag.contains("coverage");
            assert_eq!(codegen.for_core().find(is_of_kcov), None);
            codegen.for_crates().filter(is_of_kcov).count()
        };
        assert_eq!(of("CONFIG_KCOV=y\n", &exports), 4);
        assert_eq!(of("CONFIG_KCOV=y\n", &exports[..1]), 3);
        assert_eq!(of("CONFIG_KCOV=y\n", &[]), 0);
        assert_eq!(of("", &exports), 0);
    }

    #[test]
    fn no_kasan_where_there_is_none() {
        let other = KASAN.replace("KASAN_GENERIC", "KASAN_HW_TAGS");
        for (config, options) in [("", SANITIZER), (&*other, SANITIZER), (KASAN, &[][..])] {
            let c = codegen(config, (1, 96), options, &[]).unwrap();
            assert!(
                !format!("{c:?}").contains("asan") && !format!("{c:?}").contains("kernel-address")
            );
        }
        let no_offset = "CONFIG_KASAN=y\nCONFIG_KASAN_GENERIC=y\n";
        assert!(codegen(no_offset, (1, 96), SANITIZER, &[]).is_err());
    }

    #[test]
    fn the_rest_of_the_table() {
        let f = flags(
            "CONFIG_FRAME_POINTER=y\nCONFIG_CC_OPTIMIZE_FOR_SIZE=y\nCONFIG_DEBUG_INFO=y\nCONFIG_DEBUG_INFO_DWARF4=y\n",
            (1, 96),
            &[],
        );
        for wanted in [
            "-Cforce-frame-pointers=y",
            "-Copt-level=s",
            "-Cdebuginfo=2",
            "-Zdwarf-version=4",
        ] {
            assert!(has(&f, wanted), "{wanted} in {f:?}");
        }
    }

    #[test]
    fn types_are_checked_by_their_old_and_new_names() {
        let normal = "CONFIG_CFI_ICALL_NORMALIZE_INTEGERS=y\n";
        let old = flags(&format!("CONFIG_CFI_CLANG=y\n{normal}"), (1, 96), &[]);
        let new = flags(&format!("CONFIG_CFI=y\n{normal}"), (1, 96), &[]);
        assert_eq!(old, new);
        for wanted in [
            "-Zsanitizer=kcfi",
            "-Zsanitizer-cfi-normalize-integers",
            "-Zmerge-functions=disabled",
        ] {
            assert!(has(&new, wanted), "{wanted} in {new:?}");
        }
        let e = codegen("CONFIG_CFI_CLANG=y\n", (1, 96), &[], &[]).unwrap_err();
        assert_eq!(e.kind, Kind::Link);
        assert!(e.message.contains("CFI_ICALL_NORMALIZE_INTEGERS"), "{e}");
    }

    #[test]
    fn fineibt_is_told_the_number_of_arguments() {
        let arity = "-Zsanitizer-kcfi-arity";
        let config = "CONFIG_X86_KERNEL_IBT=y\nCONFIG_CFI=y\nCONFIG_FINEIBT=y\n\
                      CONFIG_CFI_ICALL_NORMALIZE_INTEGERS=y\nCONFIG_CALL_PADDING=y\n\
                      CONFIG_FUNCTION_PADDING_BYTES=11\n";
        let bhi = format!("{config}CONFIG_FINEIBT_BHI=y\n");
        let option = &["sanitizer-kcfi-arity"];
        let f = flags(&bhi, (1, 96), option);
        for wanted in [
            arity,
            "-Zcf-protection=branch",
            "-Zpatchable-function-entry=11,11",
        ] {
            assert!(has(&f, wanted), "{wanted} in {f:?}");
        }
        assert!(!has(&flags(config, (1, 96), option), arity));
        assert!(!has(&flags(&bhi, (1, 96), &[]), arity));
    }

    #[test]
    fn frame_pointers_of_functions_that_llvm_adds() {
        let flag = "-Zllvm_module_flag=frame-pointer:u32:2:max";
        let of = |rustc, options: &[&str]| flags("CONFIG_FRAME_POINTER=y\n", rustc, options);
        assert!(has(&of((1, 96), &["llvm-module-flag"]), flag));
        assert!(!has(&of((1, 85), &[]), flag));
        // This rustc adds them by itself.
        assert!(!has(&of((1, 98), &["llvm-module-flag"]), flag));
    }
}
