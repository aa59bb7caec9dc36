// SPDX-License-Identifier: GPL-2.0-only

//! The macro `kvec!`.

/// Creates a [`KVec`](crate::alloc::KVec) of the given elements, or of `n` clones of one.
///
/// The result is a `Result`, because the allocation may fail; an empty vector allocates nothing, and
/// is the result itself.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn make() -> Result<KVec<u32>> {
///     let zeroes: KVec<u32> = kernel::kvec![0; 10]?;
///     drop(zeroes);
///     let empty: KVec<u32> = kernel::kvec![];
///     assert!(empty.is_empty());
///     Ok(kernel::kvec![1, 2, 3]?)
/// }
/// ```
#[macro_export]
macro_rules! kvec {
    () => (
        $crate::alloc::KVec::new()
    );
    ($elem:expr; $n:expr) => (
        $crate::alloc::KVec::from_elem($elem, $n, $crate::alloc::flags::GFP_KERNEL)
    );
    ($($x:expr),+ $(,)?) => (
        match $crate::alloc::KBox::<_>::new([$($x),+], $crate::alloc::flags::GFP_KERNEL) {
            $crate::__core::result::Result::Ok(b) => {
                $crate::__core::result::Result::Ok($crate::alloc::KVec::from(b))
            }
            $crate::__core::result::Result::Err(e) => $crate::__core::result::Result::Err(e),
        }
    );
}
