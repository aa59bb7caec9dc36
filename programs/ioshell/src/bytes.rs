// SPDX-License-Identifier: MIT OR Apache-2.0

//! Converts between bytes and text.

use std::fmt::Write;

/// Returns the text that stands for these bytes: printable bytes stand for themselves.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => write!(text, "\\x{byte:02x}").expect("a string takes all"),
        }
    }
    text
}

/// Returns the bytes that a text with escapes stands for.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'r') => b'\r',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => match (rest.next().and_then(digit), rest.next().and_then(digit)) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => return Err("two hexadecimal digits follow `\\x`".to_owned()),
            },
            Some(other) => return Err(format!("`\\{}` is not an escape", other.escape_ascii())),
            None => return Err("something must follow `\\`".to_owned()),
        });
    }
    Ok(bytes)
}

/// Returns the bytes that pairs of hexadecimal digits stand for. There may be blanks between pairs.
pub fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        for pair in word.as_bytes().chunks(2) {
            match pair
                .iter()
                .map(|d| digit(*d))
                .collect::<Option<Vec<u8>>>()
                .as_deref()
            {
                Some([high, low]) => bytes.push(high << 4 | low),
                _ => return Err(format!("`{word}` is not bytes of two hexadecimal digits")),
            }
        }
    }
    Ok(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

/// Returns a dump with sixteen bytes in each line, and their text. The first byte is at `position`.
pub fn dump(position: Option<u64>, bytes: &[u8]) -> String {
    let mut text = String::new();
    for (i, row) in bytes.chunks(16).enumerate() {
        let at = position.unwrap_or(0).wrapping_add(i as u64 * 16);
        let mut hex = String::new();
        for (i, byte) in row.iter().enumerate() {
            let gap = if i == 8 { "  " } else { " " };
            write!(hex, "{gap}{byte:02x}").expect("a string takes all");
        }
        let shown = |b: &u8| {
            if (b' '..=b'~').contains(b) {
                char::from(*b)
            } else {
                '.'
            }
        };
        let shown: String = row.iter().map(shown).collect();
        writeln!(text, "{at:08x} {hex:<49} |{shown}|").expect("a string takes all");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unescape(&escape(&all)), Ok(all));
        assert_eq!(escape(b"a b\n\x00\xff\\"), r"a b\n\x00\xff\\");
        assert_eq!(unescape("ğ\\r\\0"), Ok("ğ\r\0".as_bytes().to_vec()));
    }

    #[test]
    fn a_dump() {
        assert_eq!(
            dump(Some(0x10), b"0123456789abcdef\n"),
            "00000010  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66 |0123456789abcdef|\n\
             00000020  0a                                               |.|\n"
        );
        assert_eq!(dump(None, b""), "");
    }
}
