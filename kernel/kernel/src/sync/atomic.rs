// SPDX-License-Identifier: GPL-2.0-only

//! Atomic integers, which threads, CPUs and interrupts may change at the same time.
//!
//! These are core's atomics with the kernel's names. On x86 the operations are the same
//! instructions that the kernel's C uses, so Rust and C may share such an integer. The orderings
//! are the kernel's: [`Full`] is stronger than core's `SeqCst`; it is a barrier for everything
//! before and after, which an x86 `lock` instruction is once the compiler does not reorder. Unlike
//! C in the kernel, Rust's compiler knows no dependencies: a pointer that was loaded [`Relaxed`]
//! does not order what is read through it, so load it [`Acquire`].
//!
//! C header: `include/linux/atomic.h`
//!
//! Reference: <https://docs.kernel.org/core-api/wrappers/atomic_t.html>
//!
//! # Examples
//!
//! ```
//! use kernel::sync::atomic::{Acquire, Atomic, Full, Relaxed, Release};
//! static HITS: Atomic<u64> = Atomic::new(0);
//! HITS.add(1, Relaxed);
//! let before = HITS.fetch_add(1, Full);
//! HITS.store(0, Release);
//! let now = HITS.load(Acquire);
//! # let _ = (before, now);
//! ```

use core::cell::UnsafeCell;
use core::sync::atomic::{compiler_fence, AtomicBool, AtomicI32, AtomicI64, AtomicIsize};
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

mod flag;

pub use flag::AtomicFlag;
#[doc(inline)]
pub use ordering::{Acquire, Full, Relaxed, Release};

/// The orderings of an operation with other memory accesses.
pub mod ordering {
    use core::sync::atomic::Ordering;

    /// Orders nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{Atomic, Relaxed};
    /// let n = Atomic::new(5).load(Relaxed);
    /// # let _ = n;
    /// ```
    pub struct Relaxed;
    /// Orders the operation's load before everything that follows.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{Acquire, Atomic};
    /// let n = Atomic::new(5).load(Acquire);
    /// # let _ = n;
    /// ```
    pub struct Acquire;
    /// Orders everything before the operation's store.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{Atomic, Release};
    /// Atomic::new(5).store(6, Release);
    /// ```
    pub struct Release;
    /// Orders everything before it before everything that follows.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{Atomic, Full};
    /// let old = Atomic::new(5).xchg(6, Full);
    /// # let _ = old;
    /// ```
    pub struct Full;

    pub(super) mod sealed {
        pub trait Sealed {}
    }

    /// Any of the four orderings.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{ordering::Any, Atomic};
    /// fn next<O: Any>(n: &Atomic<u32>, order: O) -> u32 {
    ///     n.fetch_add(1, order)
    /// }
    /// ```
    pub trait Any: sealed::Sealed {
        #[doc(hidden)]
        const CORE: Ordering;
        #[doc(hidden)]
        const FULL: bool = false;
    }

    /// An ordering that a load may have.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{ordering::AcquireOrRelaxed, Atomic};
    /// fn get<O: AcquireOrRelaxed>(n: &Atomic<u32>, order: O) -> u32 {
    ///     n.load(order)
    /// }
    /// ```
    pub trait AcquireOrRelaxed: Any {}

    /// An ordering that a store may have.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::sync::atomic::{ordering::ReleaseOrRelaxed, Atomic};
    /// fn set<O: ReleaseOrRelaxed>(n: &Atomic<u32>, order: O) {
    ///     n.store(1, order)
    /// }
    /// ```
    pub trait ReleaseOrRelaxed: Any {}

    macro_rules! orderings {
        ($($name:ident),*) => {$(
            impl sealed::Sealed for $name {}
            impl Any for $name {
                const CORE: Ordering = Ordering::$name;
            }
        )*};
    }
    orderings!(Relaxed, Acquire, Release);

    impl sealed::Sealed for Full {}
    impl Any for Full {
        const CORE: Ordering = Ordering::SeqCst;
        const FULL: bool = true;
    }

    impl AcquireOrRelaxed for Relaxed {}
    impl AcquireOrRelaxed for Acquire {}
    impl ReleaseOrRelaxed for Relaxed {}
    impl ReleaseOrRelaxed for Release {}
}

use ordering::{AcquireOrRelaxed, Any, ReleaseOrRelaxed};

mod sealed {
    pub trait Sealed {}
}

/// A type that an [`Atomic`] may contain.
///
/// # Safety
///
/// The methods must be atomic, with the ordering that they are given.
///
/// # Examples
///
/// ```
/// fn atomic<T: kernel::sync::atomic::AtomicType>() {}
/// atomic::<i32>();
/// ```
pub unsafe trait AtomicType: sealed::Sealed + Copy + Send + 'static {
    /// Reads the value.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads and writes and aligned, and all other
    /// accesses to it while it is shared must be atomic.
    #[doc(hidden)]
    unsafe fn atomic_load(ptr: *mut Self, order: Ordering) -> Self;
    /// Writes the value.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads and writes and aligned, and all other
    /// accesses to it while it is shared must be atomic.
    #[doc(hidden)]
    unsafe fn atomic_store(ptr: *mut Self, value: Self, order: Ordering);
    /// Replaces the value and returns the old one.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads and writes and aligned, and all other
    /// accesses to it while it is shared must be atomic.
    #[doc(hidden)]
    unsafe fn atomic_xchg(ptr: *mut Self, value: Self, order: Ordering) -> Self;
    /// Replaces the value if it equals `old`, and returns the value read, as `Err` if it differed.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads and writes and aligned, and all other
    /// accesses to it while it is shared must be atomic.
    #[doc(hidden)]
    unsafe fn atomic_cmpxchg(
        ptr: *mut Self,
        old: Self,
        new: Self,
        order: Ordering,
    ) -> Result<Self, Self>;
}

