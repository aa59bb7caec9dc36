// SPDX-License-Identifier: MIT OR Apache-2.0

//! A filter of system calls, as a program for the kernel's seccomp.
//!
//! The namespaces and the lack of rights are what confines the program. The filter closes the
//! ways around the limits: a user namespace of one's own, in which one may mount a tmpfs of
//! any size, and memory that belongs to no process. It also refuses what no build needs and
//! what kernels had many faults in.

/// `AUDIT_ARCH_X86_64`
const ARCH: u32 = 0xc000_003e;
/// The bit of the calls of x32.
const X32: u32 = 0x4000_0000;
const CLONE_NEWUSER: u32 = 0x1000_0000;

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// The system calls whose first argument has the flags of the namespaces to make.
const WITH_FLAGS: [u32; 2] = [
    56,  // clone
    272, // unshare
];

/// The system calls that do not exist in the sandbox. Programs know how to do without them,
/// because older kernels have not got them.
const ABSENT: [u32; 13] = [
    29,  // shmget
    248, // add_key
    249, // request_key
    250, // keyctl
    298, // perf_event_open
    308, // setns
    319, // memfd_create
    321, // bpf
    323, // userfaultfd
    425, // io_uring_setup
    // Its flags are in memory, where a filter cannot see them; the C library falls back to
    // clone.
    435, // clone3
    447, // memfd_secret
    442, // mount_setattr
];

/// The offsets in `struct seccomp_data`.
const NR: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

/// An instruction of the classic BPF, `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Instruction {
    code: u16,
    when_true: u8,
    when_false: u8,
    k: u32,
}

/// Loads a word of the call's description.
fn load(offset: u32) -> Instruction {
    statement(0x20, offset)
}

/// Lets the call happen.
fn allow() -> Instruction {
    statement(0x06, 0x7fff_0000)
}

/// Lets the call fail.
fn fail(errno: u32) -> Instruction {
    statement(0x06, 0x0005_0000 | errno)
}

fn statement(code: u16, k: u32) -> Instruction {
    Instruction {
        code,
        when_true: 0,
        when_false: 0,
        k,
    }
}

/// Skips the next instruction unless the loaded word is `k`.
fn if_equal(k: u32) -> Instruction {
    skip_unless(0x15, k)
}

/// Skips the next instruction unless the loaded word is at least `k`.
fn if_at_least(k: u32) -> Instruction {
    skip_unless(0x35, k)
}

/// Skips the next instruction unless the loaded word has a bit of `k`.
fn if_has(k: u32) -> Instruction {
    skip_unless(0x45, k)
}

fn skip_unless(code: u16, k: u32) -> Instruction {
    Instruction {
        code,
        when_true: 0,
        when_false: 1,
        k,
    }
}

fn instructions() -> Vec<Instruction> {
    // A call of another architecture has other numbers, so none of them is allowed.
    let mut program = vec![load(ARCHITECTURE), if_equal(ARCH)];
    program.push(Instruction {
        code: 0x05, // a jump
        when_true: 0,
        when_false: 0,
        k: 1,
    });
    program.push(fail(ENOSYS));
    program.extend([load(NR), if_at_least(X32), fail(ENOSYS)]);
    for call in ABSENT {
        program.extend([if_equal(call), fail(ENOSYS)]);
    }
    for call in WITH_FLAGS {
        program.push(Instruction {
            code: 0x15,
            when_true: 0,
            when_false: 4,
            k: call,
        });
        program.extend([
            load(FIRST_ARGUMENT),
            if_has(CLONE_NEWUSER),
            fail(EPERM),
            allow(),
        ]);
    }
    program.push(allow());
    program
}

/// Returns the filter as `bwrap --seccomp` reads it.
pub fn filter() -> Vec<u8> {
    let mut bytes = Vec::new();
    for i in instructions() {
        bytes.extend(i.code.to_ne_bytes());
        bytes.extend([i.when_true, i.when_false]);
        bytes.extend(i.k.to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the filter as the kernel would. Returns the call's error number.
    fn run(arch: u32, nr: u32, argument: u32) -> u32 {
        let program = instructions();
        let (mut at, mut word) = (0, 0);
        loop {
            let i = program[at];
            at += 1;
            let holds = match i.code {
                0x20 => {
                    word = match i.k {
                        NR => nr,
                        ARCHITECTURE => arch,
                        FIRST_ARGUMENT => argument,
                        other => panic!("no word at {other}"),
                    };
                    continue;
                }
                0x05 => {
                    at += i.k as usize;
                    continue;
                }
                0x06 if i.k == 0x7fff_0000 => return 0,
                0x06 => return i.k & 0xffff,
                0x15 => word == i.k,
                0x35 => word >= i.k,
                0x45 => word & i.k != 0,
                other => panic!("no instruction {other:#x}"),
            };
            at += usize::from(if holds { i.when_true } else { i.when_false });
        }
    }

    #[test]
    fn ordinary_calls_are_allowed() {
        for nr in [0, 1, 57, 59, 231, 257] {
            assert_eq!(run(ARCH, nr, CLONE_NEWUSER), 0, "{nr}");
        }
        // fork() of the C library, and the start of a thread.
        assert_eq!(run(ARCH, 56, 0x0120_0011), 0);
        assert_eq!(run(ARCH, 56, 0x003d_0f00), 0);
        assert_eq!(run(ARCH, 272, 0x400), 0);
    }

    #[test]
    fn user_namespaces_are_refused() {
        assert_eq!(run(ARCH, 56, CLONE_NEWUSER | 17), EPERM);
        assert_eq!(run(ARCH, 272, CLONE_NEWUSER | 0x0002_0000), EPERM);
    }

    #[test]
    fn absent_calls_and_other_architectures_do_not_exist() {
        for nr in ABSENT {
            assert_eq!(run(ARCH, nr, 0), ENOSYS, "{nr}");
        }
        assert_eq!(run(ARCH, X32 | 1, 0), ENOSYS);
        assert_eq!(run(0x4000_0003, 1, 0), ENOSYS);
    }
}
