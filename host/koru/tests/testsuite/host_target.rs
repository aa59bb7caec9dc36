// SPDX-License-Identifier: MIT OR Apache-2.0

//! `--target host`, with a guest as the host: koru itself runs in the guest.

use std::path::PathBuf;

use crate::common::{self, KERNELS, koru};

/// Runs a script in a guest that has koru, its agent and `my_timer.ko`.
fn inside(kernel: &str, script: &str) -> common::Run {
    let built = koru(["build", "my_timer", "--kernel", kernel, "--json"]).run();
    let ko = built.exits(0).json()[0]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let programs = common::programs();
    let file = |path: PathBuf| path.display().to_string();
    // These lines make what koru takes for its checkout, and what it finds in it.
    let prelude = "set -u
        cd /root
        mkdir -p checkout/kernel/shim
        : >checkout/kernel/shim/shim.h
        export KORU_ROOT=/root/checkout HOME=/root\n";
    koru([
        "run",
        "hello",
        "--kernel",
        kernel,
        "--memory",
        "512",
        "--file",
        &file(programs.join("koru")),
        "--file",
        &file(programs.join("koru-agent")),
        "--file",
        &ko,
        "--",
        "sh",
        "-c",
        &format!("{prelude}{script}"),
    ])
    .run()
}

#[test]
fn session_commands_work_on_the_host() {
    for kernel in KERNELS {
        let run = inside(
            kernel,
            "./koru load my_timer.ko --target host --yes || exit 10
            cat /proc/timer || exit 11
            ./koru list --target host || exit 12
            ./koru log --target host --grep hello || exit 13
            ./koru exec --target host sh -c 'echo out; exit 7'
            [ $? = 7 ] || exit 14
            export KORU_TARGET=host
            ./koru load my_timer.ko --yes
            [ $? = 1 ] || exit 15
            ./koru unload my_timer || exit 16
            [ ! -e /proc/timer ] || exit 17
            ./koru unload my_timer
            [ $? = 1 ] || exit 18
            printf '#!/bin/sh\\ncat /proc/timer; exit 4\\n' >look && chmod 755 look
            ./koru run my_timer.ko --yes -- ./look
            [ $? = 4 ] || exit 19
            [ ! -e /proc/timer ] || exit 20
            ! pidof koru-agent",
        );
        run.exits(0)
            .prints("current time: ")
            .prints("Module    Size   Used by\nmy_timer  ")
            .prints("hello: Hello world")
            .prints("out\n")
            .says("it is already loaded")
            .says("it is not loaded");
    }
}

#[test]
fn loading_asks_first() {
    let run = inside(
        "6.12",
        "./koru load my_timer.ko --target host </dev/null
        [ $? = 2 ] || exit 10
        [ ! -e /proc/timer ] || exit 11
        ./koru load my_timer --target host --yes
        [ $? = 2 ]",
    );
    run.exits(0)
        .says("there is no terminal to ask on")
        .says("use --yes to load without asking");
}

/// A terminal's signals reach all processes that were started in it, others reach koru alone.
#[test]
#[ignore = "takes long"]
fn killed_run_leaves_nothing() {
    let run = inside(
        "6.12",
        "run() {
            rm -f begun group
            setsid sh -c 'echo $$ >group; exec ./koru run my_timer.ko --target host --yes \
                -- sh -c \"echo >begun; sleep 1000\"' &
        }
        gone() {
            for i in $(seq 600); do
                pidof koru-agent sleep || break
                usleep 100000
            done
            ! pidof koru-agent sleep && [ ! -e /proc/timer ]
        }
        for signal in HUP TERM KILL; do
            run
            until [ -e begun ]; do usleep 50000; done
            [ -e /proc/timer ] || exit 10
            kill -$signal -$(cat group)
            gone || exit 11
        done
        for millis in 100 300 500 700 900; do
            run
            until [ -s group ]; do usleep 10000; done
            usleep ${millis}000
            kill -KILL $(cat group)
            gone || exit 12
        done",
    );
    run.exits(0);
}
