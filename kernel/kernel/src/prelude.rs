// SPDX-License-Identifier: GPL-2.0-only

//! The items that nearly every module uses, by `use kernel::prelude::*;`.

#[doc(no_inline)]
pub use core::{
    ffi::CStr,
    mem::{align_of, align_of_val, size_of, size_of_val},
    pin::Pin,
};

#[doc(no_inline)]
pub use crate::{
    alloc::{flags::*, Box, KBox, KVBox, KVVec, KVec, VBox, VVec, Vec},
    error::{code::*, Error, Result},
    ffi::{
        c_char, c_int, c_long, c_longlong, c_schar, c_short, c_uchar, c_uint, c_ulong, c_ulonglong,
        c_ushort, c_void,
    },
    init::InPlaceInit,
    str::CStrExt as _,
    uaccess::UserPtr,
    ThisModule,
};

#[doc(no_inline)]
pub use crate::{
    build_assert, build_error, const_assert, current, dbg, dev_alert, dev_crit, dev_dbg, dev_emerg,
    dev_err, dev_info, dev_notice, dev_warn, init, pin_init, pr_alert, pr_crit, pr_debug, pr_emerg,
    pr_err, pr_info, pr_notice, pr_warn, static_assert, try_init, try_pin_init,
};

#[doc(no_inline)]
pub use crate::macros::{fmt, module, vtable};

#[doc(no_inline)]
pub use pin_init::{pin_data, pinned_drop, InPlaceWrite, Init, PinInit, PinnedDrop, Zeroable};

#[doc(no_inline)]
pub use zerocopy::{FromBytes, IntoBytes};
