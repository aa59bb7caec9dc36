// SPDX-License-Identifier: MIT OR Apache-2.0

//! Shows failures.

use koru_error::Error;

use crate::{context::Context, log::oops};

/// Shows a failure, with the oopses in it decoded.
pub fn show_error(context: &Context, mut error: Error) {
    let decoder = oops::decoder(context);
    let style = oops::style(context.ui.colour(), context.raw);
    error.output = error
        .output
        .map(|log| oops::text(&decoder, &log, context.raw, &style));
    error.context = decoder.sentence(&error.context);
    error.message = decoder.sentence(&error.message);
    context.ui.error(&error);
}
