// SPDX-License-Identifier: GPL-2.0-only

//! The way from a field to the structure that contains it.

/// Compiles only if both pointers are those of one type.
#[doc(hidden)]
#[inline(always)]
pub const fn same_type<T>(_: *const T, _: *const T) {}

/// Returns the pointer to the structure that contains a field, from a pointer to that field.
///
/// The field may be one of a field, as `inner.field`.
///
/// # Safety
///
/// The macro must be used in an `unsafe` block. The pointer must be that of the named field of a
/// structure, and must be allowed to be used for all of it.
///
/// # Examples
///
/// ```
/// use kernel::container_of;
///
/// struct Job {
///     number: u32,
///     done: bool,
/// }
///
/// let job = Job { number: 7, done: false };
/// let job_ptr: *const Job = &job;
/// // SAFETY: both pointers are derived from the one to the whole value.
/// let found = unsafe { container_of!(&raw const (*job_ptr).done, Job, done) };
/// assert!(found == job_ptr);
/// ```
#[macro_export]
macro_rules! container_of {
    ($field_ptr:expr, $Container:ty, $($fields:tt)*) => {{
        let offset: usize = $crate::__core::mem::offset_of!($Container, $($fields)*);
        let field_ptr = $field_ptr;
        let container_ptr = field_ptr.byte_sub(offset).cast::<$Container>();
        if false {
            $crate::container_of::same_type(field_ptr, &raw const (*container_ptr).$($fields)*);
        }
        container_ptr
    }};
}
