// SPDX-License-Identifier: MIT OR Apache-2.0

//! The attribute `#[pin_data]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{
    parse::{ParseStream, Parser},
    parse_quote,
    visit_mut::VisitMut,
    Attribute, Data, DeriveInput, Error, Field, Fields, Generics, Ident, Meta, Result, Type,
    TypePath, Visibility,
};

use crate::trusted::Crate;

/// Expands to the derive macro, for which the compiler applies `#[cfg]`.
///
/// The declarative macro between them passes `$crate` to it.
pub fn attribute(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    pinned_drop.parse2(arguments.clone())?;
    let input: DeriveInput = match syn::parse2(item.clone()) {
        Ok(input) => input,
        Err(_) => {
            let message = "`#[pin_data]` is for structs with named fields";
            return Err(Error::new_spanned(item, message));
        }
    };
    named_fields(&input)?;
    let site = Span::mixed_site();
    Ok(quote_spanned! {site=>
        ::pin_init::__pin_data! { (#arguments) #item }
    })
}

/// Parses the arguments: nothing, or `PinnedDrop`.
fn pinned_drop(input: ParseStream<'_>) -> Result<bool> {
    if input.is_empty() {
        return Ok(false);
    }
    let argument: Ident = input.parse()?;
    if argument != "PinnedDrop" || !input.is_empty() {
        let message = "expected nothing or `PinnedDrop`";
        return Err(Error::new(argument.span(), message));
    }
    Ok(true)
}

fn named_fields(input: &DeriveInput) -> Result<&syn::FieldsNamed> {
    let message = "`#[pin_data]` is for structs with named fields";
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields),
            Fields::Unnamed(fields) => Err(Error::new_spanned(fields, message)),
            Fields::Unit => Err(Error::new_spanned(&input.ident, message)),
        },
        Data::Enum(data) => Err(Error::new_spanned(data.enum_token, message)),
        Data::Union(data) => Err(Error::new_spanned(data.union_token, message)),
    }
}

/// A field, and whether it is structurally pinned.
struct Member {
    field: Field,
    name: Ident,
    pinned: bool,
}

impl Member {
    fn new(field: &Field) -> Result<Self> {
        let mut pinned = false;
        for attribute in &field.attrs {
            if attribute.path().is_ident("pin") {
                if !matches!(attribute.meta, Meta::Path(_)) {
                    let message = "`#[pin]` takes no arguments";
                    return Err(Error::new_spanned(attribute, message));
                }
                if pinned {
                    let message = "`#[pin]` is given twice";
                    return Err(Error::new_spanned(attribute, message));
                }
                pinned = true;
            }
        }
        let Some(name) = field.ident.clone() else {
            return Err(Error::new_spanned(field, "expected a named field"));
        };
        Ok(Self {
            field: field.clone(),
            name,
            pinned,
        })
    }

    /// Returns the name as a part of the macro's own code, which lints ignore.
    fn own_name(&self) -> Ident {
        let mut name = self.name.clone();
        name.set_span(name.span().resolved_at(Span::mixed_site()));
        name
    }
}

pub fn derive(item: TokenStream) -> Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let members = named_fields(&input)?
        .named
        .iter()
        .map(Member::new)
        .collect::<Result<Vec<_>>>()?;
    let mut arguments = None;
    for attribute in &input.attrs {
        if attribute.path().is_ident("__pin_data") {
            arguments = Some(attribute.parse_args_with(|input: ParseStream<'_>| {
                Ok((input.parse::<Crate>()?, pinned_drop(input)?))
            })?);
        }
        refuse_packed(attribute)?;
    }
    let Some((krate, drops)) = arguments else {
        return Err(Error::new_spanned(&input.ident, "expected `#[pin_data]`"));
    };

    let projection = projection(&krate, &input, &members);
    let markers = markers(&krate, &input, &members);
    let unpin = unpin(&krate, &input, &members);
    let drop = drop_impl(&krate, &input, drops);
    Ok(quote_spanned! {Span::mixed_site()=>
        #projection
        const _: () = {
            #markers
            #unpin
            #drop
        };
    })
}

