// SPDX-License-Identifier: MIT OR Apache-2.0

//! The module that is checked, and the kernels.

use clap::ValueEnum;
use koru_error::Result;
use koru_kernels::{KernelTree, Progress};

use crate::{
    cli::{CheckArgs, Strength},
    context::Context,
    named::{Named, listed_tree, named_module},
    run::in_guest::Checked,
    shell_word::quoted,
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
        let named = named_module(context, args.module.as_ref(), "check")?;
        let tree = listed_tree(context, &args.kernel)?;
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

    /// Returns what guests are to have.
    pub fn checked(&self) -> Checked<'_> {
        Checked {
            context: self.context,
            source: self.named.name.as_deref(),
            params: &self.args.params,
            programs: &[],
            cpus: 1,
        }
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
