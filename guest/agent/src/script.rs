// SPDX-License-Identifier: MIT OR Apache-2.0

//! Plays a script: a run without the host. The calls are in the shared memory when that
//! appears, so nothing outside of the guest decides when anything happens in it.

use std::{io, sync::Arc, thread, time::Duration};

use koru_protocol::{Call, Decoder, ModuleResult, Reply, ToGuest};

use crate::{agent::Agent, exec, modules};

/// The interval at which the script's thread looks for the memory.
const LOOK: Duration = Duration::from_millis(20);

/// Waits for the script in a thread of its own, and plays it.
pub fn wait_and_play(agent: &Arc<Agent>) -> io::Result<()> {
    let agent = agent.clone();
    thread::Builder::new()
        .name("script".into())
        .spawn(move || {
            // The snapshot is taken in this loop; only resumed guests have the memory.
            while agent.line.share(true).is_err() {
                thread::sleep(LOOK);
            }
            play(&agent, &agent.line.script().unwrap_or_default());
        })
        .map(drop)
}

/// Makes one call after the other. If the module does not load, no command runs and nothing is
/// unloaded.
fn play(agent: &Arc<Agent>, script: &[u8]) {
    let mut calls = Vec::new();
    Decoder::default().feed(script, |message| {
        if let ToGuest::Call { id, call } = message {
            calls.push((id, call));
        }
    });
    let mut loaded = true;
    for (id, call) in calls {
        let answer = match call {
            // Nothing outlives a script, because the guest ends with it.
            Call::Load { path, params, .. } => {
                let answer = modules::load(agent, id, &path, &params, None);
                loaded = matches!(&answer, Ok(Reply::Module(o)) if o.result == ModuleResult::Ok);
                answer
            }
            Call::Exec(_) | Call::Unload { .. } if !loaded => continue,
            Call::Exec(exec) => exec::run(agent, id, exec, None),
            Call::Unload { name } => modules::unload(agent, id, &name),
            Call::Mark => Ok(Reply::Marked(agent.log.mark())),
            quick => {
                agent.call(id, quick);
                continue;
            }
        };
        agent.finish(id, answer);
    }
}
