// SPDX-License-Identifier: MIT OR Apache-2.0

//! Says that a kernel lacks an API of the `kernel` crate, where rustc does not find it.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::diagnostic::{Diagnostic, DiagnosticLevel};
use koru_error::Result;
use koru_kernels::Home;

use crate::probes::Probe;

/// The APIs that one kernel lacks: their paths, and what a user of each is to be told.
#[derive(Default)]
pub(crate) struct LackingApis {
    apis: BTreeMap<String, String>,
    told: BTreeSet<String>,
}

impl LackingApis {
    pub fn new(home: &Home, release: &str, passed: &BTreeSet<String>) -> Result<LackingApis> {
        let mut lacking = LackingApis::default();
        for probe in Probe::all(home)?
            .iter()
            .filter(|p| !passed.contains(&p.name))
        {
            for api in &probe.apis {
                let text = probe.lacking(api, release);
                lacking.apis.insert(api.clone(), text);
            }
        }
        Ok(lacking)
    }

    /// Returns what to tell about an error, unless that was told before.
    pub fn once(&mut self, diagnostic: &Diagnostic) -> Option<String> {
        if diagnostic.level != DiagnosticLevel::Error {
            return None;
        }
        let found = self.apis.iter().find(|(api, _)| is_about(diagnostic, api));
        let text = found.map(|(_, text)| text.clone())?;
        self.told.insert(text.clone()).then_some(text)
    }

    /// Returns what has been told.
    pub fn told(&self) -> Vec<String> {
        self.told.iter().cloned().collect()
    }
}

/// Returns whether rustc does not find this API: a path, a method or a macro.
fn is_about(diagnostic: &Diagnostic, api: &str) -> bool {
    let message = &*diagnostic.message;
    let is_missing = [
        "cannot find",
        "could not find",
        "failed to resolve",
        "no function or associated item named",
        "no method named",
        "no `",
        "unresolved import",
    ];
    if !is_missing.iter().any(|m| message.starts_with(m)) {
        return false;
    }
    let mut parts = api.trim_end_matches('!').rsplit("::");
    let name = parts.next().unwrap_or_default();
    let labels = diagnostic.spans.iter().filter_map(|s| s.label.as_deref());
    let texts: Vec<&str> = [message].into_iter().chain(labels).collect();
    // rustc has names in backquotes, sometimes with the path that leads there.
    let mut quoted = texts.iter().flat_map(|t| t.split('`').skip(1).step_by(2));
    if !quoted.any(|q| q == name || q.rsplit("::").next() == Some(name)) {
        return false;
    }
    // A method of this name may be missing in another type.
    match parts.next().filter(|of| of.starts_with(char::is_uppercase)) {
        Some(of) => texts.iter().any(|text| text.contains(of)),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(message: &str, label: &str) -> Diagnostic {
        serde_json::from_value(serde_json::json!({
            "message": message,
            "code": null,
            "level": "error",
            "spans": [{
                "file_name": "src/lib.rs", "byte_start": 0, "byte_end": 0,
                "line_start": 1, "line_end": 1, "column_start": 1, "column_end": 1,
                "is_primary": true, "text": [], "label": label,
                "suggested_replacement": null, "suggestion_applicability": null,
                "expansion": null
            }],
            "children": [],
            "rendered": null
        }))
        .expect("a diagnostic of rustc")
    }

    #[test]
    fn paths_methods_and_macros() {
        let about = |message, label, api| is_about(&error(message, label), api);
        assert!(about(
            "unresolved import `kernel::kprobe`",
            "could not find `kprobe` in `kernel`",
            "kernel::kprobe"
        ));
        assert!(about(
            "failed to resolve: could not find `kprobe` in `kernel`",
            "could not find `kprobe` in `kernel`",
            "kernel::kprobe"
        ));
        assert!(about(
            "no method named `wait_x` found for struct `Pin<&CondVar>` in the current scope",
            "method not found in `Pin<&CondVar>`",
            "kernel::sync::CondVar::wait_x"
        ));
        assert!(!about(
            "no method named `wait_x` found for struct `Mine` in the current scope",
            "method not found in `Mine`",
            "kernel::sync::CondVar::wait_x"
        ));
        assert!(about(
            "cannot find macro `new_x` in this scope",
            "",
            "kernel::new_x!"
        ));
        assert!(!about(
            "cannot find value `kprobes` in this scope",
            "not found",
            "kernel::kprobe"
        ));
        assert!(!about("mismatched types", "`kprobe`", "kernel::kprobe"));
    }
}
