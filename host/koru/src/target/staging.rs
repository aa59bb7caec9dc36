// SPDX-License-Identifier: MIT OR Apache-2.0

//! Copies the files that a command needs to the machine that the command runs on.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kernels::Progress;
use koru_protocol::Exec;
use koru_qemu::Initramfs;
use koru_session::Session;
use object::{Endianness, elf, read::elf::ElfFile64};

use crate::{
    context::Context,
    exec, guest, programs,
    target::{
        name::TargetName,
        request::{CommandIo, RunRequest},
    },
};

/// Puts the user's files into the guest's /root. A command that is a file of this machine is
/// copied as well: a path that begins with `./` or `../`, or an absolute path at which the guest
/// itself has nothing.
pub fn stage_in_initramfs(
    context: &Context,
    root: &mut Initramfs,
    files: &[PathBuf],
    command: &[String],
) -> Result<Vec<String>> {
    let inside = |path: &Path| format!("/root/{}", file_name(path));
    for file in files {
        let path = context.cwd.join(file);
        fs::metadata(&path).path_context("copying", &path)?;
        root.file(&inside(&path), &path)?;
    }
    let mut command = command.to_vec();
    let is_there = |path: &str| guest::has(context, path);
    let own_program = own_program(context, &command, is_there)?;
    if let (Some(program), Some(first)) = (own_program, command.first_mut()) {
        check_is_static(&program)?;
        root.file(&inside(&program), &program)?;
        *first = inside(&program);
    }
    Ok(command)
}

/// The files that a command needs in addition to the machine's own programs. They are removed
/// when this is dropped.
pub struct StagedFiles {
    session: Session,
    /// The folder in which the command runs, and which contains its files.
    folder: String,
    /// Whether the folder was made for this command.
    made: bool,
}

impl StagedFiles {
    /// Copies the files of a request to a machine of the user's own, and returns the command
    /// with the paths that its files have there.
    pub fn stage(
        context: &Context,
        session: &Session,
        request: &RunRequest,
        name: &TargetName,
    ) -> Result<(StagedFiles, Vec<String>)> {
        let mut command = request.command.clone();
        let is_host = *name == TargetName::Host;
        let mentioned = programs::mentioned(&context.home.root, &command);
        programs::build(context, &mentioned)?;
        let mut files = request.files.clone();
        let built = programs::built(context).into_iter();
        let needed = built.filter(|(name, _)| mentioned.contains(name));
        files.extend(needed.map(|(_, file)| file));
        let own_program = own_program(context, &command, |path| {
            let test = session.output(Exec::new(["test", "-e", path]))?;
            Ok(is_host || test.exit.success())
        })?;
        files.extend(own_program.clone().filter(|_| !is_host));
        let mut staged = StagedFiles {
            session: session.clone(),
            folder: match is_host {
                true => context.cwd.display().to_string(),
                false => "/".into(),
            },
            made: false,
        };
        if !files.is_empty() {
            staged.folder = new_folder(session)?;
            staged.made = true;
        }
        for file in &files {
            let path = context.cwd.join(file);
            context.ui.status(&format!("copying {}", path.display()));
            let content = fs::read(&path).path_context("copying", &path)?;
            let meta = fs::metadata(&path).path_context("copying", &path)?;
            let mode = meta.permissions().mode() & 0o777;
            session.put_file(&staged.path_of(&path), mode, &content)?;
        }
        context.ui.done();
        if let (Some(program), Some(first)) = (own_program, command.first_mut()) {
            *first = match is_host {
                true => program.display().to_string(),
                false => staged.path_of(&program),
            };
        }
        Ok((staged, command))
    }

    fn path_of(&self, file: &Path) -> String {
        format!("{}/{}", self.folder, file_name(file))
    }

    /// Runs the command, and returns its exit status.
    pub fn run(&self, session: &Session, command: &[String], io: &CommandIo) -> Result<u8> {
        match io.interactive {
            true => exec::run_in(session, command, self.surroundings()),
            false => exec::run_alone(session, command, self.surroundings(), io.output),
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
}

impl Drop for StagedFiles {
    fn drop(&mut self) {
        if self.made && self.session.death().is_none() {
            let _ = self.session.output(Exec::new(["rm", "-rf", &self.folder]));
        }
    }
}

/// Returns the command's program if it is a file of this machine that has to be copied: named by
/// a path that begins with `./` or `../`, or by an absolute path at which the target has nothing.
fn own_program(
    context: &Context,
    command: &[String],
    is_there: impl Fn(&str) -> Result<bool>,
) -> Result<Option<PathBuf>> {
    let Some(program) = command.first() else {
        return Ok(None);
    };
    let path = context.cwd.join(program);
    let is_relative = program.starts_with("./") || program.starts_with("../");
    let is_ours =
        path.is_file() && (is_relative || (program.starts_with('/') && !is_there(program)?));
    Ok(is_ours.then_some(path))
}

/// Refuses a program that needs shared libraries, which a guest does not have.
fn check_is_static(program: &Path) -> Result<()> {
    let bytes = fs::read(program).path_context("copying", program)?;
    let Ok(file) = ElfFile64::<Endianness>::parse(&*bytes) else {
        return Ok(());
    };
    let mut headers = file.elf_program_headers().iter();
    if !headers.any(|h| h.p_type.get(file.endian()) == elf::PT_INTERP) {
        return Ok(());
    }
    let name = file_name(program);
    Err(Error::new(
        Kind::Usage,
        format!("copying {} to the guest", program.display()),
        "it needs shared libraries, which the guest does not have",
    )
    .help(format!(
        "link it statically (`gcc -static`, or rustc's `-C target-feature=+crt-static`); the \
         guest's own commands are called by their names, such as `{name}`"
    )))
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
    let made = session.output(Exec::new(["sh", "-c", SCRIPT]))?;
    let folder = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    if !made.exit.success() || folder.is_empty() {
        let attempted = "making a folder for the command's files";
        return Err(Error::new(Kind::System, attempted, "the machine refused")
            .output(String::from_utf8_lossy(&made.stderr)));
    }
    Ok(folder)
}
