// SPDX-License-Identifier: GPL-2.0-only

//! The kernel's error codes.
//!
//! C headers: `include/uapi/asm-generic/errno-base.h`, `include/uapi/asm-generic/errno.h`,
//! `include/linux/errno.h`
//!
//! Reference: <https://docs.kernel.org/userspace-api/media/gen-errors.html>
//!
//! # Examples
//!
//! ```
//! use kernel::prelude::*;
//!
//! fn half(n: u32) -> Result<u32> {
//!     if n % 2 != 0 {
//!         return Err(EINVAL);
//!     }
//!     Ok(n / 2)
//! }
//! ```

mod user_errno;

use crate::alloc::AllocError;
use crate::bindings;
use crate::ffi::c_int;
use core::ffi::CStr;
use core::fmt;
use core::num::{NonZeroI32, TryFromIntError};
use core::str::Utf8Error;

/// The largest errno, as in `include/linux/err.h`.
const MAX_ERRNO: c_int = 4095;

/// An errno of the kernel.
///
/// # Invariants
///
/// The number is negative and at least `-MAX_ERRNO`.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// let error = Error::from_errno(-22);
/// assert!(error == EINVAL);
/// assert!(error.to_errno() == -22);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(NonZeroI32);

/// The result of a fallible function.
///
/// The error type is [`Error`] if none is given.
///
/// # Examples
///
/// ```
/// fn check() -> kernel::error::Result {
///     Err(kernel::error::code::EBUSY)
/// }
/// ```
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

macro_rules! codes {
    ($($name:ident = $errno:literal, $doc:literal;)*) => {
        /// The kernel's error codes.
        ///
        /// # Examples
        ///
        /// ```
        /// use kernel::error::code;
        /// let error = code::ENODEV;
        /// # let _ = error;
        /// ```
        pub mod code {
            use super::{Error, NonZeroI32};
            $(
                #[doc = concat!($doc, ".")]
                pub const $name: Error = match NonZeroI32::new(-$errno) {
                    // INVARIANT: the numbers of the table are positive and at most `MAX_ERRNO`, so
                    // their negatives are valid.
                    Some(errno) => Error(errno),
                    None => panic!(),
                };
            )*
            /// Operation would block.
            pub const EWOULDBLOCK: Error = EAGAIN;
            /// Resource deadlock would occur.
            pub const EDEADLOCK: Error = EDEADLK;
        }

        /// The numbers of the error codes.
        const NUMBERS: &[u16] = &[$($errno),*];
        /// The names in the order of [`NUMBERS`], each with a NUL. Not every kernel exports its own
        /// table.
        const NAMES: &str = concat!($(stringify!($name), "\0"),*);
    };
}