/// A type that an [`Atomic`] can add to and subtract from.
///
/// # Safety
///
/// The methods must be atomic, with the ordering that they are given.
///
/// # Examples
///
/// ```
/// fn number<T: kernel::sync::atomic::AtomicAdd>() {}
/// number::<u64>();
/// ```
pub unsafe trait AtomicAdd: AtomicType {
    /// Adds `value`, wrapping, and returns the old value.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads and writes and aligned, and all other
    /// accesses to it while it is shared must be atomic.
    #[doc(hidden)]
    unsafe fn atomic_add(ptr: *mut Self, value: Self, order: Ordering) -> Self;
    /// Subtracts `value`, wrapping, and returns the old value.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads and writes and aligned, and all other
    /// accesses to it while it is shared must be atomic.
    #[doc(hidden)]
    unsafe fn atomic_sub(ptr: *mut Self, value: Self, order: Ordering) -> Self;
}

/// A `T` that is read and changed atomically.
///
/// Context: any.
///
/// # Examples
///
/// ```
/// use kernel::sync::atomic::{Atomic, Full};
/// /// True for the first caller only.
/// fn claim(taken: &Atomic<bool>) -> bool {
///     taken.cmpxchg(false, true, Full).is_ok()
/// }
/// ```
#[repr(transparent)]
pub struct Atomic<T: AtomicType>(UnsafeCell<T>);

// SAFETY: a shared reference gives access to the value only by the functions of `AtomicType`, which
// are atomic. The value may come from any thread, because an `AtomicType` is `Send`.
unsafe impl<T: AtomicType> Sync for Atomic<T> {}

/// Runs an operation, with barriers for the compiler around it if the ordering is [`Full`].
///
/// The operation itself is a barrier for the CPU: on x86 it is a `lock` instruction, or `xchg`.
#[inline(always)]
fn with_ordering<O: Any, R>(op: impl FnOnce() -> R) -> R {
    const {
        assert!(
            cfg!(target_arch = "x86_64"),
            "is an atomic instruction a full barrier here?"
        )
    };
    if O::FULL {
        compiler_fence(Ordering::SeqCst);
    }
    let result = op();
    if O::FULL {
        compiler_fence(Ordering::SeqCst);
    }
    result
}

impl<T: AtomicType> Atomic<T> {
    /// Creates an atomic with this value.
    #[inline]
    pub const fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Borrows the value at an address as an atomic.
    ///
    /// # Safety
    ///
    /// `ptr` must be aligned, and valid for reads and writes during `'a`. All accesses to the value
    /// during `'a` must be atomic, also those by C.
    #[inline]
    pub unsafe fn from_ptr<'a>(ptr: *mut T) -> &'a Self {
        // SAFETY: an `Atomic` is a transparent wrapper of `T`. The pointer is valid and aligned by
        // this function's contract, and so are all accesses atomic.
        unsafe { &*ptr.cast() }
    }

    /// Returns the address of the value.
    #[inline]
    pub const fn as_ptr(&self) -> *mut T {
        self.0.get()
    }

    /// Borrows the value, which nobody else can access meanwhile.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }

    /// Returns the value.
    #[inline(always)]
    pub fn load<O: AcquireOrRelaxed>(&self, _: O) -> T {
        // SAFETY: the cell's pointer is valid for reads and writes and aligned, because `self` is
        // borrowed. All accesses to a shared `Atomic` are atomic.
        unsafe { T::atomic_load(self.0.get(), O::CORE) }
    }

    /// Sets the value.
    #[inline(always)]
    pub fn store<O: ReleaseOrRelaxed>(&self, value: T, _: O) {
        // SAFETY: the cell's pointer is valid for reads and writes and aligned, because `self` is
        // borrowed. All accesses to a shared `Atomic` are atomic.
        unsafe { T::atomic_store(self.0.get(), value, O::CORE) }
    }

    /// Replaces the value, and returns the old one.
    #[inline(always)]
    pub fn xchg<O: Any>(&self, value: T, _: O) -> T {
        // SAFETY: the cell's pointer is valid for reads and writes and aligned, because `self` is
        // borrowed. All accesses to a shared `Atomic` are atomic.
        with_ordering::<O, _>(|| unsafe { T::atomic_xchg(self.0.get(), value, O::CORE) })
    }

