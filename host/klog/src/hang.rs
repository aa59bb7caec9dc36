// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds out where a processor was when it hung.

use koru_protocol::LogRecord;

use crate::{Frame, x86};

/// Returns where the processor was: the first RIP in a module, or a RIP elsewhere and the
/// function of a module that had called it.
pub fn hang_location(records: &[LogRecord]) -> Option<String> {
    let rip = |r: &LogRecord| x86::kernel_place(&r.text).map(str::to_owned);
    let mut rips = records.iter().filter_map(rip);
    if let Some(place) = rips.clone().find(|place| place.ends_with(']')) {
        return Some(place);
    }
    let mut last = None;
    for record in records {
        last = rip(record).or(last);
        let text = record.text.trim();
        // The frames of a stack are indented.
        let frame = Frame::of_stack(text).filter(|_| record.text.starts_with(' '));
        if frame.is_some_and(|f| f.certain && f.module.is_some()) {
            return Some(match last {
                Some(rip) => format!("{rip}, called by {text}"),
                None => text.to_owned(),
            });
        }
    }
    rips.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(log: &[&str]) -> Option<String> {
        let record = |text: &&str| LogRecord {
            seq: 0,
            level: 4,
            facility: 0,
            timestamp_us: 0,
            text: (*text).into(),
            continuation: false,
        };
        hang_location(&log.iter().map(record).collect::<Vec<_>>())
    }

    #[test]
    fn where_it_hangs() {
        let idle = ["RIP: 0010:default_idle+0x1/0x2", " do_idle+0x3/0x4"];
        let module = [
            " panic+0x1/0x2",
            "RIP: 0010:spin+0x1/0x2 [m]",
            " init+0x3/0x4 [m]",
        ];
        let delay = [
            "RIP: 0010:delay_tsc+0x1/0x2",
            " ? f+0x1/0x2 [m]",
            " init+0x3/0x4 [m]",
        ];
        assert_eq!(place(&idle).as_deref(), Some("default_idle+0x1/0x2"));
        let both = [&idle[..], &module[..]].concat();
        assert_eq!(place(&both).as_deref(), Some("spin+0x1/0x2 [m]"));
        let both = [&idle[..], &delay[..]].concat();
        let called = "delay_tsc+0x1/0x2, called by init+0x3/0x4 [m]";
        assert_eq!(place(&both).as_deref(), Some(called));
        assert_eq!(place(&["m: [x] f+0x1/0x2 [m]"]), None);
    }
}
