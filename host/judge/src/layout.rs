// SPDX-License-Identifier: MIT OR Apache-2.0

//! Bytes that a contract writes, and the layout of bytes that a module returns.

use koru_error::Result;
use toml::de::DeValue;

use crate::{
    fields::{Field, Fields},
    value::{Number, Value},
};

/// An integer type of C's, in the byte order of x86.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Integer {
    size: usize,
    signed: bool,
}

pub const TYPES: [&str; 8] = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64"];

impl Integer {
    pub fn parse(name: &str) -> Option<Integer> {
        TYPES.contains(&name).then(|| Integer {
            size: name[1..].parse::<usize>().unwrap_or(8) / 8,
            signed: name.starts_with('i'),
        })
    }

    pub fn size(self) -> usize {
        self.size
    }

    pub fn bytes(self, value: i128) -> Option<Vec<u8>> {
        let bits = self.size as u32 * 8;
        let range = match self.signed {
            true => -(1_i128 << (bits - 1))..1_i128 << (bits - 1),
            false => 0..1_i128 << bits,
        };
        range
            .contains(&value)
            .then(|| value.to_le_bytes()[..self.size].to_vec())
    }

    pub fn value(self, bytes: &[u8]) -> i128 {
        let bits = self.size as u32 * 8;
        let all = bytes.iter().rev();
        let value = all.fold(0_i128, |value, byte| value << 8 | i128::from(*byte));
        match self.signed && value >> (bits - 1) & 1 == 1 {
            true => value - (1 << bits),
            false => value,
        }
    }
}

/// The integers of a structure, with names: `count:u32 next:i64`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout(Vec<(String, Integer)>);

impl Layout {
    pub fn parse(text: &str) -> Result<Layout, String> {
        let member = |word: &str| -> Result<(String, Integer), String> {
            let (name, kind) = word
                .split_once(':')
                .ok_or_else(|| format!("`{word}` is no NAME:TYPE, such as `count:u32`"))?;
            let integer = Integer::parse(kind).ok_or_else(|| {
                format!(
                    "`{kind}` is no type of a layout; there are {}",
                    TYPES.join(", ")
                )
            })?;
            Ok((name.to_owned(), integer))
        };
        let members: Result<Vec<_>, String> = text.split_whitespace().map(member).collect();
        Ok(Layout(members?))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns the number of bytes of the structure.
    pub fn size(&self) -> usize {
        self.0.iter().map(|(_, integer)| integer.size).sum()
    }

    /// Returns the values in some bytes, of which there must be enough.
    pub fn values(&self, bytes: &[u8]) -> Option<Vec<(String, Value)>> {
        let mut rest = bytes;
        let value = |(name, integer): &(String, Integer)| {
            let (mine, behind) = rest.split_at_checked(integer.size)?;
            rest = behind;
            let number = Number::whole(integer.value(mine));
            Some((name.clone(), Value::Number(number)))
        };
        self.0.iter().map(value).collect()
    }
}

/// Reads bytes: a text; `hex:` and digits; or a table such as `{ i32 = [1, 2] }`, `{ zero = 8 }`.
pub fn bytes(fields: &Fields, key: &str, field: Field) -> Result<Vec<u8>> {
    let error = |message: String| fields.text.error(&field.span(), message);
    match field.get_ref() {
        DeValue::String(_) => {
            let text = fields.text_of(key, &field)?;
            match text.strip_prefix("hex:") {
                Some(digits) => from_hex(digits)
                    .ok_or_else(|| error(format!("`{digits}` is no pairs of hexadecimal digits"))),
                None => Ok(text.into_bytes()),
            }
        }
        DeValue::Table(table) => {
            let mut all = Vec::new();
            let mut parts: Vec<_> = table.iter().collect();
            parts.sort_by_key(|(name, _)| name.span().start);
            for (name, value) in parts {
                let name: &str = name.get_ref();
                let items: Vec<&Field> = match value.get_ref() {
                    DeValue::Array(items) => items.iter().collect(),
                    _ => vec![value],
                };
                for item in items {
                    let number = fields.integer_of(name, item)?;
                    if name == "zero" && (0..=1 << 20).contains(&number) {
                        all.extend(vec![0; number as usize]);
                        continue;
                    }
                    let integer = Integer::parse(name).ok_or_else(|| {
                        let known = TYPES.into_iter().chain(["zero"]);
                        let message = format!("`{name}` is no type of bytes");
                        fields.text.unknown(&value.span(), message, name, known)
                    })?;
                    let bytes = integer.bytes(i128::from(number));
                    let too_large = || error(format!("{number} does not fit into {name}"));
                    all.extend(bytes.ok_or_else(too_large)?);
                }
            }
            Ok(all)
        }
        _ => {
            let message = format!("`{key}` is bytes: a text, `hex:..`, or a table of numbers");
            Err(error(message).help("for example \"text\", \"hex:00ff\" or { i32 = [1, -2] }"))
        }
    }
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    let pair = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high << 4 | low).ok(),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_there_and_back() {
        for (name, value) in [("i32", -2), ("u8", 255), ("i64", i128::from(i64::MIN))] {
            let integer = Integer::parse(name).unwrap();
            let bytes = integer.bytes(value).unwrap();
            assert_eq!(integer.value(&bytes), value, "{name}");
        }
        assert_eq!(Integer::parse("u8").unwrap().bytes(256), None);
        assert_eq!(Integer::parse("i8").unwrap().bytes(-129), None);
        assert_eq!(Integer::parse("f32"), None);
    }

    #[test]
    fn structure_has_values() {
        let layout = Layout::parse("count:u16 next:i32").unwrap();
        let values = layout.values(&[1, 2, 255, 255, 255, 255]).unwrap();
        assert_eq!(values[0], ("count".into(), Value::captured("513")));
        assert_eq!(values[1], ("next".into(), Value::captured("-1")));
        assert_eq!(layout.values(&[1, 2, 3]), None);
        assert_eq!(layout.size(), 6);
        assert!(Layout::parse("count").is_err());
        assert!(Layout::parse("a:int").is_err());
    }
}
