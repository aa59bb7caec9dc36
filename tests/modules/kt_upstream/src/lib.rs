// SPDX-License-Identifier: GPL-2.0-only

//! Uses what upstream's modules use of the smaller APIs, and checks the results.

#![no_std]
#![forbid(unsafe_code)]
#![feature(arbitrary_self_types)]

use core::borrow::Borrow;
use kernel::{
    alloc::{KBox, KVec},
    b_str, bits, c_str,
    device::Device,
    faux, fmt,
    miscdevice::{MiscDevice, MiscDeviceOptions, MiscDeviceRegistration},
    new_mutex,
    page::{page_align, PAGE_MASK, PAGE_SHIFT, PAGE_SIZE},
    prelude::*,
    sizes::*,
    str::{kstrtobool, parse_int::ParseInt, BStr, CString},
    sync::{
        aref::ARef,
        atomic::{Atomic, Relaxed},
        global_lock, rcu, Arc, ArcBorrow, GlobalLockedBy, Mutex, SetOnce, UniqueArc,
    },
    transmute::{AsBytes, FromBytes},
    InPlaceModule,
};

module! {
    type: Upstream,
    name: "kt_upstream",
    authors: ["The Koru authors"],
    description: "For Koru's own tests",
    license: "GPL",
}

const NAME: &CStr = c_str!("kt_upstream");

global_lock! {
    static TOTALS: Mutex<u32> = 1;
}

static LIMIT: SetOnce<u32> = SetOnce::new();

#[pin_data]
struct Upstream {
    // Dropped before its parent.
    child: faux::Registration,
    parent: faux::Registration,
    #[pin]
    device: MiscDeviceRegistration<Opened>,
}

struct Opened;

#[vtable]
impl MiscDevice for Opened {
    type Ptr = ();

    fn open(_file: &kernel::fs::File, misc: &MiscDeviceRegistration<Self>) -> Result {
        dev_info!(misc, "opened by {}\n", Celsius(36));
        Ok(())
    }
}

/// Has only the kernel's formatting.
struct Celsius(i32);

impl fmt::Display for Celsius {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} degrees", self.0)?;
        f.write_str("\n")
    }
}

/// Has only core's formatting.
struct Metres(u32);

impl core::fmt::Display for Metres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} metres", self.0)
    }
}

/// Has neither.
#[derive(Debug)]
struct Plain;

type Pair = [u32; 2];

fn check(what: &str, holds: bool) -> Result {
    if holds {
        return Ok(());
    }
    pr_err!("wrong: {what}\n");
    Err(EINVAL)
}

fn show<T: fmt::Display>(value: &T) {
    pr_info!("shown: {value}\n");
}

fn formatting() -> Result {
    let celsius = Celsius(20);
    let (by_reference, boxed) = (&celsius, KBox::new(Celsius(21), GFP_KERNEL)?);
    pr_info!("{celsius} {by_reference} {} {:>9}\n", boxed, Metres(5));
    let any: Arc<dyn fmt::Display> = Arc::new(Celsius(22), GFP_KERNEL)?;
    pr_info!("{any} {:?} {:#x} {}\n", Plain, 255, 7);
    show(&Celsius(23));
    show(&any);
    let text = CString::try_from_fmt(fmt!("{}/{}/{:?}", celsius, Metres(1), Plain))?;
    check("fmt!", &*text == c"20 degrees\n/1 metres/Plain")?;
    let plain_address = CString::try_from_fmt(fmt!("{:p}", core::ptr::from_ref(&celsius)))?;
    let shown = CString::try_from_fmt(fmt!("{}", core::ptr::from_ref(&celsius).addr()))?;
    check("addresses are hashed", *plain_address != *shown)?;
    let unique = UniqueArc::new(5, GFP_KERNEL)?;
    pr_info!("{unique:?} {unique}\n");
    Ok(())
}

