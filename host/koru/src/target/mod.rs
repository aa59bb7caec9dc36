//! Where modules are loaded: in the virtual machine, on this machine, on another one.

pub mod consent;
pub mod headers;
pub mod machine;
pub mod name;
pub mod password;
pub mod preflight;
pub mod session;
pub mod standing_vm;
