// SPDX-License-Identifier: MIT OR Apache-2.0

//! Memory cgroups, which show whom the kernel's memory is charged to.

use std::{
    fs::{create_dir, create_dir_all, read_to_string, remove_dir, write},
    process::Command,
};

use koru_testing::skip;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::{contract::expect_ok, exists, processes::Child};

const MOUNT: &str = "/tmp/cgroup2";

/// The mounted hierarchy of memory cgroups.
///
/// Dropping this unmounts it.
pub struct MemoryGroups(());

impl MemoryGroups {
    /// Mounts the hierarchy.
    ///
    /// Skips the test if the kernel has no memory cgroups.
    pub fn mount() -> MemoryGroups {
        let controllers = read_to_string("/proc/cgroups").unwrap_or_default();
        if !controllers.lines().any(|line| line.starts_with("memory\t")) {
            skip("this kernel has no memory cgroups");
        }
        expect_ok("mkdir", create_dir_all(MOUNT));
        let mut mount = Command::new("mount");
        mount.args(["-t", "cgroup2", "none", MOUNT]);
        let status = mount.status().expect("the guest has mount");
        assert!(status.success(), "mount of cgroup2: {status}");
        let groups = MemoryGroups(());
        let control = format!("{MOUNT}/cgroup.subtree_control");
        expect_ok("the memory controller", write(control, "+memory"));
        groups
    }

    /// Skips the test if groups of this kernel have no such file.
    pub fn need(&self, file: &str) {
        let group = format!("{MOUNT}/probe");
        expect_ok("a new cgroup", create_dir(&group));
        let found = exists(&format!("{group}/{file}"));
        expect_ok("rmdir of the cgroup", remove_dir(&group));
        if !found {
            skip(&format!("this kernel has no {file}"));
        }
    }

    /// Returns the result of `act` in a process that is alone in a new group.
    ///
    /// `act` gets the group's files. The process may open many files.
    #[track_caller]
    pub fn alone(&self, act: impl FnOnce(&Group) -> i64) -> i64 {
        let group = Group(format!("{MOUNT}/alone"));
        expect_ok("a new cgroup", create_dir(&group.0));
        let mut child = Child::fork(|channel| {
            use std::io::Write;
            group.write("cgroup.procs", "0");
            let limit = Some(1 << 16);
            let limit = Rlimit {
                current: limit,
                maximum: limit,
            };
            setrlimit(Resource::Nofile, limit).expect("RLIMIT_NOFILE");
            let value = act(&group);
            channel.write_all(&value.to_ne_bytes()).expect("the parent");
        });
        let mut value = [0; 8];
        let got = std::io::Read::read_exact(&mut child.channel, &mut value);
        child.join();
        got.expect("the child's answer");
        expect_ok("rmdir of the cgroup", remove_dir(&group.0));
        i64::from_ne_bytes(value)
    }
}

impl Drop for MemoryGroups {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(MOUNT).status();
        let _ = remove_dir(MOUNT);
    }
}

/// One memory cgroup.
pub struct Group(String);

impl Group {
    fn write(&self, file: &str, text: &str) {
        write(format!("{}/{file}", self.0), text).expect(file);
    }

    /// Returns a number of bytes that a file of the group shows, such as `memory.current`.
    pub fn bytes(&self, file: &str) -> i64 {
        let text = read_to_string(format!("{}/{file}", self.0)).expect(file);
        text.trim().parse().expect(file)
    }
}
