// SPDX-License-Identifier: MIT OR Apache-2.0

//! A guest that plays another machine in a lab, with a real sshd, users and sudo. There is no
//! network to the guest: ssh is connected to an sshd that `koru exec` starts.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::JoinHandle,
    time::Instant,
};

use koru_kernels::{Cache, NoProgress, busybox};
use koru_protocol::{Death, Exec};
use koru_qemu::Initramfs;
use koru_session::Session;
use koru_vm::{Guest, GuestConfig, Server};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::common::{Koru, Run, kernels, koru, programs};

/// The target whose user is root.
pub const ROOT: &str = "ssh:root@lab";
/// The target whose user may use sudo without a password.
pub const STUDENT: &str = "ssh:student@lab";
/// The target whose user may use sudo with the password `secret`.
pub const GUARDED: &str = "ssh:guarded@lab";
/// The target whose user may not use sudo.
pub const VISITOR: &str = "ssh:visitor@lab";

pub struct Lab {
    pub session: Session,
    pub release: String,
    folder: TempDir,
    server: Option<JoinHandle<koru_session::Result<Death>>>,
}

impl Lab {
    pub fn start(kernel: &str) -> Lab {
        Lab::start_with(kernel, |_| {})
    }

    /// Starts a machine that koru has connected to before: it has the agent, for every user.
    pub fn start_known(kernel: &str) -> Lab {
        let content = fs::read(agent()).expect("the agent");
        let hash: String = Sha256::digest(&content)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        let name = format!("agent-{hash}");
        let there = format!("/root/.cache/koru/agents/{name}");
        let lab = Lab::start_with(kernel, |config| {
            config.files.bytes(&there, 0o700, content);
        });
        lab.does(&format!(
            "umask 077
            for uid in 1000 1001 1002; do
                mkdir /var/tmp/koru-$uid
                cp {there} /var/tmp/koru-$uid
                chown -R $uid /var/tmp/koru-$uid
            done"
        ));
        lab
    }

    /// Starts a machine whose configuration `change` has changed.
    pub fn start_with(kernel: &str, change: impl FnOnce(&mut GuestConfig)) -> Lab {
        let folder = tempfile::tempdir().expect("a folder");
        keys(folder.path());
        fs::write(folder.path().join("config"), ssh_config(folder.path())).expect("a file");
        let cache = Cache::new(kernels::cache());
        let tree = kernels::tree(kernel);
        // The guest is made like koru's own, so that their snapshot serves here, too.
        let mut base = Initramfs::new();
        base.file("/init", agent()).expect("the agent");
        let busybox = busybox(&cache, &NoProgress).expect("busybox");
        base.busybox(&busybox).expect("busybox");
        base.dir("/lib/koru");
        let image = tree.image.expect("an image");
        let mut config = GuestConfig::new(image, cache.root().join("guest"), base);
        config.resume = true;
        let server = cache.root().join("tools/ssh-server");
        assert!(
            server.is_dir(),
            "no {}: koru setup --tests",
            server.display()
        );
        config.files = files(&server, folder.path());
        change(&mut config);
        let guest = Guest::start(config).expect("a guest");
        let session = guest.session().clone();

        let runtime = folder.path().join("koru");
        let made = fs::DirBuilder::new().mode(0o700).create(&runtime);
        made.expect("a folder");
        let server = Server::bind(&runtime.join("lab.sock")).expect("a socket");
        let server = std::thread::spawn(move || server.run(guest));
        let lab = Lab {
            session,
            release: tree.release,
            folder,
            server: Some(server),
        };
        lab.does(
            "mkdir -p /run/sshd /home/student /home/guarded /home/visitor
            chown 1000:1000 /home/student; chown 1001:1001 /home/guarded
            chown 1002:1002 /home/visitor; chmod 1777 /tmp
            mount -t securityfs securityfs /sys/kernel/security",
        );
        lab
    }

    /// Returns `koru ARGUMENTS`, which finds the machine by KORU_SSH.
    pub fn koru<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Koru {
        self.koru_with("config", arguments)
    }

