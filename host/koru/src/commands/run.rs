use std::{
    fs, panic,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use koru_decode::Decoded;
use koru_error::{Error, Kind, Result};
use koru_kbuild::Stages;
use koru_kernels::KernelTree;
use koru_klog::{Complaint, LogRecord};
use koru_protocol::Exec;
use koru_qemu::Initramfs;
use koru_session::ProcessEvent;
use koru_vm::Guest;

use crate::{
    cli::RunArgs,
    commands::{replay, run_there},
    context::Context,
    exec,
    guest::{self, complaint_error, module_path},
    log_view::{Follower, To, holds},
    oops, programs,
    ui::json,
};

/// A module to load: built, or a ready file.
pub struct Loadable {
    pub name: String,
    pub path: PathBuf,
    pub stages: Stages,
}

/// Builds the module that the user named; a ready `.ko` is taken as it is.
pub fn loadable(context: &Context, tree: &KernelTree, module: Option<&str>) -> Result<Loadable> {
    loadable_for(context, || Ok(tree.clone()), module)
}

/// The same; the tree is asked for when something has to be built.
pub fn loadable_for(
    context: &Context,
    tree: impl FnOnce() -> Result<KernelTree>,
    module: Option<&str>,
) -> Result<Loadable> {
    if let Some(file) = module.filter(|m| m.ends_with(".ko")) {
        let path = context.here.join(file);
        if !path.is_file() {
            return Err(Error::new(
                Kind::Usage,
                format!("loading {}", path.display()),
                "there is no such file",
            ));
        }
        context.know(&guest::ko_name(&path), &path);
        return Ok(Loadable {
            name: guest::ko_name(&path),
            path,
            stages: Stages::default(),
        });
    }
    let names: Vec<String> = module.iter().map(|m| m.to_string()).collect();
    let modules = context.modules(&names)?;
    if modules.len() > 1 {
        let names: Vec<&str> = modules.iter().map(|m| m.name.as_str()).collect();
        return Err(
            Error::new(Kind::Usage, "choosing a module", "there are several here")
                .help(format!("name one of them: {}", names.join(", "))),
        );
    }
    let (kos, stages) = context.build(&tree()?, &modules)?;
    let ko = kos
        .into_iter()
        .next()
        .ok_or_else(|| Error::new(Kind::System, "building the module", "nothing was built"))?;
    context.know(&ko.name, &ko.path);
    Ok(Loadable {
        name: ko.name,
        path: ko.path,
        stages,
    })
}

/// `koru run --json`
#[derive(serde::Serialize)]
struct Report {
    module: String,
    kernel: String,
    /// The command's exit status, when it came to that.
    status: Option<u8>,
    log: Vec<Record>,
    /// The oopses and warnings in the log.
    decoded: Vec<Decoded>,
    seconds: Timings,
}

#[derive(serde::Serialize)]
pub struct Record {
    pub level: u8,
    pub timestamp_us: u64,
    pub text: String,
}

impl From<&LogRecord> for Record {
    fn from(r: &LogRecord) -> Record {
        Record {
            level: r.level,
            timestamp_us: r.timestamp_us,
            text: r.text.clone(),
        }
    }
}

#[derive(serde::Serialize, Default)]
pub struct Timings {
    prepare: f64,
    compile: f64,
    link: f64,
    start: f64,
    pub load: f64,
    pub command: f64,
    pub unload: f64,
}

impl Timings {
    pub fn of(build: &Stages, start: Duration) -> Timings {
        Timings {
            prepare: build.prepare.as_secs_f64(),
            compile: build.cargo.as_secs_f64(),
            link: build.kbuild.as_secs_f64(),
            start: start.as_secs_f64(),
            ..Timings::default()
        }
    }
}

/// How one run is shown, and how it is held.
pub struct Manner<'a> {
    /// Where its log goes as it comes.
    pub log: To,
    /// Whether the command has this program's input and terminal. Else ...
    pub interactive: bool,
    /// ... this gets what it says.
    pub output: &'a dyn Fn(&ProcessEvent) -> std::io::Result<()>,
    /// Told of the guest when it is up.
    pub started: &'a dyn Fn(&Guest),
}

/// What came of one run.
pub struct Ended {
    pub module: String,
    pub kernel: String,
    /// The command's exit status, or what stopped the run.
    pub outcome: Result<u8>,
    /// All that was logged, whatever the outcome.
    pub log: Vec<LogRecord>,
    /// The kernel did what was asked, but complained meanwhile.
    pub complaint: Option<Complaint>,
    pub seconds: Timings,
}

