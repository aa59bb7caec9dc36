// SPDX-License-Identifier: MIT OR Apache-2.0

//! The numbers of ioctls, in the kernel's notation.

/// Returns the number that a text such as `_IOR('k', 1, int)` stands for.
pub fn ioctl_number(text: &str) -> Result<u32, String> {
    let text = text.trim();
    if let Some(number) = number(text) {
        return u32::try_from(number).map_err(|_| "an ioctl's number has 32 bits".to_owned());
    }
    let usage = || {
        format!(
            "`{text}` is no ioctl: write a number, _IO('k', 1), _IOR('k', 1, int), _IOW or _IOWR, \
             with the size in bytes or a type in the last place"
        )
    };
    let (macro_name, rest) = text.split_once('(').ok_or_else(usage)?;
    let inner = rest.strip_suffix(')').ok_or_else(usage)?;
    let parts: Vec<&str> = inner.split(',').map(str::trim).collect();
    let direction: u32 = match macro_name.trim() {
        "_IO" => 0,
        "_IOW" => 1,
        "_IOR" => 2,
        "_IOWR" => 3,
        _ => return Err(usage()),
    };
    let (kind, function, size) = match (direction, &parts[..]) {
        (0, [kind, function]) => (kind, function, 0),
        (1.., [kind, function, size]) => (kind, function, size_of(size).ok_or_else(usage)?),
        _ => return Err(usage()),
    };
    let letter = kind.strip_prefix('\'').and_then(|k| k.strip_suffix('\''));
    let kind = match letter.map(str::as_bytes) {
        Some([letter]) => u64::from(*letter),
        Some(_) => return Err(usage()),
        None => number(kind).ok_or_else(usage)?,
    };
    let function = number(function).ok_or_else(usage)?;
    if kind > 255 || function > 255 || size >= 1 << 14 {
        return Err(format!(
            "`{text}`: the type and the number have 8 bits, and the size 14"
        ));
    }
    Ok(direction << 30 | size << 16 | (kind as u32) << 8 | function as u32)
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Returns the size of a type of C's on a 64-bit machine.
fn size_of(name: &str) -> Option<u32> {
    let words: Vec<&str> = name.split_whitespace().collect();
    let words = words.join(" ");
    Some(match &*words {
        "char" | "unsigned char" | "u8" | "__u8" | "uint8_t" | "int8_t" => 1,
        "short" | "unsigned short" | "u16" | "__u16" | "uint16_t" | "int16_t" => 2,
        "int" | "unsigned" | "unsigned int" | "u32" | "__u32" | "uint32_t" | "int32_t" => 4,
        "long" | "unsigned long" | "long long" | "unsigned long long" | "u64" | "__u64"
        | "uint64_t" | "int64_t" | "size_t" => 8,
        pointer if pointer.ends_with('*') => 8,
        number => number.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_kernels() {
        // TCGETS has no form of its own; RTC_RD_TIME is _IOR('p', 9, struct rtc_time).
        for (text, number) in [
            ("0x5401", 0x5401),
            ("_IO('k', 1)", 0x6b01),
            ("_IOR('p', 9, 36)", 0x8024_7009),
            ("_IOW('k',2,int)", 0x4004_6b02),
            ("_IOWR( 'k' , 0x10 , unsigned long )", 0xc008_6b10),
            ("_IOW(7, 2, char *)", 0x4008_0702),
        ] {
            assert_eq!(ioctl_number(text), Ok(number), "{text}");
        }
        for wrong in [
            "",
            "_IO('k')",
            "_IOR('k', 1)",
            "_IOX('k', 1, int)",
            "_IOR('k', 1, struct a)",
            "_IO('kk', 1)",
            "_IO('k', 300)",
            "0x100000000",
        ] {
            assert!(ioctl_number(wrong).is_err(), "{wrong}");
        }
    }
}
