// SPDX-License-Identifier: MIT OR Apache-2.0

//! What a program in the sandbox sees, who it is, and what stays of its work.

mod common;

use std::{fs, io::Read, net::TcpListener, os::unix::fs::PermissionsExt, process::Command, thread};

use koru_error::Kind;
use koru_sandbox::Sandbox;

use common::{again, as_each_user, folder, is_root, limits, ok, role, run, sh};

#[test]
fn only_what_is_given_can_be_read() {
    as_each_user("only_what_is_given_can_be_read", || {
        let dir = folder();
        let given = dir.path().join("given, with spaces");
        fs::create_dir(&given).unwrap();
        fs::write(given.join("a file"), "seen").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        let sandbox = Sandbox::new(limits()).readable(&given);
        let [inside, outside] = [given.join("a file"), dir.path().join("secret")];
        let seen = ok(&sandbox, &format!("cat '{}'", inside.display()));
        assert_eq!(seen, "seen");
        let failed = run(&sandbox, &format!("cat '{}'", outside.display())).unwrap();
        assert!(!failed.status.success());
        assert_eq!(ok(&sandbox, "ls /home /root /var 2>/dev/null; true"), "");
        let etc = ok(&sandbox, "ls /etc");
        assert!(!etc.contains("passwd"), "{etc}");
    });
}

/// A file in the home folder can be neither read nor removed, whatever the program tries.
#[test]
fn the_home_folder_is_out_of_reach() {
    as_each_user("the_home_folder_is_out_of_reach", || {
        let home = folder();
        let canary = home.path().join("canary");
        fs::write(&canary, "alive").unwrap();
        let mut command = sh(
            "echo $HOME; cat $0 2>&1; rm -rf -- $0 ${0%/*} 2>&1; echo dead > $0; ls -A ~; \
             cat /proc/1/root$0 /proc/*/root$0 /proc/*/cwd$0 2>/dev/null",
        );
        command.arg(&canary);
        let output = Sandbox::new(limits()).output(&command, "testing").unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains("alive"), "{said}");
        assert!(said.starts_with("/tmp\n"), "{said}");
        assert_eq!(fs::read_to_string(&canary).unwrap(), "alive");
    });
}

#[test]
fn nothing_can_be_written_but_the_work_folder() {
    as_each_user("nothing_can_be_written_but_the_work_folder", || {
        let dir = folder();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let sandbox = Sandbox::new(limits()).readable(dir.path());
        let script = format!(
            "for d in / /dev /dev/shm /run /usr /usr/bin /etc /proc {}; do \
             touch $d/x 2>/dev/null && echo $d; done; touch /tmp/x && echo ok",
            dir.path().display()
        );
        assert_eq!(ok(&sandbox, &script), "ok\n");
        assert!(!dir.path().join("x").exists());
    });
}

#[test]
fn there_is_no_network() {
    as_each_user("there_is_no_network", || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut command = Command::new("bash");
        command.arg("-c");
        command.arg(format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached >&3"
        ));
        let inside = Sandbox::new(limits()).output(&command, "testing").unwrap();
        assert!(!inside.status.success());
        // The same command reaches the port without a sandbox.
        let client = thread::spawn(move || command.status().unwrap());
        let mut said = String::new();
        listener
            .accept()
            .unwrap()
            .0
            .read_to_string(&mut said)
            .unwrap();
        assert!(client.join().unwrap().success());
        assert_eq!(said, "reached\n");
    });
}

#[test]
fn the_program_has_no_rights() {
    as_each_user("the_program_has_no_rights", || {
        let sandbox = Sandbox::new(limits());
        let ids = ok(&sandbox, "id -u; id -g; id -G");
        let ids: Vec<&str> = ids.lines().collect();
        assert!(ids[0] != "0" && ids == [ids[0]; 3], "{ids:?}");
        let status = ok(&sandbox, "cat /proc/self/status");
        for line in ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"] {
            assert!(status.contains(line), "{status}");
        }
        assert!(status.contains("NoNewPrivs:\t1"), "{status}");
        // A namespace of its own would give it rights to mount.
        for script in [
            "unshare -U true",
            "unshare -Ur true",
            "unshare -m true",
            "mount -t tmpfs x /tmp",
        ] {
            assert!(!run(&sandbox, script).unwrap().status.success(), "{script}");
        }
        // Only its own processes are there.
        let processes = ok(&sandbox, "echo /proc/[0-9]*");
        assert!(processes.split(' ').count() <= 3, "{processes}");
    });
}

