// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macros `#[derive(Zeroable)]` and `#[derive(MaybeZeroable)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{parse_quote_spanned, Data, DeriveInput, Error, Generics, Result, Type};

/// Implements the trait, and checks that every field implements it.
pub fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let site = Span::mixed_site();
    let name = &input.ident;
    let types = field_types(&input)?;
    let generics = bounded(&input.generics);
    let (generics, arguments, bounds) = generics.split_for_impl();
    Ok(quote_spanned! {site=>
        #[automatically_derived]
        unsafe impl #generics ::pin_init::Zeroable for #name #arguments #bounds {
            const __DERIVED: () = ();
        }
        const _: () = {
            // The bound has the path under which the trait is implemented, whatever
            // `::pin_init::Zeroable` is in this crate.
            fn is_zeroable<__T: ::pin_init::Zeroable + ?::pin_init::__internal::Sized>() {}
            trait __FieldsAreZeroable {
                fn check();
            }
            impl #generics __FieldsAreZeroable for #name #arguments #bounds {
                fn check() {
                    #(is_zeroable::<#types>();)*
                }
            }
        };
    })
}

/// Implements the trait on the condition that every field implements it.
pub fn derive_maybe(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let site = Span::mixed_site();
    let name = &input.ident;
    let types = field_types(&input)?;
    let mut generics = bounded(&input.generics);
    let predicates = &mut generics.make_where_clause().predicates;
    for ty in types {
        // The lifetime keeps the compiler from evaluating the bound here, where a field that is not
        // `Zeroable` would be an error.
        predicates.push(parse_quote_spanned! {site=>
            #ty: for<'__any> ::pin_init::Zeroable
        });
    }
    let (generics, arguments, bounds) = generics.split_for_impl();
    Ok(quote_spanned! {site=>
        #[automatically_derived]
        unsafe impl #generics ::pin_init::Zeroable for #name #arguments #bounds {
            const __DERIVED: () = ();
        }
    })
}

fn field_types(input: &DeriveInput) -> Result<Vec<&Type>> {
    match &input.data {
        Data::Struct(data) => Ok(data.fields.iter().map(|field| &field.ty).collect()),
        Data::Union(data) => Ok(data.fields.named.iter().map(|field| &field.ty).collect()),
        Data::Enum(data) => Err(Error::new_spanned(
            data.enum_token,
            "an enum cannot derive `Zeroable`: zero need not be one of its values",
        )),
    }
}

/// Returns the generics with the bound `Zeroable` on every type parameter.
fn bounded(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    for parameter in generics.type_params_mut() {
        let bound = parse_quote_spanned!(Span::mixed_site()=> ::pin_init::Zeroable);
        parameter.bounds.push(bound);
    }
    generics
}
