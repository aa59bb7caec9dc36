// SPDX-License-Identifier: MIT OR Apache-2.0

//! Finds the crates of a module that contain `unsafe` code.
//!
//! `#![forbid(unsafe_code)]` is a promise about the module's own source. The module's
//! dependencies may break that promise, so they are reported.

use std::{collections::BTreeSet, fs, iter::Peekable, path::Path};

use koru_error::{IoContext, Result};
use proc_macro2::{Delimiter, TokenStream, TokenTree, token_stream};

use crate::{artifact::Artifact, dependency::Dependency, module::OURS, rust_object::RustObject};

/// Returns whether the module's own source forbids unsafe code.
pub(crate) fn is_forbidden(module: &Artifact) -> Result<bool> {
    let root = fs::read_to_string(&module.root).path_context("reading", &module.root)?;
    Ok(forbids(&root))
}

/// Returns those of `dependencies` whose source contains `unsafe`.
pub(crate) fn unsafe_among(
    dependencies: &BTreeSet<Dependency>,
    object: &RustObject,
    workspace: &Path,
) -> Result<Vec<Dependency>> {
    let mut found = Vec::new();
    for dependency in dependencies {
        // Unsafe code belongs in Koru's own crates.
        if OURS.contains(&&*dependency.name) {
            continue;
        }
        let mut artifacts = object.dependencies.iter();
        let artifact = artifacts.find(|a| a.dependency == *dependency);
        // A crate that is not compiled for the kernel, such as a procedural macro, is not part
        // of the module.
        if let Some(artifact) = artifact {
            if has_unsafe_source(artifact, workspace)? {
                found.push(dependency.clone());
            }
        }
    }
    Ok(found)
}

fn has_unsafe_source(artifact: &Artifact, workspace: &Path) -> Result<bool> {
    for file in artifact.sources(workspace)? {
        // A crate's documentation may be among its sources.
        if file.extension().is_some_and(|e| e == "rs") {
            let bytes = fs::read(&file).path_context("reading", &file)?;
            if has_unsafe(&String::from_utf8_lossy(&bytes)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Returns whether Rust source contains the keyword `unsafe`, also in the definition of a
/// macro, but not in a module of tests.
fn has_unsafe(source: &str) -> bool {
    // Most files do not contain the word, and searching for it is much faster.
    source.contains("unsafe")
        && match source.parse::<TokenStream>() {
            Ok(tokens) => any_unsafe(tokens),
            // The source compiles, so it has something that this parser does not know.
            Err(_) => true,
        }
}

fn any_unsafe(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "unsafe" => return true,
            TokenTree::Punct(p) if p.as_char() == '#' => skip_tests(&mut tokens),
            TokenTree::Group(group) if any_unsafe(group.stream()) => return true,
            _ => {}
        }
    }
    false
}

/// Skips `[cfg(test)] mod NAME { .. }` after a `#`.
fn skip_tests(tokens: &mut Peekable<token_stream::IntoIter>) {
    let is_test = |token: &TokenTree| match token {
        TokenTree::Group(group) => without_blanks(group) == "[cfg(test)]",
        _ => false,
    };
    if tokens.next_if(is_test).is_none() {
        return;
    }
    let is_mod = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "mod");
    if tokens.next_if(is_mod).is_some() {
        // The name of the module comes next, then its body or a semicolon.
        tokens.next();
        tokens.next();
    }
}

/// Returns whether the root of a crate has `#![forbid(unsafe_code)]`.
fn forbids(root: &str) -> bool {
    let Ok(tokens) = root.parse::<TokenStream>() else {
        return false;
    };
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.windows(3).any(|three| {
        let [
            TokenTree::Punct(hash),
            TokenTree::Punct(bang),
            TokenTree::Group(attribute),
        ] = three
        else {
            return false;
        };
        let text = without_blanks(attribute);
        let lints = text.strip_prefix("[forbid(");
        let lints = lints.and_then(|t| t.strip_suffix(")]"));
        (hash.as_char(), bang.as_char()) == ('#', '!')
            && attribute.delimiter() == Delimiter::Bracket
            && lints.is_some_and(|lints| lints.split(',').any(|lint| lint == "unsafe_code"))
    })
}

fn without_blanks(tokens: &proc_macro2::Group) -> String {
    let mut text = tokens.to_string();
    text.retain(|c| !c.is_whitespace());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_and_nothing_else() {
        for yes in [
            "fn f() { unsafe { g() } }",
            "pub unsafe fn f() {}",
            "unsafe impl Send for X {}",
            "macro_rules! m { () => { unsafe { g() } } }",
            "#[unsafe(no_mangle)] fn f() {}",
            "#[cfg(test)] mod tests; mod m { unsafe trait T {} }",
            "#[cfg(test)] mod tests { fn f() {} } fn f() { unsafe { g() } }",
            "#[cfg(not(test))] fn f() { unsafe { g() } }",
            // The attribute leaves only its arm out, and this parser does not know that.
            "fn f() { match x { #[cfg(test)] 1 => 1, _ => unsafe { g() } } }",
            "#[cfg(test)] use x; unsafe fn f() {}",
        ] {
            assert!(has_unsafe(yes), "{yes}");
        }
        for no in [
            "// unsafe\nfn f() {}",
            "/* unsafe */ /// unsafe { }\nfn f() {}",
            "#![forbid(unsafe_code)] #![deny(unsafe_op_in_unsafe_fn)]",
            "fn f() -> &'static str { \"unsafe\" }",
            "fn r#f() { let not_unsafe = 'u'; }",
            "#[cfg(test)] mod tests { fn f() { unsafe { g() } } }",
            "#[cfg( test )]\nmod tests { fn f() { unsafe { g() } } } fn f() {}",
        ] {
            assert!(!has_unsafe(no), "{no}");
        }
    }

    #[test]
    fn who_forbids_it() {
        assert!(forbids("#![no_std]\n#![forbid(unsafe_code)]\nuse x;"));
        assert!(forbids("#![forbid(missing_docs, unsafe_code)]"));
        assert!(!forbids("#![deny(unsafe_code)]"));
        assert!(!forbids("// #![forbid(unsafe_code)]"));
        assert!(!forbids("mod m { #![forbid(unsafe_code)] }"));
    }
}
