// SPDX-License-Identifier: MIT OR Apache-2.0

//! The attribute `#[pinned_drop]`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{
    parenthesized,
    parse::{ParseStream, Parser},
    parse_quote_spanned, Error, ImplItem, ItemImpl, Result,
};

use crate::trusted::Crate;

/// Expands to the macro that passes `$crate` to [`expand`].
pub fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> ::pin_init::__pinned_drop! { (#arguments) #item })
}

/// Expands `(crate) (arguments) item`.
pub fn expand(input: TokenStream) -> Result<TokenStream> {
    let parse = |input: ParseStream<'_>| {
        let (krate, arguments);
        parenthesized!(krate in input);
        parenthesized!(arguments in input);
        let krate: Crate = krate.parse()?;
        let arguments: TokenStream = arguments.parse()?;
        Ok((krate, arguments, input.parse::<TokenStream>()?))
    };
    let (krate, arguments, item) = parse.parse2(input)?;
    if !arguments.is_empty() {
        let message = "`#[pinned_drop]` takes no arguments";
        return Err(Error::new_spanned(arguments, message));
    }
    let expected = "expected `impl PinnedDrop for Type { fn drop(self: Pin<&mut Self>) { .. } }`";
    let mut input: ItemImpl = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(_) => return Err(Error::new_spanned(item, expected)),
    };
    if let Some(token) = input.unsafety {
        let message = "implementing `PinnedDrop` is safe";
        return Err(Error::new_spanned(token, message));
    }
    let Some((None, path, _)) = &input.trait_ else {
        return Err(Error::new_spanned(&input.self_ty, expected));
    };
    let named = path.segments.last().is_some_and(|last| {
        last.ident == "PinnedDrop" && matches!(last.arguments, syn::PathArguments::None)
    });
    if !named {
        return Err(Error::new_spanned(path, expected));
    }
    let [ImplItem::Fn(method)] = &mut input.items[..] else {
        return Err(Error::new_spanned(&input.self_ty, expected));
    };
    if method.sig.ident != "drop" || method.sig.inputs.len() != 1 {
        return Err(Error::new_spanned(&method.sig, expected));
    }
    if let Some(token) = method.sig.unsafety {
        return Err(Error::new_spanned(token, expected));
    }

    let site = Span::mixed_site();
    // The parameter has no name, so that the body cannot pass the token on to another value's
    // method.
    method.sig.inputs.push(parse_quote_spanned! {site=>
        _: #krate::__internal::OnlyCallFromDrop
    });
    let method = &*method;
    let attributes = &input.attrs;
    let name = &input.self_ty;
    let (generics, _, bounds) = input.generics.split_for_impl();
    let implementation = krate.unsafe_impl(
        quote_spanned!(site=> impl #generics #krate::PinnedDrop for #name #bounds),
        quote_spanned!(site=> #method),
    );
    Ok(quote_spanned!(site=> #(#attributes)* #implementation))
}
