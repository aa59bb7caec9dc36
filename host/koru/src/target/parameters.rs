// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds parameters that a loaded module does not have.

use std::path::Path;

use koru_error::{Error, Kind, Result};
use koru_kbuild::ModInfo;
use koru_session::ModuleReport;

/// Returns an error if the module was loaded although it lacks one of its parameters: the
/// kernel only logs that it ignored such a parameter.
pub fn check(module: &str, file: &Path, report: &ModuleReport) -> Result<()> {
    let begin = format!("{module}: unknown parameter '");
    let kernel = report.records.iter().filter(|r| r.facility == 0);
    let mut ignored = kernel.filter_map(|r| r.text.strip_prefix(&begin)?.split_once('\''));
    let Some((name, _)) = ignored.next() else {
        return Ok(());
    };
    let message = format!("the module has no parameter `{name}`");
    let error = Error::new(Kind::Usage, format!("loading {module}"), message);
    let info = ModInfo::read(file)?;
    let known: Vec<&str> = info.parameters().collect();
    Err(match known.is_empty() {
        true => error.help("it has no parameters"),
        false => error.help(format!("its parameters: {}", known.join(", "))),
    })
}