    fn koru_with<'a>(&self, config: &str, arguments: impl IntoIterator<Item = &'a str>) -> Koru {
        let config = self.folder.path().join(config);
        koru(arguments)
            .env("KORU_SSH", format!("ssh -F {}", config.display()))
            .env("XDG_RUNTIME_DIR", self.folder.path())
    }

    /// Runs koru in a terminal, where a line is typed whenever a question that ends like
    /// `question` is asked. Questions and answers are in the output.
    #[track_caller]
    pub fn on_terminal(&self, arguments: &str, question: &str, typed: &[&str]) -> Run {
        let config = self.folder.path().join("config");
        let koru = programs().join("koru");
        let begun = Instant::now();
        let mut child = Command::new("script")
            .args([
                "-qefc",
                &format!("{} {arguments}", koru.display()),
                "/dev/null",
            ])
            .env("KORU_SSH", format!("ssh -F {}", config.display()))
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .env("KORU_CACHE", kernels::cache())
            .env_remove("KORU_TARGET")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (mut out, mut typed) = (Vec::new(), typed.iter());
        let mut byte = [0];
        while screen.read(&mut byte).expect("the terminal") == 1 {
            out.push(byte[0]);
            if out.ends_with(question.as_bytes()) {
                let line = typed.next().expect("fewer questions");
                keys.write_all(line.as_bytes()).expect("the terminal");
            }
        }
        Run {
            status: child.wait().expect("script"),
            out: String::from_utf8(out).expect("text"),
            err: String::new(),
            took: begun.elapsed(),
        }
    }

    /// Returns `koru ARGUMENTS` with a configuration in which another host key is known.
    pub fn koru_at_wrong_host<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Koru {
        let path = |name: &str| self.folder.path().join(name);
        let config = fs::read_to_string(path("config")).expect("the configuration");
        fs::write(
            path("config.wrong"),
            config.replace("known_hosts", "known_hosts.wrong"),
        )
        .expect("a file");
        let key = fs::read_to_string(path("key.pub")).expect("a key");
        fs::write(path("known_hosts.wrong"), format!("lab {key}")).expect("a file");
        self.koru_with("config.wrong", arguments)
    }

    /// Runs a script on the machine, without ssh, and returns its output.
    #[track_caller]
    pub fn does(&self, script: &str) -> String {
        let out = self.session.output(Exec::new(["sh", "-c", script]));
        let out = out.expect("the guest is there");
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(out.exit.success(), "{script}: {:?} {said}", out.exit);
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    /// Waits until a script succeeds on the machine.
    #[track_caller]
    pub fn until(&self, script: &str) {
        self.does(&format!(
            "n=0; until {{ {script}; }}; do n=$((n + 1)); [ $n -lt 600 ] || exit; sleep 0.1; done"
        ));
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = self.session.power_off();
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn agent() -> PathBuf {
    programs().join("koru-agent")
}

fn keys(folder: &Path) {
    for name in ["key", "host_key"] {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(folder.join(name))
            .status();
        assert!(made.expect("ssh-keygen").success());
    }
    let host = fs::read_to_string(folder.join("host_key.pub")).expect("a key");
    fs::write(folder.join("known_hosts"), format!("lab {host}")).expect("a file");
}

fn ssh_config(folder: &Path) -> String {
    let folder = folder.display();
    let koru = programs().join("koru");
    let koru = koru.display();
    format!(
        "Host lab
        ProxyCommand env -u KORU_TARGET {koru} exec --vm lab /usr/sbin/sshd -i -f /etc/ssh/config -E /tmp/sshd.log
        IdentityFile {folder}/key
        IdentitiesOnly yes
        UserKnownHostsFile {folder}/known_hosts
        GlobalKnownHostsFile /dev/null
        StrictHostKeyChecking yes
        PasswordAuthentication no
        "
    )
}

const PASSWD: &str = "root:x:0:0::/root:/bin/sh
sshd:x:100:100::/run/sshd:/bin/false
student:x:1000:1000::/home/student:/bin/sh
guarded:x:1001:1001::/home/guarded:/bin/sh
visitor:x:1002:1002::/home/visitor:/bin/sh
nobody:x:65534:65534::/:/bin/false
";

/// The users' password hashes; the password is `secret`.
const SHADOW: &str = "root:*:1::::::
student:*:1::::::
visitor:*:1::::::
guarded:$1$koru$i64ME7z1lGWk9RCiYZJqZ1:1::::::
";

const SUDOERS: &str = "Defaults !lecture
root ALL=(ALL) ALL
student ALL=(ALL) NOPASSWD: ALL
guarded ALL=(ALL) ALL
";

const SSHD: &str = "HostKey /etc/ssh/host_key
AuthorizedKeysFile /etc/ssh/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
";

/// Returns the files that sshd and sudo need.
fn files(server: &Path, folder: &Path) -> Initramfs {
    let read = |name: &str| fs::read(folder.join(name)).expect("a key");
    let mut root = Initramfs::new();
    root.bytes("/etc/passwd", 0o644, PASSWD)
        .bytes("/etc/group", 0o644, "root:x:0:\ntty:x:5:\nsshd:x:100:\n")
        .bytes("/etc/shadow", 0o600, SHADOW)
        .bytes("/etc/sudoers", 0o440, SUDOERS)
        .bytes("/etc/pam.d/sudo", 0o644, "auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n")
        .bytes("/etc/ssh/config", 0o644, SSHD)
        .bytes("/etc/ssh/host_key", 0o600, read("host_key"))
        .bytes("/etc/ssh/authorized_keys", 0o644, read("key.pub"));
    let mut programs = vec![server.join("usr/sbin/sshd"), server.join("usr/bin/sudo")];
    programs.push(server.join("usr/libexec/sudo/sudoers.so"));
    for name in ["pam_unix.so", "pam_permit.so"] {
        let found = [
            "/lib/x86_64-linux-gnu/security",
            "/usr/lib/x86_64-linux-gnu/security",
        ]
        .iter()
        .map(|d| Path::new(d).join(name))
        .find(|p| p.is_file());
        let module = found.expect("a module of PAM");
        put(
            &mut root,
            &format!("/lib/x86_64-linux-gnu/security/{name}"),
            &module,
            0o755,
        );
        programs.push(module);
    }
    put(&mut root, "/usr/sbin/sshd", &programs[0], 0o755);
    put(&mut root, "/usr/bin/sudo", &programs[1], 0o4755);
    // The tar of busybox cannot make archives.
    let tar = ["/usr/bin/tar", "/bin/tar"].map(PathBuf::from);
    let tar = tar.into_iter().find(|p| p.is_file()).expect("tar");
    put(&mut root, "/usr/bin/tar", &tar, 0o755);
    programs.push(tar);
    // Newer versions of sshd and sudo consist of several programs.
    for (from, to) in [
        ("usr/lib/openssh", "/usr/lib/openssh"),
        ("usr/libexec/sudo", "/usr/libexec/sudo"),
    ] {
        for entry in fs::read_dir(server.join(from))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            if path.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                put(&mut root, &format!("{to}/{name}"), &path, 0o755);
                programs.push(path);
            }
        }
    }
    for library in libraries(server, &programs) {
        let name = library
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        let folder = match name.starts_with("ld-linux") {
            true => "/lib64",
            false => "/lib/x86_64-linux-gnu",
        };
        put(&mut root, &format!("{folder}/{name}"), &library, 0o755);
    }
    root
}

