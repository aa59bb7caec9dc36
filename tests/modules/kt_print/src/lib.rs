// SPDX-License-Identifier: GPL-2.0-only

//! Prints what its parameter says.

#![no_std]
#![forbid(unsafe_code)]

use core::fmt;
use kernel::prelude::*;
use kernel::str::BStr;

module! {
    type: Print,
    name: "kt_print",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        what: &'static CStr { default: c"", description: "Which messages" },
        length: usize { default: 0, description: "How long" },
        text: &'static CStr { default: c"", description: "An argument" },
    },
}

struct Print;

/// A value that displays as `length` times `x`, and then as many letters of two bytes.
struct Long(usize);

impl fmt::Display for Long {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..self.0 {
            f.write_str("x")?;
        }
        for _ in 0..600 {
            f.write_str("é")?;
        }
        Ok(())
    }
}

/// A value whose `Display` returns this result, as a careless one might.
struct Gives(Result<&'static str, fmt::Error>);

impl fmt::Display for Gives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("so far")?;
        f.write_str(self.0?)
    }
}

fn once(n: u32) {
    kernel::pr_info_once!("once {n}\n");
    kernel::pr_warn_once!("warned once {n}\n");
}

impl kernel::Module for Print {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let length = *module_parameters::length.value();
        let text = module_parameters::text.value().to_str()?;
        match module_parameters::what.value().to_bytes() {
            b"levels" => {
                pr_emerg!("emerg\n");
                pr_alert!("alert\n");
                pr_crit!("crit\n");
                pr_err!("err\n");
                pr_warn!("warn\n");
                pr_notice!("notice\n");
                pr_info!("info\n");
                pr_debug!("debug\n");
            }
            b"long" => {
                pr_info!("{}\n", Long(length));
                pr_info!("next\n");
            }
            b"ascii" => {
                for _ in 0..3 {
                    pr_info!("{:x<1$}\n", "", length);
                }
            }
            b"newline" => pr_info!("one\ntwo\tthree\n"),
            b"argument" => {
                pr_info!("[{text}] [{:?}]\n", text);
                pr_info!("%s %d %n {{}} [{text:>8}]\n");
            }
            b"control" => pr_info!("[{}]\n", "a\nb\r\t\0\x1b[2J\u{9b}c\\"),
            b"level" => pr_info!("{}\n", "\u{1}3forged"),
            b"numbers" => pr_info!(
                "{} {} {:#x} {:08b} {:e} {:?} {:?}\n",
                i64::MIN,
                u128::MAX,
                255,
                5,
                1500,
                Some(1),
                EINVAL
            ),
            b"integers" => {
                let least = i64::MIN;
                pr_info!("{least} {} {}%d {}\n", u64::MAX, &-1i8, 0);
                pr_info!("{} {{}}\n", length);
                pr_info!("{1} {0}\n", 1, 2);
                pr_info!("{n}, {}\n", -2, n = length);
                pr_info!("one ");
                kernel::pr_cont!("{} {}\n", 2, usize::MAX);
            }
            b"pieces" => {
                // A width lets core's formatting print the second one of each pair.
                for text in [
                    "",
                    "plain",
                    "é\u{9b}€\u{7f}\\",
                    "\n\t\r\0\u{1}3\u{1f}",
                    "100 %s%n",
                ] {
                    pr_info!("[{text}]\n");
                    pr_info!("[{text:0}]\n");
                    let bytes = BStr::from_bytes(text.as_bytes());
                    pr_info!("<{}> {bytes}\n", 1);
                    pr_info!("<{:1}> {bytes}\n", 1);
                }
                for error in [
                    EINVAL,
                    ENOMEM,
                    Error::from_errno(-4000),
                    Error::from_errno(-1),
                ] {
                    pr_info!("{error:?} {:?} {}\n", &error, error.to_errno());
                    pr_info!("{error:?} {:?} {:1}\n", &error, error.to_errno());
                }
                for number in [0, 7, -7, i32::MIN, 12345] {
                    pr_info!(
                        "{number:?} {number:03} {:00} {:020} {:00255}\n",
                        5u8,
                        number.wrapping_abs().wrapping_neg(),
                        number
                    );
                    pr_info!(
                        "{number:1?} {number:03} {:00} {:020} {:00255}\n",
                        5u8,
                        number.wrapping_abs().wrapping_neg(),
                        number
                    );
                }
            }
            b"cut" => {
                pr_info!("{text}{}\n", 1);
                pr_info!("{text}{:1}\n", 1);
            }
            b"cont" => {
                pr_info!("one ");
                kernel::pr_cont!("two ");
                kernel::pr_cont!("three\n");
                pr_info!("next\n");
            }
            b"once" => (0..3).for_each(once),
            b"fails" => {
                pr_info!("{} and on\n", Gives(Err(fmt::Error)));
                pr_info!("{} and on\n", Gives(Ok(" good")));
            }
            b"dbg" => {
                let n = kernel::dbg!(2 * 21) + 1;
                pr_info!("{n}\n");
            }
            b"unended" => pr_info!("no newline"),
            b"many" => {
                for n in 0..length {
                    pr_info!("record {n}\n");
                }
            }
            _ => return Err(EINVAL),
        }
        Ok(Print)
    }
}
