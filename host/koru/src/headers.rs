//! The build directory of another machine's kernel.

use koru_build::{KernelTree, Result};
use koru_vm::Session;

use crate::{context::Context, target::Target};

/// The tree of this release that is here.
pub fn of_machine(
    context: &Context,
    _session: &Session,
    _target: &Target,
    release: &str,
) -> Result<KernelTree> {
    match context.kernels.exactly(release) {
        Some(tree) => tree,
        None => context.kernels.find(Some(release)),
    }
}