/// Folders of a user that are links lead where they lead outside.
#[test]
fn links_lead_to_what_is_given() {
    as_each_user("links_lead_to_what_is_given", || {
        let dir = folder();
        fs::create_dir_all(dir.path().join("real/given")).unwrap();
        fs::write(dir.path().join("real/given/file"), "seen").unwrap();
        std::os::unix::fs::symlink("real", dir.path().join("link")).unwrap();
        let through = dir.path().join("link/given");
        let sandbox = Sandbox::new(limits()).readable(&through);
        let script = format!(
            "cat {0}/file; cat $(readlink -f {0})/file",
            through.display()
        );
        assert_eq!(ok(&sandbox, &script), "seenseen");
    });
}

/// A build in place sees what is around its folder, and writes beside none of it.
#[test]
fn the_work_folder_may_be_in_a_readable_one() {
    as_each_user("the_work_folder_may_be_in_a_readable_one", || {
        let dir = folder();
        let (copy, place) = (dir.path().join("copy"), dir.path().join("course/lab"));
        fs::create_dir_all(&copy).unwrap();
        fs::create_dir_all(&place).unwrap();
        fs::write(dir.path().join("course/common.h"), "common").unwrap();
        fs::write(place.join("old"), "").unwrap();
        fs::write(copy.join("a.c"), "").unwrap();
        let sandbox = Sandbox::new(limits())
            .readable(dir.path().join("course"))
            .work(&copy, &place);
        assert_eq!(
            ok(&sandbox, "ls; cat ../common.h; touch new"),
            "a.c\ncommon"
        );
        assert!(copy.join("new").exists() && !place.join("new").exists());
    });
}

#[test]
fn results_come_back() {
    as_each_user("results_come_back", || {
        let dir = folder();
        let work = dir.path().join("a work folder");
        fs::create_dir_all(work.join("sub")).unwrap();
        fs::write(work.join("in.txt"), "in").unwrap();
        fs::set_permissions(work.join("in.txt"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(work.join("sub/old"), "old").unwrap();
        for at in [work.as_path(), "/somewhere/else".as_ref()] {
            let sandbox = Sandbox::new(limits()).work(&work, at);
            let said = ok(
                &sandbox,
                "pwd; cp in.txt out.txt; echo new > sub/old; mkdir deep; echo x > 'deep/a b'; \
                 chmod 777 'deep/a b'; rm in.txt",
            );
            assert_eq!(said, format!("{}\n", at.display()));
            let read = |name: &str| fs::read_to_string(work.join(name)).unwrap();
            assert_eq!(read("out.txt"), "in");
            assert_eq!(read("sub/old"), "new\n");
            assert_eq!(read("deep/a b"), "x\n");
            // What the program removes stays.
            assert_eq!(read("in.txt"), "in");
        }
    });
}

#[test]
fn a_failure_keeps_what_was_made() {
    as_each_user("a_failure_keeps_what_was_made", || {
        let work = folder();
        fs::write(work.path().join("a"), "old").unwrap();
        let sandbox = Sandbox::new(limits()).work(work.path(), work.path());
        let output = run(&sandbox, "echo new > a; echo b > b; echo why >&2; exit 3").unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(output.stderr, b"why\n");
        let read = |name: &str| fs::read_to_string(work.path().join(name)).unwrap();
        assert_eq!(
            (read("a"), read("b")),
            ("new\n".to_owned(), "b\n".to_owned())
        );
    });
}

/// A writable folder stays between two runs, and both may write all of it.
#[test]
fn a_writable_folder_stays() {
    as_each_user("a_writable_folder_stays", || {
        let dir = folder();
        let writable = dir.path().join("stays");
        fs::create_dir_all(writable.join("deep")).unwrap();
        fs::write(writable.join("deep/a"), "0").unwrap();
        let sandbox = Sandbox::new(limits())
            .readable(dir.path())
            .writable(&writable);
        let script = format!(
            "cd {}; echo 1 >> deep/a; mkdir -p new; echo 2 >> new/b; \
                              ! touch ../x 2>/dev/null",
            writable.display()
        );
        ok(&sandbox, &script);
        // Somebody else writes in between.
        koru_sandbox::leave_sandbox(&writable).unwrap();
        fs::remove_file(writable.join("new/b")).unwrap();
        fs::write(writable.join("new/b"), "").unwrap();
        ok(&sandbox, &script);
        let read = |name: &str| fs::read_to_string(writable.join(name)).unwrap();
        assert_eq!(
            (read("deep/a"), read("new/b")),
            ("01\n1\n".into(), "2\n".into())
        );
    });
}

/// A link that the program leaves behind leads nobody to a file of the user's.
#[test]
fn links_are_left_behind() {
    as_each_user("links_are_left_behind", || {
        let dir = folder();
        let canary = dir.path().join("canary");
        fs::write(&canary, "alive").unwrap();
        let work = dir.path().join("work");
        fs::create_dir(&work).unwrap();
        let sandbox = Sandbox::new(limits()).work(&work, &work);
        let outside = dir.path().display();
        ok(
            &sandbox,
            &format!(
                "ln -s {outside}/canary link; ln -s {outside} folder; mkfifo fifo; echo real > real; \
                 ln real hard; ln -s real near"
            ),
        );
        let mut names: Vec<_> = fs::read_dir(&work)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["hard", "real"]);
        // A link that is there already is not written through.
        std::os::unix::fs::symlink(&canary, work.join("later")).unwrap();
        let error = run(&sandbox, "rm -f later; echo dead > later").unwrap_err();
        assert_eq!(error.kind, Kind::System);
        assert_eq!(fs::read_to_string(&canary).unwrap(), "alive");
    });
}

/// The program's environment is what its command says.
#[test]
fn the_environment_is_not_passed_on() {
    as_each_user("the_environment_is_not_passed_on", || {
        let sandbox = Sandbox::new(limits());
        let output = sandbox
            .output(
                Command::new("env").env("GIVEN", "a b").env_remove("LANG"),
                "testing",
            )
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("GIVEN=a b\n"), "{said}");
        // cargo sets this for each test.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some() || role().is_some());
        assert!(!said.contains("CARGO"), "{said}");
        assert!(!said.contains("LANG="), "{said}");
    });
}

