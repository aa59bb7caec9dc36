//! A machine saved when its agent came up, so that the next guest of the same
//! kind need not boot: it goes on from there, with files of its own.
//!
//! A saved machine is a folder, made aside and renamed when it is whole: the
//! guest's memory, the state of its devices, and what was seen of the boot. The
//! folder's name is a hash of everything that went into it.

use crate::{
    Event, Guest, GuestConfig, Result,
    accel::Accel,
    error::{at_path, doing},
    guest::Launch,
    kernel::BootImage,
    qemu::{self, Start},
    shared::SharedMemory,
};
use koru_protocol::{LogRecord, TO_GUEST};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Instant, SystemTime},
};

/// How many saved machines are kept.
const MOST_KEPT: usize = 12;

/// What is known of a saved machine.
#[derive(Serialize, Deserialize)]
struct Meta {
    /// The records of its boot.
    records: Vec<LogRecord>,
    /// The memory file as it was left. Whoever writes to it changes this.
    ram: Stamp,
    /// SHA-256 of the state file.
    state: String,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Stamp {
    length: u64,
    written: (i64, i64),
    changed: (i64, i64),
    inode: u64,
}

impl Stamp {
    fn of(path: &Path) -> std::io::Result<Stamp> {
        let meta = fs::metadata(path)?;
        Ok(Stamp {
            length: meta.len(),
            written: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
        })
    }
}

/// Starts a guest from a saved machine, which is made when there is none. Gives
/// none when that does not work out: then the guest has to boot.
pub(crate) fn start(config: &GuestConfig, image: &BootImage, accel: Accel) -> Option<Guest> {
    let mut files = Vec::new();
    config.files.write_to(&mut files).ok()?;
    if files.len() > TO_GUEST.longest() {
        return None;
    }
    let attempt = || -> Result<Guest> {
        let (mut guest, start) = resumed(config, image, accel, SharedMemory::new()?)?;
        let ready = guest.session().resume(&files)?;
        guest.is_ready(ready, start.elapsed());
        Ok(guest)
    };
    attempt()
        .inspect_err(|e| {
            forget(config, image, accel);
            config.tell(Event::NotResumed {
                why: e.to_string(),
                records: e.records().to_vec(),
            });
        })
        .ok()
}

/// A guest that goes on from a saved machine, which is made when there is none, and
/// when it was started. It has to be told yet what is its own.
pub(crate) fn resumed(
    config: &GuestConfig,
    image: &BootImage,
    accel: Accel,
    shared: SharedMemory,
) -> Result<(Guest, Instant)> {
    let place = place(config, image, accel)?;
    let meta = match open(&place) {
        Some(meta) => meta,
        None => make(config, image, accel, &place)?,
    };
    resume(config, image, accel, &place, meta, shared)
}

/// Whatever is wrong with the saved machine, the next guest makes another.
pub(crate) fn forget(config: &GuestConfig, image: &BootImage, accel: Accel) {
    if let Ok(place) = place(config, image, accel) {
        let _ = fs::remove_dir_all(place);
    }
}

/// Where the saved machine lies, or will.
fn place(config: &GuestConfig, image: &BootImage, accel: Accel) -> Result<PathBuf> {
    let key = key(config, image, accel).map_err(doing("look for a saved machine"))?;
    Ok(config.cache.join("saved").join(key))
}

/// Everything that a saved machine depends on. Its counters of time are the
/// host's as well, so it is for one boot of the host, unless it counts by itself.
fn key(config: &GuestConfig, image: &BootImage, accel: Accel) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(bytes.len().to_le_bytes());
        hash.update(bytes);
    };
    match config.replay {
        None => add(&fs::read("/proc/sys/kernel/random/boot_id")?),
        Some(_) => add(b"replay"),
    }
    for file in [&which(&config.qemu), &image.path] {
        let stamp = Stamp::of(file)?;
        add(file.as_os_str().as_encoded_bytes());
        add(serde_json::to_string(&stamp)?.as_bytes());
    }
    let shape = format!(
        "{accel} {} {} {} {}",
        qemu::cpu(accel),
        config.memory_mb,
        config.cpus,
        config.cmdline(accel, true)
    );
    add(shape.as_bytes());
    config.initramfs.identify(&mut add)?;
    let digest = hash.finalize();
    Ok(digest[..16].iter().map(|b| format!("{b:02x}")).collect())
}

/// A program's file.
fn which(program: &Path) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|p| p.is_file())
        .unwrap_or_else(|| program.into())
}

