// SPDX-License-Identifier: MIT OR Apache-2.0

//! Checks that imports point one way in this workspace.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use cargo_metadata::DependencyKind;
use koru_project::{
    assert_no_violations,
    imports::{Graph, circles, imports},
    members, root,
};

/// Returns which crate of the workspace depends on which, without dependencies of tests.
fn crates() -> Graph<String> {
    let metadata = members();
    let names: BTreeSet<&str> = metadata.packages.iter().map(|p| p.name.as_str()).collect();
    let of = |package: &cargo_metadata::Package| -> BTreeSet<String> {
        let dependencies = package.dependencies.iter();
        let built = dependencies.filter(|d| d.kind != DependencyKind::Development);
        let ours = built.filter(|d| names.contains(&*d.name));
        ours.map(|d| d.name.clone()).collect()
    };
    let packages = metadata.packages.iter();
    packages.map(|p| (p.name.to_string(), of(p))).collect()
}

#[test]
fn files_of_a_crate_import_in_one_direction() {
    let mut found = Vec::new();
    for package in members().packages {
        let src = package.manifest_path.with_file_name("src");
        if !src.is_dir() {
            continue;
        }
        let graph = imports(src.as_std_path()).expect("readable sources");
        for circle in circles(&graph) {
            let edges = circle.iter().map(|module| {
                let others = graph[module].intersection(&circle);
                let others: Vec<&str> = others.map(String::as_str).collect();
                format!("  {module} imports {}", others.join(", "))
            });
            let edges: Vec<String> = edges.collect();
            found.push(format!("{}:\n{}", package.name, edges.join("\n")));
        }
    }
    assert_no_violations("These files import each other in circles:", &found);
}

#[test]
fn host_crates_depend_downwards_only() {
    // The crates from the bottom to the top: a crate may use only those above it in this list.
    const LAYERS: [&str; 14] = [
        "koru-features",
        "koru-protocol",
        "koru-error",
        "koru-sandbox",
        "koru-klog",
        "koru-decode",
        "koru-kernels",
        "koru-judge",
        "koru-kbuild",
        "koru-qemu",
        "koru-session",
        "koru-vm",
        "koru",
        "koru-bench",
    ];
    // The crates that a crate must not use, although they are above it in the list.
    const APART: [(&str, &[&str]); 5] = [
        (
            "koru-qemu",
            &["koru-protocol", "koru-klog", "koru-kernels", "koru-kbuild"],
        ),
        (
            "koru-session",
            &["koru-qemu", "koru-kernels", "koru-kbuild", "koru-decode"],
        ),
        ("koru-vm", &["koru-kernels", "koru-kbuild", "koru-decode"]),
        ("koru-klog", &["koru-error"]),
        // Who writes expectations knows nothing of who carries out the steps.
        (
            "koru-judge",
            &["koru-protocol", "koru-klog", "koru-sandbox"],
        ),
    ];
    let graph = crates();
    assert!(circles(&graph).is_empty());
    let height: BTreeMap<&str, usize> = LAYERS.iter().enumerate().map(|(i, n)| (*n, i)).collect();
    for folder in fs::read_dir(root().join("host")).unwrap().flatten() {
        let text = fs::read_to_string(folder.path().join("Cargo.toml")).unwrap();
        let name = LAYERS
            .iter()
            .find(|n| text.contains(&format!("name = \"{n}\"\n")));
        assert!(name.is_some(), "{} is in no layer", folder.path().display());
    }
    for name in LAYERS {
        for dependency in &graph[name] {
            let lower = height.get(&**dependency).is_some_and(|h| *h < height[name]);
            assert!(lower, "{name} depends on {dependency}");
        }
    }
    for (name, others) in APART {
        for other in others {
            assert!(
                !graph[name].contains(*other),
                "{name} must not know {other}"
            );
        }
    }
}

/// The check finds a circle.
#[test]
fn a_circle_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let write = |name: &str, text: &str| fs::write(dir.join(name), text).unwrap();
    write("lib.rs", "mod a; mod b; mod c; pub use a::A; pub use c::C;");
    write("a.rs", "use crate::C; pub struct A(C);");
    write("b.rs", "pub fn f() -> crate::A { loop {} }");
    write(
        "c.rs",
        "pub struct C; #[cfg(test)] mod tests { use crate::b; }",
    );
    assert!(circles(&imports(dir).unwrap()).is_empty());
    write("c.rs", "pub struct C; fn f() { super::b::f(); }");
    let found = circles(&imports(dir).unwrap());
    let expected = ["a", "b", "c"].map(str::to_owned);
    assert_eq!(found, [BTreeSet::from(expected)]);
}

fn graph(edges: &[(&'static str, &'static str)]) -> Graph<&'static str> {
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry(*from).or_default().insert(*to);
        graph.entry(*to).or_default();
    }
    graph
}

#[test]
fn a_diamond_is_no_circle() {
    let diamond = graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]);
    assert!(circles(&diamond).is_empty());
}

#[test]
fn circles_are_found_once() {
    let graph = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("x", "x")]);
    let expected = [BTreeSet::from(["a", "b", "c"]), BTreeSet::from(["x"])];
    assert_eq!(circles(&graph), expected);
}
