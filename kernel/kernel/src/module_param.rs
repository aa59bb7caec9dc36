// SPDX-License-Identifier: GPL-2.0-only

//! Module parameters: `insmod NAME.ko KEY=VALUE`, and `/sys/module/NAME/parameters`.
//!
//! The `params` of `module!` define a static for each parameter in `mod module_parameters`. The
//! kernel's own functions parse and print the values, so wrong ones fail as in C: with `EINVAL`,
//! and a message in the log.
//!
//! C header: `include/linux/moduleparam.h`

use crate::ffi::{c_char, c_uint, c_void};
use crate::{layout, ThisModule};
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::mem::offset_of;

/// A `struct kernel_param_ops`, of which Rust needs only the address.
#[doc(hidden)]
#[repr(C)]
pub struct KernelParamOps {
    _opaque: [u8; 0],
}

// SAFETY: no byte of the value can be accessed.
unsafe impl Sync for KernelParamOps {}

/// A `struct kernel_param`.
///
/// The assertions below compare it with the target kernel's.
#[doc(hidden)]
#[repr(C)]
pub struct KernelParam {
    name: *const c_char,
    module: *mut c_void,
    ops: *const KernelParamOps,
    perm: u16,
    level: i8,
    flags: u8,
    arg: *mut c_void,
}

// SAFETY: Rust reads no field of it. The kernel does so while it loads the module, and later under
// the module's `param_lock`.
unsafe impl Sync for KernelParam {}

const _: () = {
    assert!(size_of::<KernelParam>() == layout::KERNEL_PARAM_SIZE);
    assert!(align_of::<KernelParam>() == layout::KERNEL_PARAM_ALIGN);
    assert!(offset_of!(KernelParam, name) == layout::KERNEL_PARAM_NAME);
    assert!(offset_of!(KernelParam, module) == layout::KERNEL_PARAM_MOD);
    assert!(offset_of!(KernelParam, ops) == layout::KERNEL_PARAM_OPS);
    assert!(offset_of!(KernelParam, perm) == layout::KERNEL_PARAM_PERM);
    assert!(offset_of!(KernelParam, level) == layout::KERNEL_PARAM_LEVEL);
    assert!(offset_of!(KernelParam, flags) == layout::KERNEL_PARAM_FLAGS);
    assert!(offset_of!(KernelParam, arg) == layout::KERNEL_PARAM_ARG);
};

impl KernelParam {
    const fn new(
        name: &'static CStr,
        module: &ThisModule,
        ops: *const KernelParamOps,
        perm: u16,
        arg: *mut c_void,
    ) -> Self {
        Self {
            name: name.as_ptr().cast(),
            module: module.as_ptr(),
            ops,
            perm,
            // This is the level of a module's parameter, not an initcall level.
            level: -1,
            flags: 0,
            arg,
        }
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A type that a parameter may have.
///
/// # Examples
///
/// ```
/// fn parameter<T: kernel::module_param::ModuleParam>() {}
/// parameter::<bool>();
/// ```
pub trait ModuleParam: sealed::Sealed + Copy + 'static {
    /// The kernel's functions for the type.
    #[doc(hidden)]
    const OPS: *const KernelParamOps;
}

macro_rules! params {
    ($($ty:ty => $ops:ident),* $(,)?) => {
        unsafe extern "C" {
            $(static $ops: KernelParamOps;)*
        }
        $(
            impl sealed::Sealed for $ty {}
            impl ModuleParam for $ty {
                const OPS: *const KernelParamOps = &raw const $ops;
            }
        )*
    };
}

params! {
    i8 => koru_param_ops_i8,
    u8 => param_ops_byte,
    i16 => param_ops_short,
    u16 => param_ops_ushort,
    i32 => param_ops_int,
    u32 => param_ops_uint,
    i64 => param_ops_long,
    usize => param_ops_ulong,
    u64 => param_ops_ullong,
    bool => param_ops_bool,
}

impl sealed::Sealed for isize {}
impl ModuleParam for isize {
    const OPS: *const KernelParamOps = <i64 as ModuleParam>::OPS;
}

const _: () = assert!(size_of::<isize>() == size_of::<i64>());

unsafe extern "C" {
    static param_ops_charp: KernelParamOps;
}

/// A parameter that is an integer or a `bool`, as `module!` defines it.
///
/// # Invariants
///
/// The value changes only before the module's `init`, because `module!` defines no parameter that
/// is writable later.
///
/// # Examples
///
/// ```
/// use kernel::module_param::ModuleParamAccess;
/// static REPEAT: ModuleParamAccess<i32> = ModuleParamAccess::new(1);
/// let times = *REPEAT.value();
/// # let _ = times;
/// ```
#[repr(transparent)]
pub struct ModuleParamAccess<T>(UnsafeCell<T>);

// SAFETY: by the type's invariant nothing writes the value while there are readers.
unsafe impl<T: Sync> Sync for ModuleParamAccess<T> {}

impl<T: ModuleParam> ModuleParamAccess<T> {
    #[doc(hidden)]
    #[inline]
    pub const fn new(default: T) -> Self {
        // INVARIANT: `module!` defines no parameter that is writable after `init`.
        Self(UnsafeCell::new(default))
    }

    /// Returns the value that the module was loaded with.
    #[inline]
    pub fn value(&self) -> &T {
        // SAFETY: by the type's invariant nothing writes the value any more.
        unsafe { &*self.0.get() }
    }

