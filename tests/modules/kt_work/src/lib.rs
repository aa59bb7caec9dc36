// SPDX-License-Identifier: GPL-2.0-only

//! Queues work, as the parameter `what` says.

#![no_std]
#![forbid(unsafe_code)]

use kernel::{
    prelude::*,
    sync::{
        atomic::{Atomic, Relaxed},
        Arc, Completion,
    },
    time::{delay::fsleep, Delta, HZ},
    workqueue::{
        self, impl_has_delayed_work, impl_has_work, new_delayed_work, new_work, DelayedWork, Work,
        WorkItem,
    },
};

module! {
    type: Works,
    name: "kt_work",
    author: "The Koru authors",
    description: "For Koru's own tests",
    license: "GPL",
    params: {
        what: &'static CStr { default: c"once", description: "What to do" },
    },
}

struct Works {
    keeper: Option<Arc<Periodic>>,
    go: Option<Arc<Completion>>,
}

/// Runs twice, by two works.
#[pin_data(PinnedDrop)]
struct Twice {
    name: &'static str,
    #[pin]
    first: Work<Twice, 1>,
    #[pin]
    second: Work<Twice, 2>,
    #[pin]
    done: Completion,
}

impl_has_work! {
    impl HasWork<Self, 1> for Twice { self.first }
    impl HasWork<Self, 2> for Twice { self.second }
}

impl WorkItem<1> for Twice {
    type Pointer = Arc<Twice>;

    fn run(this: Arc<Twice>) {
        pr_info!("{}: first\n", this.name);
        // The other work is not queued yet.
        if workqueue::system_unbound()
            .enqueue::<Arc<Twice>, 2>(this)
            .is_err()
        {
            pr_err!("wrong: the second work was refused\n");
        }
    }
}

impl WorkItem<2> for Twice {
    type Pointer = Arc<Twice>;

    fn run(this: Arc<Twice>) {
        pr_info!("{}: second\n", this.name);
        this.done.complete_all();
    }
}

#[pinned_drop]
impl PinnedDrop for Twice {
    fn drop(self: Pin<&mut Self>) {
        pr_info!("{} is dropped\n", self.name);
    }
}

/// Is queued as a box, and drops itself.
#[pin_data]
struct Boxed {
    done: Arc<Completion>,
    #[pin]
    work: DelayedWork<Boxed>,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Boxed { self.work }
}

impl WorkItem for Boxed {
    type Pointer = Pin<KBox<Boxed>>;

    fn run(this: Pin<KBox<Boxed>>) {
        pr_info!("a box runs\n");
        this.done.complete_all();
    }
}

/// Queues itself again.
#[pin_data]
struct Periodic {
    runs: Atomic<u32>,
    #[pin]
    work: DelayedWork<Periodic>,
    #[pin]
    third: Completion,
}

impl_has_delayed_work! {
    impl HasDelayedWork<Self> for Periodic { self.work }
}

impl WorkItem for Periodic {
    type Pointer = Arc<Periodic>;

    fn run(this: Arc<Periodic>) {
        if this.runs.fetch_add(1, Relaxed) == 2 {
            this.third.complete_all();
        }
        if workqueue::system().enqueue_delayed(this, 1).is_err() {
            pr_info!("the work ends\n");
        }
    }
}

fn periodic() -> Result<Arc<Periodic>> {
    let periodic = pin_init!(Periodic {
        runs: Atomic::new(0),
        work <- new_delayed_work!("Periodic::work"),
        third <- Completion::new(),
    });
    Arc::pin_init(periodic, GFP_KERNEL)
}

fn each_once() -> Result {
    let twice = pin_init!(Twice {
        name: "twice",
        first <- new_work!("Twice::first"),
        second <- new_work!(),
        done <- Completion::new(),
    });
    let twice = Arc::pin_init(twice, GFP_KERNEL)?;
    let queued = workqueue::system().enqueue::<Arc<Twice>, 1>(twice.clone());
    queued.map_err(|_| EBUSY)?;
    twice.done.wait_for_completion();
    drop(twice);
    let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
    let theirs = done.clone();
    let boxed = pin_init!(Boxed {
        done: theirs,
        work <- new_delayed_work!("Boxed::work"),
    });
    workqueue::system_highpri().enqueue_delayed(KBox::pin_init(boxed, GFP_KERNEL)?, 2);
    done.wait_for_completion();
    for queue in [
        workqueue::system(),
        workqueue::system_highpri(),
        workqueue::system_long(),
        workqueue::system_unbound(),
        workqueue::system_freezable(),
        workqueue::system_power_efficient(),
        workqueue::system_freezable_power_efficient(),
    ] {
        let done = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
        let theirs = done.clone();
        queue.try_spawn(GFP_KERNEL, move || theirs.complete_all())?;
        done.wait_for_completion();
    }
    pr_info!("all queues run\n");
    Ok(())
}

/// Queues work that runs until `go`, and a while longer.
fn slow(name: &'static str) -> Result<Arc<Completion>> {
    let go = Arc::pin_init(Completion::new(), GFP_KERNEL)?;
    let theirs = go.clone();
    workqueue::system_long().try_spawn(GFP_KERNEL, move || {
        theirs.wait_for_completion();
        fsleep(Delta::from_millis(100));
        pr_info!("{name} ends\n");
    })?;
    Ok(go)
}

impl kernel::Module for Works {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        let (mut keeper, mut go) = (None, None);
        match module_parameters::what.value().to_bytes() {
            b"once" => each_once()?,
            b"periodic" => {
                let periodic = periodic()?;
                let queued = workqueue::system().enqueue_delayed(periodic.clone(), 1);
                queued.map_err(|_| EBUSY)?;
                periodic.third.wait_for_completion();
                pr_info!("it runs\n");
                keeper = Some(periodic);
            }
            b"waiting" => {
                let periodic = periodic()?;
                let queue = workqueue::system();
                queue
                    .enqueue_delayed(periodic.clone(), 3 * HZ)
                    .map_err(|_| EBUSY)?;
                // It waits already, whatever the queue.
                if workqueue::system_long()
                    .enqueue_delayed(periodic, 0)
                    .is_ok()
                {
                    return Err(EINVAL);
                }
                pr_info!("it waits\n");
            }
            b"slow" => go = Some(slow("slow work")?),
            b"failing" => {
                slow("work of a failed init")?.complete_all();
                return Err(EDOM);
            }
            b"late" => keeper = Some(periodic()?),
            _ => return Err(EINVAL),
        }
        Ok(Works { keeper, go })
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        pr_info!("the module is dropped\n");
        if let Some(go) = &self.go {
            go.complete_all();
        }
        // The last moment in which something may be queued.
        if module_parameters::what.value().to_bytes() == b"late" {
            if let Some(periodic) = self.keeper.take() {
                let queued = workqueue::system().enqueue(periodic);
                pr_info!("queued: {}\n", queued.is_ok());
            }
        }
    }
}
