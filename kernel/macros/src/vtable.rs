// SPDX-License-Identifier: GPL-2.0-only

//! The attribute `#[vtable]`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, ToTokens};
use std::collections::BTreeSet;
use syn::{parse_quote, Error, Ident, ImplItem, Item, Result, TraitItem};

fn has(name: &Ident) -> Ident {
    let upper = name.to_string().to_uppercase();
    Ident::new(
        &format!("HAS_{}", upper.trim_start_matches("R#")),
        Span::call_site(),
    )
}

pub(crate) fn expand(attr: TokenStream, item: Item) -> Result<TokenStream> {
    if !attr.is_empty() {
        return Err(Error::new_spanned(attr, "`#[vtable]` takes no arguments"));
    }
    match item {
        Item::Trait(mut item) => {
            let mut consts: Vec<TraitItem> = vec![parse_quote! {
                #[doc(hidden)]
                const USE_VTABLE_ATTR: ();
            }];
            for method in &item.items {
                if let TraitItem::Fn(method) = method {
                    let name = &method.sig.ident;
                    let has = has(name);
                    let doc = format!("Whether the implementation has its own `{name}`.");
                    let cfgs = method.attrs.iter().filter(|a| a.path().is_ident("cfg"));
                    consts.push(parse_quote! {
                        #(#cfgs)*
                        #[doc = #doc]
                        const #has: bool = false;
                    });
                }
            }
            item.items.extend(consts);
            Ok(item.into_token_stream())
        }
        Item::Impl(mut item) => {
            if item.trait_.is_none() {
                return Err(Error::new_spanned(
                    item.self_ty,
                    "`#[vtable]` goes on a trait or on an implementation of one",
                ));
            }
            let mut written = BTreeSet::new();
            for entry in &item.items {
                if let ImplItem::Const(entry) = entry {
                    written.insert(entry.ident.to_string());
                }
            }
            let mut consts: Vec<ImplItem> = vec![parse_quote! {
                const USE_VTABLE_ATTR: () = ();
            }];
            for method in &item.items {
                if let ImplItem::Fn(method) = method {
                    let has = has(&method.sig.ident);
                    if written.contains(&has.to_string()) {
                        continue;
                    }
                    let cfgs = method.attrs.iter().filter(|a| a.path().is_ident("cfg"));
                    consts.push(parse_quote! {
                        #(#cfgs)*
                        const #has: bool = true;
                    });
                }
            }
            // Each is called by one function, which the kernel calls. As a part of that it is
            // smaller and faster.
            for method in &mut item.items {
                if let ImplItem::Fn(method) = method {
                    if !method.attrs.iter().any(|a| a.path().is_ident("inline")) {
                        method.attrs.push(parse_quote!(#[inline]));
                    }
                }
            }
            item.items.extend(consts);
            Ok(item.into_token_stream())
        }
        other => Err(Error::new_spanned(
            quote!(#other),
            "`#[vtable]` goes on a trait or on an implementation of one",
        )),
    }
}
