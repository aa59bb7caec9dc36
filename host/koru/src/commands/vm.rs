// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru vm`: starts, stops and shows the virtual machine that stays up.

use koru_error::{Error, Result};
use koru_session::Session;

use crate::{
    cli::{VmArgs, VmCommand},
    context::Context,
    target::standing_vm::{self, socket},
    ui::{json, out},
};

pub fn vm(context: &Context, command: &VmCommand) -> Result<u8> {
    match command {
        VmCommand::Start {
            kernel,
            vm,
            machine,
        } => {
            if koru_session::connect(&socket(vm)?).is_ok() {
                return Err(koru_session::Error::InUse(socket(vm)?).into());
            }
            let session = standing_vm::start(context, kernel, vm, machine)?;
            tell_status(context, vm, Some(&session))
        }
        VmCommand::Stop { vm } => {
            let said = match standing_vm::stop(vm)? {
                Some(_) => "stopped",
                None => "it is not up",
            };
            tell_stopped(context, vm, said)
        }
        VmCommand::Restart {
            kernel,
            vm,
            machine,
        } => {
            let session = standing_vm::restart(context, kernel, vm, machine)?;
            tell_status(context, vm, Some(&session))
        }
        VmCommand::Status { vm } => match koru_session::connect(&socket(vm)?) {
            Ok(session) => tell_status(context, vm, Some(&session)),
            Err(koru_session::Error::NotServed(_)) => tell_status(context, vm, None),
            Err(e) => Err(Error::from(e)),
        },
    }
}

fn tell_stopped(context: &Context, vm: &VmArgs, what: &str) -> Result<u8> {
    if context.json {
        json(&serde_json::json!({ "vm": vm.vm, "up": false }));
    }
    context.ui.say(what);
    Ok(0)
}

fn tell_status(context: &Context, vm: &VmArgs, session: Option<&Session>) -> Result<u8> {
    let ready = session
        .map(|s| s.hello().map_err(Error::from))
        .transpose()?;
    let oopsed = session.map_or(Ok(false), standing_vm::has_oopsed)?;
    if context.json {
        json(&serde_json::json!({
            "vm": vm.vm,
            "up": ready.is_some(),
            "kernel": ready.as_ref().map(|r| &r.release),
            "uptime_ms": ready.as_ref().map(|r| r.uptime_ms),
            "oopsed": oopsed,
        }));
    } else {
        match &ready {
            Some(r) => out(&format!(
                "{} is up: Linux {}, for {} s{}",
                vm.vm,
                r.release,
                r.uptime_ms / 1000,
                if oopsed {
                    "; its kernel has oopsed"
                } else {
                    ""
                }
            )),
            None => out(&format!("{} is down", vm.vm)),
        }
    }
    Ok(if ready.is_some() { 0 } else { 1 })
}
