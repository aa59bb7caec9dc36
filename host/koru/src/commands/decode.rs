// SPDX-License-Identifier: MIT OR Apache-2.0

//! `koru decode`: finds the source lines of the reports in any kernel log.

use std::{
    fs,
    io::{IsTerminal, Read},
    path::Path,
};

use koru_error::{Error, IoContext, Kind, Result};
use koru_kbuild::{Ko, unpacked};

use crate::{
    cli::DecodeArgs,
    context::Context,
    log::oops,
    ui::{json, out},
};

/// Decodes the reports in a log. The exit status is 0 if there is one, and 1 if there is none.
pub fn decode(context: &Context, args: &DecodeArgs) -> Result<u8> {
    for file in args.ko.iter().chain(&args.debug) {
        let path = context.cwd.join(file);
        if !path.is_file() {
            let attempted = format!("reading {}", path.display());
            return Err(Error::new(Kind::Usage, attempted, "there is no such file"));
        }
    }
    for file in &args.ko {
        let path = context.cwd.join(file);
        let ko = Ko::prebuilt(&unpacked(&context.cache, &path, &*context.ui)?)?;
        context.register_module(&ko.name, &ko.path);
    }
    let debug = args.debug.iter().map(|file| context.cwd.join(file));
    context.update_debug_info(|known| known.debug.extend(debug));
    let log = read(context, args.log.as_deref())?;

    let decoder = oops::decoder(context);
    let colour = std::io::stdout().is_terminal() && context.ui.colour();
    let style = oops::style(colour, context.raw);
    let pieces = oops::pieces(&decoder, &log, context.raw, &style);
    let reports: Vec<_> = pieces.iter().filter_map(|(_, d)| d.as_ref()).collect();
    let status = u8::from(reports.is_empty());
    if context.json {
        json(&serde_json::json!({ "decoded": reports }));
        return Ok(status);
    }
    for (text, _) in &pieces {
        out(text);
    }
    if reports.is_empty() {
        let what = "koru: no oops, BUG, warning or stack of the kernel found";
        context.ui.say(what);
    }
    Ok(status)
}

fn read(context: &Context, file: Option<&Path>) -> Result<String> {
    let bytes = match file.filter(|f| *f != Path::new("-")) {
        Some(file) => {
            let path = context.cwd.join(file);
            fs::read(&path).map_err(|e| {
                let mut error = Error::path("reading", &path, e);
                error.kind = Kind::Usage;
                error
            })?
        }
        None => {
            if std::io::stdin().is_terminal() {
                context.ui.say("koru: paste the log, then press Ctrl-D");
            }
            let mut bytes = Vec::new();
            let read = std::io::stdin().read_to_end(&mut bytes);
            read.path_context("reading", Path::new("standard input"))?;
            bytes
        }
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