fn numbers() -> Result {
    check("sizes", SZ_4K == 4096 && SZ_2G == 1 << 31)?;
    check("a page", 1 << PAGE_SHIFT == PAGE_SIZE && PAGE_MASK == !4095)?;
    check("alignment", page_align(4097) == Some(SZ_8K))?;
    check("a bit", bits::bit_u64(63) == 1 << 63)?;
    check("no bit", bits::checked_bit_u8(8).is_none())?;
    check("all bits", bits::genmask_u8(0..=7) == 0xff)?;
    check("some bits", bits::genmask_u32(21..=31) == 0xffe0_0000)?;
    check("no bits", bits::genmask_checked_u16(4..=16).is_none())?;
    check(
        "yes",
        kstrtobool(c"Y") == Ok(true) && kstrtobool(c"of") == Ok(false),
    )?;
    check(
        "maybe",
        kstrtobool(c"o") == Err(EINVAL) && kstrtobool(c"").is_err(),
    )?;
    check(
        "least",
        i64::from_str(b_str!("-9223372036854775808")) == Ok(i64::MIN),
    )?;
    check(
        "too small",
        i64::from_str(b_str!("-9223372036854775809")).is_err(),
    )?;
    check(
        "most",
        u64::from_str(b_str!("0xffffffffffffffff")) == Ok(u64::MAX),
    )?;
    let long = b_str!("0b10000000000000000000000000000000000000000000000000000000000000000");
    check("too long", u64::from_str(long).is_err())?;
    for text in ["", "-", "0x", "+-1", "1 ", "08", "1_000"] {
        check(
            text,
            u32::from_str(BStr::from_bytes(text.as_bytes())).is_err(),
        )?;
    }
    check("zero", u8::from_str(b_str!("0")) == Ok(0))?;
    check("octal", u16::from_str(b_str!("+0o17")) == Ok(15))
}

fn bytes() -> Result {
    let mut pair: Pair = [1, 2];
    AsBytes::as_bytes_mut(&mut pair)[4] = 3;
    check(
        "as bytes",
        AsBytes::as_bytes(&pair) == [1, 0, 0, 0, 3, 0, 0, 0],
    )?;
    let raw = KVec::from_elem(1u8, 17, GFP_KERNEL)?;
    check("an exact size", Pair::from_bytes(&raw).is_none())?;
    let (found, rest) = Pair::from_bytes_prefix(&raw).ok_or(EINVAL)?;
    check("a prefix", *found == [0x0101_0101; 2] && rest.len() == 9)?;
    check("unaligned", Pair::from_bytes_prefix(&raw[1..]).is_none())?;
    check("a copy", Pair::from_bytes_copy(&raw[1..9]).is_some())?;
    check("too few", Pair::from_bytes_copy_prefix(&raw[..7]).is_none())
}

fn vectors() -> Result {
    let empty: KVec<u8> = kernel::kvec![];
    check("empty", empty.is_empty() && empty.capacity() == 0)?;
    let numbers: KVec<u32> = kernel::kvec![1, 2, 3, 4]?;
    let mut rest = numbers.into_iter();
    check("the first", rest.next() == Some(1))?;
    let mut rest = rest.collect(GFP_KERNEL);
    check("the others", *rest == [2, 3, 4] && rest.capacity() == 3)?;
    rest.reserve(100, GFP_KERNEL)?;
    check(
        "spare",
        rest.spare_capacity_mut().len() == rest.capacity() - 3,
    )?;
    rest.shrink_to(5, GFP_KERNEL)?;
    check("shrunk", rest.capacity() == 5 && *rest == [2, 3, 4])?;
    let slice: &[u32] = rest.borrow();
    check("borrowed", slice.len() == 3)?;
    let named: KVec<Named> = kernel::kvec![Named("one"), Named("two"), Named("three")]?;
    let mut left = named.into_iter();
    drop(left.next());
    let left = left.collect(GFP_KERNEL);
    check("two are left", left.len() == 2)?;
    drop(left);
    let nothing: KVec<()> = kernel::kvec![(); 3]?;
    check("units", nothing.into_iter().collect(GFP_KERNEL).len() == 3)?;
    let pinned = KBox::pin_slice(slot, 3, GFP_KERNEL)?;
    check(
        "pinned",
        pinned.iter().map(|s| *s.number.lock()).sum::<usize>() == 3,
    )?;
    let failed = KBox::pin_slice(slot, 5, GFP_KERNEL);
    check("a slice that fails", failed.is_err_and(|e| e == EDOM))?;
    let none = KBox::pin_slice(slot, 0, GFP_KERNEL)?;
    check("a slice of nothing", none.is_empty())
}

