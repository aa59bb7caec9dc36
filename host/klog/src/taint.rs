// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds complaints in the kernel's taint bits.

use crate::{Complaint, ComplaintKind};

/// Returns the complaint that new bits of `/proc/sys/kernel/tainted` stand for. An out-of-tree
/// (O) or unsigned (E) module is what Koru loads, so these bits are no complaint; nor are bits
/// that were set already in `before`.
///
/// ```
/// use koru_klog::taint_complaint;
/// assert!(taint_complaint(0, 4096 | 8192).is_none());
/// assert!(taint_complaint(0, 512 | 4096).unwrap().line.contains('W'));
/// ```
pub fn taint_complaint(before: u64, now: u64) -> Option<Complaint> {
    const LETTERS: &[u8] = b"PFSRMBUDAWCIOELKXTNJ";
    const OUT_OF_TREE_AND_UNSIGNED: u64 = 1 << 12 | 1 << 13;
    let new = now & !before & !OUT_OF_TREE_AND_UNSIGNED;
    if new == 0 {
        return None;
    }
    let letters: String = (0..64)
        .filter(|bit| new >> bit & 1 == 1)
        .map(|bit| LETTERS.get(bit).map_or('?', |&l| l as char))
        .collect();
    Some(Complaint {
        kind: ComplaintKind::Taint,
        line: format!("the kernel is tainted: {letters}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taints_that_are_new_count() {
        assert_eq!(taint_complaint(512, 512 | 4096), None);
        let found = taint_complaint(0, 128 | 512).unwrap();
        assert!(found.line.ends_with("DW"), "{found}");
    }
}
