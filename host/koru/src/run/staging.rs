// SPDX-License-Identifier: MIT OR Apache-2.0

//! Copies the files that a command needs to the machine that the command runs on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use koru_error::{Error, Kind, Result};
use koru_kernels::Progress;
use koru_protocol::Exec;
use koru_qemu::Initramfs;
use koru_session::Session;

use crate::{
    cli::RunArgs, context::Context, exec, programs, run::outcome::RunOptions, target::name::Target,
};

/// Puts the user's files into the guest's /root. A command that is a file of this machine (a
/// path that begins with `./` or `../`) is copied as well.
pub fn stage_in_initramfs(
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
        let path = context.cwd.join(file);
        fs::metadata(&path).map_err(|e| Error::path("copying", &path, e))?;
        root.file(&inside(&path), &path)?;
    }
    let mut command = command.to_vec();
    if let Some(program) = command.first_mut() {
        let path = context.cwd.join(&*program);
        let ours = program.starts_with("./") || program.starts_with("../");
        if ours && path.is_file() {
            root.file(&inside(&path), &path)?;
            *program = inside(&path);
        }
    }
    Ok(command)
}

/// The files that a command needs in addition to the machine's own programs.
pub struct StagedFiles {
    command: Vec<String>,
    /// The folder in which the command runs, and which contains its files.
    folder: String,
    /// Whether the folder was made for this command.
    made: bool,
}

impl StagedFiles {
    pub fn stage(context: &Context, session: &Session, args: &RunArgs) -> Result<StagedFiles> {
        let mut command = args.command.clone();
        let cwd = context.cwd.display().to_string();
        let mentioned = programs::mentioned(&context.home.root, &command);
        programs::build(context, &mentioned)?;
        let mut files = args.file.clone();
        let built = programs::built(context).into_iter();
        let needed = built.filter(|(name, _)| mentioned.contains(name));
        files.extend(needed.map(|(_, file)| file));
        let ours = command.first().is_some_and(|program| {
            let relative = program.starts_with("./") || program.starts_with("../");
            relative && context.cwd.join(program).is_file()
        });
        if let (true, false) = (ours, args.target == Target::Host) {
            files.extend(command.first().map(Into::into));
        }
        if files.is_empty() {
            let folder = match args.target {
                Target::Host => cwd,
                _ => "/".into(),
            };
            return Ok(StagedFiles {
                command,
                folder,
                made: false,
            });
        }
        let folder = new_folder(session)?;
        for file in &files {
            let path = context.cwd.join(file);
            let content = fs::read(&path).map_err(|e| Error::path("copying", &path, e))?;
            let there = format!("{folder}/{}", file_name(&path));
            context.ui.status(&format!("copying {}", path.display()));
            let mode = std::os::unix::fs::PermissionsExt::mode(
                &fs::metadata(&path)
                    .map_err(|e| Error::path("copying", &path, e))?
                    .permissions(),
            );
            session.put_file(&there, mode & 0o777, &content)?;
        }
        context.ui.done();
        if let (true, Some(program)) = (ours, command.first_mut()) {
            let path = context.cwd.join(&*program);
            *program = match args.target {
                Target::Host => path.display().to_string(),
                _ => format!("{folder}/{}", file_name(&path)),
            };
        }
        Ok(StagedFiles {
            command,
            folder,
            made: true,
        })
    }

    pub fn run(&self, session: &Session, options: &RunOptions) -> Result<u8> {
        let surroundings = self.surroundings();
        match (self.command.is_empty(), options.interactive) {
            (true, _) => Ok(0),
            (false, true) => exec::run_in(session, &self.command, surroundings),
            (false, false) => exec::run_alone(session, &self.command, surroundings, options.output),
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

    pub fn remove(&self, session: &Session) {
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

/// Makes a folder next to the agent, because programs can be started from there. (The shell's
/// parent is the agent.)
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