/// The saved machine, unless there is none or it is damaged.
fn open(place: &Path) -> Option<Meta> {
    let path = place.join("meta");
    let meta: Meta = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
    let state = fs::read(place.join("state")).ok()?;
    let whole = Stamp::of(&place.join("ram")).ok()? == meta.ram && digest(&state) == meta.state;
    if !whole {
        return None;
    }
    // The oldest go first, by this time.
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

/// Boots a machine and saves it. Of several that want the same one, one makes it
/// and the others wait.
fn make(config: &GuestConfig, image: &BootImage, accel: Accel, place: &Path) -> Result<Meta> {
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder).map_err(at_path("make", folder))?;
    let lock_path = place.with_extension("lock");
    let lock = File::create(&lock_path).map_err(at_path("open", &lock_path))?;
    flock(&lock, FlockOperation::LockExclusive)
        .map_err(|e| at_path("lock", &lock_path)(e.into()))?;
    if let Some(meta) = open(place) {
        return Ok(meta);
    }
    config.tell(Event::Saving);
    // A maker that was killed may have left it; we hold the lock.
    let aside = place.with_extension("making");
    let _ = fs::remove_dir_all(&aside);
    fs::create_dir(&aside).map_err(at_path("make", &aside))?;
    let meta = make_in(config, image, accel, &aside).inspect_err(|_| {
        let _ = fs::remove_dir_all(&aside);
    })?;
    // Damaged or not: we hold the lock, and whoever uses it has it open.
    let _ = fs::remove_dir_all(place);
    fs::rename(&aside, place).map_err(at_path("rename to", place))?;
    sweep(folder, place);
    Ok(meta)
}

/// The same, in a folder that nobody else uses.
fn make_in(config: &GuestConfig, image: &BootImage, accel: Accel, aside: &Path) -> Result<Meta> {
    let (ram, state) = (aside.join("ram"), aside.join("state"));
    File::create(&ram)
        .and_then(|f| f.set_len(u64::from(config.memory_mb) << 20))
        .map_err(at_path("make", &ram))?;
    let initrd = config.initrd(false)?;
    let guest = Launch {
        config,
        accel,
        pvh: image.pvh,
        start: Start::Boot {
            image,
            cmdline: config.boot_cmdline(accel, true),
            initrd: &initrd,
        },
        ram: Some(&ram),
        // Added when it goes on: the memory of a device that is there already
        // could not be shared with each of its followers.
        shared: None,
    }
    .run()?;
    let session = guest.session().clone();
    if session.wait_ready(config.boot_limit).is_none() {
        return Err(guest.boot_error(config.boot_limit));
    }
    // Its log is all here, and nothing is on the line.
    session.mark()?;
    let records = session.log_since(0);
    guest.save(&state)?;
    let seal = |path: &Path| {
        fs::set_permissions(path, Permissions::from_mode(0o400)).map_err(at_path("seal", path))
    };
    seal(&ram)?;
    seal(&state)?;
    let bytes = fs::read(&state).map_err(at_path("read", &state))?;
    let meta = Meta {
        records,
        ram: Stamp::of(&ram).map_err(at_path("read", &ram))?,
        state: digest(&bytes),
    };
    let path = aside.join("meta");
    let text = serde_json::to_vec(&meta).map_err(|e| at_path("write", &path)(e.into()))?;
    fs::write(&path, text).map_err(at_path("write", &path))?;
    Ok(meta)
}

/// Removes what was not used for longest, and what killed makers left.
fn sweep(folder: &Path, newest: &Path) {
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
            // Without `meta` it is in the making, by a process that may be gone.
            Err(_) if old => _ = fs::remove_dir_all(path),
            Err(_) => {}
        }
    }
    kept.sort();
    for (_, path) in kept.iter().rev().skip(MOST_KEPT - 1) {
        let _ = fs::remove_dir_all(path);
        let _ = fs::remove_file(path.with_extension("lock"));
    }
}

/// Goes on from a saved machine.
fn resume(
    config: &GuestConfig,
    image: &BootImage,
    accel: Accel,
    place: &Path,
    meta: Meta,
    shared: SharedMemory,
) -> Result<(Guest, Instant)> {
    let start = Instant::now();
    let state_path = place.join("state");
    let state = File::open(&state_path).map_err(at_path("open", &state_path))?;
    let guest = Launch {
        config,
        accel,
        pvh: image.pvh,
        start: Start::Resume(&state),
        ram: Some(&place.join("ram")),
        shared: Some(shared),
    }
    .run()?;
    guest.session().remember(meta.records);
    Ok((guest, start))
}
