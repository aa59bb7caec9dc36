// SPDX-License-Identifier: MIT OR Apache-2.0

//! The macros `pin_init!` and `init!`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    braced, parenthesized,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
    Attribute, Block, Error, Expr, Ident, Path, Result, Token, Type,
};

use crate::{attributes, trusted::Crate};

/// The parsed input of the macro.
struct Initializer {
    /// The path of `pin_init`, which does not depend on the user's names.
    krate: Crate,
    pinned: bool,
    default_error: Option<Type>,
    this: Option<Ident>,
    path: Path,
    entries: Vec<Entry>,
    /// The span of `..Zeroable::init_zeroed()`, if that is the tail.
    zeroed: Option<Span>,
    error: Option<Type>,
}

struct Entry {
    attributes: Vec<Attribute>,
    kind: Kind,
}

enum Kind {
    /// `name: value`, or `name` alone.
    Value(Ident, Option<Expr>),
    /// `name <- initialiser`
    Init(Ident, Expr),
    /// `_: { .. }`
    Code(Block),
}

impl Parse for Initializer {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate;
        parenthesized!(krate in input);
        let krate = krate.parse()?;
        let mode;
        parenthesized!(mode in input);
        let pinned = mode.parse::<Ident>()? == "pinned";

        let mut default_error = None;
        for attribute in input.call(Attribute::parse_outer)? {
            if !attribute.path().is_ident("default_error") {
                let message = "unknown attribute: only `#[default_error(Type)]` is allowed here";
                return Err(Error::new_spanned(attribute, message));
            }
            default_error = Some(attribute.parse_args()?);
        }

        let this = if input.peek(Token![&]) {
            input.parse::<Token![&]>()?;
            let this = input.parse()?;
            input.parse::<Token![in]>()?;
            Some(this)
        } else {
            None
        };
        let path = input.parse()?;

        let content;
        braced!(content in input);
        let mut entries = Vec::new();
        let mut zeroed = None;
        while !content.is_empty() {
            if content.peek(Token![..]) {
                zeroed = Some(tail(&content)?);
                break;
            }
            entries.push(content.parse()?);
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }

        let error = if input.peek(Token![?]) {
            input.parse::<Token![?]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        Ok(Self {
            krate,
            pinned,
            default_error,
            this,
            path,
            entries,
            zeroed,
            error,
        })
    }
}

/// Parses `..Zeroable::init_zeroed()`, the only allowed tail.
fn tail(content: ParseStream<'_>) -> Result<Span> {
    content.parse::<Token![..]>()?;
    let expression: Expr = content.parse()?;
    if quote!(#expression).to_string() != quote!(Zeroable::init_zeroed()).to_string() {
        return Err(Error::new_spanned(
            expression,
            "the only tail that is allowed is `..Zeroable::init_zeroed()`",
        ));
    }
    if !content.is_empty() {
        return Err(content.error("nothing may follow `..Zeroable::init_zeroed()`"));
    }
    Ok(expression.span())
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        attributes::check(&attributes)?;
        let kind = if input.peek(Token![_]) {
            input.parse::<Token![_]>()?;
            input.parse::<Token![:]>()?;
            Kind::Code(input.parse()?)
        } else {
            let name = input.parse()?;
            if input.peek(Token![<-]) {
                input.parse::<Token![<-]>()?;
                Kind::Init(name, input.parse()?)
            } else if input.peek(Token![:]) {
                input.parse::<Token![:]>()?;
                Kind::Value(name, Some(input.parse()?))
            } else if input.is_empty() || input.peek(Token![,]) {
                Kind::Value(name, None)
            } else {
                return Err(input.error("expected `:`, `<-` or `,` after the field's name"));
            }
        };
        Ok(Self { attributes, kind })
    }
}

impl Entry {
    fn field(&self) -> Option<&Ident> {
        match &self.kind {
            Kind::Value(name, _) | Kind::Init(name, _) => Some(name),
            Kind::Code(_) => None,
        }
    }

    fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(|a| attributes::is_cfg(a))
    }

    /// Returns the name of the variable that owns the initialised field until all are.
    ///
    /// The user's code cannot name it.
    fn guard(&self) -> Option<Ident> {
        let field = self.field()?;
        Some(format_ident!(
            "__guard_of_{}",
            field,
            span = Span::mixed_site().located_at(field.span())
        ))
    }
}

