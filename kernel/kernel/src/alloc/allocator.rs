// SPDX-License-Identifier: GPL-2.0-only

//! The trait of the kernel's allocators, and the three that implement it.

use super::gfp::Flags;
use crate::{bindings, ffi::c_void, layout};
use core::alloc::Layout;
use core::ptr::NonNull;

/// No memory. Turns into `ENOMEM`.
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

/// A kernel allocator.
///
/// # Safety
///
/// What `alloc` and `realloc` return is at least as large and as aligned as the
/// layout says, and stays valid until it goes to `realloc` or `free` of the
/// same allocator.
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
    /// What every allocation is aligned to, at least.
    const MIN_ALIGN: usize;

    /// Allocates. A layout of size 0 gives a dangling pointer.
    #[inline]
    fn alloc(layout: Layout, flags: Flags) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: without an old pointer there is nothing to be valid.
        unsafe { Self::realloc(None, layout, Layout::new::<()>(), flags) }
    }

    /// Changes an allocation's size, and moves it if it must. On failure the
    /// old one stays as it was. What is new is not zeroed.
    ///
    /// # Safety
    ///
    /// `ptr` comes from this allocator, with `old_layout`, or is `None`; the
    /// alignments of both layouts are the same.
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
    /// `ptr` comes from this allocator, with `layout`.
    unsafe fn free(ptr: NonNull<u8>, layout: Layout);
}

/// The pointer that stands for an allocation of no bytes.
const fn dangling(layout: Layout) -> NonNull<u8> {
    NonNull::without_provenance(match core::num::NonZeroUsize::new(layout.align()) {
        Some(align) => align,
        None => core::num::NonZeroUsize::MIN,
    })
}

/// `kmalloc`: physically contiguous, fast, best up to a few pages.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::{Box, Kmalloc}, prelude::*};
/// let five: Result<Box<u32, Kmalloc>, _> = Box::new(5, GFP_KERNEL);
/// # let _ = five;
/// ```
pub struct Kmalloc;

/// `vmalloc`: whole pages, contiguous for the CPU only. It may sleep, so it fails
/// with flags that forbid that.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::{Vec, Vmalloc}, prelude::*};
/// let big: Result<Vec<u8, Vmalloc>, _> = Vec::with_capacity(1 << 20, GFP_KERNEL);
/// # let _ = big;
/// ```
pub struct Vmalloc;

/// `kvmalloc`: `kmalloc` where it can, else `vmalloc`.
///
/// # Examples
///
/// ```
/// use kernel::{alloc::{KVmalloc, Vec}, prelude::*};
/// let any: Result<Vec<u8, KVmalloc>, _> = Vec::with_capacity(1 << 20, GFP_KERNEL);
/// # let _ = any;
/// ```
pub struct KVmalloc;

/// The size to ask `kmalloc` for.
///
/// Up to its least alignment it grants what it likes. Above, only sizes that are
/// powers of two are aligned to themselves on every kernel.
fn kmalloc_size(layout: Layout) -> Option<usize> {
    if layout.align() <= layout::KMALLOC_MINALIGN {
        return Some(layout.size());
    }
    layout
        .size()
        .max(layout.align())
        .checked_next_power_of_two()
}

fn slice(ptr: *mut c_void, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
    let ptr = NonNull::new(ptr.cast::<u8>()).ok_or(AllocError)?;
    Ok(NonNull::slice_from_raw_parts(ptr, layout.size()))
}