    /// Replaces the value if it equals `old`, and returns the value that was there.
    ///
    /// The result is `Ok` if the value was replaced. It is `Err` otherwise, and nothing is ordered
    /// then.
    #[inline(always)]
    pub fn cmpxchg<O: Any>(&self, old: T, new: T, _: O) -> Result<T, T> {
        // SAFETY: the cell's pointer is valid for reads and writes and aligned, because `self` is
        // borrowed. All accesses to a shared `Atomic` are atomic.
        with_ordering::<O, _>(|| unsafe { T::atomic_cmpxchg(self.0.get(), old, new, O::CORE) })
    }
}

impl<T: AtomicAdd> Atomic<T> {
    /// Adds `value`, wrapping.
    #[inline(always)]
    pub fn add<O: Any>(&self, value: T, order: O) {
        self.fetch_add(value, order);
    }

    /// Adds `value`, wrapping, and returns the old value.
    #[inline(always)]
    pub fn fetch_add<O: Any>(&self, value: T, _: O) -> T {
        // SAFETY: the cell's pointer is valid for reads and writes and aligned, because `self` is
        // borrowed. All accesses to a shared `Atomic` are atomic.
        with_ordering::<O, _>(|| unsafe { T::atomic_add(self.0.get(), value, O::CORE) })
    }

    /// Subtracts `value`, wrapping, and returns the old value.
    #[inline(always)]
    pub fn fetch_sub<O: Any>(&self, value: T, _: O) -> T {
        // SAFETY: the cell's pointer is valid for reads and writes and aligned, because `self` is
        // borrowed. All accesses to a shared `Atomic` are atomic.
        with_ordering::<O, _>(|| unsafe { T::atomic_sub(self.0.get(), value, O::CORE) })
    }
}

macro_rules! atomics {
    ($($ty:ty => $core:ident),* $(,)?) => {$(
        const _: () = assert!(align_of::<$ty>() == align_of::<$core>());

        impl sealed::Sealed for $ty {}

        // SAFETY: these are core's atomic operations, with the ordering that is given.
        unsafe impl AtomicType for $ty {
            #[inline(always)]
            unsafe fn atomic_load(ptr: *mut Self, order: Ordering) -> Self {
                // SAFETY: `from_ptr` takes a valid, aligned pointer, which this is by the method's
                // contract: core's atomics have the alignment of the type, by the assertion above.
                // By the contract other accesses are atomic.
                unsafe { $core::from_ptr(ptr) }.load(order)
            }

            #[inline(always)]
            unsafe fn atomic_store(ptr: *mut Self, value: Self, order: Ordering) {
                // SAFETY: `from_ptr` takes a valid, aligned pointer, which this is by the method's
                // contract: core's atomics have the alignment of the type, by the assertion above.
                // By the contract other accesses are atomic.
                unsafe { $core::from_ptr(ptr) }.store(value, order);
            }

            #[inline(always)]
            unsafe fn atomic_xchg(ptr: *mut Self, value: Self, order: Ordering) -> Self {
                // SAFETY: `from_ptr` takes a valid, aligned pointer, which this is by the method's
                // contract: core's atomics have the alignment of the type, by the assertion above.
                // By the contract other accesses are atomic.
                unsafe { $core::from_ptr(ptr) }.swap(value, order)
            }

            #[inline(always)]
            unsafe fn atomic_cmpxchg(
                ptr: *mut Self,
                old: Self,
                new: Self,
                order: Ordering,
            ) -> Result<Self, Self> {
                // SAFETY: `from_ptr` takes a valid, aligned pointer, which this is by the method's
                // contract: core's atomics have the alignment of the type, by the assertion above.
                // By the contract other accesses are atomic.
                unsafe { $core::from_ptr(ptr) }.compare_exchange(old, new, order, Ordering::Relaxed)
            }
        }
    )*};
}

macro_rules! numbers {
    ($($ty:ty => $core:ident),* $(,)?) => {
        atomics!($($ty => $core),*);
        $(
            // SAFETY: these are core's atomic operations, with the ordering that is given.
            unsafe impl AtomicAdd for $ty {
                #[inline(always)]
                unsafe fn atomic_add(ptr: *mut Self, value: Self, order: Ordering) -> Self {
                    // SAFETY: `from_ptr` takes a valid, aligned pointer, which this is by the
                    // method's contract: core's atomics have the alignment of the type, by the
                    // assertion above. By the contract other accesses are atomic.
                    unsafe { $core::from_ptr(ptr) }.fetch_add(value, order)
                }

                #[inline(always)]
                unsafe fn atomic_sub(ptr: *mut Self, value: Self, order: Ordering) -> Self {
                    // SAFETY: `from_ptr` takes a valid, aligned pointer, which this is by the
                    // method's contract: core's atomics have the alignment of the type, by the
                    // assertion above. By the contract other accesses are atomic.
                    unsafe { $core::from_ptr(ptr) }.fetch_sub(value, order)
                }
            }
        )*
    };
}

atomics!(bool => AtomicBool);
numbers! {
    i32 => AtomicI32,
    u32 => AtomicU32,
    i64 => AtomicI64,
    u64 => AtomicU64,
    isize => AtomicIsize,
    usize => AtomicUsize,
}