/// One of a slice, of which there are at most four.
#[pin_data]
struct Slot {
    name: Named,
    #[pin]
    number: Mutex<usize>,
}

fn slot(number: usize) -> impl PinInit<Slot, Error> {
    let name = match number {
        0..4 => Ok(Named("a slot")),
        _ => Err(EDOM),
    };
    try_pin_init!(Slot {
        name: name?,
        number <- new_mutex!(number),
    }? Error)
}

struct Named(&'static str);

impl Drop for Named {
    fn drop(&mut self) {
        pr_info!("{} is dropped\n", self.0);
    }
}

trait Worker {
    fn work(self: ArcBorrow<'_, Self>) -> &'static str;
}

impl Worker for Named {
    fn work(self: ArcBorrow<'_, Self>) -> &'static str {
        self.0
    }
}

fn sharing() -> Result {
    check("not set", LIMIT.as_ref().is_none())?;
    check("set", LIMIT.populate(5) && !LIMIT.populate(6))?;
    check("stays set", LIMIT.copy() == Some(5))?;
    let once = SetOnce::new();
    check(
        "set",
        once.populate(Named("once")) && !once.populate(Named("twice")),
    )?;
    drop(once);
    let locked = GlobalLockedBy::<u64, TOTALS>::new(40);
    let mut totals = TOTALS.lock();
    *locked.as_mut(&mut totals) += 1;
    check("behind a global lock", *locked.as_ref(&totals) == 41)?;
    drop(totals);
    let mut number = Atomic::new(1u32);
    *number.get_mut() += 1;
    check("an atomic", number.load(Relaxed) == 2)?;
    let worker: Arc<dyn Worker> = Arc::new(Named("worker"), GFP_KERNEL)?;
    check("an object", worker.as_arc_borrow().work() == "worker")?;
    let mutex = Arc::pin_init(new_mutex!(3), GFP_KERNEL)?;
    let guard = mutex.lock();
    check(
        "the guard's lock",
        core::ptr::eq(guard.lock_ref(), &raw const *mutex),
    )
}

/// Checks which names a device may have.
fn names(parent: &faux::Registration) -> Result {
    let refused = |name: &CStr, error| {
        let registration = faux::Registration::new(name, Some(parent.as_ref()));
        check("a name is refused", registration.is_err_and(|e| e == error))
    };
    refused(NAME, EEXIST)?;
    refused(c"kt!child", EEXIST)?;
    refused(c"", EINVAL)?;
    refused(c"..", EINVAL)?;
    let long = CString::try_from_fmt(fmt!("{:0>256}", 1))?;
    refused(&long, EINVAL)?;
    let kept = {
        let registration = faux::Registration::new(c"kt_kept", None)?;
        ARef::<Device>::from(AsRef::<Device>::as_ref(&registration))
    };
    check("a device without registration", kept.name() == c"kt_kept")?;
    let outer = rcu::read_lock();
    rcu::Guard::new().unlock();
    drop(outer);
    Ok(())
}

impl InPlaceModule for Upstream {
    fn init(_module: &'static ThisModule) -> impl PinInit<Self, Error> {
        pin_init::pin_init_scope(|| {
            formatting()?;
            numbers()?;
            bytes()?;
            vectors()?;
            sharing()?;
            let parent = faux::Registration::new(NAME, None)?;
            let child = faux::Registration::new(c"kt/child", Some(parent.as_ref()))?;
            names(&parent)?;
            dev_info!(child, "without hardware\n");
            pr_info!("all is right\n");
            Ok(try_pin_init!(Self {
                child,
                parent,
                device <- MiscDeviceRegistration::register(MiscDeviceOptions { name: NAME }),
            }? Error))
        })
    }
}