fn refuse_packed(attribute: &Attribute) -> Result<()> {
    if !attribute.path().is_ident("repr") {
        return Ok(());
    }
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("packed") {
            let message = "a packed struct cannot be pinned: its fields have no aligned address";
            return Err(Error::new_spanned(meta.path, message));
        }
        if meta.input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in meta.input);
            content.parse::<TokenStream>()?;
        }
        Ok(())
    })
}

/// Generates, for each field, a method that returns its marker: `Pinned` or `Unpinned`.
fn markers(krate: &Crate, input: &DeriveInput, members: &[Member]) -> TokenStream {
    let site = Span::mixed_site();
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let methods = members.iter().map(|member| {
        let field = member.own_name();
        let marker = if member.pinned {
            quote_spanned!(site=> Pinned)
        } else {
            quote_spanned!(site=> Unpinned)
        };
        quote_spanned! {site=>
            #[inline(always)]
            pub const fn #field(self) -> #krate::__internal::#marker {
                #krate::__internal::#marker
            }
        }
    });
    let implementation = krate.unsafe_impl(
        quote_spanned! {site=>
            impl #generics #krate::__internal::HasPinData for #name #arguments #bounds
        },
        quote_spanned! {site=>
            type Markers = __PinDataMarkers;
            const MARKERS: __PinDataMarkers = __PinDataMarkers;
        },
    );
    quote_spanned! {site=>
        #[doc(hidden)]
        pub struct __PinDataMarkers;

        impl __PinDataMarkers {
            #(#methods)*
        }

        #implementation
    }
}

/// Generates an implementation of `Unpin` that applies if all pinned fields are `Unpin`.
///
/// So nobody else can implement it.
fn unpin(krate: &Crate, input: &DeriveInput, members: &[Member]) -> TokenStream {
    // The span is located at the name, for messages about an implementation that exists already.
    let site = Span::mixed_site().located_at(input.ident.span());
    let name = &input.ident;
    let (_, arguments, bounds) = input.generics.split_for_impl();
    let generics = with_pin_lifetime(&input.generics);
    let (generics, _, _) = generics.split_for_impl();
    let predicates = bounds.map(|bounds| bounds.predicates.iter()).into_iter();
    let predicates = predicates.flatten();
    let pinned = members.iter().filter(|member| member.pinned).map(|member| {
        let ty = &member.field.ty;
        // The lifetime keeps the compiler from evaluating the bound here, where a field that is not
        // `Unpin` would be an error.
        quote_spanned! {site=>
            #krate::__internal::PinnedField<'__pin, #ty>: #krate::__internal::Unpin
        }
    });
    quote_spanned! {site=>
        impl #generics #krate::__internal::Unpin for #name #arguments
        where
            #(#predicates,)*
            #(#pinned,)*
        {}
    }
}

