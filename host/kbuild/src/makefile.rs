// SPDX-License-Identifier: MIT OR Apache-2.0

//! What is read from a module's Makefile or Kbuild file, and what is left out of it.

use std::{borrow::Cow, fs, path::Path};

/// The variables that choose tools or the architecture. The kernel's own build sets them.
const TOOLS: [&str; 12] = [
    "CC",
    "LD",
    "AR",
    "NM",
    "AS",
    "STRIP",
    "OBJCOPY",
    "OBJDUMP",
    "ARCH",
    "SUBARCH",
    "CROSS_COMPILE",
    "LLVM",
];

/// The names that Makefiles give the kernel's build directory.
const DIRECTORIES: [&str; 22] = [
    "KDIR",
    "KERNELDIR",
    "KERNEL_DIR",
    "KERNELPATH",
    "KERNEL_PATH",
    "KERNEL_SRC",
    "KERNELSRC",
    "KERNEL_SOURCE",
    "KERNEL",
    "KSRC",
    "KSRCDIR",
    "KSRC_DIR",
    "KPATH",
    "KBUILD",
    "KBUILD_DIR",
    "KBUILDDIR",
    "KERN_DIR",
    "KERNDIR",
    "KERN_SRC",
    "LINUX_DIR",
    "LINUX_SRC",
    "K_DIR",
];

/// The names that Makefiles give the kernel's release.
const RELEASES: [&str; 8] = [
    "KVER",
    "KVERSION",
    "KREL",
    "KERNEL_VERSION",
    "KERNELVERSION",
    "KERNEL_RELEASE",
    "KERNELVER",
    "KERN_VER",
];

/// Splits an assignment into the variable, the operator and the value.
fn assignment(line: &str) -> Option<(&str, &str, &str)> {
    let mut line = line.trim_start_matches(' ');
    for word in ["override ", "export "] {
        line = line.strip_prefix(word).unwrap_or(line).trim_start();
    }
    let end = line.find([':', '?', '+', '!', '='])?;
    let (variable, rest) = line.split_at(end);
    let equals = rest.find('=').filter(|at| *at <= 3)?;
    let (operator, value) = (&rest[..=equals], rest[equals + 1..].trim());
    let is_operator = ["=", ":=", "::=", ":::=", "?=", "+=", "!="].contains(&operator);
    let variable = variable.trim();
    let is_name = !variable.is_empty() && !variable.contains(char::is_whitespace);
    (is_operator && is_name).then_some((variable, operator, value))
}

/// Returns a Makefile without its choice of tools. A module is compiled by the kernel's own.
pub(crate) fn without_tools(text: &str) -> Cow<'_, str> {
    let is_choice = |line: &str| assignment(line).is_some_and(|(name, ..)| TOOLS.contains(&name));
    if !text.lines().any(is_choice) {
        return Cow::Borrowed(text);
    }
    let line = |line: &str| match is_choice(line) {
        true => format!("# {line}\n"),
        false => format!("{line}\n"),
    };
    Cow::Owned(text.lines().map(line).collect())
}

/// Returns whether Kbuild finds modules in a Makefile or Kbuild file.
pub(crate) fn is_for_kbuild(text: &str) -> bool {
    text.lines()
        .any(|line| assignment(line).is_some_and(|(name, ..)| name.starts_with("obj-")))
}

/// Returns whether a Makefile does anything by itself.
pub(crate) fn has_recipes(text: &str) -> bool {
    text.lines().any(|line| line.starts_with('\t'))
}

/// Returns the variables of a Makefile that name a kernel, with the values for this one.
pub(crate) fn kernel_variables(text: &str, dir: &str, release: &str) -> Vec<String> {
    let named = |name: &&str| {
        let uses = [format!("$({name})"), format!("${{{name}}}")];
        uses.iter().any(|u| text.contains(u.as_str()))
    };
    let all = DIRECTORIES.iter().map(|name| (name, dir));
    let all = all.chain(RELEASES.iter().map(|name| (name, release)));
    all.filter(|(name, _)| named(name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

/// Returns the words that a variable is given, with the lines that a backslash continues.
pub(crate) fn words(text: &str, variable: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    let values = joined.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let (name, _, value) = assignment(line)?;
        (name == variable).then(|| value.to_owned())
    });
    let words = values.collect::<Vec<_>>().join(" ");
    words.split_whitespace().map(str::to_owned).collect()
}

/// The files that make a folder one for Kbuild. Kbuild prefers the first one.
pub(crate) const KBUILD_FILES: [&str; 2] = ["Kbuild", "Makefile"];

/// Returns the text of the file that Kbuild reads in a folder.
pub(crate) fn kbuild_text(dir: &Path) -> String {
    let files = KBUILD_FILES.iter().map(|file| dir.join(file));
    let mut texts = files.filter_map(|file| fs::read_to_string(file).ok());
    texts.next().unwrap_or_default()
}

/// Returns whether a folder has a file that says what Kbuild compiles.
pub(crate) fn has_kbuild(dir: &Path) -> bool {
    KBUILD_FILES.iter().any(|file| dir.join(file).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choice_of_tools_is_left_out() {
        let text = "obj-m := x.o\nCC = clang\nexport ARCH:=arm\nall:\n\tmake CC=gcc\n";
        let left = "obj-m := x.o\n# CC = clang\n# export ARCH:=arm\nall:\n\tmake CC=gcc\n";
        assert_eq!(without_tools(text), left);
        let plain = "obj-m := x.o\nCCFLAGS = -g\nall: CC\n\techo == CC\n";
        assert!(matches!(without_tools(plain), Cow::Borrowed(_)));
    }

    #[test]
    fn modules_of_kbuild() {
        for text in ["obj-m := x.o", "obj-$(CONFIG_X) += x.o", "\tobj-m+=x.o"] {
            assert!(is_for_kbuild(text.trim_start_matches('\t')), "{text}");
        }
        assert!(!is_for_kbuild("all:\n\tgcc -c x.c\n# obj-m := x.o"));
    }

    #[test]
    fn kernel_of_a_makefile() {
        let text = "KDIR ?= /usr/src/linux\nall:\n\tmake -C $(KDIR) M=$(PWD)\n\techo ${KVER}";
        assert_eq!(
            kernel_variables(text, "/build", "6.1"),
            ["KDIR=/build", "KVER=6.1"]
        );
        assert!(kernel_variables("all:\n\ttrue", "/build", "6.1").is_empty());
    }

    #[test]
    fn words_of_a_variable() {
        let text = "x-y := a.o \\\n\tb.o # c.o\nx-y += d.o\nobj-m := x.o";
        assert_eq!(words(text, "x-y"), ["a.o", "b.o", "d.o"]);
        assert_eq!(words(text, "obj-m"), ["x.o"]);
        assert!(words(text, "y").is_empty());
    }
}
