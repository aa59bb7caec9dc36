// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds circles in a graph.

use std::collections::{BTreeMap, BTreeSet};

/// A graph: which node points to which others.
pub type Graph<N> = BTreeMap<N, BTreeSet<N>>;

/// Returns the circles: the sets of nodes that can all reach each other.
pub fn circles<N: Ord + Clone>(graph: &Graph<N>) -> Vec<BTreeSet<N>> {
    let reach: BTreeMap<&N, BTreeSet<&N>> =
        graph.keys().map(|n| (n, reachable(graph, n))).collect();
    let mut found: Vec<BTreeSet<N>> = Vec::new();
    for (node, reached) in &reach {
        let back = |other: &&&N| reach.get(**other).is_some_and(|r| r.contains(*node));
        let circle: BTreeSet<N> = reached.iter().filter(back).map(|n| (*n).clone()).collect();
        if !circle.is_empty() && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// Returns all nodes that can be reached from `from`. It contains `from` only if a circle leads
/// back there.
fn reachable<'a, N: Ord>(graph: &'a Graph<N>, from: &'a N) -> BTreeSet<&'a N> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&N> = vec![from];
    while let Some(node) = open.pop() {
        for next in graph.get(node).into_iter().flatten() {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}
