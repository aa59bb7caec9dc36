// SPDX-License-Identifier: MIT OR Apache-2.0

//! Code that a crate which forbids unsafe code must not write itself.
//!
//! The lint ignores what a macro of another crate wrote, which it recognises by the span. The spans
//! of a procedural macro always look like that, whoever calls it with whatever in place of
//! `$crate`. So these tokens get the span of `$crate` itself, and are trusted as much as the macro
//! that wrote that: ours, whose `$crate` is our crate, or one of the user's, which the lint then
//! reports.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{quote, ToTokens};
use syn::parse::{Parse, ParseStream};

/// The `$crate` that a declarative macro passed on.
#[derive(Clone)]
pub(crate) struct Crate(TokenTree);

impl Parse for Crate {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self(input.parse()?))
    }
}

impl ToTokens for Crate {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

impl Crate {
    fn span(&self) -> Span {
        self.0.span()
    }

    fn group(&self, delimiter: Delimiter, content: TokenStream) -> Group {
        let mut group = Group::new(delimiter, content);
        group.set_span(self.span());
        group
    }

    /// Returns `unsafe`.
    fn keyword(&self) -> Ident {
        Ident::new("unsafe", self.span())
    }

    /// Returns `unsafe { content }`.
    pub(crate) fn unsafe_block(&self, content: TokenStream) -> TokenStream {
        let keyword = self.keyword();
        let block = self.group(Delimiter::Brace, content);
        quote!(#keyword #block)
    }

    /// Returns `unsafe head { items }`.
    #[allow(dead_code, reason = "not all crates that have this file use it")]
    pub(crate) fn unsafe_impl(&self, head: TokenStream, items: TokenStream) -> TokenStream {
        let keyword = self.keyword();
        let items = self.group(Delimiter::Brace, items);
        quote!(#keyword #head #items)
    }

    /// Returns `#[content]`.
    #[allow(dead_code, reason = "not all crates that have this file use it")]
    pub(crate) fn attribute(&self, content: TokenStream) -> TokenStream {
        let mut sign = Punct::new('#', Spacing::Alone);
        sign.set_span(self.span());
        let content = self.group(Delimiter::Bracket, content);
        quote!(#sign #content)
    }
}
