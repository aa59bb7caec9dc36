// SPDX-License-Identifier: MIT OR Apache-2.0

//! Does what a kernel expects of its first process: file systems, names, `lo`.

use std::{fs, io, os::unix::fs::symlink, path::Path};

use rustix::mount::{MountFlags, mount};

/// The folders in which commands are looked up.
pub const PATH: &str = "/usr/local/bin:/bin:/sbin:/usr/bin:/usr/sbin";

/// Makes the guest a place where programs run. A kernel may lack any of this: failures are
/// printed on the console and otherwise ignored.
pub fn prepare() {
    for dir in [
        "/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/etc", "/bin", "/lib", "/var",
    ] {
        let _ = fs::create_dir_all(dir);
    }
    mount_at("proc", "/proc", "");
    mount_at("sysfs", "/sys", "");
    mount_at("devtmpfs", "/dev", "mode=0755");
    let _ = fs::create_dir_all("/dev/pts");
    let _ = fs::create_dir_all("/dev/shm");
    mount_at("devpts", "/dev/pts", "mode=0620,ptmxmode=0666,gid=5");
    mount_at("tmpfs", "/dev/shm", "mode=1777");
    mount_at("tmpfs", "/tmp", "mode=1777");
    mount_at("tmpfs", "/run", "mode=0755");
    mount_at("debugfs", "/sys/kernel/debug", "");
    mount_at("tracefs", "/sys/kernel/tracing", "");
    for (target, link) in [
        ("/proc/self/fd", "/dev/fd"),
        ("/proc/self/fd/0", "/dev/stdin"),
        ("/proc/self/fd/1", "/dev/stdout"),
        ("/proc/self/fd/2", "/dev/stderr"),
        ("/run", "/var/run"),
        ("/tmp", "/var/tmp"),
        ("/proc/self/mounts", "/etc/mtab"),
    ] {
        let _ = symlink(target, link);
    }
    write_new(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    );
    write_new("/etc/group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
    write_new("/etc/hosts", "127.0.0.1 localhost koru\n");
    say("/etc/hostname", write("/etc/hostname", "koru\n"));
    say(
        "hostname",
        rustix::system::sethostname(b"koru").map_err(Into::into),
    );
    say("lo", bring_up_lo());
    // The guest ends with PID 1, so another process should be killed when memory runs out.
    let _ = write("/proc/self/oom_score_adj", "-1000");
    // PID 1 reads nothing and must not write to a console that is closed.
    let _ = std::env::set_current_dir("/");
}

fn mount_at(kind: &str, at: &str, options: &str) {
    let options = std::ffi::CString::new(options).unwrap_or_default();
    let flags = match kind {
        "devtmpfs" | "devpts" => MountFlags::NOSUID,
        "tmpfs" => MountFlags::NOSUID | MountFlags::NODEV,
        _ => MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
    };
    match mount(kind, at, kind, flags, options.as_c_str()) {
        Ok(()) | Err(rustix::io::Errno::BUSY) => {}
        Err(error) => say(at, Err(error.into())),
    }
}

/// Writes a file unless it exists: a file of the host's, from the initramfs, takes precedence.
fn write_new(path: &str, text: &str) {
    if !Path::new(path).exists() {
        say(path, write(path, text));
    }
}

fn write(path: &str, text: &str) -> io::Result<()> {
    fs::write(path, text)
}

fn say(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        eprintln!("koru-agent: {what}: {error}");
    }
}

/// Sets IFF_UP on interface 1 with one rtnetlink message.
fn bring_up_lo() -> io::Result<()> {
    use rustix::net::{
        AddressFamily, RecvFlags, SendFlags, SocketType, netlink, recv, sendto, socket,
    };
    const RTM_NEWLINK: u16 = 16;
    const REQUEST_AND_ACK: u16 = 1 | 4;
    const IFF_UP: u32 = 1;
    const LO: i32 = 1;
    let socket = socket(
        AddressFamily::NETLINK,
        SocketType::RAW,
        None, // NETLINK_ROUTE is 0.
    )?;
    // The message is a struct nlmsghdr, then a struct ifinfomsg.
    let mut message = Vec::with_capacity(32);
    message.extend(32u32.to_ne_bytes());
    message.extend(RTM_NEWLINK.to_ne_bytes());
    message.extend(REQUEST_AND_ACK.to_ne_bytes());
    message.extend([0; 8]); // sequence, port
    message.extend([0; 4]); // family, padding, type
    message.extend(LO.to_ne_bytes());
    message.extend(IFF_UP.to_ne_bytes()); // flags
    message.extend(IFF_UP.to_ne_bytes()); // change mask
    let kernel = netlink::SocketAddrNetlink::new(0, 0);
    sendto(&socket, &message, SendFlags::empty(), &kernel)?;
    let mut answer = [0u8; 64];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty())?;
    // NLMSG_ERROR has a negative errno after its header; 0 is the ack.
    match answer.get(16..20) {
        Some(code) if length >= 20 => match i32::from_ne_bytes(code.try_into().unwrap_or_default())
        {
            0 => Ok(()),
            code => Err(io::Error::from_raw_os_error(-code)),
        },
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}
