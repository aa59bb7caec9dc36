// SPDX-License-Identifier: MIT OR Apache-2.0

//! Sessions with agents that lie.
#![forbid(unsafe_code)]

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    sync::mpsc::channel,
    thread,
    time::Duration,
};

use koru_hostile::for_a_while;
use koru_protocol::{
    Death, Decoder, Exec, Exit, Inventory, LogRecord, Ready, Reply, Stream, ToGuest, ToHost, encode,
};
use koru_session::Session;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

/// Starts a session with an agent that answers each call with what `answer` says.
fn session(answer: impl Fn(u64, &mut UnixStream) + Send + 'static) -> Session {
    let (host, mut agent) = UnixStream::pair().expect("sockets");
    let on_end = |session: &Session| {
        session.mark_dead(Death::Vanished {
            detail: "it is gone".into(),
            console: String::new(),
        });
    };
    let session = Session::from_stream(host, None, on_end).expect("a session");
    thread::spawn(move || {
        let mut decoder = Decoder::default();
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = agent.read(&mut buffer) {
            let mut calls = Vec::new();
            decoder.feed(&buffer[..length], |message: ToGuest| {
                if let ToGuest::Call { id, .. } = message {
                    calls.push(id);
                }
            });
            calls.into_iter().for_each(|id| answer(id, &mut agent));
        }
    });
    session
}

/// Sends a message; the host may have closed the connection.
fn send(agent: &mut UnixStream, message: &ToHost) -> bool {
    agent.write_all(&encode(message)).is_ok()
}

fn record(seq: u64, text: String) -> LogRecord {
    LogRecord {
        seq,
        level: 6,
        facility: 0,
        timestamp_us: 0,
        text,
        continuation: false,
    }
}

/// Calls that expect answers of different kinds, none of which may block or panic.
fn ask_for_everything(session: &Session) -> Vec<bool> {
    vec![
        session.hello().is_ok(),
        session.list().is_ok(),
        session.taint().is_ok(),
        session.mark().is_ok(),
        session.inventory().is_ok(),
        session.get_file("/etc/passwd").is_ok(),
        session.output(Exec::new(["true"])).is_ok(),
    ]
}

#[test]
fn log_without_an_end_takes_bounded_memory() {
    const RECORDS: u64 = 20_000;
    let session = session(|id, agent| {
        for seq in 0..RECORDS {
            send(agent, &ToHost::Log(record(seq, "x".repeat(10_000))));
        }
        let reply = Ok(Reply::Marked(RECORDS));
        send(agent, &ToHost::Reply { id, reply });
    });
    assert!(session.mark().is_ok());
    let kept = session.log_since(0);
    let bytes: usize = kept.iter().map(|r| r.text.len()).sum();
    assert!(bytes < 100 << 20, "{bytes}");
    assert_eq!(kept.last().map(|r| r.seq), Some(RECORDS - 1));
}

#[test]
fn file_without_an_end_is_an_error() {
    let session = session(|id, agent| {
        let bytes = vec![0; 500_000];
        let stream = Stream::Stdout;
        while send(
            agent,
            &ToHost::Output {
                id,
                stream,
                bytes: bytes.clone(),
            },
        ) {}
    });
    let (to, result) = channel();
    let asking = session.clone();
    thread::spawn(move || to.send(asking.get_file("/proc/kallsyms")));
    let result = result.recv_timeout(Duration::from_secs(120));
    session.mark_dead(Death::PoweredOff);
    let error = result.expect("an end").expect_err("an error").to_string();
    assert!(error.contains("longer than 256 MB"), "{error}");
}

#[test]
fn answers_to_other_questions_are_errors() {
    let exit = Exit::Code(0);
    let ready = Ready {
        protocol: 0,
        agent: "\x1b[2J".into(),
        release: "../../..".into(),
        version: String::new(),
        uptime_ms: u64::MAX,
        shared: true,
    };
    let answers = [
        Reply::Done,
        Reply::Ready(ready),
        Reply::Exited(exit),
        Reply::Modules(Vec::new()),
        Reply::Taint(u64::MAX),
        Reply::Inventory(Inventory::default()),
        Reply::Marked(u64::MAX),
    ];
    for answer in answers {
        let reply = answer.clone();
        let session = session(move |id, agent| {
            let reply = Ok(reply.clone());
            send(agent, &ToHost::Reply { id, reply });
        });
        let accepted = ask_for_everything(&session).into_iter().filter(|ok| *ok);
        // Any answer ends a file.
        assert!(accepted.count() <= 2, "{answer:?}");
    }
}

/// Whatever bytes come, calls end, at the latest when the connection does.
#[test]
fn noise_between_messages_is_ignored() {
    let mut runner = TestRunner::deterministic();
    let piece = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        (any::<u64>(), ".{0,40}").prop_map(|(seq, text)| encode(&ToHost::Log(record(seq, text)))),
        (0..4u64, any::<u32>()).prop_map(|(id, pid)| encode(&ToHost::Started { id, pid })),
        (0..4u64, any::<u32>()).prop_map(|(id, bytes)| encode(&ToHost::Taken { id, bytes })),
        (0..4u64, any::<u64>()).prop_map(|(id, n)| {
            let reply = Ok(Reply::Taint(n));
            encode(&ToHost::Reply { id, reply })
        }),
        Just(encode(&ToHost::Leaving)),
    ];
    let stream = proptest::collection::vec(piece, 0..60);
    for_a_while(|| {
        let bytes = stream
            .new_tree(&mut runner)
            .expect("a case")
            .current()
            .concat();
        let session = session(move |_, agent| {
            let _ = agent.write_all(&bytes);
            let _ = agent.shutdown(std::net::Shutdown::Both);
        });
        let _ = session.taint();
        assert!(session.list().is_err());
    });
}