fn with_pin_lifetime(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let lifetime = syn::Lifetime::new("'__pin", Span::mixed_site());
    generics.params.insert(0, parse_quote!(#lifetime));
    generics
}

/// Generates `Drop` by means of `PinnedDrop`, or code that conflicts with either of them.
fn drop_impl(krate: &Crate, input: &DeriveInput, drops: bool) -> TokenStream {
    // The span is located at the name, for messages about an implementation that exists already.
    let site = Span::mixed_site().located_at(input.ident.span());
    let name = &input.ident;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    if drops {
        let body = quote_spanned!(site=> #krate::__internal::drop_pinned(self));
        let body = krate.unsafe_block(body);
        return quote_spanned! {site=>
            impl #generics #krate::__internal::Drop for #name #arguments #bounds {
                #[inline]
                fn drop(&mut self) {
                    #body
                }
            }
        };
    }
    // The compiler's message names the trait, so the name says what to do.
    quote_spanned! {site=>
        trait MustNotImplDropButPinnedDrop {}
        impl<__T> MustNotImplDropButPinnedDrop for __T
        where
            __T: #krate::__internal::Drop + ?#krate::__internal::Sized,
        {}
        impl #generics MustNotImplDropButPinnedDrop for #name #arguments #bounds {}

        trait PinnedDropNeedsPinDataWithPinnedDrop {}
        impl<__T> PinnedDropNeedsPinDataWithPinnedDrop for __T
        where
            __T: #krate::PinnedDrop + ?#krate::__internal::Sized,
        {}
        impl #generics PinnedDropNeedsPinDataWithPinnedDrop for #name #arguments #bounds {}
    }
}

/// Generates `NameProjection` and the method `project`.
fn projection(krate: &Crate, input: &DeriveInput, members: &[Member]) -> TokenStream {
    let site = Span::mixed_site();
    let DeriveInput {
        ident: name, vis, ..
    } = input;
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let projection = format_ident!("{}Projection", name, span = site.located_at(name.span()));

    // In the projection, `Self` would be another type.
    let mut replace = ReplaceSelf(parse_quote!(#name #arguments));
    let mut pinned_generics = with_pin_lifetime(&input.generics);
    replace.visit_generics_mut(&mut pinned_generics);
    let (_, pinned_arguments, pinned_bounds) = pinned_generics.split_for_impl();
    let fields = members.iter().map(|member| {
        let field = member.own_name();
        let vis = &member.field.vis;
        let mut ty = member.field.ty.clone();
        replace.visit_type_mut(&mut ty);
        if member.pinned {
            quote_spanned!(site=> #vis #field: #krate::__internal::Pin<&'__pin mut #ty>)
        } else {
            quote_spanned!(site=> #vis #field: &'__pin mut #ty)
        }
    });
    let values = members.iter().map(|member| {
        let field = member.own_name();
        if member.pinned {
            let value = krate.unsafe_block(quote_spanned! {site=>
                #krate::__internal::Pin::new_unchecked(&mut __this.#field)
            });
            quote_spanned!(site=> #field: #value)
        } else {
            quote_spanned!(site=> #field: &mut __this.#field)
        }
    });
    let docs = format!("The fields of a pinned [`{name}`].");
    let list = |pinned: bool, text: &str| {
        let names: Vec<_> = members
            .iter()
            .filter(|member| member.pinned == pinned)
            .map(|member| format!("`{}`", member.name))
            .collect();
        match names.len() {
            0 => format!("{text}: none."),
            _ => format!("{text}: {}.", names.join(", ")),
        }
    };
    let pinned = list(true, "Fields that stay pinned");
    let moved = list(false, "Fields that may be moved");
    let vis: &Visibility = vis;
    let this = quote_spanned!(site=> #krate::__internal::Pin::get_unchecked_mut(self));
    let this = krate.unsafe_block(this);
    quote_spanned! {site=>
        #[doc = #docs]
        #[doc(hidden)]
        #vis struct #projection #pinned_generics #pinned_bounds {
            #(#fields,)*
            __pin: #krate::__internal::PhantomData<&'__pin mut ()>,
        }

        impl #generics #name #arguments #bounds {
            /// Gives access to all fields of the pinned struct at once.
            ///
            #[doc = #pinned]
            #[doc = #moved]
            #[inline]
            #vis fn project<'__pin>(
                self: #krate::__internal::Pin<&'__pin mut Self>,
            ) -> #projection #pinned_arguments {
                let __this = #this;
                #projection {
                    #(#values,)*
                    __pin: #krate::__internal::PhantomData,
                }
            }
        }
    }
}

/// Replaces `Self` by the name of the struct.
struct ReplaceSelf(Type);

impl VisitMut for ReplaceSelf {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(TypePath { qself, path }) = ty {
            if qself.is_none() && path.segments.first().is_some_and(|s| s.ident == "Self") {
                let own = &self.0;
                let rest: Vec<_> = path.segments.iter().skip(1).collect();
                *ty = if rest.is_empty() {
                    own.clone()
                } else {
                    parse_quote!(<#own>::#(#rest)::*)
                };
                return;
            }
        }
        syn::visit_mut::visit_type_mut(self, ty);
    }
}