codes! {
        EPERM = 1, "Operation not permitted";
        ENOENT = 2, "No such file or directory";
        ESRCH = 3, "No such process";
        EINTR = 4, "Interrupted system call";
        EIO = 5, "I/O error";
        ENXIO = 6, "No such device or address";
        E2BIG = 7, "Argument list too long";
        ENOEXEC = 8, "Exec format error";
        EBADF = 9, "Bad file number";
        ECHILD = 10, "No child processes";
        EAGAIN = 11, "Try again";
        ENOMEM = 12, "Out of memory";
        EACCES = 13, "Permission denied";
        EFAULT = 14, "Bad address";
        ENOTBLK = 15, "Block device required";
        EBUSY = 16, "Device or resource busy";
        EEXIST = 17, "File exists";
        EXDEV = 18, "Cross-device link";
        ENODEV = 19, "No such device";
        ENOTDIR = 20, "Not a directory";
        EISDIR = 21, "Is a directory";
        EINVAL = 22, "Invalid argument";
        ENFILE = 23, "File table overflow";
        EMFILE = 24, "Too many open files";
        ENOTTY = 25, "Not a typewriter";
        ETXTBSY = 26, "Text file busy";
        EFBIG = 27, "File too large";
        ENOSPC = 28, "No space left on device";
        ESPIPE = 29, "Illegal seek";
        EROFS = 30, "Read-only file system";
        EMLINK = 31, "Too many links";
        EPIPE = 32, "Broken pipe";
        EDOM = 33, "Math argument out of domain of func";
        ERANGE = 34, "Math result not representable";
        EDEADLK = 35, "Resource deadlock would occur";
        ENAMETOOLONG = 36, "File name too long";
        ENOLCK = 37, "No record locks available";
        ENOSYS = 38, "Invalid system call number";
        ENOTEMPTY = 39, "Directory not empty";
        ELOOP = 40, "Too many symbolic links encountered";
        ENOMSG = 42, "No message of desired type";
        EIDRM = 43, "Identifier removed";
        ECHRNG = 44, "Channel number out of range";
        EL2NSYNC = 45, "Level 2 not synchronized";
        EL3HLT = 46, "Level 3 halted";
        EL3RST = 47, "Level 3 reset";
        ELNRNG = 48, "Link number out of range";
        EUNATCH = 49, "Protocol driver not attached";
        ENOCSI = 50, "No CSI structure available";
        EL2HLT = 51, "Level 2 halted";
        EBADE = 52, "Invalid exchange";
        EBADR = 53, "Invalid request descriptor";
        EXFULL = 54, "Exchange full";
        ENOANO = 55, "No anode";
        EBADRQC = 56, "Invalid request code";
        EBADSLT = 57, "Invalid slot";
        EBFONT = 59, "Bad font file format";
        ENOSTR = 60, "Device not a stream";
        ENODATA = 61, "No data available";
        ETIME = 62, "Timer expired";
        ENOSR = 63, "Out of streams resources";
        ENONET = 64, "Machine is not on the network";
        ENOPKG = 65, "Package not installed";
        EREMOTE = 66, "Object is remote";
        ENOLINK = 67, "Link has been severed";
        EADV = 68, "Advertise error";
        ESRMNT = 69, "Srmount error";
        ECOMM = 70, "Communication error on send";
        EPROTO = 71, "Protocol error";
        EMULTIHOP = 72, "Multihop attempted";
        EDOTDOT = 73, "RFS specific error";
        EBADMSG = 74, "Not a data message";
        EOVERFLOW = 75, "Value too large for defined data type";
        ENOTUNIQ = 76, "Name not unique on network";
        EBADFD = 77, "File descriptor in bad state";
        EREMCHG = 78, "Remote address changed";
        ELIBACC = 79, "Can not access a needed shared library";
        ELIBBAD = 80, "Accessing a corrupted shared library";
        ELIBSCN = 81, ".lib section in a.out corrupted";
        ELIBMAX = 82, "Attempting to link in too many shared libraries";
        ELIBEXEC = 83, "Cannot exec a shared library directly";
        EILSEQ = 84, "Illegal byte sequence";
        ERESTART = 85, "Interrupted system call should be restarted";
        ESTRPIPE = 86, "Streams pipe error";
        EUSERS = 87, "Too many users";
        ENOTSOCK = 88, "Socket operation on non-socket";
        EDESTADDRREQ = 89, "Destination address required";
        EMSGSIZE = 90, "Message too long";
        EPROTOTYPE = 91, "Protocol wrong type for socket";
        ENOPROTOOPT = 92, "Protocol not available";
        EPROTONOSUPPORT = 93, "Protocol not supported";
        ESOCKTNOSUPPORT = 94, "Socket type not supported";
        EOPNOTSUPP = 95, "Operation not supported on transport endpoint";
        EPFNOSUPPORT = 96, "Protocol family not supported";
        EAFNOSUPPORT = 97, "Address family not supported by protocol";
        EADDRINUSE = 98, "Address already in use";
        EADDRNOTAVAIL = 99, "Cannot assign requested address";
        ENETDOWN = 100, "Network is down";
        ENETUNREACH = 101, "Network is unreachable";
        ENETRESET = 102, "Network dropped connection because of reset";
        ECONNABORTED = 103, "Software caused connection abort";
        ECONNRESET = 104, "Connection reset by peer";
        ENOBUFS = 105, "No buffer space available";
        EISCONN = 106, "Transport endpoint is already connected";
        ENOTCONN = 107, "Transport endpoint is not connected";
        ESHUTDOWN = 108, "Cannot send after transport endpoint shutdown";
        ETOOMANYREFS = 109, "Too many references: cannot splice";
        ETIMEDOUT = 110, "Connection timed out";
        ECONNREFUSED = 111, "Connection refused";
        EHOSTDOWN = 112, "Host is down";
        EHOSTUNREACH = 113, "No route to host";
        EALREADY = 114, "Operation already in progress";
        EINPROGRESS = 115, "Operation now in progress";
        ESTALE = 116, "Stale file handle";
        EUCLEAN = 117, "Structure needs cleaning";
        ENOTNAM = 118, "Not a XENIX named type file";
        ENAVAIL = 119, "No XENIX semaphores available";
        EISNAM = 120, "Is a named type file";
        EREMOTEIO = 121, "Remote I/O error";
        EDQUOT = 122, "Quota exceeded";
        ENOMEDIUM = 123, "No medium found";
        EMEDIUMTYPE = 124, "Wrong medium type";
        ECANCELED = 125, "Operation Canceled";
        ENOKEY = 126, "Required key not available";
        EKEYEXPIRED = 127, "Key has expired";
        EKEYREVOKED = 128, "Key has been revoked";
        EKEYREJECTED = 129, "Key was rejected by service";
        EOWNERDEAD = 130, "Owner died";
        ENOTRECOVERABLE = 131, "State not recoverable";
        ERFKILL = 132, "Operation not possible due to RF-kill";
        EHWPOISON = 133, "Memory page has hardware error";
        ERESTARTSYS = 512, "Restart the system call";
        ERESTARTNOINTR = 513, "Restart the system call, always";
        ERESTARTNOHAND = 514, "Restart if no handler";
        ENOIOCTLCMD = 515, "No ioctl command";
        ERESTART_RESTARTBLOCK = 516, "Restart by calling sys_restart_syscall";
        EPROBE_DEFER = 517, "Driver requests probe retry";
        EOPENSTALE = 518, "Open found a stale dentry";
        ENOPARAM = 519, "Parameter not supported";
        EBADHANDLE = 521, "Illegal NFS file handle";
        ENOTSYNC = 522, "Update synchronization mismatch";
        EBADCOOKIE = 523, "Cookie is stale";
        ENOTSUPP = 524, "Operation is not supported";
        ETOOSMALL = 525, "Buffer or request is too small";
        ESERVERFAULT = 526, "An untranslatable error occurred";
        EBADTYPE = 527, "Type not supported by server";
        EJUKEBOX = 528, "Request initiated, but will not complete before timeout";
        EIOCBQUEUED = 529, "Iocb queued, will get completion event";
        ERECALLCONFLICT = 530, "Conflict with recalled state";
        ENOGRACE = 531, "NFS file lock reclaim refused";
}

