// SPDX-License-Identifier: GPL-2.0-only

//! References to objects whose references the kernel counts.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

/// An object that is always reference-counted, and that lives as long as there is a reference.
///
/// # Safety
///
/// The object must stay valid as long as there were more calls of `inc_ref` than of `dec_ref`. It
/// must only be used through pointers, never as a value.
///
/// # Examples
///
/// ```
/// use kernel::{device::Device, sync::aref::ARef};
/// fn keep(dev: &Device) -> ARef<Device> {
///     dev.into()
/// }
/// ```
pub unsafe trait AlwaysRefCounted {
    /// Adds a reference.
    fn inc_ref(&self);

    /// Drops a reference.
    ///
    /// With the last one, the object may be freed.
    ///
    /// # Safety
    ///
    /// The caller must own the reference, and must not use it any more.
    unsafe fn dec_ref(obj: NonNull<Self>);
}

/// A counted reference to an object of the kernel.
///
/// # Invariants
///
/// The pointer is that of a valid object, of which this value owns one reference.
///
/// # Examples
///
/// ```
/// use kernel::{device::Device, prelude::*, sync::aref::ARef};
///
/// /// Can print at any time, even after the device is gone.
/// struct Reporter {
///     dev: ARef<Device>,
/// }
///
/// impl Reporter {
///     fn new(dev: &Device) -> Self {
///         Reporter { dev: dev.into() }
///     }
///
///     fn report(&self) {
///         dev_info!(self.dev, "all is well\n");
///     }
/// }
/// ```
pub struct ARef<T: AlwaysRefCounted> {
    ptr: NonNull<T>,
    _owns: PhantomData<T>,
}

// SAFETY: another thread that gets an `ARef` gets `&T` by it, for which `T: Sync` is needed, and
// may drop the last reference, for which `T: Send` is needed.
unsafe impl<T: AlwaysRefCounted + Sync + Send> Send for ARef<T> {}
// SAFETY: another thread that gets a reference to an `ARef` gets `&T` by it, for which `T: Sync` is
// needed. By cloning it gets an `ARef`, and may drop the last reference, for which `T: Send` is
// needed.
unsafe impl<T: AlwaysRefCounted + Sync + Send> Sync for ARef<T> {}

// Moving the reference does not move the object.
impl<T: AlwaysRefCounted> Unpin for ARef<T> {}

impl<T: AlwaysRefCounted> ARef<T> {
    /// Takes over a reference, without counting.
    ///
    /// # Safety
    ///
    /// `ptr` must be that of a valid object, and the caller must pass on one reference to it.
    pub unsafe fn from_raw(ptr: NonNull<T>) -> Self {
        // INVARIANT: this function's contract is the type's invariant.
        Self {
            ptr,
            _owns: PhantomData,
        }
    }

    /// Passes the reference on to C, without counting.
    #[inline]
    pub fn into_raw(me: Self) -> NonNull<T> {
        ManuallyDrop::new(me).ptr
    }
}

impl<T: AlwaysRefCounted> Clone for ARef<T> {
    #[inline]
    fn clone(&self) -> Self {
        (&**self).into()
    }
}

impl<T: AlwaysRefCounted> Deref for ARef<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: by the type's invariant the object is valid.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T: AlwaysRefCounted> From<&T> for ARef<T> {
    fn from(obj: &T) -> Self {
        obj.inc_ref();
        // SAFETY: `inc_ref` added a reference, which this passes on.
        unsafe { Self::from_raw(NonNull::from(obj)) }
    }
}

// Two references are equal if their objects are.
impl<T: AlwaysRefCounted + PartialEq<U>, U: AlwaysRefCounted> PartialEq<ARef<U>> for ARef<T> {
    #[inline]
    fn eq(&self, other: &ARef<U>) -> bool {
        **self == **other
    }
}

impl<T: AlwaysRefCounted + Eq> Eq for ARef<T> {}

impl<T: AlwaysRefCounted + PartialEq<U>, U> PartialEq<&U> for ARef<T> {
    #[inline]
    fn eq(&self, other: &&U) -> bool {
        **self == **other
    }
}

impl<T: AlwaysRefCounted + Hash> Hash for ARef<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl<T: AlwaysRefCounted + fmt::Debug> fmt::Debug for ARef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: AlwaysRefCounted> Drop for ARef<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: by the type's invariant this value owns a reference, which is not used again.
        unsafe { T::dec_ref(self.ptr) }
    }
}
