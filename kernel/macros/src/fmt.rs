// SPDX-License-Identifier: GPL-2.0-only

//! The macro `fmt!`, which wraps every formatting argument in an adapter type.
//!
//! It makes inline arguments (`{name}`, `{:width$}`) explicit.

use crate::trusted::Crate;
use proc_macro2::{Span, TokenStream};
use quote::quote;
use std::collections::BTreeSet;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{parenthesized, Expr, Ident, LitStr, Result, Token};

pub(crate) enum Wrap {
    Adapter,
    Escape,
}

pub(crate) struct Argument {
    pub name: Option<Ident>,
    pub value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = if input.peek(Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            Some(name)
        } else {
            None
        };
        Ok(Self {
            name,
            value: input.parse()?,
        })
    }
}

/// The arguments that a format string uses.
///
/// Widths and precisions must stay plain `usize`.
#[derive(Default)]
struct Uses {
    /// The names of arguments that are displayed.
    shown: BTreeSet<String>,
    /// The names, and the positions, of arguments that are widths or precisions.
    sizes: BTreeSet<String>,
}

pub(crate) fn is_name(s: &str) -> bool {
    s.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && s.chars().all(|c| c == '_' || c.is_alphanumeric())
}

impl Uses {
    fn of(text: &str) -> Self {
        let mut uses = Self::default();
        let mut next = 0;
        let mut rest = text;
        while let Some(start) = rest.find('{') {
            rest = &rest[start + 1..];
            if let Some(after) = rest.strip_prefix('{') {
                rest = after;
                continue;
            }
            let Some(end) = rest.find('}') else { break };
            uses.field(&rest[..end], &mut next);
            rest = &rest[end + 1..];
        }
        uses
    }

    /// Parses one `{..}`.
    ///
    /// `next` is the position of the next positional argument.
    fn field(&mut self, field: &str, next: &mut usize) {
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let name = name.trim();
        if spec.contains(".*") {
            // The precision comes before the value.
            self.sizes.insert(next.to_string());
            *next += 1;
        }
        if name.is_empty() {
            *next += 1;
        } else if is_name(name) {
            self.shown.insert(name.to_owned());
        }
        // These are `WIDTH$` and `.PRECISION$`, by name or by position.
        let mut parts: Vec<&str> = spec.split('$').collect();
        parts.pop();
        for part in parts {
            let tail = part
                .rsplit(|c: char| c != '_' && !c.is_alphanumeric())
                .next();
            let tail = tail.unwrap_or("");
            // In `0width$`, the flag is not part of the name.
            let named = tail.trim_start_matches(|c: char| c.is_ascii_digit());
            let size = if is_name(named) { named } else { tail };
            self.sizes.insert(size.to_owned());
        }
    }
}

struct Input {
    /// The path of `kernel`, because the module may call another crate so.
    krate: Crate,
    format: Expr,
    arguments: Punctuated<Argument, Token![,]>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate;
        parenthesized!(krate in input);
        let krate = krate.parse()?;
        let format = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self {
            krate,
            format,
            arguments: Punctuated::parse_terminated(input)?,
        })
    }
}

pub(crate) fn expand(input: TokenStream, wrap: Wrap) -> Result<TokenStream> {
    let Input {
        krate,
        format,
        arguments,
    } = syn::parse2(input)?;
    Ok(format_args(&krate, &format, &arguments, &wrap))
}

/// Returns the call of `core::format_args!` whose arguments are wrapped.
pub(crate) fn format_args(
    krate: &Crate,
    format: &Expr,
    arguments: &Punctuated<Argument, Token![,]>,
    wrap: &Wrap,
) -> TokenStream {
    // `concat!(..)` and similar macros cannot contain inline arguments.
    let literal = match format {
        Expr::Lit(lit) => match &lit.lit {
            syn::Lit::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    };
    let uses = literal
        .map(|t: &LitStr| Uses::of(&t.value()))
        .unwrap_or_default();
    let method = match wrap {
        Wrap::Adapter => quote!(__formatted),
        Wrap::Escape => quote!(__escaped),
    };
    let wrap = |value: TokenStream| quote!(#krate::fmt::Argument::new(&#value).#method());
    let mut given = BTreeSet::new();
    let mut list = Vec::new();
    for (at, Argument { name, value }) in arguments.iter().enumerate() {
        let key = name
            .as_ref()
            .map_or_else(|| at.to_string(), Ident::to_string);
        let value = if uses.sizes.contains(&key) {
            quote!(#value)
        } else {
            wrap(quote!((#value)))
        };
        list.push(match name {
            Some(name) => quote!(#name = #value),
            None => value,
        });
        given.insert(key);
    }
    for name in uses.shown.difference(&uses.sizes) {
        if !given.contains(name) {
            let span = literal.map_or_else(Span::call_site, LitStr::span);
            let name = Ident::new(name, span);
            let value = wrap(quote!(#name));
            list.push(quote!(#name = #value));
        }
    }
    quote!(#krate::__core::format_args!(#format #(, #list)*))
}
