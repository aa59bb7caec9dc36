// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru watch`: runs a module again at every save.

use std::{
    cell::RefCell,
    io::IsTerminal,
    path::{Path, PathBuf},
    time::Duration,
};

use koru_decode::Decoded;
use koru_error::{Kind, Result};
use koru_kbuild::{Source, watch_sources};
use koru_kernels::Progress;
use koru_klog::{LogRecord, format_record};
use koru_session::{LeftBehind, ProcessEvent};

use crate::failure::{ErrorObject, show_error};
use crate::{
    cli::RunArgs,
    context::Context,
    exec,
    file_watcher::FileWatcher,
    guest::complaint_error,
    log::{
        diff::LogDiff,
        oops,
        view::{LogSink, is_noise},
    },
    programs,
    run::{
        left_behind,
        outcome::{Record, RunOptions, RunOutcome, Timings},
        run_module,
    },
    target::request::{CommandIo, RunRequest},
    ui::{err, out},
};

/// A line of the output of `koru watch --json`.
#[derive(serde::Serialize)]
struct Run<'a> {
    run: u64,
    /// The exit status of the command, if it ran.
    status: Option<u8>,
    error: Option<ErrorObject>,
    /// What the module did not unregister.
    left_behind: &'a [String],
    /// The output of the command.
    output: &'a str,
    log: Vec<Record>,
    /// The oopses and warnings in the log.
    decoded: Vec<Decoded>,
    /// Records that the last run's log does not have.
    added: Vec<Record>,
    /// Records of the last run's log that this run's log does not have.
    gone: Vec<Record>,
    seconds: Timings,
}

pub fn watch(context: &Context, args: &RunArgs) -> Result<u8> {
    // What no save can fix is reported at once.
    if args.target.is_vm() {
        context.tree(&args.kernel)?;
    }
    let request = RunRequest::of_run(args)?;
    let mut roots = roots(context, args)?;
    let mut watcher = FileWatcher::new()?;
    let mut last: Option<Vec<LogRecord>> = None;
    for number in 1.. {
        watcher.begin(roots.clone())?;
        let output = RefCell::new(Vec::new());
        let options = RunOptions {
            log: LogSink::Nowhere,
            command: CommandIo {
                interactive: false,
                output: &|event| take_output(context, event, &output),
            },
            limit: args.limit.map(|s| Duration::from_secs(s.into())),
            started: &|kill| watcher.on_save(kill),
        };
        let mut ended = run_module(context, &request, &options);
        context.ui.done();
        // The build may have found folders that the module needs.
        let mut found = self::roots(context, args).unwrap_or_default();
        found.retain(|root| !roots.contains(root));
        watcher.add(found)?;
        if watcher.end() {
            context.ui.status("saved meanwhile: restarting");
            continue;
        }
        match ended {
            // A wrong command line cannot be fixed by a save.
            Err(e) if number == 1 && matches!(e.kind, Kind::Usage | Kind::Missing) => {
                return Err(e);
            }
            _ => {}
        }
        if let Ok(ended) = &mut ended {
            ended.log.retain(|r| context.raw || !is_noise(r));
        }
        let log = show(
            context,
            args,
            number,
            ended,
            &output.take(),
            last.as_deref(),
        );
        last = log.or(last);
        let files = watcher.files();
        context.ui.status(&format!(
            "watching {files} files for the next save (Ctrl-C stops)"
        ));
        watcher.wait();
        context.ui.done();
        // The folders may have changed. If finding them fails, the next run reports why.
        roots = self::roots(context, args).unwrap_or(roots);
    }
    Ok(0)
}

/// Returns the files and folders that the run depends on.
fn roots(context: &Context, args: &RunArgs) -> Result<Vec<PathBuf>> {
    let here = |path: &Path| context.cwd.join(path);
    let mut roots: Vec<PathBuf> = args.file.iter().map(|f| here(f)).collect();
    let names: Vec<String> = args.module.source.iter().cloned().collect();
    for source in context.sources(&names)? {
        match source {
            Source::Crate(module) => {
                roots.extend(watch_sources(&context.home, &module)?);
                roots.push(module.workspace.join("Cargo.toml"));
            }
            Source::Kbuild(source) => roots.extend(source.watched(&context.cache)),
            Source::RustFile(file) => roots.extend(file.watched()),
            Source::Prebuilt(file) => roots.push(file),
        }
    }
    if let Some(program) = args.command.first().filter(|p| p.starts_with('.')) {
        roots.push(here(Path::new(program)));
    }
    let programs = context.home.root.join("programs");
    let mentioned = programs::mentioned(&context.home.root, &args.command);
    roots.extend(mentioned.iter().map(|name| programs.join(name)));
    Ok(roots)
}

