// SPDX-License-Identifier: GPL-2.0-only

//! Has counters behind locks, counted up through /proc, and logs the order of drops.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    fs::{file::Offset, File},
    new_mutex, new_spinlock,
    prelude::*,
    proc_fs::{Mode, Operations, Options, ProcFile},
    sync::{Arc, ArcBorrow, Mutex, SpinLock, UniqueArc},
    time::{
        delay::{fsleep, udelay},
        Delta,
    },
    uaccess::{UserSliceReader, UserSliceWriter},
    InPlaceModule,
};

module! {
    type: Sync,
    name: "kt_sync",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
}

#[pin_data]
struct Sync {
    #[pin]
    file: ProcFile<Counters>,
    first: Arc<Named>,
    second: Arc<Named>,
    /// Keeps the first value alive longer than its own field.
    keeper: Keeper,
}

struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        pr_info!("{} is dropped\n", self.0);
    }
}

struct Keeper(Arc<Named>);

impl Drop for Keeper {
    fn drop(&mut self) {
        pr_info!("the keeper of {} is dropped\n", self.0 .0);
    }
}

#[pin_data]
struct Counters {
    #[pin]
    mutex: Mutex<u64>,
    #[pin]
    spin: SpinLock<u64>,
}

impl InPlaceModule for Sync {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        let options = Options::new(c"kt_sync", Mode::new::<0o666>());
        let counters = pin_init!(Counters {
            mutex <- new_mutex!(0, "kt_sync::mutex"),
            spin <- new_spinlock!(0, "kt_sync::spin"),
        });
        try_pin_init!(&this in Self {
            file <- ProcFile::new(options, counters),
            first: references()?,
            second: Arc::new(Named("second"), GFP_KERNEL)?,
            keeper: {
                let _ = this;
                Keeper(kept()?)
            },
        })
    }
}

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

/// Checks counted references.
fn references() -> Result<Arc<Named>> {
    let mut unique = UniqueArc::new(Named("unique"), GFP_KERNEL)?;
    unique.0 = "changed";
    let shared: Arc<Named> = unique.into();
    check("the change was kept", shared.0 == "changed")?;
    let other = shared.clone();
    check("both are one", Arc::ptr_eq(&shared, &other))?;
    let borrow: ArcBorrow<'_, Named> = other.as_arc_borrow();
    let third: Arc<Named> = borrow.into();
    drop(other);
    check("two are left", Arc::into_unique_or_drop(third).is_none())?;
    let alone = Arc::into_unique_or_drop(shared);
    check("one is left", alone.is_some())?;
    pr_info!("references are right\n");
    drop(alone);
    let locked = Arc::pin_init(new_mutex!(5), GFP_KERNEL)?;
    let guard = locked.lock();
    check("a lock is held", locked.try_lock().is_none())?;
    drop(guard);
    check("a lock is free", locked.try_lock().is_some_and(|n| *n == 5))?;
    let spin = Arc::pin_init(new_spinlock!(6), GFP_KERNEL)?;
    check(
        "a spin lock is free",
        spin.try_lock().is_some_and(|n| *n == 6),
    )?;
    let text: Arc<dyn AsName> = Arc::new(Named("object"), GFP_KERNEL)?;
    check("an object", text.name() == "object")?;
    drop(text);
    Ok(Arc::new(Named("first"), GFP_KERNEL)?)
}

trait AsName {
    fn name(&self) -> &str;
}

impl AsName for Named {
    fn name(&self) -> &str {
        self.0
    }
}

fn kept() -> Result<Arc<Named>> {
    Ok(Arc::new(Named("kept"), GFP_KERNEL)?)
}

#[vtable]
impl Operations for Counters {
    type Data = ();

    fn open(&self, _file: &File) -> Result {
        Ok(())
    }

    fn read(
        &self,
        _data: (),
        _file: &File,
        to: &mut UserSliceWriter,
        pos: &mut Offset,
    ) -> Result<usize> {
        // No lock is held while memory is allocated, which may sleep.
        let (mutex, spin) = (*self.mutex.lock(), *self.spin.lock());
        let text = kernel::str::CString::try_from_fmt(fmt!("{mutex} {spin}\n"))?;
        to.write_slice_file(text.to_bytes(), pos)
    }

    /// Counts up, a turn for each byte. `m` is the mutex's counter, with a sleep between reading
    /// and writing it; `s` is the spinlock's, with a short wait.
    fn write(
        &self,
        _data: (),
        _file: &File,
        from: &mut UserSliceReader,
        _pos: &mut Offset,
    ) -> Result<usize> {
        let len = from.len();
        while !from.is_empty() {
            match from.read::<u8>()? {
                b'm' => {
                    let mut count = self.mutex.lock();
                    let old = *count;
                    fsleep(Delta::from_micros(50));
                    *count = old + 1;
                }
                b's' => {
                    let mut count = self.spin.lock();
                    let old = *count;
                    udelay(Delta::from_micros(2));
                    *count = old + 1;
                }
                _ => return Err(EINVAL),
            }
        }
        Ok(len)
    }
}
