// SPDX-License-Identifier: MIT OR Apache-2.0

//! `kernel::sync::poll`, on the module `kt_poll`.

use std::{
    fs::{File, OpenOptions, read_to_string},
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use koru_testing::{Module, is_loaded, unload};
use koru_tests::send_in_flight;
use rustix::{
    event::{
        PollFd, PollFlags, Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
        poll,
    },
    thread::gettid,
};

/// Enough to see that nothing comes.
const SOON: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 50_000_000,
};

fn load() -> Module {
    Module::load("kt_poll", &[]).unwrap()
}

fn open() -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).open("/dev/kt_poll").unwrap()
}

fn command(mut file: &File, command: &[u8]) {
    file.write_all(command).unwrap();
}

/// Polls for a read or a write, and returns what is ready.
fn polled(file: &File, events: PollFlags, timeout: Option<&Timespec>) -> PollFlags {
    let mut fds = [PollFd::new(file, events)];
    poll(&mut fds, timeout).unwrap();
    fds[0].revents()
}

const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

fn watching(file: &File, events: EventFlags) -> OwnedFd {
    let epoll = epoll::create(CreateFlags::CLOEXEC).unwrap();
    epoll::add(&epoll, file, EventData::new_u64(7), events).unwrap();
    epoll
}

/// Returns what is ready, if something is.
fn waited(epoll: impl AsFd, timeout: &Timespec) -> Option<EventFlags> {
    let nothing = Event {
        flags: EventFlags::empty(),
        data: EventData::new_u64(0),
    };
    let mut events = [nothing; 2];
    let count = epoll::wait(epoll, &mut events, Some(timeout)).unwrap();
    (count > 0).then(|| events[0].flags)
}

/// Runs `poll` with this timeout in a thread, and returns when it sleeps.
fn while_polled<T>(file: &File, timeout: Option<&Timespec>, act: impl FnOnce() -> T) -> PollFlags {
    thread::scope(|scope| {
        let (to, from) = channel();
        let poller = scope.spawn(move || {
            to.send(gettid()).unwrap();
            polled(file, PollFlags::IN, timeout)
        });
        let id = from.recv().unwrap();
        let stat = format!("/proc/self/task/{}/stat", id.as_raw_nonzero());
        while !poller.is_finished() && !read_to_string(&stat).is_ok_and(|s| s.contains(") S ")) {
            thread::yield_now();
        }
        act();
        poller.join().unwrap()
    })
}

#[test]
fn poll_says_what_is_ready() {
    let _module = load();
    let mut file = open();
    let both = PollFlags::IN | PollFlags::OUT;
    assert_eq!(polled(&file, both, Some(&NOW)), PollFlags::OUT);
    command(&file, b"+");
    assert_eq!(polled(&file, both, Some(&NOW)), both);
    assert_eq!(file.read(&mut [0]).unwrap(), 1);
    assert_eq!(
        polled(&file, PollFlags::IN, Some(&SOON)),
        PollFlags::empty()
    );
}

#[test]
fn notification_wakes_all_who_poll() {
    let _module = load();
    let (one, two) = (open(), open());
    let epoll = watching(&two, EventFlags::IN);
    let seen = while_polled(&one, None, || command(&two, b"+"));
    assert_eq!(seen, PollFlags::IN);
    assert_eq!(waited(&epoll, &SOON), Some(EventFlags::IN));
}

#[test]
fn edge_triggered_entry_sees_each_notification_once() {
    let _module = load();
    let file = open();
    let epoll = watching(&file, EventFlags::IN | EventFlags::ET);
    assert_eq!(waited(&epoll, &NOW), None);
    for _ in 0..3 {
        command(&file, b"+");
        assert_eq!(waited(&epoll, &SOON), Some(EventFlags::IN));
        assert_eq!(waited(&epoll, &NOW), None);
    }
}

/// The module drops what they wait for, and the kernel looks at its queue when they end.
#[test]
fn queue_outlives_its_value_while_somebody_polls() {
    let _module = load();
    let (file, other) = (open(), open());
    let epoll = watching(&file, EventFlags::IN);
    let seen = while_polled(&file, Some(&SOON), || {
        for _ in 0..100 {
            command(&other, b"s");
        }
    });
    assert_eq!(seen, PollFlags::empty());
    // Whoever comes later waits for the new one.
    let late = watching(&other, EventFlags::IN);
    command(&other, b"+");
    assert_eq!(waited(&late, &SOON), Some(EventFlags::IN));
    epoll::delete(&epoll, &file).unwrap();
}

#[test]
fn file_and_epoll_are_closed_in_either_order() {
    let _module = load();
    for file_first in [true, false] {
        let (file, other) = (open(), open());
        let epoll = watching(&file, EventFlags::IN);
        command(&other, b"s");
        match file_first {
            true => drop(file),
            false => drop(epoll),
        }
        command(&other, b"+");
    }
}

/// The entry of epoll stays as long as the message has the file.
#[test]
fn file_in_a_message_is_still_watched() {
    let module = load();
    let (file, other) = (open(), open());
    let epoll = watching(&file, EventFlags::IN);
    let receive = send_in_flight(file);
    command(&other, b"s");
    command(&other, b"+");
    drop(other);
    let refused = unload("kt_poll").unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
    let file = receive();
    assert_eq!(polled(&file, PollFlags::IN, Some(&NOW)), PollFlags::IN);
    drop(file);
    assert_eq!(waited(&epoll, &NOW), None);
    module.unload().unwrap();
}

#[test]
fn module_stays_while_it_is_polled() {
    let module = load();
    let file = open();
    let seen = while_polled(&file, Some(&SOON), || {
        let refused = unload("kt_poll").unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::WouldBlock);
    });
    assert_eq!(seen, PollFlags::empty());
    drop(file);
    module.unload().unwrap();
    assert!(!is_loaded("kt_poll"));
}

/// Some bits have a meaning for the kernel, such as that the queue goes away.
#[test]
fn bits_that_are_not_events_are_left_out() {
    let _module = load();
    let file = open();
    let epoll = watching(&file, EventFlags::IN | EventFlags::ET);
    command(&file, b"w");
    command(&file, b"+");
    assert_eq!(
        waited(&epoll, &SOON).map(|e| e & EventFlags::ET),
        Some(EventFlags::empty())
    );
    let all = PollFlags::from_bits_retain(0xffff);
    let seen = polled(&file, all, Some(&NOW)).bits();
    assert_eq!(seen & !0x23df, 0, "{seen:#x}");
}

#[test]
fn files_are_opened_polled_and_closed_while_the_queue_changes() {
    let _module = load();
    let other = open();
    thread::scope(|scope| {
        for i in 0..4 {
            let other = &other;
            scope.spawn(move || {
                for _ in 0..100 {
                    let file = open();
                    let epoll = watching(&file, EventFlags::IN | EventFlags::ET);
                    command(other, if i == 0 { b"s" } else { b"+" });
                    polled(&file, PollFlags::IN, Some(&NOW));
                    thread::sleep(Duration::from_micros(100));
                    match i % 2 {
                        0 => drop((file, epoll)),
                        _ => drop((epoll, file)),
                    }
                }
            });
        }
    });
}
