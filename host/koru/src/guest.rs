// SPDX-License-Identifier: MIT OR Apache-2.0

//! Guests as the commands use them: their files, their settings, and messages about them.

use std::{sync::Arc, time::Duration};

use koru_error::{Error, Kind, Result};
use koru_kernels::{Config, KernelTree, Progress, busybox};
use koru_qemu::Initramfs;
use koru_vm::{Guest, GuestConfig};

use crate::{cli::MachineArgs, context::Context, dependencies, programs, ui::Ui};

/// The folder for modules in a guest, where `koru-testing` looks for them too.
pub const MODULES: &str = "/lib/koru";

/// The time limit for the boot of a kernel that checks each memory access or lock, which takes
/// more than a minute on a busy machine.
const CHECKED_BOOT_LIMIT: Duration = Duration::from_secs(300);

/// Returns the files that every guest has: the agent, a shell, everyday commands.
fn base(context: &Context) -> Result<Initramfs> {
    let mut root = Initramfs::new();
    let busybox = busybox(&context.cache, &*context.ui)?;
    root.file("/init", dependencies::agent_path()?)
        .and_then(|r| r.busybox(&busybox))?;
    root.dir(MODULES);
    Ok(root)
}

/// Returns whether every guest has a file at `path`.
pub fn has(context: &Context, path: &str) -> Result<bool> {
    let program = |name: &String| format!("/bin/{name}") == path;
    let of_programs = programs::names(&context.home.root).iter().any(program);
    Ok(of_programs || base(context)?.contains(path))
}

/// Starts a guest of this kernel, with these files in addition to its own, and shows the
/// progress.
pub fn start(
    context: &Context,
    tree: &KernelTree,
    files: Initramfs,
    machine: &MachineArgs,
) -> Result<Guest> {
    Guest::start(config(context, tree, files, machine)?).map_err(Error::from)
}

/// Returns the configuration of a guest of this kernel with these additional files.
pub fn config(
    context: &Context,
    tree: &KernelTree,
    files: Initramfs,
    machine: &MachineArgs,
) -> Result<GuestConfig> {
    let image = tree.image.as_deref().ok_or_else(|| {
        Error::new(
            Kind::Missing,
            format!("starting a guest of {}", tree.release),
            "there is no kernel image beside this build directory",
        )
        .help("`koru kernel list` shows which kernels boot; `koru kernel add 6.12` gets one")
    })?;
    let cache = context.cache.root().join("guest");
    let mut config = GuestConfig::new(image, cache, base(context)?);
    config.files = files;
    config.resume = std::env::var_os("KORU_BOOT").is_none();
    config.cpus = machine.cpus;
    config.memory_mb = machine.memory;
    config.in_turn = machine.in_turn;
    if machine.harsh {
        config.cmdline = harsh_words(&tree.config);
    }
    config.cmdline.extend(machine.append.iter().cloned());
    if tree.config.yes("KASAN") || tree.config.yes("PROVE_LOCKING") {
        config.boot_limit = CHECKED_BOOT_LIMIT;
    }
    let ui: Arc<Ui> = context.ui.clone();
    config.on_event(move |event| match event {
        koru_vm::Event::FellBack { .. } => ui.print(&format!("koru: {event}")),
        _ => ui.status(&event.to_string()),
    });
    Ok(config)
}

/// The slab allocator's checks, except in caches that no module allocates from directly. The kernel
/// allocates from these in every system call and at each start of a process: with them, these take
/// up to three times as many instructions.
const SLUB_DEBUG: &str = "slub_debug=FZPU;-,anon_vma,anon_vma_chain,dentry,files_cache,filp,fs_cache,\
                          ftrace_event_field,inode_cache,kernfs_node_cache,lsm_file_cache,\
                          lsm_inode_cache,maple_node,mm_struct,names_cache,proc_inode_cache,\
                          radix_tree_node,seq_file,shmem_inode_cache,sighand_cache,signal_cache,\
                          trace_event_file,vm_area_struct,vma_lock";

/// Returns the arguments that switch on a kernel's checks for wrong uses of memory, as far as it
/// was built with them.
fn harsh_words(config: &Config) -> Vec<String> {
    let checks = [
        // Red zones, freed objects that must not change, and who allocated and freed what.
        // (The allocator ignores `init_on_free` then, which would hide such changes.)
        ("SLUB_DEBUG", SLUB_DEBUG),
        // Some allocations get pages of their own, so that even a read behind them is a fault.
        ("KFENCE", "kfence.sample_interval=10"),
        ("PAGE_POISONING", "page_poison=1"),
        // The kernel may change to another task wherever it is allowed to.
        ("PREEMPT_DYNAMIC", "preempt=full"),
    ];
    let has = checks.into_iter().filter(|(option, _)| config.yes(option));
    has.map(|(_, word)| word.to_owned()).collect()
}

/// Returns the default machine.
pub fn machine() -> MachineArgs {
    MachineArgs {
        cpus: 1,
        memory: 256,
        in_turn: false,
        append: Vec::new(),
        harsh: false,
    }
}

/// Returns the path of a module of this name in a guest.
pub fn module_path(name: &str) -> String {
    format!("{MODULES}/{name}.ko")
}

/// Returns the error for a kernel that did what was asked, but complained meanwhile.
pub fn complaint_error(what: &str, complaint: &koru_klog::Complaint) -> Error {
    Error::new(
        Kind::System,
        what,
        format!("the kernel complained: {complaint}"),
    )
    .help(complaint.help())
}
