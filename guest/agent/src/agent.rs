// SPDX-License-Identifier: MIT OR Apache-2.0

//! The state that all calls share: the line, the log, and the processes behind calls.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, mpsc::Sender},
};

use koru_protocol::ToHost;

use crate::{answer::Answer, children::Children, kmsg::Log, process::CallProcess, serial::Line};

/// The state of a module that must not stay loaded when the line ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TransientModule {
    Loading,
    Loaded,
}

/// Input for a call in progress. The channel closes without `Eof` when the caller is gone.
pub enum Input {
    /// Some bytes.
    Data(Vec<u8>),
    /// The end of the input.
    Eof,
}

/// The state that all calls share.
pub struct Agent {
    pub line: Arc<Line>,
    pub log: Arc<Log>,
    pub children: Arc<Children>,
    pub(crate) inputs: Mutex<HashMap<u64, Sender<Input>>>,
    pub(crate) running: Mutex<HashMap<u64, CallProcess>>,
    /// The transient modules, by name.
    pub(crate) transient_modules: Mutex<HashMap<String, TransientModule>>,
}

impl Agent {
    /// Answers a call that was not answered at once, and forgets what belongs to the call.
    pub fn finish(&self, id: u64, answer: Answer) {
        self.inputs().remove(&id);
        self.running().remove(&id);
        self.reply(id, answer);
    }

    pub fn reply(&self, id: u64, reply: Answer) {
        self.line.send(&ToHost::Reply { id, reply });
    }

    pub fn open_input(&self, id: u64) -> std::sync::mpsc::Receiver<Input> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.inputs().insert(id, sender);
        receiver
    }

    /// Records a process as the one behind a call.
    pub fn enter(&self, id: u64, running: CallProcess) {
        self.running().insert(id, running);
    }

    pub fn with_running(&self, id: u64, ask: impl FnOnce(&CallProcess) -> Answer) -> Answer {
        self.running().get(&id).map_or(Err(libc::ESRCH), ask)
    }

    pub fn inputs(&self) -> MutexGuard<'_, HashMap<u64, Sender<Input>>> {
        self.inputs.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub fn transient_modules(&self) -> MutexGuard<'_, HashMap<String, TransientModule>> {
        self.transient_modules
            .lock()
            .unwrap_or_else(|e| e.into_inner())
    }

    pub fn running(&self) -> MutexGuard<'_, HashMap<u64, CallProcess>> {
        self.running.lock().unwrap_or_else(|e| e.into_inner())
    }
}
