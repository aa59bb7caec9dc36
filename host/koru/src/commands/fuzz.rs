// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru fuzz`: makes random system calls on a module's files.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use koru_error::{IoContext, Result};
use koru_kernels::{KernelTree, Progress};

use crate::{
    cli::FuzzArgs,
    context::Context,
    dependencies,
    failure::{ErrorObject, show_decoded_error},
    fuzzing::{
        self,
        fuzz::{CPUS, Finding, Fuzz, PROGRAMS},
    },
    named::{listed_tree, named_module},
    run::in_guest::Checked,
    shell_word::quoted,
    ui::{json, out},
};

/// A finding, as `--json` prints it.
#[derive(serde::Serialize)]
struct Found {
    error: ErrorObject,
    /// The calls, as `ioshell --calls` reads them.
    script: String,
    /// Whether the calls led to it again, in another guest.
    is_replayed: bool,
    /// The command that makes the calls again.
    replay: String,
}

pub fn fuzz(context: &Context, args: &FuzzArgs) -> Result<u8> {
    let uses = context.uses(std::slice::from_ref(&args.kernel));
    dependencies::install_missing(&context.home, &uses, false, args.yes, &*context.ui)?;
    dependencies::prebuild(&context.home, &uses, &*context.ui)?;
    let named = named_module(context, args.module.as_ref(), "fuzz")?;
    let tree = chosen_tree(context, args)?;
    let title = named.title(&context.cwd);
    context.ui.status(&format!("building {title}"));
    context.build_sources(|| Ok(tree.clone()), std::slice::from_ref(&named.source))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let seed = args.seed.unwrap_or(now.map_or(1, |now| now.as_secs()));
    let fuzzed = fuzzing::run(&Fuzz {
        checked: Checked {
            context,
            source: named.name.as_deref(),
            params: &args.params,
            programs: &PROGRAMS,
            cpus: CPUS,
        },
        tree: &tree,
        seed,
        until: Instant::now() + Duration::from_secs(60 * u64::from(args.minutes)),
        most_calls: args.calls,
        is_guided: !args.unguided,
        keep_going: args.keep_going,
    })?;
    context.ui.done();
    let mut found = Vec::new();
    for (index, finding) in fuzzed.findings.iter().enumerate() {
        let file = match &args.keep {
            Some(file) => file.clone(),
            None => kept_file(context, &title, index)?,
        };
        let at = context.cwd.join(&file);
        fs::write(&at, &finding.script).path_context("writing", &at)?;
        let replay = replay(args, named.name.as_deref(), &tree, &file);
        if !context.json {
            show(context, finding, &replay);
        }
        found.push(Found {
            error: ErrorObject::from(&finding.error),
            script: finding.script.clone(),
            is_replayed: finding.is_replayed,
            replay,
        });
    }
    let status = u8::from(!found.is_empty());
    if context.json {
        json(&serde_json::json!({
            "module": title,
            "kernel": tree.release,
            "seed": seed,
            "guided": fuzzed.is_guided,
            "calls": fuzzed.calls,
            "seconds": fuzzed.took.as_secs_f64(),
            "calls_per_second": fuzzed.calls_per_second(),
            "places": fuzzed.places.len(),
            "sequences": fuzzed.kept.len(),
            "guests": fuzzed.guests,
            "found": found,
        }));
    } else {
        let note = fuzzed.note(&tree.release);
        let end = match found.len() {
            0 => "nothing was found",
            _ => "something was found",
        };
        context
            .ui
            .say(&format!("{title}: {end} in {note}, seed {seed}"));
    }
    Ok(status)
}

/// Returns the kernel that was chosen, otherwise the debug kernel if there is one.
fn chosen_tree(context: &Context, args: &FuzzArgs) -> Result<KernelTree> {
    let tree = listed_tree(context, &args.kernel)?;
    if args.kernel.or_environment().is_made() {
        return Ok(tree);
    }
    match context.kernels.debug_like(&tree) {
        Some(debug) => debug,
        None => {
            let note = "note: there is no debug kernel, so the calls are not guided by coverage: \
                        `koru kernel add debug`";
            context.ui.print(note);
            Ok(tree)
        }
    }
}

/// Returns where the calls of a finding are kept that the user has given no file for.
fn kept_file(context: &Context, title: &str, index: usize) -> Result<PathBuf> {
    let folder = context.cache.root().join("fuzz");
    fs::create_dir_all(&folder).path_context("making", &folder)?;
    let name: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    Ok(folder.join(format!("{name}-{}.calls", index + 1)))
}

/// Returns the command that makes the calls again.
fn replay(args: &FuzzArgs, name: Option<&str>, tree: &KernelTree, file: &Path) -> String {
    let module = name.map_or(String::new(), |name| format!(" {}", quoted(name)));
    let params = args.params.iter();
    let params: String = params.map(|p| format!(" -p {}", quoted(p))).collect();
    // In the guest it is in the command's folder.
    let in_guest = file.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "koru run{module} --kernel {}{params} --harsh --cpus {CPUS} --file {} -- ioshell --calls {}",
        tree.release,
        quoted(&file.display().to_string()),
        quoted(&in_guest)
    )
}

/// Shows what was found.
fn show(context: &Context, finding: &Finding, replay: &str) {
    show_decoded_error(context, finding.error.without_source());
    let about = match finding.is_replayed {
        true => "these calls lead to it:",
        false => "these were the last calls; replayed in other guests, they did not lead to it:",
    };
    context.ui.say(about);
    out(finding.script.trim_end());
    context.ui.say(&format!("again: {replay}"));
}
