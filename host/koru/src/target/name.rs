// SPDX-License-Identifier: MIT OR Apache-2.0

//! Parses and prints the names of targets.

use std::{fmt, str::FromStr};

use koru_session::Ssh;

/// The target that `--target` or `KORU_TARGET` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetName {
    /// The virtual machine.
    Vm,
    /// This machine's own kernel, as root.
    Host,
    /// Another machine's kernel, as root on that machine.
    Ssh(Ssh),
}

impl TargetName {
    pub fn is_vm(&self) -> bool {
        *self == TargetName::Vm
    }

    /// Names the target's kernel, as in `this machine's own kernel`.
    pub fn kernel_phrase(&self) -> String {
        match self {
            TargetName::Ssh(machine) => format!("the kernel of {machine}"),
            _ => "this machine's own kernel".into(),
        }
    }
}

impl FromStr for TargetName {
    type Err = String;

    fn from_str(text: &str) -> Result<TargetName, String> {
        match text {
            "vm" => Ok(TargetName::Vm),
            "host" => Ok(TargetName::Host),
            _ => match text.strip_prefix("ssh:") {
                Some(machine) => ssh(machine).map(TargetName::Ssh),
                None => Err("expected `vm`, `host` or `ssh:[USER@]HOST[:PORT]`".into()),
            },
        }
    }
}

/// Parses `[USER@]HOST[:PORT]`. An IPv6 address with a port is in brackets.
fn ssh(text: &str) -> Result<Ssh, String> {
    let (user, host) = match text.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, text),
    };
    let (host, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => match port.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None => return Err(format!("`{port}` after the address is not a port")),
        },
        None => match host.split_once(':') {
            // More than one colon means an IPv6 address without a port.
            Some((_, rest)) if rest.contains(':') => (host, None),
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        },
    };
    // ssh must not take the name for an option, nor a shell for more than a name.
    let good = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && !name.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    if !good(host) || user.is_some_and(|user| !good(user)) {
        return Err("expected ssh:[USER@]HOST[:PORT]".into());
    }
    let port = match port {
        None => None,
        Some(port) => match port.parse() {
            Ok(port @ 1..) => Some(port),
            _ => return Err(format!("`{port}` is not a port number (1 to 65535)")),
        },
    };
    let destination = match user {
        Some(user) => format!("{user}@{host}"),
        None => host.to_owned(),
    };
    Ok(Ssh { destination, port })
}

impl fmt::Display for TargetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetName::Vm => f.write_str("vm"),
            TargetName::Host => f.write_str("host"),
            TargetName::Ssh(machine) => write!(f, "ssh:{machine}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_written() {
        let parsed = |text: &str| match text.parse() {
            Ok(TargetName::Ssh(s)) => (s.destination, s.port),
            other => panic!("{text}: {other:?}"),
        };
        assert_eq!(parsed("ssh:lab"), ("lab".into(), None));
        assert_eq!(parsed("ssh:me@lab:2222"), ("me@lab".into(), Some(2222)));
        assert_eq!(parsed("ssh:me@x@lab"), ("me@x@lab".into(), None));
        assert_eq!(parsed("ssh:me@fe80::1"), ("me@fe80::1".into(), None));
        assert_eq!(parsed("ssh:[::1]:22"), ("::1".into(), Some(22)));
        assert_eq!("vm".parse(), Ok(TargetName::Vm));
        assert_eq!("host".parse(), Ok(TargetName::Host));
    }

    #[test]
    fn what_cannot() {
        for text in [
            "",
            "VM",
            "ssh",
            "ssh:",
            "ssh:@lab",
            "ssh:me@",
            "ssh:-oProxyCommand=x",
            "ssh:-l@lab",
            "ssh:a b",
            "ssh:lab:",
            "ssh:lab:0",
            "ssh:lab:65536",
            "ssh:lab:x",
            "ssh:[::1]x",
        ] {
            assert!(text.parse::<TargetName>().is_err(), "{text}");
        }
    }
}
