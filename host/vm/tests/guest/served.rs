// SPDX-License-Identifier: MIT OR Apache-2.0

//! A guest that is served to several clients.

use std::{
    io::Write,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use koru_protocol::{Death, Exit};
use koru_session::{Error, Session, connect};
use koru_vm::{Guest, GuestConfig, Server};

use crate::{config, sh};

fn served(config: GuestConfig) -> (PathBuf, tempfile::TempDir, thread::JoinHandle<Death>) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("guest");
    let server = Server::bind(&socket).unwrap();
    let daemon = thread::spawn(move || server.run(Guest::start(config).unwrap()).unwrap());
    (socket, dir, daemon)
}

#[test]
fn a_served_guest_has_many_clients() {
    let Some(config) = config() else { return };
    let (socket, _dir, daemon) = served(config);
    assert!(matches!(Server::bind(&socket), Err(Error::InUse(_))));

    let clients: Vec<_> = (0..3)
        .map(|n: i32| {
            let socket = socket.clone();
            thread::spawn(move || {
                let session = connect(&socket).unwrap();
                for round in 0..5 {
                    let code = n * 10 + round;
                    let out = session
                        .output(sh(&format!("echo {code}; exit {code}")))
                        .unwrap();
                    assert_eq!(out.exit, Exit::Code(code));
                    assert_eq!(out.stdout, format!("{code}\n").as_bytes());
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }

    // A new client has the log from before it came.
    let one = connect(&socket).unwrap();
    let from = one.mark().unwrap();
    one.output(sh("echo '<6>before' > /dev/kmsg")).unwrap();
    // A command's end says nothing of its records; a mark does.
    one.mark().unwrap();
    let two = connect(&socket).unwrap();
    assert!(two.log_since(from).iter().any(|r| r.text == "before"));

    // All hear of the end.
    two.power_off().unwrap();
    assert!(matches!(one.list(), Err(Error::PoweredOff)));
    assert_eq!(daemon.join().unwrap(), Death::PoweredOff);
    assert!(matches!(connect(&socket), Err(Error::NotServed(_))));
}

#[test]
fn vanished_clients_commands_are_killed() {
    let Some(config) = config() else { return };
    let (socket, _dir, daemon) = served(config);
    let session: Session = connect(&socket).unwrap();
    // Whole calls, then half a frame, then nothing: as if it was killed.
    for cut in [0, 1, 5, 20] {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
        let call = koru_protocol::ToGuest::Call {
            id: 1,
            call: koru_protocol::Call::Exec(sh("exec sleep 4321")),
        };
        let frame = koru_protocol::encode(&call);
        stream.write_all(&frame).unwrap();
        let file = koru_protocol::ToGuest::Call {
            id: 2,
            call: koru_protocol::Call::PutFile {
                path: "/tmp/half/file".into(),
                mode: 0o644,
            },
        };
        stream.write_all(&koru_protocol::encode(&file)).unwrap();
        stream.write_all(&frame[..cut]).unwrap();
        // Long enough for the command to be there.
        thread::sleep(Duration::from_millis(700));
    }
    let until = Instant::now() + Duration::from_secs(10);
    let count = "ps | grep -c '[s]leep 4321'; ls -A /tmp/half";
    loop {
        let out = session.output(sh(count)).unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        if text == "0\n" {
            break;
        }
        assert!(Instant::now() < until, "left behind: {text}");
        thread::sleep(Duration::from_millis(200));
    }
    session.power_off().unwrap();
    assert_eq!(daemon.join().unwrap(), Death::PoweredOff);
}
