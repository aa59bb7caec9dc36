// SPDX-License-Identifier: MIT OR Apache-2.0

//! Boots a kernel and runs steps in the guest.
//!
//! The usage is `guest KERNEL AGENT BUSYBOX CACHE STEP..`, where a step is `load=FILE.ko` (or
//! `load=FILE.ko,param=value`), `unload=NAME`, `run=COMMAND`, `list`, `serve=SOCKET` (as the last
//! one) or `sleep=SECONDS`. `connect SOCKET STEP..` runs the steps in a served guest instead.

use std::{path::Path, time::Instant};

use koru_klog::LogRecord;
use koru_protocol::Exec;
use koru_qemu::{Accel, AccelChoice, Initramfs};
use koru_session::{Result, Session, connect};
use koru_vm::{Guest, GuestConfig, Server};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["connect", socket, ref steps @ ..] => {
            connect(Path::new(socket)).and_then(|s| work(&s, steps))
        }
        [kernel, agent, busybox, cache, ref steps @ ..] => {
            own([kernel, agent, busybox, cache], steps)
        }
        _ => {
            eprintln!("usage: guest KERNEL AGENT BUSYBOX CACHE STEP..");
            std::process::exit(2);
        }
    };
    if let Err(error) = result {
        println!("error: {error}");
        show(error.records());
        if let koru_session::Error::Boot { console, .. }
        | koru_session::Error::Died { console, .. } = error
        {
            println!("{console}");
        }
        std::process::exit(1);
    }
}

fn own([kernel, agent, busybox, cache]: [&str; 4], steps: &[&str]) -> Result<()> {
    let server = match steps.last().and_then(|s| s.strip_prefix("serve=")) {
        Some(socket) => Some(Server::bind(Path::new(socket))?),
        None => None,
    };
    let mut root = Initramfs::new();
    root.file("/init", agent)?.busybox(Path::new(busybox))?;
    let mut config = GuestConfig::new(kernel, cache, root);
    config.on_event(|event| println!("{event}"));
    if let Ok(cpus) = std::env::var("CPUS") {
        config.cpus = cpus.parse().unwrap_or(1);
    }
    if std::env::var("KVM").is_ok() {
        config.accel = AccelChoice::Only(Accel::Kvm);
    }
    config.cmdline.extend(std::env::var("CMDLINE"));
    let guest = Guest::start(config)?;
    println!("qemu: {}", guest.pid());
    if let Some(server) = server {
        work(guest.session(), &steps[..steps.len() - 1])?;
        println!("death: {:?}", server.run(guest)?);
        return Ok(());
    }
    work(guest.session(), steps)?;
    let start = Instant::now();
    guest.power_off()?;
    println!("off in {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}

fn work(session: &Session, steps: &[&str]) -> Result<()> {
    for step in steps {
        let start = Instant::now();
        println!("-- {step}");
        let (verb, what) = step.split_once('=').unwrap_or((step, ""));
        match verb {
            "load" => {
                let mut words = what.split(',');
                let file = words.next().unwrap_or("");
                let content = std::fs::read(file).expect("the module can be read");
                let name = file.rsplit('/').next().unwrap_or(file);
                let path = format!("/lib/koru/{name}");
                session.put_file(&path, 0o644, &content)?;
                println!("   put in {:.2} s", start.elapsed().as_secs_f64());
                let params: Vec<String> = words.map(Into::into).collect();
                let report = session.load(&path, &params)?;
                show(&report.records);
                println!("   complaint: {:?}", report.complaint);
            }
            "unload" => show(&session.unload(what)?.records),
            "list" => println!("   {:?}", session.list()?),
            "log" => show(&session.log_since(what.parse().unwrap_or(0))),
            "run" => {
                let out = session.output(Exec::new(["/bin/sh", "-c", what]))?;
                print!("{}", String::from_utf8_lossy(&out.stdout));
                eprint!("{}", String::from_utf8_lossy(&out.stderr));
                println!("   {:?} {} bytes", out.exit, out.stdout.len());
            }
            "sleep" => {
                std::thread::sleep(std::time::Duration::from_secs_f64(
                    what.parse().unwrap_or(1.0),
                ));
            }
            "off" => session.power_off()?,
            _ => println!("   unknown step"),
        }
        println!("   {:.2} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn show(records: &[LogRecord]) {
    for r in records {
        let seconds = r.timestamp_us as f64 / 1e6;
        println!("   <{}> {seconds:.6} {}", r.level, r.text);
    }
}
