//! Nobody gets to change it.
#![no_std]
#![forbid(unsafe_code)]

use core::pin::Pin;
use kernel::sync::LockClassKey;

pub fn key() {
    #[cfg(misuse)]
    let _key: &'static mut LockClassKey = Pin::get_mut(kernel::static_lock_class!()); //~ E0308
    let _key: Pin<&'static LockClassKey> = kernel::static_lock_class!();
}
