// SPDX-License-Identifier: MIT OR Apache-2.0

//! How kernels for s390 print a fault.

use crate::{
    ComplaintKind as C, ReportKind as R,
    arch::Arch,
    row::{Row, Text::BeginAnd, row},
};

pub(crate) const ARCH: Arch = Arch {
    registers: &[
        "Krnl PSW",
        "R:0 T:",
        "Krnl GPRS:",
        "Krnl Code:",
        "Last Breaking-Event-Address:",
        "Failing address: ",
        "Fault in ",
        "AS:",
        "User PSW",
    ],
    pointer,
    rows: ROWS,
};

/// The program checks, each with its number: `addressing exception: 0005 ilc:2 [#1] SMP`.
const ROWS: &[Row] = &[
    row(
        BeginAnd("illegal operation: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(
        BeginAnd("addressing exception: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(
        BeginAnd("specification exception: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(
        BeginAnd("fixed point divide exception: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(
        BeginAnd("monitor event: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(
        BeginAnd("protection exception: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
    row(
        BeginAnd("operation exception: ", "[#"),
        Some(C::Oops),
        Some(R::Oops),
    ),
];

/// Returns the place in `Krnl PSW : mask address (place)`.
fn pointer(text: &str) -> Option<&str> {
    let (_, place) = text.strip_prefix("Krnl PSW : ")?.split_once('(')?;
    Some(place)
}
