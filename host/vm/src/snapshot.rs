// SPDX-License-Identifier: MIT OR Apache-2.0

//! Snapshots: a guest is saved when its agent comes up, and later guests of the same kind
//! resume from the snapshot, with files of their own, instead of booting.
//!
//! A snapshot is a folder: the guest's memory, the state of its devices, and the log records
//! of its boot. The folder is filled under another name and renamed when it is complete. Its
//! name is a hash of everything that went into the snapshot.

use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

use koru_error::IoContext;
use koru_protocol::{LogRecord, TO_GUEST};
use koru_qemu::{Accel, BootImage, Start};
use koru_session::{Result, SharedMemory};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Event, Guest, GuestConfig,
    launch::{LaunchConfig, shared_memory},
};

/// The number of snapshots that are kept.
const MAX_SNAPSHOTS: usize = 12;

/// What is known about a snapshot.
#[derive(Serialize, Deserialize)]
struct SnapshotMeta {
    /// The log records of the boot.
    records: Vec<LogRecord>,
    /// The fingerprint of the memory file. Anybody who writes to the file changes its
    /// fingerprint.
    ram: FileFingerprint,
    /// The SHA-256 of the file with the state of the devices.
    state: String,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct FileFingerprint {
    length: u64,
    written: (i64, i64),
    changed: (i64, i64),
    inode: u64,
}

impl FileFingerprint {
    fn of(path: &Path) -> std::io::Result<FileFingerprint> {
        let meta = fs::metadata(path)?;
        Ok(FileFingerprint {
            length: meta.len(),
            written: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        })
    }
}

/// Starts a guest from a snapshot, which is created if there is none. Returns `None` when that
/// fails: the guest has to boot then.
pub(crate) fn start(config: &GuestConfig, image: &BootImage, accel: Accel) -> Option<Guest> {
    let mut files = Vec::new();
    config.files.write_to(&mut files).ok()?;
    if files.len() > TO_GUEST.longest() {
        return None;
    }
    let attempt = || -> Result<Guest> {
        let (mut guest, start) = resume_or_create(config, image, accel, shared_memory()?)?;
        let ready = guest.session().resume(&files)?;
        guest.set_ready(ready, start.elapsed());
        Ok(guest)
    };
    attempt()
        .inspect_err(|e| {
            discard(config, image, accel);
            config.tell(Event::NotResumed {
                why: e.to_string(),
                records: e.records().to_vec(),
            });
        })
        .ok()
}

/// Resumes a guest from a snapshot, which is created if there is none, and returns the guest
/// with the time of its start. The caller still has to send the guest what is specific to it.
pub(crate) fn resume_or_create(
    config: &GuestConfig,
    image: &BootImage,
    accel: Accel,
    shared: SharedMemory,
) -> Result<(Guest, Instant)> {
    let dir = snapshot_dir(config, image, accel)?;
    let meta = match load_valid(&dir) {
        Some(meta) => meta,
        None => create(config, image, accel, &dir)?,
    };
    resume(config, image, accel, &dir, meta, shared)
}

/// Removes a snapshot that does not work, so that the next guest creates another.
pub(crate) fn discard(config: &GuestConfig, image: &BootImage, accel: Accel) {
    if let Ok(dir) = snapshot_dir(config, image, accel) {
        let _ = fs::remove_dir_all(dir);
    }
}

/// Returns the folder of the snapshot, which may not exist yet.
fn snapshot_dir(config: &GuestConfig, image: &BootImage, accel: Accel) -> Result<PathBuf> {
    let key = snapshot_key(config, image, accel).context("looking for a snapshot")?;
    Ok(config.cache.join("saved").join(key))
}

/// Returns a hash of everything that a snapshot depends on. The guest's time counters depend
/// on the host's, so a snapshot is valid for one boot of the host, except for replays, which
/// count instructions.
fn snapshot_key(config: &GuestConfig, image: &BootImage, accel: Accel) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    match config.replay {
        None => add(&fs::read("/proc/sys/kernel/random/boot_id")?),
        // The state of a machine's clock is in its unit.
        Some(replayed) => add(format!("replay {}", replayed.shift).as_bytes()),
    }
    for file in [&which(&config.qemu), &image.path] {
        let stamp = FileFingerprint::of(file)?;
        add(file.as_os_str().as_encoded_bytes());
        add(serde_json::to_string(&stamp)?.as_bytes());
    }
    let shape = format!(
        "{accel} {} {} {} {}",
        koru_qemu::cpu(accel),
        config.memory_mb,
        config.cpus,
        config.cmdline(accel, true)
    );
    add(shape.as_bytes());
    config.initramfs.identify(&mut add)?;
    let digest = hash.finalize();
    Ok(digest[..16].iter().map(|b| format!("{b:02x}")).collect())
}

/// Returns a program's file, found in `PATH`.
fn which(program: &Path) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|p| p.is_file())
        .unwrap_or_else(|| program.into())
}

