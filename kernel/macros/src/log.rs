// SPDX-License-Identifier: GPL-2.0-only

//! The macro `log!`, which prints a message with arguments.
//!
//! A message whose arguments are integers needs none of core's formatting, which is larger than
//! most modules. Whether they are is known once their types are, so the message is there in both
//! forms, and the compiler drops one.

use crate::fmt::{format_args, is_name, Argument, Wrap};
use crate::trusted::Crate;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, ToTokens};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{parenthesized, Expr, Ident, LitStr, Result, Token};

struct Input {
    /// The path of `kernel`, because the module may call another crate so.
    krate: Crate,
    level: Ident,
    prefix: Expr,
    format: Expr,
    arguments: Punctuated<Argument, Token![,]>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate;
        parenthesized!(krate in input);
        let krate = krate.parse()?;
        let level = input.parse()?;
        input.parse::<Token![,]>()?;
        let prefix = input.parse()?;
        input.parse::<Token![,]>()?;
        let format = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self {
            krate,
            level,
            prefix,
            format,
            arguments: Punctuated::parse_terminated(input)?,
        })
    }
}

/// A format string that has only `{}` and `{NAME}`, each for an argument of its own.
struct Plain {
    /// The text around the arguments.
    texts: Vec<String>,
    values: Vec<TokenStream>,
    /// The values in the order in which they are evaluated: those that the string names are last.
    order: Vec<usize>,
}

impl Plain {
    fn of(format: &LitStr, arguments: &Punctuated<Argument, Token![,]>) -> Option<Self> {
        let text = format.value();
        let mut plain = Self {
            texts: Vec::new(),
            values: Vec::new(),
            order: Vec::new(),
        };
        let mut named = Vec::new();
        let mut arguments = arguments.iter();
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            let at = plain.values.len();
            plain.values.push(if name.is_empty() {
                plain.order.push(at);
                let Argument { name: None, value } = arguments.next()? else {
                    return None;
                };
                value.to_token_stream()
            } else if is_name(name) {
                named.push(at);
                syn::parse_str::<Ident>(name).ok()?;
                Ident::new(name, format.span()).to_token_stream()
            } else {
                return None;
            });
            plain.texts.push(before.to_owned());
            rest = after;
        }
        plain.texts.push(rest.to_owned());
        plain.order.append(&mut named);
        // A doubled brace stands for one, and a NUL separates the texts.
        let has_special = plain.texts.iter().any(|text| text.contains(['}', '\0']));
        let is_plain = arguments.next().is_none() && !plain.values.is_empty() && !has_special;
        is_plain.then_some(plain)
    }
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let Input {
        krate,
        level,
        prefix,
        format,
        arguments,
    } = syn::parse2(input)?;
    let print = |arguments: TokenStream| quote!(#krate::print::print(#krate::print::Level::#level, #prefix, #arguments));
    let plain = match &format {
        Expr::Lit(lit) => match &lit.lit {
            syn::Lit::Str(text) => Plain::of(text, &arguments),
            _ => None,
        },
        _ => None,
    };
    let Some(Plain {
        texts,
        values,
        order,
    }) = plain
    else {
        return Ok(print(format_args(
            &krate,
            &format,
            &arguments,
            &Wrap::Escape,
        )));
    };
    let names: Vec<Ident> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let span = Span::mixed_site().located_at(value.span());
            format_ident!("value_{at}", span = span)
        })
        .collect();
    let fields = LitStr::new(&texts.join("{}"), format.span());
    let shown = names
        .iter()
        .map(|name| quote!(#krate::fmt::Argument::new(&*#name).__escaped()));
    let any = print(quote!(#krate::__core::format_args!(#fields #(, #shown)*)));
    let texts = texts.join("\0");
    let ordered = order.iter().map(|&at| &values[at]);
    let bound = order.iter().map(|&at| &names[at]);
    Ok(quote! {
        match (#(&(#ordered),)*) {
            (#(#bound,)*) => {
                if let (#(#krate::__core::option::Option::Some(#names),)*) =
                    (#(#krate::print::Value::new(#names).__number(),)*)
                {
                    #krate::print::print_numbers(
                        #krate::print::Level::#level,
                        #prefix,
                        #texts,
                        &[#(#names),*],
                    )
                } else {
                    #any
                }
            }
        }
    })
}