/// Builds the module, loads it in a fresh guest or on the target, runs the command,
/// unloads it.
pub fn once(context: &Context, args: &RunArgs, manner: &Manner) -> Result<Ended> {
    if !args.target.is_vm() {
        return run_there::once(context, args, manner);
    }
    let tree = context.tree(&args.kernel)?;
    let mut root = Initramfs::new();
    let mentioned = programs::mentioned(&context.home.root, &args.command);
    programs::build(context, &mentioned)?;
    programs::put(context, &mut root, &mentioned)?;
    let command = take_along(context, &mut root, &args.file, &args.command)?;
    if let Some(seed) = args.replay {
        // All that it takes has to lie there when the guest goes on.
        let module = loadable(context, &tree, args.module.as_deref())?;
        root.file(&module_path(&module.name), &module.path)?;
        let what = (module, root, &*command);
        return replay::once(context, &tree, what, (args, seed), manner);
    }
    // A guest takes as long to start as cargo to see that nothing changed.
    let (module, guest) = thread::scope(|s| {
        let starting = s.spawn(|| guest::start(context, &tree, root, &args.machine));
        let module = loadable(context, &tree, args.module.as_deref());
        let guest = starting.join().unwrap_or_else(|e| panic::resume_unwind(e));
        Ok::<_, Error>((module?, guest?))
    })?;
    let name = &module.name;
    let inside = module_path(name);
    (manner.started)(&guest);
    context.ui.done();

    let session = guest.session();
    let content = fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
    session.put_file(&inside, 0o644, &content)?;
    let before = session.taint()?;
    let mark = session.mark()?;
    let follower = Follower::start(context, session, mark, manner.log);
    let mut seconds = Timings::of(&module.stages, guest.boot_time());
    // Each step in order, and the log to its end whatever becomes of them.
    let outcome = (|| -> Result<u8> {
        let (_, took) = timed(|| session.load(&inside, &args.params).map_err(Error::from))?;
        seconds.load = took.as_secs_f64();
        let mut status = 0;
        if !command.is_empty() {
            let (code, took) = timed(|| match manner.interactive {
                true => exec::run(session, &command),
                false => exec::run_alone(session, &command, Exec::default(), manner.output),
            })?;
            (status, seconds.command) = (code, took.as_secs_f64());
        }
        let (_, took) = timed(|| session.unload(name).map_err(Error::from))?;
        seconds.unload = took.as_secs_f64();
        Ok(status)
    })();
    let log = follower.finish();
    let outcome = outcome.map_err(|e| without_log(e, &log, manner.log));
    let complaint = match outcome {
        Ok(_) => session.complaint_since(mark, before)?,
        Err(_) => None,
    };
    if outcome.is_ok() {
        guest.power_off()?;
    }
    Ok(Ended {
        module: module.name,
        kernel: tree.release,
        outcome,
        log,
        complaint,
        seconds,
    })
}

/// A log that was shown as it came is not shown again.
pub fn without_log(mut error: Error, log: &[LogRecord], shown: To) -> Error {
    let told = error.output.as_ref().is_some_and(|o| holds(log, o));
    if !matches!(shown, To::Nowhere) && told {
        error.output = None;
    }
    error
}

pub fn run(context: &Context, args: &RunArgs) -> Result<u8> {
    let manner = Manner {
        log: match (context.json, args.command.is_empty()) {
            (true, _) => To::Nowhere,
            (false, true) => To::Stdout,
            (false, false) => To::Stderr,
        },
        interactive: args.replay.is_none(),
        output: &exec::show,
        started: &|_| (),
    };
    let ended = once(context, args, &manner)?;
    let (outcome, seconds) = (ended.outcome, ended.seconds);
    let name = ended.module;
    if context.json {
        json(&Report {
            module: name.clone(),
            kernel: ended.kernel,
            status: outcome.as_ref().ok().copied(),
            log: ended.log.iter().map(Record::from).collect(),
            decoded: oops::decoded(&oops::decoder(context), &ended.log),
            seconds,
        });
    } else if args.timings && outcome.is_ok() {
        context.ui.say(&format!(
            "prepare {:.2} s, compile {:.2} s, link {:.2} s, start {:.2} s, load {:.2} s, \
             command {:.2} s, unload {:.2} s",
            seconds.prepare,
            seconds.compile,
            seconds.link,
            seconds.start,
            seconds.load,
            seconds.command,
            seconds.unload
        ));
    }
    let status = outcome?;
    match ended.complaint {
        Some(complaint) => Err(complaint_error(&format!("running {name}"), &complaint)),
        None => Ok(status),
    }
}

pub fn timed<T>(step: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    let start = Instant::now();
    Ok((step()?, start.elapsed()))
}

/// Puts the user's files into the guest's /root. A command that is a file of
/// this machine (it has a `/`) comes along by itself.
fn take_along(
    context: &Context,
    root: &mut Initramfs,
    files: &[PathBuf],
    command: &[String],
) -> Result<Vec<String>> {
    let inside = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        format!("/root/{name}")
    };
    for file in files {
        let path = context.here.join(file);
        fs::metadata(&path).map_err(|e| Error::path("taking along", &path, e))?;
        root.file(&inside(&path), &path)?;
    }
    let mut command = command.to_vec();
    if let Some(program) = command.first_mut() {
        let path = context.here.join(&*program);
        let ours = program.starts_with("./") || program.starts_with("../");
        if ours && path.is_file() {
            root.file(&inside(&path), &path)?;
            *program = inside(&path);
        }
    }
    Ok(command)
}
