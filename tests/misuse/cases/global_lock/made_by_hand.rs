//! Only the macro makes one.
#![no_std]
#![forbid(unsafe_code)]

use kernel::sync::GlobalLock;

kernel::sync::global_lock! {
    pub unsafe(uninit) static LOCK: Mutex<u32> = 0;
}
#[cfg(misuse)]
pub static OTHER: GlobalLock<LOCK> = GlobalLock::new(0); //~ E0133
pub static ALSO: &GlobalLock<LOCK> = &LOCK;