impl Error {
    /// Creates an error from a negative errno, as C functions return it.
    ///
    /// Any other number is a bug of the caller: the error is then `EINVAL`, and a warning is
    /// logged.
    pub fn from_errno(errno: c_int) -> Error {
        match Self::try_from_errno(errno) {
            Some(error) => error,
            None => {
                // SAFETY: the function takes any number.
                unsafe { bindings::koru_warn_no_errno(errno) };
                code::EINVAL
            }
        }
    }

    /// Creates an error from a negative errno, or returns `None` for a number that is not one.
    pub(crate) const fn try_from_errno(errno: c_int) -> Option<Error> {
        if errno < -MAX_ERRNO || errno >= 0 {
            return None;
        }
        match NonZeroI32::new(errno) {
            // INVARIANT: the range was just checked.
            Some(errno) => Some(Error(errno)),
            None => None,
        }
    }

    /// Returns the negative errno, as C functions return it.
    #[inline]
    pub const fn to_errno(self) -> c_int {
        self.0.get()
    }

    /// Returns the error as a pointer: C's `ERR_PTR()`.
    ///
    /// # Examples
    ///
    /// ```
    /// let ptr: *mut u8 = kernel::error::code::EIO.to_ptr();
    /// # let _ = ptr;
    /// ```
    #[inline]
    pub fn to_ptr<T>(self) -> *mut T {
        core::ptr::without_provenance_mut(self.to_errno() as isize as usize)
    }

    /// Returns the errno's name, such as `EINVAL`, or `None` if it has none.
    ///
    /// # Examples
    ///
    /// ```
    /// let name = kernel::error::code::EIO.name();
    /// # let _ = name;
    /// ```
    pub fn name(&self) -> Option<&'static CStr> {
        name_of(-self.to_errno())
    }
}

