// SPDX-License-Identifier: GPL-2.0-only

//! The macro `dbg!`.

/// Prints an expression and its value at level 6, and returns the value.
///
/// It is for temporary use while debugging.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// let n = kernel::dbg!(2 * 21) + 1;
/// # let _ = n;
/// # }
/// ```
#[macro_export]
macro_rules! dbg {
    () => {
        $crate::pr_info!("[{}:{}:{}]\n", $crate::__core::file!(), $crate::__core::line!(), $crate::__core::column!())
    };
    ($val:expr $(,)?) => {
        match $val {
            tmp => {
                $crate::pr_info!(
                    "[{}:{}:{}] {} = {:?}\n",
                    $crate::__core::file!(), $crate::__core::line!(), $crate::__core::column!(),
                    $crate::__core::stringify!($val), &tmp,
                );
                tmp
            }
        }
    };
    ($($val:expr),+ $(,)?) => {
        ($($crate::dbg!($val)),+,)
    };
}
