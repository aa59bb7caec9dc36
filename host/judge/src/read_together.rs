// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads a step of several threads at once.

use koru_error::Result;

use crate::{
    fields::{Field, Fields},
    ioctl::ioctl_number,
    layout::{Integer, TYPES},
    model::Model,
    read_words::{errors, open_flags},
    step::Action,
    together::{Call, Carrier, Together},
};

/// The largest number of threads, and of calls of all threads.
const MOST_THREADS: i64 = 32;
const MOST_CALLS: i64 = 4000;

/// Reads the step, if it is one of several threads.
pub fn together(fields: &mut Fields) -> Result<Option<(Action, String)>> {
    let Some(name) = fields.string("together")? else {
        return Ok(None);
    };
    let Some((_, model)) = Model::ALL.into_iter().find(|(known, _)| *known == name) else {
        let message = format!("`{name}` is no structure that koru can compare with");
        let known = Model::ALL.map(|(name, _)| name);
        return Err(fields.text.unknown(&fields.span, message, &name, known));
    };
    let Some(path) = fields.string("open")? else {
        let error = fields.error("`together` does not say which file its processes open");
        return Err(error.help("add open = \"/dev/x\" to this step"));
    };
    let flags = open_flags(fields)?.0.0;
    let processes = number(fields, "processes", 1, MOST_THREADS)?;
    let threads = number(fields, "threads", 2, MOST_THREADS)?;
    let times = number(fields, "times", 50, MOST_CALLS)?;
    let all = processes * threads;
    if all < 2 || all > MOST_THREADS as usize || all * times > MOST_CALLS as usize {
        let message = format!(
            "{processes} processes with {threads} threads each and {times} calls each are too many \
             or too few"
        );
        let help = format!("all have 2 to {MOST_THREADS} threads and at most {MOST_CALLS} calls");
        return Err(fields.error(message).help(help));
    }
    let room = match model.is_row() {
        true => fields.integer("room")?.map(|room| room.max(0) as usize),
        false => None,
    };
    let begin = match model {
        Model::Counter | Model::Register => fields.integer("begin")?.unwrap_or(0),
        _ => 0,
    };
    let tables = fields.tables("calls")?.unwrap_or_default();
    if tables.is_empty() {
        let help = "such as calls = [{ does = \"push\", write = \"u8\", refused = \"EAGAIN\" }]";
        return Err(fields.error("`together` has no calls").help(help));
    }
    let calls = tables.into_iter().map(|table| call(table, model));
    let calls: Vec<Call> = calls.collect::<Result<_>>()?;
    // The values have to fit into the smallest type.
    let sizes = calls.iter().filter_map(|call| match call.carrier {
        Carrier::Write(i) | Carrier::Read(i) | Carrier::Address(_, i) => Some(i.size()),
        _ => None,
    });
    let values = match model {
        Model::Set | Model::Register => 4,
        _ if sizes.min() == Some(1) => 128,
        _ => 30_000,
    };
    let words = format!("{all} threads at once, with {times} calls each, on {path}");
    let together = Together {
        model,
        room,
        begin,
        path,
        flags,
        processes,
        threads,
        times,
        values,
        calls,
    };
    Ok(Some((Action::Together(together), words)))
}

fn number(fields: &mut Fields, key: &'static str, usual: i64, most: i64) -> Result<usize> {
    match fields.integer(key)?.unwrap_or(usual) {
        number if (1..=most).contains(&number) => Ok(number as usize),
        number => {
            let message = format!("`{key}` is a number from 1 to {most}, and not {number}");
            Err(fields.error(message))
        }
    }
}

fn call(mut fields: Fields, model: Model) -> Result<Call> {
    let known = || model.operations().iter().map(|(name, _)| *name);
    let Some(does) = fields.string("does")? else {
        let words: Vec<&str> = known().collect();
        let help = format!("does = one of: {}", words.join(", "));
        let message = "a call of `together` does not say what it does";
        return Err(fields.error(message).help(help));
    };
    let mut operations = model.operations().iter();
    let Some((_, operation)) = operations.find(|(name, _)| *name == does) else {
        let message = format!("a {} has no `{does}`", model.name());
        return Err(fields.text.unknown(&fields.span, message, &does, known()));
    };
    let gives = operation.gives();
    let write = fields.take("write");
    let read = fields.take("read");
    let ioctl = fields.take("ioctl");
    let carrier = match (write, read, ioctl) {
        (Some(write), None, None) if gives => Carrier::Write(integer(&fields, "write", &write)?),
        (None, Some(read), None) if !gives => Carrier::Read(integer(&fields, "read", &read)?),
        (None, None, Some(ioctl)) => {
            let shown = fields.text_of("ioctl", &ioctl)?;
            let number = ioctl_number(&shown);
            let number = number.map_err(|why| fields.text.error(&ioctl.span(), why))?;
            match fields.take("arg") {
                Some(arg) => Carrier::Address(number, integer(&fields, "arg", &arg)?),
                None if gives => Carrier::Argument(number),
                None => Carrier::Result(number),
            }
        }
        _ => {
            let way = match gives {
                true => "write",
                false => "read",
            };
            let message = format!("`{does}` has one of `{way}` and `ioctl`, for its value");
            return Err(fields.error(message));
        }
    };
    let refused = errors(&mut fields, "refused")?;
    fields.end("a call of `together`")?;
    Ok(Call {
        does,
        operation: *operation,
        carrier,
        refused,
    })
}

fn integer(fields: &Fields, key: &str, field: &Field) -> Result<Integer> {
    let name = fields.text_of(key, field)?;
    Integer::parse(&name).ok_or_else(|| {
        let message = format!("`{name}` is no type of a value");
        fields.text.unknown(&field.span(), message, &name, TYPES)
    })
}
