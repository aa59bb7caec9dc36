//! Machines that are somebody's own: this one, and those that ssh reaches.

use std::{
    fs::{self, File},
    io::{IsTerminal, Read, Write},
    path::{Path, PathBuf},
    sync::PoisonError,
};

use koru_error::{Error, Kind, Result};
use koru_kernels::{KernelTree, Progress};
use koru_protocol::Exec;
use koru_session::{AskPassword, Session};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, tcgetattr, tcsetattr};
use sha2::{Digest, Sha256};

use crate::{
    cli::KernelChoice,
    commands::run::{Loadable, loadable_for},
    context::Context,
    headers,
    needs::{self, Answer},
    preflight,
    target::Target,
};

/// Where the module's file lies on a machine that ssh reaches.
const THERE: &str = "/run/koru";

/// Its session; for all but `vm`. There is one connection as long as that works, and
/// so a password is asked for once.
pub fn connect(context: &Context, target: &Target) -> Result<Session> {
    let mut there = context.there.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(session) = there.as_ref().filter(|s| s.death().is_none()) {
        return Ok(session.clone());
    }
    let session = connect_anew(context, target)?;
    Ok(there.insert(session).clone())
}

fn connect_anew(context: &Context, target: &Target) -> Result<Session> {
    let agent = needs::agent_path()?;
    let Target::Ssh(machine) = target else {
        return koru_session::local(&agent).map_err(Error::from);
    };
    let program = std::env::var("KORU_SSH").ok().filter(|p| !p.is_empty());
    let password = ask_password(context, machine.to_string());
    let status = |text: &str| context.ui.status(text);
    let session = machine.connect(program.as_deref(), &agent, &status, password);
    context.ui.done();
    session.map_err(Error::from)
}

/// What a module is to be loaded with.
pub struct Wanted<'a> {
    pub module: Option<&'a str>,
    pub kernel: &'a KernelChoice,
    pub target: &'a Target,
    /// The user need not be asked.
    pub yes: bool,
}

/// A module that is on its machine, and may be loaded.
pub struct Prepared {
    pub session: Session,
    pub module: Loadable,
    pub release: String,
    /// Where it lies there.
    pub path: String,
    copied: bool,
}

impl Prepared {
    /// Removes what was copied.
    pub fn clean_up(&self) {
        if self.copied && self.session.death().is_none() {
            let _ = self.session.output(Exec::new(["rm", "-f", &self.path]));
        }
    }
}

/// Builds the module for the machine's own kernel, sees that it can be loaded
/// there, has the user agree, and copies it there.
pub fn prepare(context: &Context, wanted: &Wanted) -> Result<Prepared> {
    // What cannot be built should not cost a password first.
    if *wanted.target == Target::Host {
        let release = running();
        let module = build(context, wanted, &release, None)?;
        let session = connect(context, wanted.target)?;
        return admit(context, wanted, session, module, release);
    }
    let session = connect(context, wanted.target)?;
    let release = session.hello()?.release;
    let module = build(context, wanted, &release, Some(&session))?;
    admit(context, wanted, session, module, release)
}

fn running() -> String {
    let uname = rustix::system::uname();
    uname.release().to_string_lossy().into_owned()
}

/// In words: `this machine's own kernel`, `the kernel of me@lab`.
pub fn kernel_of(target: &Target) -> String {
    match target {
        Target::Ssh(machine) => format!("the kernel of {machine}"),
        _ => "this machine's own kernel".into(),
    }
}

fn build(
    context: &Context,
    wanted: &Wanted,
    release: &str,
    session: Option<&Session>,
) -> Result<Loadable> {
    let choice = wanted.kernel.or_environment();
    let tree = || match (choice.is_made(), session) {
        (true, _) => same_release(
            context.tree(&choice)?,
            release,
            format!("loading into {}", kernel_of(wanted.target)),
            "leave --kernel and --kdir out",
        ),
        (false, Some(session)) => headers::of_machine(context, session, wanted.target, release),
        (false, None) => own_headers(context, release),
    };
    let module = loadable_for(context, tree, wanted.module)?;
    context.ui.done();
    Ok(module)
}

/// The installed headers of the kernel that runs here.
fn own_headers(context: &Context, release: &str) -> Result<KernelTree> {
    let installed = KernelTree::open(Path::new(&format!("/lib/modules/{release}/build")));
    installed.or_else(|e| match context.kernels.exactly(release) {
        Some(tree) => tree,
        None => Err(e.help(format!(
            "install the kernel's headers: sudo apt-get install linux-headers-{release}"
        ))),
    })
}

