// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shows failures: to people, and as JSON.

use koru_error::{Error, Hint, Kind};
use serde::Serialize;

use crate::{context::Context, log::oops, ui};

/// A failure, as `--json` prints it: `{"error": {..}}`, or the field `error` of a result.
#[derive(Serialize)]
pub struct ErrorObject {
    pub kind: &'static str,
    /// What was being done.
    pub context: String,
    /// What went wrong.
    pub message: String,
    /// What the user can do about the failure.
    pub help: Option<String>,
    /// Explanations of the tool's output, such as changes of the kernel's API.
    pub hints: Vec<Hint>,
    /// The output of the tool that failed.
    pub output: Option<String>,
    /// The exit status of the command.
    pub status: u8,
}

impl From<&Error> for ErrorObject {
    fn from(error: &Error) -> ErrorObject {
        ErrorObject {
            kind: match error.kind {
                Kind::Usage => "usage",
                Kind::Missing => "missing",
                Kind::Compile => "compile",
                Kind::Link => "link",
                Kind::System => "system",
            },
            context: error.context.clone(),
            message: error.message.clone(),
            help: error.help.clone(),
            hints: error.hints().to_vec(),
            output: error.output.clone(),
            status: exit_status(error.kind),
        }
    }
}

/// Returns the exit status of a command that fails with this kind of error.
pub fn exit_status(kind: Kind) -> u8 {
    match kind {
        Kind::Compile | Kind::Link | Kind::System => 1,
        Kind::Usage => 2,
        Kind::Missing => 3,
    }
}

/// Prints a failure as JSON on one line, because it may follow the lines of a stream.
pub fn print_json(error: &ErrorObject) {
    let object = serde_json::json!({ "error": error });
    ui::out(&object.to_string());
}

/// Shows the failure that ends the command, and returns the exit status.
pub fn end(context: &Context, error: Error) -> u8 {
    let status = exit_status(error.kind);
    // A result that was printed before has the error in it.
    if context.json && !ui::has_printed_result() {
        print_json(&ErrorObject::from(&error));
    }
    // rustc has printed its messages already; an error line of ours would add nothing.
    if error.kind != Kind::Compile {
        show_error(context, error);
    }
    status
}

/// Shows a failure, with the oopses in it decoded.
pub fn show_error(context: &Context, mut error: Error) {
    let decoder = oops::decoder(context);
    let style = oops::style(context.ui.colour(), context.raw);
    error.output = error
        .output
        .map(|log| oops::text(&decoder, &log, context.raw, &style));
    show_decoded_error(context, error);
}

/// Shows a failure whose output is decoded already.
pub fn show_decoded_error(context: &Context, mut error: Error) {
    let decoder = oops::decoder(context);
    error.context = decoder.sentence(&error.context);
    error.message = decoder.sentence(&error.message);
    context.ui.error(&error);
}