/// Loads what is known about a snapshot, unless the snapshot is missing or damaged.
fn load_valid(dir: &Path) -> Option<SnapshotMeta> {
    let path = dir.join("meta");
    let meta: SnapshotMeta = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
    let state = fs::read(dir.join("state")).ok()?;
    let whole =
        FileFingerprint::of(&dir.join("ram")).ok()? == meta.ram && digest(&state) == meta.state;
    if !whole {
        return None;
    }
    // The time of the last use: `prune` removes what was not used for the longest time.
    if let Ok(file) = File::options().append(true).open(&path) {
        let _ = file.set_modified(SystemTime::now());
    }
    Some(meta)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// Boots a guest and creates a snapshot of it. Of several processes that want the same
/// snapshot, one creates it and the others wait.
fn create(
    config: &GuestConfig,
    image: &BootImage,
    accel: Accel,
    dir: &Path,
) -> Result<SnapshotMeta> {
    let folder = dir.parent().unwrap_or(dir);
    fs::create_dir_all(folder).path_context("making", folder)?;
    let lock_path = dir.with_extension("lock");
    let lock = File::create(&lock_path).path_context("opening", &lock_path)?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(std::io::Error::from)
        .path_context("locking", &lock_path)?;
    if let Some(meta) = load_valid(dir) {
        return Ok(meta);
    }
    config.tell(Event::Saving);
    // A process that was killed may have left the folder; this process holds the lock.
    let staging_dir = dir.with_extension("making");
    let _ = fs::remove_dir_all(&staging_dir);
    fs::create_dir(&staging_dir).path_context("making", &staging_dir)?;
    let meta = create_in(config, image, accel, &staging_dir).inspect_err(|_| {
        let _ = fs::remove_dir_all(&staging_dir);
    })?;
    // An old snapshot may go, damaged or not: this process holds the lock, and those who use
    // it have its files open.
    let _ = fs::remove_dir_all(dir);
    fs::rename(&staging_dir, dir).path_context("renaming to", dir)?;
    prune(folder, dir);
    Ok(meta)
}

/// Creates a snapshot in a folder that no other process uses.
fn create_in(
    config: &GuestConfig,
    image: &BootImage,
    accel: Accel,
    staging_dir: &Path,
) -> Result<SnapshotMeta> {
    let (ram, state) = (staging_dir.join("ram"), staging_dir.join("state"));
    File::create(&ram)
        .and_then(|f| f.set_len(u64::from(config.memory_mb) << 20))
        .path_context("making", &ram)?;
    let initrd = config.initrd(false)?;
    let guest = LaunchConfig {
        config,
        accel,
        pvh: image.pvh,
        start: Start::Boot {
            image,
            cmdline: config.boot_cmdline(accel, true),
            initrd: &initrd,
        },
        ram: Some(&ram),
        // The shared memory is added when a guest resumes: the memory of a device that is part
        // of the snapshot could not be shared with each of the resumed guests.
        shared: None,
    }
    .run()?;
    let session = guest.session().clone();
    if session.wait_ready(config.boot_limit).is_none() {
        return Err(guest.into_boot_error(config.boot_limit));
    }
    // The whole log has arrived then, and nothing is in transit on the line.
    session.mark()?;
    let records = session.log_since(0);
    guest.save(&state)?;
    let seal = |path: &Path, mode| {
        fs::set_permissions(path, Permissions::from_mode(mode)).path_context("sealing", path)
    };
    // QEMU opens the memory for writing, although it maps the memory privately. Without
    // capabilities, it may do so only if the file is writable.
    seal(&ram, 0o600)?;
    seal(&state, 0o400)?;
    let bytes = fs::read(&state).path_context("reading", &state)?;
    let meta = SnapshotMeta {
        records,
        ram: FileFingerprint::of(&ram).path_context("reading", &ram)?,
        state: digest(&bytes),
    };
    let path = staging_dir.join("meta");
    let text = serde_json::to_vec(&meta)
        .map_err(std::io::Error::from)
        .path_context("writing", &path)?;
    fs::write(&path, text).path_context("writing", &path)?;
    Ok(meta)
}

/// Removes the snapshots that were not used for the longest time, and what killed processes
/// left.
fn prune(folder: &Path, newest: &Path) {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path == newest || !path.is_dir() {
            continue;
        }
        let used = fs::metadata(path.join("meta")).and_then(|m| m.modified());
        let made = entry.metadata().and_then(|m| m.modified());
        let old = made.is_ok_and(|t| t.elapsed().is_ok_and(|age| age.as_secs() > 3600));
        match used {
            Ok(used) => kept.push((used, path)),
            // A folder without `meta` is incomplete, and its process may be gone.
            Err(_) if old => _ = fs::remove_dir_all(path),
            Err(_) => {}
        }
    }
    kept.sort();
    for (_, path) in kept.iter().rev().skip(MAX_SNAPSHOTS - 1) {
        let _ = fs::remove_dir_all(path);
        let _ = fs::remove_file(path.with_extension("lock"));
    }
}

/// Resumes a guest from a snapshot.
fn resume(
    config: &GuestConfig,
    image: &BootImage,
    accel: Accel,
    dir: &Path,
    meta: SnapshotMeta,
    shared: SharedMemory,
) -> Result<(Guest, Instant)> {
    let start = Instant::now();
    let state_path = dir.join("state");
    let state = File::open(&state_path).path_context("opening", &state_path)?;
    let guest = LaunchConfig {
        config,
        accel,
        pvh: image.pvh,
        start: Start::Resume(&state),
        ram: Some(&dir.join("ram")),
        shared: Some(shared),
    }
    .run()?;
    guest.session().prepend_records(meta.records);
    Ok((guest, start))
}