pub fn same_release(
    tree: KernelTree,
    release: &str,
    attempted: String,
    help: &str,
) -> Result<KernelTree> {
    if tree.release == release {
        return Ok(tree);
    }
    let message = format!("it runs {release}, not {}", tree.release);
    Err(Error::new(Kind::Usage, attempted, message).help(help))
}

fn admit(
    context: &Context,
    wanted: &Wanted,
    session: Session,
    module: Loadable,
    release: String,
) -> Result<Prepared> {
    let place = kernel_of(wanted.target);
    preflight::check(&session, &module, &release, &place)?;
    if !wanted.yes {
        agree(context, wanted.target, &session, &module.name, &release)?;
    }
    let here = module.path.display().to_string();
    let (path, copied) = match wanted.target {
        Target::Ssh(machine) => {
            context
                .ui
                .status(&format!("copying {} to {machine}", module.name));
            let content =
                fs::read(&module.path).map_err(|e| Error::path("reading", &module.path, e))?;
            let path = format!("{THERE}/{}.ko", module.name);
            let put = session.put_file(&path, 0o600, &content);
            context.ui.done();
            put?;
            (path, true)
        }
        _ => (here, false),
    };
    Ok(Prepared {
        session,
        module,
        release,
        path,
        copied,
    })
}

/// A mistake in a module costs the machine, so its owner is asked, once for
/// each boot of it.
fn agree(
    context: &Context,
    target: &Target,
    session: &Session,
    module: &str,
    release: &str,
) -> Result<()> {
    let boot = session.get_file("/proc/sys/kernel/random/boot_id").ok();
    let note = note(context, target);
    if boot.is_some() && boot == fs::read(&note).ok() {
        return Ok(());
    }
    let place = kernel_of(target);
    let question = format!(
        "load {module} into {place}, {release}? A mistake in it can bring the machine down."
    );
    let attempted = format!("loading {module} into {place}");
    if !std::io::stdin().is_terminal() {
        return Err(
            Error::new(Kind::Usage, attempted, "there is no terminal to ask on")
                .help("--yes loads without asking; without --target it runs in a guest"),
        );
    }
    if !needs::ask(&question, Answer::No) {
        return Err(Error::new(Kind::Usage, attempted, "you said no"));
    }
    // Only a convenience: without the note the question comes again.
    if let (Some(boot), Some(folder)) = (boot, note.parent()) {
        let _ = fs::create_dir_all(folder).and_then(|()| fs::write(&note, boot));
    }
    Ok(())
}

fn note(context: &Context, target: &Target) -> PathBuf {
    let name = Sha256::digest(target.to_string());
    let name: String = name[..12].iter().map(|b| format!("{b:02x}")).collect();
    context.cache.root().join("agreed").join(name)
}

/// For sudo on the other machine; there is none when nobody can be asked.
fn ask_password(context: &Context, machine: String) -> Option<AskPassword> {
    if !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal() {
        return None;
    }
    let mut terminal = File::options()
        .read(true)
        .write(true)
        .open("/dev/tty")
        .ok()?;
    let ui = context.ui.clone();
    Some(Box::new(move |before| {
        ui.done();
        if before.starts_with("Sorry") {
            writeln!(terminal, "{before}").ok()?;
        }
        unseen(&mut terminal, &format!("password for sudo on {machine}: "))
    }))
}

/// Asks for a line that is not shown; `None` at the end of input or Ctrl-C.
fn unseen(terminal: &mut File, question: &str) -> Option<String> {
    const INTERRUPT: u8 = 3;
    let before = tcgetattr(&*terminal).ok()?;
    let mut hidden = before.clone();
    // Killed by the signal, this program would leave the terminal as it is now.
    hidden
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ISIG);
    hidden.special_codes[SpecialCodeIndex::VEOL] = INTERRUPT;
    tcsetattr(&*terminal, OptionalActions::Flush, &hidden).ok()?;
    let asked = terminal.write_all(question.as_bytes());
    // A terminal gives a whole line at once.
    let mut line = [0; 4096];
    let typed = asked.and_then(|()| terminal.read(&mut line));
    let _ = tcsetattr(&*terminal, OptionalActions::Flush, &before);
    let _ = writeln!(terminal);
    let typed = line[..typed.ok()?].strip_suffix(b"\n")?;
    String::from_utf8(typed.to_vec()).ok()
}
