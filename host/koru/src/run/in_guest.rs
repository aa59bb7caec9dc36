// SPDX-License-Identifier: MIT OR Apache-2.0

//! A harsh guest with a module that is checked, and what its kernel says in the end.

use koru_error::{Error, Result};
use koru_kernels::KernelTree;
use koru_klog::Complaint;
use koru_protocol::{Exec, Exit};
use koru_session::{Output, Session, quote_parameter};

use crate::{
    cli::KernelChoice,
    context::Context,
    guest::{complaint_error, machine},
    log::{
        baseline::Baseline,
        oops::{self, Log},
    },
    run::left_behind::{self, Inventories},
    target::{
        self,
        request::{ModuleRequest, Place, RunRequest},
        traits::{Prepared, ReadyModule, Target},
    },
};

/// Koru's program that works with modules.
const CHECKER: &str = "checker";

/// A module that is checked.
#[derive(Clone, Copy)]
pub struct Checked<'a> {
    pub context: &'a Context,
    /// A name, a folder or a file; without it, the current folder's module.
    pub source: Option<&'a str>,
    pub params: &'a [String],
    /// Programs of Koru's that the guest has, beside the one that loads modules.
    pub programs: &'static [&'static str],
    pub cpus: u32,
}

/// A harsh guest with the module in it, which is not loaded.
pub struct InGuest<'a> {
    checked: Checked<'a>,
    target: Box<dyn Target>,
    inventories: Inventories,
    baseline: Baseline,
}

impl<'a> InGuest<'a> {
    pub fn start(checked: Checked<'a>, tree: &KernelTree) -> Result<InGuest<'a>> {
        let mut machine = machine();
        machine.harsh = true;
        machine.cpus = checked.cpus;
        let programs = checked.programs.iter().chain(&[CHECKER]);
        let request = RunRequest {
            modules: vec![ModuleRequest {
                source: checked.source.map(str::to_owned),
                module: None,
                params: checked.params.to_vec(),
            }],
            kernel: KernelChoice::named(&tree.release),
            place: Place::FreshVm {
                machine,
                replay: None,
            },
            yes: false,
            files: Vec::new(),
            command: programs.map(|program| (*program).to_owned()).collect(),
        };
        let target = target::prepare(checked.context, &request)?;
        let inventories = Inventories::before(&*target)?;
        let baseline = target.baseline()?;
        let guest = InGuest {
            checked,
            target,
            inventories,
            baseline,
        };
        guest.load_dependencies()?;
        Ok(guest)
    }

    /// Loads the modules that the module needs.
    fn load_dependencies(&self) -> Result<()> {
        for module in &self.prepared().modules {
            if module.is_dependency && !self.prepared().is_there(module)? {
                self.target.load(module)?;
            }
        }
        Ok(())
    }

    pub fn prepared(&self) -> &Prepared {
        self.target.prepared()
    }

    pub fn session(&self) -> &Session {
        &self.prepared().session
    }

    /// Returns the module that is checked.
    pub fn module(&self) -> &ReadyModule {
        let modules = &self.prepared().modules;
        let asked = modules.iter().find(|module| !module.is_dependency);
        asked.or(modules.last()).expect("a request has a module")
    }

    pub fn load(&self) -> Result<()> {
        self.target.load(self.module())
    }

    pub fn unload(&self) -> Result<()> {
        self.target.unload(self.module())
    }

    /// Runs Koru's program that works with modules, and returns its output. The arguments are
    /// followed by what the module is.
    pub fn run_checker(&self, arguments: &[&str]) -> koru_session::Result<Output> {
        let module = self.module();
        let mut argv = vec![format!("/bin/{CHECKER}")];
        argv.extend(arguments.iter().map(|a| (*a).to_owned()));
        argv.extend([module.path.clone(), module.name.clone()]);
        argv.extend(module.params.iter().map(|p| quote_parameter(p)));
        self.session().output(Exec::new(argv))
    }

    /// Returns what the kernel has logged since the guest was ready.
    pub fn log(&self) -> Vec<koru_klog::LogRecord> {
        let _ = self.session().mark();
        self.session().log_since(self.baseline.mark)
    }

    /// Returns the kernel's first complaint.
    pub fn complaint(&self) -> koru_session::Result<Option<Complaint>> {
        self.baseline.complaint(self.session())
    }

    /// Returns an error if the kernel has complained until now.
    pub fn complained(&self, doing: &str) -> Result<()> {
        match self.complaint()? {
            Some(complaint) => Err(self.with_log(complaint_error(doing, &complaint))),
            None => Ok(()),
        }
    }

    /// Loads and unloads the module once more, and returns an error if it does not work as before,
    /// or if something is there that was not there before.
    pub fn left(&self, doing: &str) -> Result<()> {
        // The agent looks at all memory after an unload of its own.
        if let Err(error) = self.load().and_then(|()| self.unload()) {
            self.complained(doing)?;
            return Err(self.with_log(error));
        }
        for module in self.prepared().modules.iter().rev() {
            if module.is_dependency {
                // Another one may use it still.
                let _ = self.target.unload(module);
            }
        }
        let left = self.inventories.left(&*self.target)?;
        let left = left_behind::named(self.checked.context, self.session(), left);
        match left.sentence() {
            Some(sentence) => Err(Error::new(koru_error::Kind::System, doing, sentence)
                .help("the module must free or unregister it, also where it fails")),
            None => self
                .complained(doing)
                .and_then(|()| self.load_dependencies()),
        }
    }

    /// Returns what is wrong after the checker has failed.
    pub fn failed(&self, doing: &str, output: &Output) -> Result<()> {
        match output.exit {
            Exit::Code(0) => Ok(()),
            _ => {
                let said = String::from_utf8_lossy(&output.stderr);
                let said = said.trim().trim_start_matches("checker: ");
                Err(self.with_log(Error::new(koru_error::Kind::System, doing, said)))
            }
        }
    }

    /// Adds the end of the kernel's log to an error.
    pub fn with_log(&self, error: Error) -> Error {
        /// The number of records: a report is shorter.
        const SHOWN: usize = 150;
        let context = self.checked.context;
        let decoder = oops::decoder_of(context, self.session());
        let records = self.log();
        let last = &records[records.len().saturating_sub(SHOWN)..];
        error.output(Log::new(context, &decoder, last).shown.trim_end())
    }
}
