// SPDX-License-Identifier: MIT OR Apache-2.0

//! Files in /proc, which [`model::open`](crate::model::open) opens.

#[path = "../../../kernel/kernel/src/proc_fs/snapshot.rs"]
mod snapshot;

pub use snapshot::Snapshot;

use std::{cell::RefCell, collections::HashMap, ffi::CStr, pin::Pin, sync::Arc};

use koru_macros::vtable;

use crate::{
    error::{code::EINVAL, Error, Result},
    fs::{file::Offset, File},
    init::{Init, PinInit},
    uaccess::{UserSliceReader, UserSliceWriter},
};

#[derive(Clone, Copy)]
pub struct Mode;

impl Mode {
    #[allow(clippy::new_without_default, reason = "the kernel crate has none")]
    pub const fn new<const BITS: u16>() -> Mode {
        Mode
    }
}

pub struct Options(&'static CStr);

impl Options {
    pub const fn new(name: &'static CStr, _: Mode) -> Options {
        Options(name)
    }
}

pub trait ForeignOwnable {
    type Borrowed<'a>
    where
        Self: 'a;
    fn borrow(&self) -> Self::Borrowed<'_>;
}

impl<T> ForeignOwnable for Pin<Box<T>> {
    type Borrowed<'a>
        = Pin<&'a T>
    where
        T: 'a;
    fn borrow(&self) -> Pin<&T> {
        self.as_ref()
    }
}

type Borrowed<'a, T> = <<T as Operations>::Data as ForeignOwnable>::Borrowed<'a>;

#[vtable]
pub trait Operations: Send + Sync + Sized + 'static {
    type Data: ForeignOwnable + Send + Sync;

    fn open(&self, file: &File) -> Result<Self::Data>;

    fn read(
        &self,
        _: Borrowed<'_, Self>,
        _: &File,
        _: &mut UserSliceWriter,
        _: &mut Offset,
    ) -> Result<usize> {
        Err(EINVAL)
    }

    fn write(
        &self,
        _: Borrowed<'_, Self>,
        _: &File,
        _: &mut UserSliceReader,
        _: &mut Offset,
    ) -> Result<usize> {
        Err(EINVAL)
    }

    fn release(&self, data: Self::Data, _: &File) {
        drop(data);
    }
}

pub(crate) trait Entry {
    fn open(self: Arc<Self>) -> Result<Arc<dyn OpenFile>>;
}

pub(crate) trait OpenFile: Send + Sync {
    fn read(&self, to: &mut UserSliceWriter, pos: &mut Offset) -> Result<usize>;
    fn write(&self, from: &mut UserSliceReader) -> Result<usize>;
}

thread_local! {
    // loom runs all of its threads on one thread of the system, so they share this value.
    static ENTRIES: RefCell<HashMap<&'static CStr, Arc<dyn Entry>>> = RefCell::default();
}

pub(crate) fn entry(name: &CStr) -> Option<Arc<dyn Entry>> {
    ENTRIES.with_borrow(|entries| entries.get(name).cloned())
}

pub struct ProcFile<T: Operations> {
    name: &'static CStr,
    data: Arc<Served<T>>,
}

struct Served<T>(T);

impl<T: Operations> ProcFile<T> {
    pub fn new<E>(options: Options, data: impl PinInit<T, E>) -> impl PinInit<Self, Error>
    where
        Error: From<E>,
    {
        Init::new(move || {
            let data = Arc::new(Served(data.make()?));
            let entry: Arc<dyn Entry> = data.clone();
            ENTRIES.with_borrow_mut(|entries| entries.insert(options.0, entry));
            Ok(ProcFile {
                name: options.0,
                data,
            })
        })
    }
}

impl<T: Operations> Drop for ProcFile<T> {
    fn drop(&mut self) {
        let entry = ENTRIES.with_borrow_mut(|entries| entries.remove(self.name));
        drop(entry);
        // The kernel would close open files; here the test does that itself.
        assert_eq!(Arc::strong_count(&self.data), 1, "files are open");
    }
}

struct Opened<T: Operations> {
    file: Arc<Served<T>>,
    data: Option<T::Data>,
}

impl<T: Operations> Opened<T> {
    fn data(&self) -> Borrowed<'_, T> {
        self.data.as_ref().expect("until it is closed").borrow()
    }
}

impl<T: Operations> Entry for Served<T> {
    fn open(self: Arc<Self>) -> Result<Arc<dyn OpenFile>> {
        let data = Some(self.0.open(&File)?);
        Ok(Arc::new(Opened { file: self, data }))
    }
}

impl<T: Operations> OpenFile for Opened<T> {
    fn read(&self, to: &mut UserSliceWriter, pos: &mut Offset) -> Result<usize> {
        self.file.0.read(self.data(), &File, to, pos)
    }

    fn write(&self, from: &mut UserSliceReader) -> Result<usize> {
        self.file.0.write(self.data(), &File, from, &mut 0)
    }
}

impl<T: Operations> Drop for Opened<T> {
    fn drop(&mut self) {
        if let Some(data) = self.data.take() {
            self.file.0.release(data, &File);
        }
    }
}