    #[doc(hidden)]
    #[inline]
    pub const fn entry(
        &'static self,
        name: &'static CStr,
        module: &ThisModule,
        perm: u16,
    ) -> KernelParam {
        KernelParam::new(name, module, T::OPS, perm, self.0.get().cast())
    }
}

/// A parameter that is a string, as `module!` defines it: C's `charp`.
///
/// # Invariants
///
/// The pointer is that of a C string that lives as long as the module, and changes only before the
/// module's `init`.
///
/// # Examples
///
/// ```
/// use kernel::module_param::CharpParam;
/// static WHOM: CharpParam = CharpParam::new(c"world");
/// let whom: &core::ffi::CStr = WHOM.value();
/// # let _ = whom;
/// ```
#[repr(transparent)]
pub struct CharpParam(UnsafeCell<*const c_char>);

// SAFETY: by the type's invariant nothing writes the pointer while there are readers.
unsafe impl Sync for CharpParam {}

impl CharpParam {
    #[doc(hidden)]
    #[inline]
    pub const fn new(default: &'static CStr) -> Self {
        // INVARIANT: the string is static, and `module!` defines no parameter that is writable
        // after `init`.
        Self(UnsafeCell::new(default.as_ptr().cast()))
    }

    /// Returns the value that the module was loaded with.
    #[inline]
    pub fn value(&self) -> &'static CStr {
        // SAFETY: by the type's invariant the pointer is that of a C string, and nothing writes it
        // any more. The kernel frees the string after the module's exit.
        unsafe { CStr::from_ptr((*self.0.get()).cast()) }
    }

    #[doc(hidden)]
    pub const fn entry(
        &'static self,
        name: &'static CStr,
        module: &ThisModule,
        perm: u16,
    ) -> KernelParam {
        let ops = &raw const param_ops_charp;
        KernelParam::new(name, module, ops, perm, self.0.get().cast())
    }
}

unsafe extern "C" {
    static param_array_ops: KernelParamOps;
}

/// A `struct kparam_array`.
///
/// The assertions below compare it with the target kernel's.
#[doc(hidden)]
#[repr(C)]
pub struct KparamArray {
    max: c_uint,
    elem_size: c_uint,
    num: *mut c_uint,
    ops: *const KernelParamOps,
    elem: *mut c_void,
}

// SAFETY: Rust reads no field of it. The kernel does so while it loads the module, and later under
// the module's `param_lock`.
unsafe impl Sync for KparamArray {}

const _: () = {
    assert!(size_of::<KparamArray>() == layout::KPARAM_ARRAY_SIZE);
    assert!(offset_of!(KparamArray, max) == layout::KPARAM_ARRAY_MAX);
    assert!(offset_of!(KparamArray, elem_size) == layout::KPARAM_ARRAY_ELEMSIZE);
    assert!(offset_of!(KparamArray, num) == layout::KPARAM_ARRAY_NUM);
    assert!(offset_of!(KparamArray, ops) == layout::KPARAM_ARRAY_OPS);
    assert!(offset_of!(KparamArray, elem) == layout::KPARAM_ARRAY_ELEM);
};

impl KparamArray {
    #[doc(hidden)]
    pub const fn entry(
        &'static self,
        name: &'static CStr,
        module: &ThisModule,
        perm: u16,
    ) -> KernelParam {
        // The kernel only reads the description.
        let arg = core::ptr::from_ref(self).cast_mut().cast();
        KernelParam::new(name, module, &raw const param_array_ops, perm, arg)
    }
}

/// A parameter that is `N` integers or `bool`s, as `module!` defines it: `key=1,2,3`.
///
/// More than `N` values are `EINVAL`; with fewer, the last ones keep their defaults.
///
/// # Invariants
///
/// The value changes only before the module's `init`, because `module!` defines no parameter that
/// is writable later.
///
/// # Examples
///
/// ```
/// use kernel::module_param::ArrayParam;
/// static LIMITS: ArrayParam<u32, 3> = ArrayParam::new([1, 10, 100]);
/// let [low, middle, high] = *LIMITS.value();
/// # let _ = (low, middle, high);
/// ```
#[repr(transparent)]
pub struct ArrayParam<T, const N: usize>(UnsafeCell<[T; N]>);

// SAFETY: by the type's invariant nothing writes the value while there are readers.
unsafe impl<T: Sync, const N: usize> Sync for ArrayParam<T, N> {}

impl<T: ModuleParam, const N: usize> ArrayParam<T, N> {
    #[doc(hidden)]
    #[inline]
    pub const fn new(default: [T; N]) -> Self {
        // INVARIANT: `module!` defines no parameter that is writable after `init`.
        Self(UnsafeCell::new(default))
    }

    /// Returns the values that the module was loaded with.
    #[inline]
    pub fn value(&self) -> &[T; N] {
        // SAFETY: by the type's invariant nothing writes the value any more.
        unsafe { &*self.0.get() }
    }

    #[doc(hidden)]
    pub const fn array(&'static self) -> KparamArray {
        assert!(N > 0 && N <= u16::MAX as usize);
        KparamArray {
            max: N as c_uint,
            elem_size: size_of::<T>() as c_uint,
            // Nobody needs the number of values that were given, because all `N` have one.
            num: core::ptr::null_mut(),
            ops: T::OPS,
            elem: self.0.get().cast(),
        }
    }
}
