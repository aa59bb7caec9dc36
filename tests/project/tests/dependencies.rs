// SPDX-License-Identifier: MIT OR Apache-2.0

//! Rules for dependencies: they have the licences and sources that `deny.toml` allows, and
//! those in ring 0 may be linked into a GPL-2.0 kernel.

use std::{collections::BTreeSet, fs};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId, TargetKind};
use koru_project::{assert_no_violations, root};
use toml::{Table, Value};

/// Licences that are compatible with GPL-2.0. Apache-2.0 alone is not.
const GPL2_COMPATIBLE: &[&str] = &[
    "0BSD",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "ISC",
    "MIT",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Returns all packages of the lock file that are built for one of the project's targets.
fn metadata() -> Metadata {
    let mut options = vec!["--locked".to_owned()];
    for target in ["x86_64-unknown-linux-gnu", "x86_64-unknown-none"] {
        options.extend(["--filter-platform".into(), target.into()]);
    }
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(options)
        .exec()
        .expect("cargo resolves the workspace")
}

fn strings(value: &Value) -> Vec<String> {
    let all = value.as_array().expect("an array").iter();
    all.map(|s| s.as_str().expect("strings").to_owned())
        .collect()
}

fn policy() -> Table {
    let text = fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    text.parse().expect("valid TOML")
}

/// Returns whether an SPDX expression can be satisfied by `allowed` licences. Cargo takes `/`
/// for `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let result = any(&mut words, allowed);
    assert_eq!(words.next(), None, "{expression}");
    result
}

type Words<'a, 'b> = &'a mut std::iter::Peekable<std::str::SplitWhitespace<'b>>;

fn any(words: Words<'_, '_>, allowed: &[String]) -> bool {
    let mut result = all(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        result |= all(words, allowed);
    }
    result
}

fn all(words: Words<'_, '_>, allowed: &[String]) -> bool {
    let mut result = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        result &= one(words, allowed);
    }
    result
}

fn one(words: Words<'_, '_>, allowed: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let result = any(words, allowed);
        assert_eq!(words.next(), Some(")"), "a closing parenthesis");
        return result;
    }
    let mut licence = words.next().expect("a licence").to_owned();
    if words.next_if_eq(&"WITH").is_some() {
        licence += " WITH ";
        licence += words.next().expect("an exception's name");
    }
    allowed.contains(&licence)
}

fn wrongly_licensed(packages: &[&Package], allowed: &[String]) -> Vec<String> {
    let is_wrong = |p: &&&Package| {
        let licence = p.license.as_deref();
        !licence.is_some_and(|l| is_allowed(l, allowed))
    };
    let violations = packages.iter().filter(is_wrong);
    let shown = |p: &&Package| {
        let licence = p.license.as_deref().unwrap_or("no licence");
        format!("{} {}: {licence}", p.name, p.version)
    };
    violations.map(shown).collect()
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let metadata = metadata();
    let members = &metadata.workspace_members;
    let dependencies: Vec<&Package> = metadata
        .packages
        .iter()
        .filter(|p| !members.contains(&p.id))
        .collect();
    assert!(dependencies.len() > 50, "{}", dependencies.len());
    let allowed = strings(&policy()["licenses"]["allow"]);
    let violations = wrongly_licensed(&dependencies, &allowed);
    assert_no_violations(
        "deny.toml does not allow the licences of these dependencies:",
        &violations,
    );
}

/// Returns the packages that are linked into modules: the modules and their dependencies,
/// without procedural macros and build scripts.
fn linked_into_modules(metadata: &Metadata) -> BTreeSet<&PackageId> {
    let resolved = metadata.resolve.as_ref().expect("cargo resolved it");
    let node = |id: &PackageId| {
        let mut nodes = resolved.nodes.iter();
        nodes.find(|n| n.id == *id).expect("a resolved package")
    };
    let is_kernel = |id: &PackageId| metadata[id].name == "koru-kernel";
    let is_module = |id: &PackageId| node(id).dependencies.iter().any(is_kernel);
    let is_macro = |id: &PackageId| {
        let targets = &metadata[id].targets;
        targets.iter().any(|t| t.kind == [TargetKind::ProcMacro])
    };
    let members = metadata.workspace_members.iter();
    let mut todo: Vec<&PackageId> = members.filter(|id| is_module(id)).collect();
    let mut linked = BTreeSet::new();
    while let Some(id) = todo.pop() {
        if is_macro(id) || !linked.insert(id) {
            continue;
        }
        for dependency in &node(id).deps {
            let mut kinds = dependency.dep_kinds.iter();
            if kinds.any(|k| k.kind == DependencyKind::Normal) {
                todo.push(&dependency.pkg);
            }
        }
    }
    linked
}

#[test]
fn all_code_in_ring_0_is_compatible_with_the_gpl() {
    let metadata = metadata();
    let linked = linked_into_modules(&metadata);
    let packages: Vec<&Package> = linked.iter().map(|id| &metadata[*id]).collect();
    for name in ["hello", "koru-kernel", "koru-pin-init", "zerocopy"] {
        assert!(packages.iter().any(|p| p.name == name), "{name}");
    }
    let allowed: Vec<String> = GPL2_COMPATIBLE.iter().map(|l| (*l).to_owned()).collect();
    let violations = wrongly_licensed(&packages, &allowed);
    assert_no_violations(
        "These are linked into modules, and their licences are not compatible with GPL-2.0:",
        &violations,
    );
}

#[test]
fn every_dependency_comes_from_the_registry_or_the_checkout() {
    let registries = strings(&policy()["sources"]["allow-registry"]);
    let metadata = metadata();
    let root = root();
    let is_known = |p: &&Package| match &p.source {
        Some(source) => {
            let registry = source.repr.strip_prefix("registry+");
            registry.is_some_and(|r| registries.iter().any(|known| known == r))
        }
        None => p.manifest_path.starts_with(&root),
    };
    let packages = metadata.packages.iter();
    let violations: Vec<String> = packages
        .filter(|p| !is_known(p))
        .map(|p| format!("{} from {:?}", p.id, p.source))
        .collect();
    assert_no_violations(
        "deny.toml does not allow the sources of these packages:",
        &violations,
    );
}

#[test]
fn a_licence_expression_is_judged_by_its_alternatives() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];
    for (expression, expected) in [
        ("MIT", true),
        ("Apache-2.0", false),
        ("MIT OR Apache-2.0", true),
        ("Apache-2.0/MIT", true),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
        ("Apache-2.0 WITH LLVM-exception", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("Apache-2.0 AND Unicode-3.0", false),
        ("MIT AND (Apache-2.0 OR ISC)", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
