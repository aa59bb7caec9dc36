// SPDX-License-Identifier: GPL-2.0-only

//! The trait of allocators, and the three allocators of the kernel.

use super::gfp::{flags, Flags};
use crate::{bindings, ffi::c_void, layout};
use core::alloc::Layout;
use core::ptr::NonNull;

/// The error of an allocation: there is no memory.
///
/// It converts to `ENOMEM`.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// fn make() -> Result<KBox<u32>> {
///     Ok(KBox::new(5, GFP_KERNEL)?)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError;

impl core::fmt::Display for AllocError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("out of memory")
    }
}

/// An allocator of the kernel.
///
/// # Safety
///
/// The memory that `alloc` and `realloc` return must have at least the size and the alignment of
/// the layout. It must stay valid until it is passed to `realloc` or `free` of the same allocator.
///
/// # Examples
///
/// ```
/// use kernel::alloc::{Allocator, Kmalloc};
/// use kernel::prelude::*;
/// fn page() -> Result {
///     let layout = core::alloc::Layout::new::<[u8; 4096]>();
///     let memory = Kmalloc::alloc(layout, GFP_KERNEL)?;
///     // SAFETY: it comes from the same allocator, with the same layout.
///     unsafe { Kmalloc::free(memory.cast(), layout) };
///     Ok(())
/// }
/// ```
pub unsafe trait Allocator {
    /// The least alignment of every allocation.
    const MIN_ALIGN: usize;

    /// Allocates memory.
    ///
    /// A layout of size 0 results in a dangling pointer.
    #[inline]
    fn alloc(layout: Layout, flags: Flags) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: `realloc` has no requirements on an old allocation if there is none.
        unsafe { Self::realloc(None, layout, Layout::new::<()>(), flags) }
    }

    /// Allocates memory for a `T`, which takes less than [`Self::alloc`] where the compiler knows
    /// the flags.
    #[inline]
    fn alloc_value<T>(flags: Flags) -> Result<NonNull<T>, AllocError> {
        Ok(Self::alloc(Layout::new::<T>(), flags)?.cast())
    }

    /// Changes the size of an allocation, and moves it if necessary.
    ///
    /// On failure the old allocation stays as it was. The memory that is added is not zeroed.
    ///
    /// # Safety
    ///
    /// `ptr` must be `None`, or come from this allocator with `old_layout`. Both layouts must have
    /// the same alignment.
    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError>;

    /// Frees an allocation.
    ///
    /// # Safety
    ///
    /// `ptr` must come from this allocator with `layout`, and must not be used any more.
    unsafe fn free(ptr: NonNull<u8>, layout: Layout);
}

/// Returns the pointer that represents an allocation of no bytes.
const fn dangling(layout: Layout) -> NonNull<u8> {
    NonNull::without_provenance(match core::num::NonZeroUsize::new(layout.align()) {
        Some(align) => align,
        None => core::num::NonZeroUsize::MIN,
    })
}

/// The allocator `kmalloc`: physically contiguous, fast, and best for up to a few pages.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::{Box, Kmalloc}, prelude::*};
/// let five: Result<Box<u32, Kmalloc>, _> = Box::new(5, GFP_KERNEL);
/// # let _ = five;
/// ```
pub struct Kmalloc;

/// The allocator `vmalloc`: whole pages, which are contiguous for the CPU only.
///
/// It may sleep, so it fails with flags that forbid that.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::{Vec, Vmalloc}, prelude::*};
/// let big: Result<Vec<u8, Vmalloc>, _> = Vec::with_capacity(1 << 20, GFP_KERNEL);
/// # let _ = big;
/// ```
pub struct Vmalloc;

/// The allocator `kvmalloc`: `kmalloc` if that succeeds, and `vmalloc` otherwise.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::{KVmalloc, Vec}, prelude::*};
/// let any: Result<Vec<u8, KVmalloc>, _> = Vec::with_capacity(1 << 20, GFP_KERNEL);
/// # let _ = any;
/// ```
pub struct KVmalloc;

/// Returns the size to request from `kmalloc`.
///
/// `kmalloc` guarantees its least alignment for any size. For a larger one, only sizes that are
/// powers of two are aligned to themselves on every kernel.
const fn kmalloc_size(layout: Layout) -> Option<usize> {
    let (size, align) = (layout.size(), layout.align());
    if align <= layout::KMALLOC_MINALIGN {
        return Some(size);
    }
    let least = if size < align { align } else { size };
    least.checked_next_power_of_two()
}

/// Returns the number of `kmalloc`'s cache for a size up to a page: C's `kmalloc_index()`.
const fn kmalloc_index(size: usize) -> u32 {
    match size {
        ..=8 => 3,
        65..=96 => 1,
        129..=192 => 2,
        _ => (size - 1).ilog2() + 1,
    }
}

/// What `kmalloc` is asked for if the compiler knows the type.
struct Constant<T>(core::marker::PhantomData<T>);

impl<T> Constant<T> {
    /// The size, and the number of its cache. There is no cache for nothing, nor for large sizes.
    const CACHE: Option<(usize, u32)> = match kmalloc_size(Layout::new::<T>()) {
        Some(size) if size_of::<T>() != 0 && size <= layout::PAGE_SIZE => {
            Some((size, kmalloc_index(size)))
        }
        _ => None,
    };
}

fn slice(ptr: *mut c_void, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
    let ptr = NonNull::new(ptr.cast::<u8>()).ok_or(AllocError)?;
    Ok(NonNull::slice_from_raw_parts(ptr, layout.size()))
}

// SAFETY: `kmalloc()` and `krealloc()` return memory that meets the trait's requirements, with the
// size from `kmalloc_size`.
unsafe impl Allocator for Kmalloc {
    const MIN_ALIGN: usize = layout::KMALLOC_MINALIGN;

