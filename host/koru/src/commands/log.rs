// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru log`: shows or follows a target's kernel log.

use std::time::Duration;

use koru_error::{Error, Result};
use koru_klog::LogRecord;

use crate::{
    cli::LogArgs,
    context::Context,
    log::oops::{self, LogRenderer},
    run::outcome::Record,
    target::session::connect,
    ui::{json, out},
};

pub fn log(context: &Context, args: &LogArgs) -> Result<u8> {
    let session = connect(context, &args.target)?;
    let end = session.mark()?;
    if args.clear {
        // The records stay in the guest, but those before this point are not shown again.
        let cleared = session.output(koru_protocol::Exec::new(["dmesg", "-c"]));
        cleared?;
        session.put_file("/run/koru-log-from", 0o644, end.to_string().as_bytes())?;
        if context.json {
            json(&serde_json::json!({ "cleared": true }));
        }
        return Ok(0);
    }
    let from = session
        .get_file("/run/koru-log-from")
        .ok()
        .and_then(|t| String::from_utf8(t).ok()?.trim().parse().ok())
        .unwrap_or(0);
    let filtered = args.level.is_some() || args.grep.is_some();
    let wanted = |r: &LogRecord| {
        args.level.is_none_or(|level| r.level <= level as u8)
            && args.grep.as_ref().is_none_or(|g| r.text.contains(g))
    };
    let colour = std::io::IsTerminal::is_terminal(&std::io::stdout()) && context.ui.colour();
    oops::index_loaded_modules(context, &session);
    let mut shown = LogRenderer::new(oops::decoder(context), context.raw, colour);
    let mut print = |text: &str| out(text);
    let mut show = |shown: &mut LogRenderer, r: &LogRecord| {
        if context.json {
            // Each record is on one line, so that a reader can follow.
            out(&serde_json::to_string(&Record::from(r)).unwrap_or_default());
        } else if filtered {
            // A part of an oops cannot be decoded.
            out(&koru_klog::format_record(r, colour));
        } else {
            shown.next(r, &mut print);
        }
    };
    let mut stream = session.follow(from);
    loop {
        match stream.next(Duration::from_millis(if args.follow { 500 } else { 20 })) {
            Ok(records) => {
                let some = records.iter().filter(|r| wanted(r));
                some.for_each(|r| show(&mut shown, r));
                shown.pause(&mut |text| out(text));
                let done = records.is_empty() || records.last().is_some_and(|r| r.seq + 1 >= end);
                if done && !args.follow {
                    shown.end(&mut |text| out(text));
                    return Ok(0);
                }
            }
            Err(e) => {
                shown.end(&mut |text| out(text));
                if matches!(e, koru_session::Error::PoweredOff) {
                    return Ok(0);
                }
                let e: Error = Error::from(e);
                return Err(e);
            }
        }
    }
}