/// Prints the name if the error has one, and the number otherwise.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name().and_then(|name| name.to_str().ok()) {
            Some(name) => f.write_str(name),
            None => f.debug_tuple("Error").field(&-self.to_errno()).finish(),
        }
    }
}

impl From<AllocError> for Error {
    #[inline]
    fn from(_: AllocError) -> Error {
        code::ENOMEM
    }
}

impl From<core::alloc::LayoutError> for Error {
    #[inline]
    fn from(_: core::alloc::LayoutError) -> Error {
        code::ENOMEM
    }
}

impl From<TryFromIntError> for Error {
    #[inline]
    fn from(_: TryFromIntError) -> Error {
        code::EINVAL
    }
}

impl From<Utf8Error> for Error {
    #[inline]
    fn from(_: Utf8Error) -> Error {
        code::EINVAL
    }
}

impl From<fmt::Error> for Error {
    #[inline]
    fn from(_: fmt::Error) -> Error {
        code::EINVAL
    }
}

impl From<core::convert::Infallible> for Error {
    #[inline]
    fn from(never: core::convert::Infallible) -> Error {
        match never {}
    }
}

/// Returns the name of an error code.
fn name_of(errno: c_int) -> Option<&'static CStr> {
    /// Where each name begins, and where the last one ends: one text and these numbers are smaller
    /// than a reference to each name, which the loader would have to relocate.
    const STARTS: [u16; NUMBERS.len() + 1] = {
        let mut starts = [0; NUMBERS.len() + 1];
        let (mut at, mut name) = (0, 0);
        while at < NAMES.len() {
            if NAMES.as_bytes()[at] == 0 {
                name += 1;
                starts[name] = at as u16 + 1;
            }
            at += 1;
        }
        assert!(name == NUMBERS.len() && NAMES.len() <= u16::MAX as usize);
        starts
    };
    static TABLE: [u16; NUMBERS.len() + 1] = STARTS;
    let index = NUMBERS.iter().position(|&n| c_int::from(n) == errno)?;
    let (start, end) = (*TABLE.get(index)?, *TABLE.get(index + 1)?);
    let name = NAMES.as_bytes().get(usize::from(start)..usize::from(end))?;
    // SAFETY: `STARTS` was computed from `NAMES`: the range ends after the first NUL in it.
    Some(unsafe { CStr::from_bytes_with_nul_unchecked(name) })
}

/// Converts the result of a C function, of which a negative value is an errno, to a [`Result`].
///
/// # Examples
///
/// ```
/// let result = kernel::error::to_result(-5);
/// assert!(result == Err(kernel::error::code::EIO));
/// ```
#[inline]
pub fn to_result(err: c_int) -> Result {
    if err < 0 {
        Err(Error::from_errno(err))
    } else {
        Ok(())
    }
}

/// Converts a pointer that may contain an errno, as C's `IS_ERR()` and `PTR_ERR()` do, to a
/// [`Result`].
///
/// # Examples
///
/// ```
/// let ptr: *mut u8 = kernel::error::code::ENOENT.to_ptr();
/// assert!(kernel::error::from_err_ptr(ptr).is_err());
/// ```
#[inline]
pub fn from_err_ptr<T>(ptr: *mut T) -> Result<*mut T> {
    let value = ptr.addr() as isize;
    match c_int::try_from(value).ok().and_then(Error::try_from_errno) {
        Some(error) => Err(error),
        None => Ok(ptr),
    }
}

/// Runs a function that returns a [`Result`], and converts the result to the integer that C
/// expects.
///
/// # Examples
///
/// ```
/// use kernel::prelude::*;
/// extern "C" fn callback() -> i32 {
///     kernel::error::from_result(|| Err(EPERM))
/// }
/// ```
#[inline]
pub fn from_result<T, F>(f: F) -> T
where
    T: From<i16>,
    F: FnOnce() -> Result<T>,
{
    match f() {
        Ok(value) => value,
        // This fits, because an errno is at least -4095.
        Err(error) => T::from(error.to_errno() as i16),
    }
}

/// The message of an optional method of a `#[vtable]` trait that is called without being defined.
///
/// # Examples
///
/// ```
/// let message: &str = kernel::error::VTABLE_DEFAULT_ERROR;
/// # let _ = message;
/// ```
pub const VTABLE_DEFAULT_ERROR: &str =
    "This function must not be called, see the #[vtable] documentation.";
