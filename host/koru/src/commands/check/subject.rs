// SPDX-License-Identifier: MIT OR Apache-2.0

//! The module that is checked, and the kernels.

use clap::ValueEnum;
use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, Progress};

use crate::{
    cli::{CheckArgs, Strength},
    context::Context,
    named::{Named, named_sources},
};

/// The module that is checked.
pub struct Subject<'a> {
    pub context: &'a Context,
    pub args: &'a CheckArgs,
    pub named: Named,
    pub tree: KernelTree,
    /// The kernel with debugging checks, if Koru has one.
    pub debug: Option<KernelTree>,
}

impl<'a> Subject<'a> {
    pub fn new(context: &'a Context, args: &'a CheckArgs) -> Result<Subject<'a>> {
        let names: Vec<String> = args.module.iter().cloned().collect();
        let mut sources = named_sources(context, &names)?;
        let named = match sources.len() {
            1 => sources.remove(0),
            number => {
                let message = format!("there are {number} modules here");
                return Err(Error::new(Kind::Usage, "choosing a module", message)
                    .help("name one: `koru check MODULE`"));
            }
        };
        let tree = context.tree(&args.kernel)?;
        if context.kernels.exactly(&tree.release).is_none() {
            let message = format!("{} is not in `koru kernel list`", tree.release);
            return Err(
                Error::new(Kind::Usage, "choosing a kernel", message).help(format!(
                    "`koru kernel add {}` adds it",
                    tree.build_dir.display()
                )),
            );
        }
        context
            .ui
            .status(&format!("building {}", named.title(&context.cwd)));
        // An error of the build is no finding.
        context.build_sources(|| Ok(tree.clone()), std::slice::from_ref(&named.source))?;
        Ok(Subject {
            context,
            args,
            named,
            debug: context.kernels.debug_like(&tree).transpose()?,
            tree,
        })
    }

    pub fn title(&self) -> String {
        self.named.title(&self.context.cwd)
    }

    /// Returns the command that does a check again.
    pub fn replay(&self, strength: Strength) -> String {
        let name = self.named.name.clone().unwrap_or_default();
        let module = if name.is_empty() {
            String::new()
        } else {
            format!(" {}", quoted(&name))
        };
        let mut more: String = match &self.args.kernel.kernel {
            Some(kernel) => format!(" --kernel {kernel}"),
            None => String::new(),
        };
        more.extend(
            self.args
                .params
                .iter()
                .map(|p| format!(" -p {}", quoted(p))),
        );
        let strength = strength.to_possible_value();
        let strength = strength.map_or(String::new(), |value| value.get_name().to_owned());
        format!("koru check{module} --only {strength}{more}")
    }
}

/// Returns a word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("fault=leak"), "fault=leak");
        assert_eq!(quoted("../my lab"), "'../my lab'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