/// Shows the command's output as it comes, or keeps it for the report.
fn take_output(
    context: &Context,
    event: &ProcessEvent,
    output: &RefCell<Vec<u8>>,
) -> std::io::Result<()> {
    match event {
        ProcessEvent::Stdout(bytes) | ProcessEvent::Stderr(bytes) if context.json => {
            output.borrow_mut().extend(bytes);
            Ok(())
        }
        _ => exec::show(event),
    }
}

/// Shows one run, and returns its log if the run got that far.
fn show(
    context: &Context,
    args: &RunArgs,
    number: u64,
    ended: Result<RunOutcome>,
    output: &[u8],
    last: Option<&[LogRecord]>,
) -> Option<Vec<LogRecord>> {
    let mut left = LeftBehind::default();
    let (outcome, log, seconds) = match ended {
        Err(e) => (Err(e), None, Timings::default()),
        Ok(ended) => {
            let outcome = match (ended.outcome, ended.complaint) {
                (Ok(_), Some(complaint)) => Err(complaint_error(
                    &format!("running {}", ended.module),
                    &complaint,
                )),
                (outcome, _) => outcome,
            };
            let outcome = outcome.map_err(|e| RunOutcome::explained(e, &ended.decoded));
            left = ended.left;
            (outcome, Some(ended.log), ended.seconds)
        }
    };
    let to_stdout = args.command.is_empty();
    let colour = context.ui.colour() && (!to_stdout || std::io::stdout().is_terminal());
    let new = log.as_deref().unwrap_or_default();
    // Without a log there is nothing to compare.
    let old = match log {
        Some(_) => last.unwrap_or_default(),
        None => &[],
    };
    // Oopses are shown apart from the difference, because no two have the same registers.
    let decoder = oops::decoder(context);
    let apart = |log: &[LogRecord]| match context.raw || context.json {
        true => (log.to_vec(), Vec::new()),
        false => oops::split_reports(&decoder, log),
    };
    let ((old, _), (new_records, reports)) = (apart(old), apart(new));
    let diff = LogDiff::new(&old, &new_records, colour && !context.json);
    if context.json {
        let records = |log: &[LogRecord]| log.iter().map(Record::from).collect();
        let run = Run {
            run: number,
            status: outcome.as_ref().ok().copied(),
            error: outcome.as_ref().err().map(ErrorObject::from),
            left_behind: &left.entries,
            output: &String::from_utf8_lossy(output),
            log: records(new),
            decoded: oops::decoded(&decoder, new),
            added: records(&diff.added),
            gone: records(&diff.gone),
            seconds,
        };
        let text = serde_json::to_string(&run).expect("our types have string keys");
        out(&text);
        return log;
    }
    if log.is_some() {
        let show = |text: &str| match to_stdout {
            true => out(text),
            false => err(text),
        };
        match last {
            None => new_records
                .iter()
                .for_each(|r| show(&format_record(r, colour))),
            Some(_) if diff.is_empty() => {
                let n = new_records.len();
                context.ui.say(&format!("the log is unchanged ({n} lines)"));
            }
            Some(_) => diff.lines.iter().for_each(|l| show(l)),
        }
        let decoder = oops::decoder(context);
        for report in &reports {
            show(&oops::render_report(&decoder, report, colour, context.raw));
        }
    }
    left_behind::warn(context, &left);
    match outcome {
        Ok(0) => {}
        Ok(status) => context
            .ui
            .say(&format!("the command's exit status is {status}")),
        // rustc has printed its messages already.
        Err(e) if e.kind == Kind::Compile => {}
        Err(mut e) => {
            if log.is_some() {
                e.output = None;
            }
            show_error(context, e);
        }
    }
    log
}
