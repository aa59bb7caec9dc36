// SPDX-License-Identifier: GPL-2.0-only

//! The print macros.

#[allow(
    clippy::crate_in_macro_def,
    reason = "the prefix is that of the crate that prints"
)]
#[doc(hidden)]
#[macro_export]
macro_rules! print_macro (
    // A single token is the whole text, unless it has arguments in braces.
    ($level:ident, $text:tt $(,)?) => ({
        if const { $crate::print::is_constant(crate::__LOG_PREFIX, $text) } {
            const SIZE: usize = $crate::print::Constant::<0>::size(
                $crate::print::Level::$level,
                crate::__LOG_PREFIX,
                $text,
            );
            const {
                &$crate::print::Constant::<SIZE>::new(
                    $crate::print::Level::$level,
                    crate::__LOG_PREFIX,
                    $text,
                )
            }
            .print()
        } else {
            $crate::macros::log!($level, crate::__LOG_PREFIX, $text)
        }
    });
    ($level:ident, $($arg:tt)+) => (
        $crate::macros::log!($level, crate::__LOG_PREFIX, $($arg)+)
    );
);

#[doc(hidden)]
#[macro_export]
macro_rules! print_once_macro (
    ($macro:ident, $($arg:tt)+) => ({
        static DONE: $crate::__core::sync::atomic::AtomicBool =
            $crate::__core::sync::atomic::AtomicBool::new(false);
        if !DONE.swap(true, $crate::__core::sync::atomic::Ordering::Relaxed) {
            $crate::$macro!($($arg)+);
        }
    });
);

/// Prints that the system is unusable (level 0, `KERN_EMERG`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_emerg!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_emerg (
    ($($arg:tt)*) => ($crate::print_macro!(Emerg, $($arg)*));
);

/// Prints as [`pr_emerg!`](crate::pr_emerg!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_emerg_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_emerg_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_emerg, $($arg)*));
);

/// Prints that action must be taken immediately (level 1, `KERN_ALERT`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_alert!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_alert (
    ($($arg:tt)*) => ($crate::print_macro!(Alert, $($arg)*));
);

/// Prints as [`pr_alert!`](crate::pr_alert!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_alert_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_alert_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_alert, $($arg)*));
);

/// Prints a critical condition (level 2, `KERN_CRIT`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_crit!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_crit (
    ($($arg:tt)*) => ($crate::print_macro!(Crit, $($arg)*));
);

/// Prints as [`pr_crit!`](crate::pr_crit!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_crit_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_crit_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_crit, $($arg)*));
);

/// Prints an error (level 3, `KERN_ERR`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_err!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_err (
    ($($arg:tt)*) => ($crate::print_macro!(Err, $($arg)*));
);

/// Prints as [`pr_err!`](crate::pr_err!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_err_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_err_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_err, $($arg)*));
);

/// Prints a warning (level 4, `KERN_WARNING`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_warn!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_warn (
    ($($arg:tt)*) => ($crate::print_macro!(Warning, $($arg)*));
);

/// Prints as [`pr_warn!`](crate::pr_warn!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_warn_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_warn_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_warn, $($arg)*));
);

/// Prints a normal but significant condition (level 5, `KERN_NOTICE`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_notice!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_notice (
    ($($arg:tt)*) => ($crate::print_macro!(Notice, $($arg)*));
);

/// Prints as [`pr_notice!`](crate::pr_notice!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_notice_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_notice_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_notice, $($arg)*));
);

/// Prints information (level 6, `KERN_INFO`).
///
/// The arguments are those of [`core::format_args!`].
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_info!("hello {}\n", "there");
/// # }
/// ```
#[macro_export]
macro_rules! pr_info (
    ($($arg:tt)*) => ($crate::print_macro!(Info, $($arg)*));
);

/// Prints as [`pr_info!`](crate::pr_info!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// for _ in 0..3 {
///     kernel::pr_info_once!("said once\n");
/// }
/// # }
/// ```
#[macro_export]
macro_rules! pr_info_once (
    ($($arg:tt)*) => ($crate::print_once_macro!(pr_info, $($arg)*));
);

/// Prints a debug message (level 7, `KERN_DEBUG`).
///
/// It prints only in a build with `debug_assertions`; in others the arguments are checked but not
/// evaluated.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_debug!("state {:?}\n", Some(1));
/// # }
/// ```
#[macro_export]
macro_rules! pr_debug (
    ($($arg:tt)*) => (
        if cfg!(debug_assertions) {
            $crate::print_macro!(Debug, $($arg)*)
        }
    );
);

/// Prints as [`pr_debug!`](crate::pr_debug!) does, but only once at each place.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_debug_once!("said once\n");
/// # }
/// ```
#[macro_export]
macro_rules! pr_debug_once (
    ($($arg:tt)*) => (
        if cfg!(debug_assertions) {
            $crate::print_once_macro!(pr_debug, $($arg)*)
        }
    );
);

/// Continues the last message, if that did not end with a newline.
///
/// Other CPUs and interrupts may print in between, so prefer one complete message. No prefix is
/// added.
///
/// # Examples
///
/// ```
/// # const __LOG_PREFIX: &[u8] = b"example\0";
/// # fn main() {
/// kernel::pr_info!("one ");
/// kernel::pr_cont!("line\n");
/// # }
/// ```
#[macro_export]
macro_rules! pr_cont (
    ($($arg:tt)*) => ($crate::print_macro!(Cont, $($arg)*));
);
