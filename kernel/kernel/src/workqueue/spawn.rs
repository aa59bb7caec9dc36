// SPDX-License-Identifier: GPL-2.0-only

//! Closures as work.

use super::queue::Queue;
use super::work::{Work, WorkItem};
use crate::alloc::{AllocError, Flags, KBox};
use crate::{impl_has_work, new_work};
use core::pin::Pin;
use pin_init::{pin_data, pin_init, InPlaceWrite};

impl Queue {
    /// Queues a closure, which runs once, as soon as a thread is free.
    ///
    /// If the module is being unloaded, the closure is dropped instead.
    ///
    /// Context: depends on `flags`: with `GFP_KERNEL` it may sleep, with `GFP_ATOMIC` it works in
    /// any context but NMIs. The closure runs in a thread of the kernel, and may sleep.
    ///
    /// # Errors
    ///
    /// [`AllocError`] if there is no memory; the closure is dropped then.
    pub fn try_spawn<T: 'static + Send + FnOnce()>(
        &self,
        flags: Flags,
        func: T,
    ) -> Result<(), AllocError> {
        let init = pin_init!(Closure {
            work <- new_work!("Queue::try_spawn"),
            func: Some(func),
        });
        let Ok(closure) = KBox::new_uninit(flags)?.write_pin_init(init);
        self.enqueue(closure);
        Ok(())
    }
}

/// A closure that can be queued.
#[pin_data]
struct Closure<T> {
    #[pin]
    work: Work<Closure<T>>,
    func: Option<T>,
}

impl_has_work! {
    impl{T} HasWork<Self> for Closure<T> { self.work }
}

impl<T: FnOnce()> WorkItem for Closure<T> {
    type Pointer = Pin<KBox<Self>>;

    fn run(mut this: Pin<KBox<Self>>) {
        // SAFETY: the closure is moved out, but it is no pinned field: nobody has a pinned
        // reference to it. The work stays in its place.
        let func = unsafe { this.as_mut().get_unchecked_mut() }.func.take();
        if let Some(func) = func {
            func();
        }
    }
}