fn put(root: &mut Initramfs, path: &str, from: &Path, mode: u32) {
    let content = fs::read(from).unwrap_or_else(|e| panic!("{}: {e}", from.display()));
    root.bytes(path, mode, content);
}

/// Returns the libraries that the loader would load for these programs, from the packages or from
/// this machine.
fn libraries(server: &Path, programs: &[PathBuf]) -> Vec<PathBuf> {
    let folder = |name: &str| server.join(name).display().to_string();
    let search = [
        folder("lib/x86_64-linux-gnu"),
        folder("usr/lib/x86_64-linux-gnu"),
        folder("usr/libexec/sudo"),
    ];
    let listed = Command::new("ldd")
        .args(programs)
        .env("LD_LIBRARY_PATH", search.join(":"))
        .output();
    let listed = String::from_utf8(listed.expect("ldd").stdout).expect("text");
    let mut found: Vec<PathBuf> = listed
        .lines()
        .filter_map(|line| {
            assert!(!line.contains("not found"), "{listed}");
            let path = line.split_once("=> ").map_or(line, |(_, path)| path).trim();
            let path = path.split(" (0x").next()?;
            // The line of a program itself ends in a colon.
            (path.starts_with('/') && !path.ends_with(':')).then(|| path.into())
        })
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Adds a folder of this machine, with its links unchanged.
pub fn put_folder(root: &mut Initramfs, path: &str, from: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let (inside, outside) = (entry.file_name(), entry.path());
        let path = format!("{path}/{}", inside.to_string_lossy());
        let kind = entry.file_type().expect("a file");
        if kind.is_dir() {
            put_folder(root, &path, &outside);
        } else if kind.is_symlink() {
            let target = fs::read_link(&outside).expect("a link");
            root.symlink(&path, &target.to_string_lossy());
        } else {
            root.file(&path, &outside).expect("a file");
        }
    }
}
