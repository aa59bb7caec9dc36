// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses records of the kernel log, as `/dev/kmsg` returns them.

use serde::{Deserialize, Serialize};

/// One record of the kernel log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogRecord {
    /// The kernel's sequence number. Records that were read from a console after a panic are
    /// numbered from the last one that the agent sent.
    pub seq: u64,
    /// The level, from 0 (emergency) to 7 (debug).
    pub level: u8,
    /// The facility; 0 is the kernel itself.
    pub facility: u8,
    /// The time in microseconds since the kernel started.
    pub timestamp_us: u64,
    /// The text, with escapes decoded and without the closing newline.
    pub text: String,
    /// Whether the record continues a line that was not ended.
    pub continuation: bool,
}

/// Parses one record of `/dev/kmsg`: `prio,seq,time,flags[,...];text`, then lines of `
/// KEY=value`, which are left out.
///
/// ```
/// let r = koru_protocol::parse_kmsg(b"6,12,345678,-;hello: it\\x27s up\n SUBSYSTEM=x\n").unwrap();
/// assert_eq!((r.level, r.seq, r.timestamp_us, r.text.as_str()), (6, 12, 345678, "hello: it's up"));
/// ```
pub fn parse_kmsg(record: &[u8]) -> Option<LogRecord> {
    let split = record.iter().position(|&b| b == b';')?;
    let head = std::str::from_utf8(&record[..split]).ok()?;
    let text = record[split + 1..].split(|&b| b == b'\n').next()?;
    let mut fields = head.split(',');
    let priority: u32 = fields.next()?.parse().ok()?;
    let seq = fields.next()?.parse().ok()?;
    let timestamp_us = fields.next()?.parse().ok()?;
    let flags = fields.next().unwrap_or("-");
    Some(LogRecord {
        seq,
        level: (priority & 7) as u8,
        facility: (priority >> 3) as u8,
        timestamp_us,
        text: unescape(text),
        continuation: flags.contains(['c', '+']),
    })
}

/// Decodes `\xNN`, as which the kernel writes control characters and non-ASCII bytes.
fn unescape(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        match escape(rest) {
            Some((byte, after)) => {
                out.push(byte);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'\\', b'x', high, low, after @ ..] = text else {
        return None;
    };
    let hex = |b: u8| (b as char).to_digit(16);
    Some(((hex(*high)? << 4 | hex(*low)?) as u8, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_has_all_its_fields() {
        let r = parse_kmsg(b"28,7,99,c,caller=T1;user text\n").unwrap();
        assert_eq!((r.level, r.facility, r.seq), (4, 3, 7));
        assert_eq!(r.timestamp_us, 99);
        assert!(r.continuation);
        assert_eq!(r.text, "user text");
    }

    #[test]
    fn escaped_bytes_are_decoded() {
        let text = |t: &[u8]| parse_kmsg(&[b"6,1,1,-;", t].concat()).unwrap().text;
        assert_eq!(text(br"a\x09b\x0ac"), "a\tb\nc");
        assert_eq!(text(br"merhaba d\xc3\xbcnya"), "merhaba dünya");
        assert_eq!(text(br"back\x5cslash"), r"back\slash");
        assert_eq!(text(br"not \xzz an escape \x4"), r"not \xzz an escape \x4");
        assert_eq!(text(b"semi;colons, stay"), "semi;colons, stay");
    }

    #[test]
    fn malformed_records_are_rejected() {
        for bad in [&b""[..], b"text", b"6,1;", b"6,1,1", b"x,1,1,-;t"] {
            assert_eq!(parse_kmsg(bad), None, "{bad:?}");
        }
    }
}
