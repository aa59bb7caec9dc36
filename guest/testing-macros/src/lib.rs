// SPDX-License-Identifier: MIT OR Apache-2.0

//! The attributes of koru-testing, which documents them.
#![forbid(unsafe_code)]

use proc_macro::{TokenStream, TokenTree};

#[proc_macro_attribute]
pub fn one_cpu(arguments: TokenStream, test: TokenStream) -> TokenStream {
    mark("one_cpu", &arguments, test)
}

#[proc_macro_attribute]
pub fn all_cpus(arguments: TokenStream, test: TokenStream) -> TokenStream {
    mark("all_cpus", &arguments, test)
}

/// Leaves the test as it is, and adds a note with its name beside it.
fn mark(mark: &str, arguments: &TokenStream, test: TokenStream) -> TokenStream {
    let added = if !arguments.is_empty() {
        format!("::core::compile_error!(\"`{mark}` takes no arguments\");")
    } else if let Some(name) = test_name(test.clone()) {
        format!("::koru_testing::test_note!(\"{mark}\", \"{name}\");")
    } else {
        format!("::core::compile_error!(\"`{mark}` belongs above the `#[test]` of a function\");")
    };
    let added: TokenStream = added.parse().expect("this is Rust");
    test.into_iter().chain(added).collect()
}

/// Returns the name of a function that has the attribute `#[test]`.
fn test_name(item: TokenStream) -> Option<String> {
    let mut tokens = item.into_iter();
    let mut is_test = false;
    loop {
        match tokens.next()? {
            TokenTree::Group(group) => is_test |= group.stream().to_string() == "test",
            TokenTree::Ident(word) if word.to_string() == "fn" => break,
            _ => {}
        }
    }
    let name = tokens.next().filter(|_| is_test)?;
    Some(name.to_string().trim_start_matches("r#").to_owned())
}