// SAFETY: `kmalloc` and `krealloc` keep the trait's promises, with the size
// that `kmalloc_size` asks for.
unsafe impl Allocator for Kmalloc {
    const MIN_ALIGN: usize = layout::KMALLOC_MINALIGN;

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError> {
        let old = ptr.filter(|_| old_layout.size() != 0);
        if layout.size() == 0 {
            if let Some(old) = old {
                // SAFETY: `realloc`'s caller promises that the memory is this allocator's,
                // with `old_layout`, and gives it up.
                unsafe { Self::free(old, old_layout) };
            }
            return Ok(NonNull::slice_from_raw_parts(dangling(layout), 0));
        }
        let size = kmalloc_size(layout).ok_or(AllocError)?;
        let new = match old {
            // SAFETY: `krealloc()` wants memory of `kmalloc()`: `realloc`'s caller promises that
            // `old` is this allocator's, and its size was not 0, so it is no dangling one.
            Some(old) => unsafe {
                bindings::koru_krealloc(old.as_ptr().cast(), size, flags.as_raw())
            },
            // SAFETY: `kmalloc` takes any size; of the flags, which may be any, the
            // function lets through what it can be given.
            None => unsafe { bindings::koru_kmalloc(size, flags.as_raw()) },
        };
        slice(new, layout)
    }

    unsafe fn free(ptr: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: `kfree()` wants memory of `kmalloc()`: `free`'s caller promises that it is
            // this allocator's with `layout`, whose size is not 0, and gives it up.
            unsafe { bindings::koru_kfree(ptr.as_ptr().cast()) };
        }
    }
}

/// `realloc` for the allocators that have none on every kernel.
///
/// # Safety
///
/// Those of [`Allocator::realloc`] for `A`, which frees what `get` allocates; `get` is a
/// function of the shim.
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
        // `kvmalloc` may come out of `kmalloc`, and pages are the most that
        // `vmalloc` aligns to.
        if layout.align() > layout::PAGE_SIZE {
            return Err(AllocError);
        }
        let size = kmalloc_size(layout).ok_or(AllocError)?;
        // SAFETY: `get` is one of the shim's functions, which take any size; of the
        // flags, which may be any, they let through what the kernel can be given.
        slice(unsafe { get(size, flags.as_raw()) }, layout)?
    };
    if let Some(old) = ptr {
        let len = old_layout.size().min(layout.size());
        // SAFETY: `old` is valid for `old_layout`, as the caller promises, and `new` was just
        // allocated with `layout`: both for the smaller of the sizes, and distinct.
        unsafe { old.copy_to_nonoverlapping(new.cast(), len) };
        // SAFETY: the caller promises, as `realloc`'s does, that the memory is of `A` with
        // `old_layout`, and gives it up; it has been copied.
        unsafe { A::free(old, old_layout) };
    }
    Ok(new)
}

// SAFETY: `vmalloc` keeps the trait's promises up to a page's alignment, and
// `move_to_new` asks for no more.
unsafe impl Allocator for Vmalloc {
    const MIN_ALIGN: usize = layout::PAGE_SIZE;

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: `move_to_new` wants what `realloc`'s caller promises, and a function of the
        // shim whose memory this allocator's `free` frees.
        unsafe { move_to_new::<Self>(bindings::koru_vmalloc, ptr, layout, old_layout, flags) }
    }

    unsafe fn free(ptr: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: `vfree()` wants memory of `vmalloc()`: `free`'s caller promises that it is
            // this allocator's with `layout`, whose size is not 0, and gives it up.
            unsafe { bindings::koru_vfree(ptr.as_ptr().cast()) };
        }
    }
}

// SAFETY: `kvmalloc` keeps the trait's promises for the sizes and alignments
// that `move_to_new` asks for.
unsafe impl Allocator for KVmalloc {
    const MIN_ALIGN: usize = layout::KMALLOC_MINALIGN;

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: `move_to_new` wants what `realloc`'s caller promises, and a function of the
        // shim whose memory this allocator's `free` frees.
        unsafe { move_to_new::<Self>(bindings::koru_kvmalloc, ptr, layout, old_layout, flags) }
    }

    unsafe fn free(ptr: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: `kvfree()` wants memory of `kvmalloc()`: `free`'s caller promises that it is
            // this allocator's with `layout`, whose size is not 0, and gives it up.
            unsafe { bindings::koru_kvfree(ptr.as_ptr().cast()) };
        }
    }
}
