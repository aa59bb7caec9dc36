//! `koru run --target`: on a machine that is somebody's own.

use std::{path::Path, time::Instant};

use koru_error::{Error, Kind, Result};
use koru_kernels::Progress as _;
use koru_protocol::Exec;
use koru_session::Session;

use crate::{
    cli::RunArgs,
    commands::run::{Ended, Manner, Timings, timed, without_log},
    context::Context,
    exec,
    log_view::Follower,
    machine::{self, Wanted},
    programs,
    target::Target,
};

/// One run there: the module does not stay, whatever the command did.
pub fn once(context: &Context, args: &RunArgs, manner: &Manner) -> Result<Ended> {
    if args.replay.is_some() {
        let attempted = format!("replaying on {}", args.target);
        return Err(Error::new(
            Kind::Usage,
            attempted,
            "only the virtual machine can",
        ));
    }
    let start = Instant::now();
    let wanted = Wanted {
        module: args.module.as_deref(),
        kernel: &args.kernel,
        target: &args.target,
        yes: args.yes,
    };
    let ready = machine::prepare(context, &wanted)?;
    let session = &ready.session;
    let name = &ready.module.name;
    let luggage = Luggage::take(context, session, args)?;
    let stages = &ready.module.stages;
    let built = stages.prepare + stages.cargo + stages.kbuild;
    let mut seconds = Timings::of(stages, start.elapsed().saturating_sub(built));

    let before = session.taint()?;
    let mark = session.mark()?;
    let follower = Follower::start(context, session, mark, manner.log);
    let outcome = (|| -> Result<u8> {
        let (_, took) = timed(|| {
            let loaded = session.load_transient(&ready.path, name, &args.params);
            loaded.map_err(Error::from)
        })?;
        seconds.load = took.as_secs_f64();
        let command = timed(|| luggage.run(session, manner));
        // The kernel goes on after this, so the module must not stay.
        let unloaded = timed(|| session.unload(name).map_err(Error::from));
        let (status, took) = command?;
        seconds.command = took.as_secs_f64();
        seconds.unload = unloaded?.1.as_secs_f64();
        Ok(status)
    })();
    let log = follower.finish();
    luggage.remove(session);
    ready.clean_up();
    let outcome = outcome.map_err(|e| without_log(e, &log, manner.log));
    let complaint = match outcome {
        Ok(_) => session.complaint_since(mark, before)?,
        Err(_) => None,
    };
    Ok(Ended {
        module: ready.module.name,
        kernel: ready.release,
        outcome,
        log,
        complaint,
        seconds,
    })
}

/// What a command needs besides the machine's own programs.
struct Luggage {
    command: Vec<String>,
    /// Where it runs, and its files are.
    folder: String,
    /// Whether the folder was made for this.
    made: bool,
}

impl Luggage {
    fn take(context: &Context, session: &Session, args: &RunArgs) -> Result<Luggage> {
        let mut command = args.command.clone();
        let here = context.here.display().to_string();
        let mentioned = programs::mentioned(&context.home.root, &command);
        programs::build(context, &mentioned)?;
        let mut files = args.file.clone();
        let built = programs::built(context).into_iter();
        let needed = built.filter(|(name, _)| mentioned.contains(name));
        files.extend(needed.map(|(_, file)| file));
        let ours = command.first().is_some_and(|program| {
            let relative = program.starts_with("./") || program.starts_with("../");
            relative && context.here.join(program).is_file()
        });
        if let (true, false) = (ours, args.target == Target::Host) {
            files.extend(command.first().map(Into::into));
        }
        if files.is_empty() {
            let folder = match args.target {
                Target::Host => here,
                _ => "/".into(),
            };
            return Ok(Luggage {
                command,
                folder,
                made: false,
            });
        }
        let folder = new_folder(session)?;
        for file in &files {
            let path = context.here.join(file);
            let content =
                std::fs::read(&path).map_err(|e| Error::path("taking along", &path, e))?;
            let there = format!("{folder}/{}", file_name(&path));
            context.ui.status(&format!("copying {}", path.display()));
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &std::fs::metadata(&path)
                    .map_err(|e| Error::path("taking along", &path, e))?
                    .permissions(),
            );
            session.put_file(&there, mode & 0o777, &content)?;
        }
        context.ui.done();
        if let (true, Some(program)) = (ours, command.first_mut()) {
            let path = context.here.join(&*program);
            *program = match args.target {
                Target::Host => path.display().to_string(),
                _ => format!("{folder}/{}", file_name(&path)),
            };
        }
        Ok(Luggage {
            command,
            folder,
            made: true,
        })
    }

    fn run(&self, session: &Session, manner: &Manner) -> Result<u8> {
        let surroundings = self.surroundings();
        match (self.command.is_empty(), manner.interactive) {
            (true, _) => Ok(0),
            (false, true) => exec::run_in(session, &self.command, surroundings),
            (false, false) => exec::run_alone(session, &self.command, surroundings, manner.output),
        }
    }

    fn surroundings(&self) -> Exec {
        let mut exec = Exec {
            cwd: Some(self.folder.clone()),
            ..Exec::default()
        };
        if self.made {
            let path = format!(
                "{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                self.folder
            );
            exec.env.push(("PATH".into(), path));
        }
        exec
    }

    fn remove(&self, session: &Session) {
        if self.made && session.death().is_none() {
            let _ = session.output(Exec::new(["rm", "-rf", &self.folder]));
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Beside the agent: programs can be started from there. (The shell's parent is
/// the agent.)
fn new_folder(session: &Session) -> Result<String> {
    const SCRIPT: &str =
        "agent=$(readlink /proc/$PPID/exe) && mktemp -d \"${agent%/*}/run.XXXXXX\"";
    let made = session.output(Exec::new(["sh", "-c", SCRIPT]));
    let made = made?;
    let folder = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    if !made.exit.success() || folder.is_empty() {
        let attempted = "making a folder for the command's files";
        return Err(Error::new(Kind::System, attempted, "the machine refused")
            .output(String::from_utf8_lossy(&made.stderr)));
    }
    Ok(folder)
}
