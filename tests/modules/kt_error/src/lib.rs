#![no_std]
#![forbid(unsafe_code)]
use kernel::prelude::*;
module! {
    type: A,
    name: "kt_error",
    license: "GPL",
}
struct A;
impl kernel::Module for A {
    fn init(_module: &'static ThisModule) -> Result<Self> { Ok(A) }
}
