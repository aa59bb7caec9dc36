// SPDX-License-Identifier: GPL-2.0-only

//! References to objects that the kernel itself counts.

use core::fmt;
use core::hash::{Hash, Hasher};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::ptr::NonNull;

/// Objects whose references are counted, always: they live as long as there is
/// one.
///
/// # Safety
///
/// The object stays while there are more `inc_ref`s than `dec_ref`s; and it is
/// used through pointers only, never as a value of one's own.
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
    /// Counts one more reference.
    fn inc_ref(&self);

    /// Gives one reference up. With the last, the object may go.
    ///
    /// # Safety
    ///
    /// The caller has that reference, and does not use it any more.
    unsafe fn dec_ref(obj: NonNull<Self>);
}

/// A counted reference to a kernel object.
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
///
/// # Invariants
///
/// The pointer is that of a valid object, and one reference to it is this one's.
pub struct ARef<T: AlwaysRefCounted> {
    ptr: NonNull<T>,
    _owns: PhantomData<T>,
}

// SAFETY: other threads get `&T`, and may be the ones that drop it.
unsafe impl<T: AlwaysRefCounted + Sync + Send> Send for ARef<T> {}
// SAFETY: by a shared `ARef` another thread gets `&T`, and by cloning it an `ARef` that
// may be the one which drops the last reference.
unsafe impl<T: AlwaysRefCounted + Sync + Send> Sync for ARef<T> {}

// Moving the reference does not move the object.
impl<T: AlwaysRefCounted> Unpin for ARef<T> {}

impl<T: AlwaysRefCounted> ARef<T> {
    /// Takes a reference over, without counting.
    ///
    /// # Safety
    ///
    /// The object is valid, and the caller gives away one of its references.
    pub unsafe fn from_raw(ptr: NonNull<T>) -> Self {
        Self {
            ptr,
            _owns: PhantomData,
        }
    }

    /// Gives the reference to C, without counting.
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
        // SAFETY: by the type's invariant it is valid.
        unsafe { self.ptr.as_ref() }
    }
}

impl<T: AlwaysRefCounted> From<&T> for ARef<T> {
    fn from(obj: &T) -> Self {
        obj.inc_ref();
        // SAFETY: that was one more, for this one.
        unsafe { Self::from_raw(NonNull::from(obj)) }
    }
}

// References are as equal as their objects.
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
        // SAFETY: by the type's invariant there is a reference to give up.
        unsafe { T::dec_ref(self.ptr) }
    }
}