pub fn expand(input: TokenStream) -> Result<TokenStream> {
    let initializer = Initializer::parse.parse2(input)?;
    let Initializer { krate, pinned, .. } = &initializer;
    let site = Span::mixed_site();
    let internal = quote_spanned!(site=> #krate::__internal);

    let error = match initializer
        .error
        .as_ref()
        .or(initializer.default_error.as_ref())
    {
        Some(error) => quote!(#error),
        None => quote_spanned!(site=> #internal::Infallible),
    };
    let (fields_of, finish) = if *pinned {
        (
            quote_spanned!(site=> pinned_fields_of),
            quote_spanned!(site=> pin_init),
        )
    } else {
        (
            quote_spanned!(site=> moved_fields_of),
            quote_spanned!(site=> init),
        )
    };
    let checks = checks(&initializer, &internal);
    let zero = initializer.zeroed.map(|span| {
        // The span is located at the tail, for the message "`T` is not `Zeroable`".
        let at = site.located_at(span);
        let zero = quote_spanned!(at=> ::zero(__slot));
        let zero = krate.unsafe_block(quote_spanned!(site=> #internal #zero));
        quote_spanned!(site=> #zero;)
    });
    let this = initializer.this.as_ref().map(|this| {
        let value = quote_spanned!(site=> #internal::NonNull::new_unchecked(__slot));
        let value = krate.unsafe_block(value);
        quote_spanned!(site=> #[allow(unused_variables)] let #this = #value;)
    });
    let entries = initializer
        .entries
        .iter()
        .map(|entry| code(entry, *pinned, krate, &internal));
    let forget = initializer.entries.iter().filter_map(|entry| {
        let guard = entry.guard()?;
        let cfgs = entry.cfgs();
        // The span is located at the field, for messages about a reference to it that is still
        // kept.
        let forget = Ident::new("forget", site.located_at(guard.span()));
        Some(quote_spanned!(site=> #(#cfgs)* #internal::#forget(#guard);))
    });

    let complete = krate.unsafe_block(quote_spanned!(site=> #internal::Complete::new()));
    let finish = quote_spanned!(site=> #internal::#finish::<_, #error, _>(__closure));
    let finish = krate.unsafe_block(finish);

    // Only here can the success type of `__closure` be created, so that no `return` in the user's
    // code claims that all fields are initialised.
    Ok(quote_spanned! {site=> {
        let __fields = #internal::#fields_of(#checks);
        let __closure = __fields.closure::<_, #error>(move |__slot| {
            #zero
            #this
            #(#entries)*
            #(#forget)*
            #internal::Result::Ok(#complete)
        });
        #finish
    }})
}

/// Generates two closures that are compiled but never run.
///
/// The type of the first one is that of the struct, in which the compiler finds fields that are
/// unknown, missing, given twice or private. The second checks that the path names a type (not a
/// variant, whose tag nobody would write) and that the fields are aligned (not packed).
fn checks(initializer: &Initializer, internal: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let path = &initializer.path;
    let given = initializer.entries.iter().filter_map(|entry| {
        let field = entry.field()?;
        let cfgs = entry.cfgs();
        Some(quote_spanned!(site=> #(#cfgs)* #field: #internal::any(),))
    });
    let rest = initializer
        .zeroed
        .map(|_| quote_spanned!(site=> ..#internal::any()));
    let aligned = initializer.entries.iter().filter_map(|entry| {
        let field = entry.field()?;
        let cfgs = entry.cfgs();
        let at = site.located_at(field.span());
        let reference = quote_spanned!(at=> &__value.#field);
        let reference = initializer.krate.unsafe_block(reference);
        Some(quote_spanned!(site=> #(#cfgs)* let _ = #reference;))
    });
    quote_spanned! {site=>
        || #path { #(#given)* #rest },
        |__value| {
            use #internal::NamesAType as _;
            #path::__names_a_type(__value);
            #(#aligned)*
        },
    }
}

/// Generates the code of one entry.
///
/// The user's expressions are outside of `unsafe`.
fn code(entry: &Entry, pinned: bool, krate: &Crate, internal: &TokenStream) -> TokenStream {
    let site = Span::mixed_site();
    let all = &entry.attributes;
    let (Some(field), Some(guard)) = (entry.field(), entry.guard()) else {
        let Kind::Code(block) = &entry.kind else {
            return TokenStream::new();
        };
        let statements = &block.stmts;
        // These braces are the macro's own, which the lint against needless ones ignores.
        return quote_spanned!(site=> #(#all)* { #(#statements)* });
    };
    let marker = if pinned {
        quote_spanned!(site=> __fields.markers().#field())
    } else {
        quote_spanned!(site=> #internal::Unpinned)
    };
    let slot = krate.unsafe_block(quote_spanned! {site=>
        #internal::Slot::new(#marker, &raw mut (*__slot).#field)
    });
    let slot = quote_spanned!(site=> (#slot));
    let made = match &entry.kind {
        Kind::Value(_, Some(value)) => quote_spanned!(site=> #slot.write(#value)),
        Kind::Value(_, None) => quote_spanned!(site=> #slot.write(#field)),
        Kind::Init(_, value) => {
            // The span is located at the value, for messages about an initialiser or an error of
            // the wrong type.
            let at = site.located_at(value.span());
            let init = quote_spanned!(at=> .init(#value)?);
            quote_spanned!(site=> #slot #init)
        }
        Kind::Code(_) => return TokenStream::new(),
    };
    let cfgs: Vec<_> = entry.cfgs().collect();
    quote_spanned! {site=>
        #(#all)*
        let mut #guard = #made;
        #(#cfgs)*
        #[allow(unused_variables, non_snake_case)]
        let #field = #guard.get();
    }
}