#[test]
fn a_missing_program_is_named() {
    let error = Sandbox::new(limits())
        .output(&Command::new("no-such-program"), "building x")
        .unwrap_err();
    assert_eq!(error.kind, Kind::Missing);
    assert_eq!(error.message, "there is no `no-such-program` here");
}

#[test]
fn without_bubblewrap_set_up_is_named() {
    let test = "without_bubblewrap_set_up_is_named";
    if role().is_some() {
        let error = run(&Sandbox::new(limits()), "true").unwrap_err();
        println!("{:?} {} {}", error.kind, error.message, error.help.unwrap());
        return;
    }
    let dir = folder();
    let output = again(dir.path(), &["/usr/bin/env"], test, "child")
        .env("PATH", dir.path())
        .output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    assert!(said.contains("Missing there is no bubblewrap"), "{said}");
    assert!(
        said.contains("`koru setup`") && said.contains("`--trust`"),
        "{said}"
    );
}

/// A container usually has a root that may not make namespaces.
#[test]
fn where_no_sandbox_can_be_made_the_reason_is_told() {
    if role().is_some() {
        let error = run(&Sandbox::new(limits()), "true").unwrap_err();
        println!("{:?} {} {}", error.kind, error.message, error.help.unwrap());
        return;
    }
    let test = "where_no_sandbox_can_be_made_the_reason_is_told";
    let dir = folder();
    // A limit of the namespace of this test: root of it may set that, and loses its rights.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces; \
                  exec setpriv --securebits=+noroot --inh-caps=-all \"$@\"";
    let prefix: &[&str] = if is_root() {
        &["setpriv", "--bounding-set=-sys_admin"]
    } else {
        &["unshare", "-Ur", "sh", "-c", script, "sh"]
    };
    let output = again(dir.path(), prefix, test, "child").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("System no sandbox can be made here: this machine or container"),
        "{said}"
    );
    assert!(said.contains("`--trust`"), "{said}");
}