    // As C's `kmalloc()` does with a constant size, this leaves out the search for the cache.
    #[inline]
    fn alloc_value<T>(flags: Flags) -> Result<NonNull<T>, AllocError> {
        let ptr = match Constant::<T>::CACHE {
            // SAFETY: the size is at most a page, and the number is that of its cache.
            Some((size, index)) if flags == flags::GFP_KERNEL => unsafe {
                bindings::koru_kmalloc_cached(size, index)
            },
            // SAFETY: the size is at most a page, and the number is that of its cache.
            Some((size, index)) if flags == flags::GFP_KERNEL_ACCOUNT => unsafe {
                bindings::koru_kmalloc_account_cached(size, index)
            },
            _ => return Ok(Self::alloc(Layout::new::<T>(), flags)?.cast()),
        };
        NonNull::new(ptr.cast()).ok_or(AllocError)
    }

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError> {
        let old = ptr.filter(|_| old_layout.size() != 0);
        if layout.size() == 0 {
            if let Some(old) = old {
                // SAFETY: by the contract of `realloc` the memory is this allocator's, with
                // `old_layout`, and the caller gives it up.
                unsafe { Self::free(old, old_layout) };
            }
            return Ok(NonNull::slice_from_raw_parts(dangling(layout), 0));
        }
        let size = kmalloc_size(layout).ok_or(AllocError)?;
        let new = match old {
            // SAFETY: `krealloc()` takes memory of `kmalloc()`. By the contract of `realloc`, `old`
            // is this allocator's, and its size is not 0, so it is not dangling.
            Some(old) => unsafe {
                bindings::koru_krealloc(old.as_ptr().cast(), size, flags.as_raw())
            },
            // SAFETY: `kmalloc()` takes any size. The flags may be any: the function passes on only
            // those that the kernel can be given.
            None => unsafe { bindings::koru_kmalloc(size, flags.as_raw()) },
        };
        slice(new, layout)
    }

    #[inline]
    unsafe fn free(ptr: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: `kfree()` takes memory of `kmalloc()`. By the contract of `free` it is this
            // allocator's with `layout`, whose size is not 0, and the caller gives it up.
            unsafe { bindings::koru_kfree(ptr.as_ptr().cast()) };
        }
    }
}

/// Reallocates by moving, for the allocators that have no `realloc` on every kernel.
///
/// # Safety
///
/// The requirements of [`Allocator::realloc`] for `A` must be met. `get` must be a function of the
/// shim, and `A` must free what it allocates.
unsafe fn move_to_new<A: Allocator>(
    get: unsafe extern "C" fn(usize, u32) -> *mut c_void,
    ptr: Option<NonNull<u8>>,
    layout: Layout,
    old_layout: Layout,
    flags: Flags,
) -> Result<NonNull<[u8]>, AllocError> {
    let new = if layout.size() == 0 {
        NonNull::slice_from_raw_parts(dangling(layout), 0)
    } else {
        // `kvmalloc` may use `kmalloc`, and `vmalloc` aligns to pages at most.
        if layout.align() > layout::PAGE_SIZE {
            return Err(AllocError);
        }
        let size = kmalloc_size(layout).ok_or(AllocError)?;
        // SAFETY: by this function's contract `get` is one of the shim's functions, which take any
        // size. The flags may be any: the functions pass on only those that the kernel can be
        // given.
        slice(unsafe { get(size, flags.as_raw()) }, layout)?
    };
    if let Some(old) = ptr {
        let len = old_layout.size().min(layout.size());
        // SAFETY: by this function's contract `old` is valid for `old_layout`, and `new` was just
        // allocated with `layout`. Both are valid for the smaller of the sizes, and they are
        // distinct.
        unsafe { old.copy_to_nonoverlapping(new.cast(), len) };
        // SAFETY: by this function's contract the memory is of `A` with `old_layout`, and the
        // caller gives it up; its content has been copied.
        unsafe { A::free(old, old_layout) };
    }
    Ok(new)
}

// SAFETY: `vmalloc()` meets the trait's requirements up to a page's alignment, and `move_to_new`
// requests no more.
unsafe impl Allocator for Vmalloc {
    const MIN_ALIGN: usize = layout::PAGE_SIZE;

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the requirements of `realloc` are this function's own, and this allocator's
        // `free` frees what `koru_vmalloc`, a function of the shim, allocates.
        unsafe { move_to_new::<Self>(bindings::koru_vmalloc, ptr, layout, old_layout, flags) }
    }

    unsafe fn free(ptr: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: `vfree()` takes memory of `vmalloc()`. By the contract of `free` it is this
            // allocator's with `layout`, whose size is not 0, and the caller gives it up.
            unsafe { bindings::koru_vfree(ptr.as_ptr().cast()) };
        }
    }
}

// SAFETY: `kvmalloc()` meets the trait's requirements for the sizes and alignments that
// `move_to_new` requests.
unsafe impl Allocator for KVmalloc {
    const MIN_ALIGN: usize = layout::KMALLOC_MINALIGN;

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the requirements of `realloc` are this function's own, and this allocator's
        // `free` frees what `koru_kvmalloc`, a function of the shim, allocates.
        unsafe { move_to_new::<Self>(bindings::koru_kvmalloc, ptr, layout, old_layout, flags) }
    }

    unsafe fn free(ptr: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: `kvfree()` takes memory of `kvmalloc()`. By the contract of `free` it is this
            // allocator's with `layout`, whose size is not 0, and the caller gives it up.
            unsafe { bindings::koru_kvfree(ptr.as_ptr().cast()) };
        }
    }
}
