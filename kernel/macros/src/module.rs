// SPDX-License-Identifier: GPL-2.0-only

//! The macro `module!`.

use crate::keys;
use crate::param::Param;
use crate::trusted::Crate;
use proc_macro2::{Group, Literal, Span, TokenStream, TokenTree};
use quote::quote;
use std::collections::BTreeSet;
use std::ffi::CString;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{bracketed, parenthesized, Error, Ident, LitStr, Result, Token, Type};

const ORDER: [&str; 10] = [
    "type",
    "name",
    "author",
    "authors",
    "description",
    "license",
    "version",
    "alias",
    "firmware",
    "imports_ns",
];
const PARAMS: &str = "params";

pub(crate) struct ModuleInfo {
    /// The path of `kernel`, because the module may call another crate so.
    krate: Crate,
    ty: Type,
    name: String,
    info: Vec<(&'static str, String)>,
    params: Vec<Param>,
}

fn text(value: &LitStr) -> Result<String> {
    let text = value.value();
    if text.contains('\0') {
        return Err(Error::new(value.span(), "the text must not contain a NUL"));
    }
    Ok(text)
}

fn list(input: ParseStream<'_>) -> Result<Vec<String>> {
    let content;
    bracketed!(content in input);
    Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?
        .iter()
        .map(text)
        .collect()
}

/// Checks a module's name: it is the name of a file, of a folder in /sys/module and, with `-` for
/// `_`, a word on the command line of modprobe.
fn name(value: &LitStr) -> Result<String> {
    let name = text(value)?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    // MODULE_NAME_LEN is 64 - sizeof(unsigned long), with the NUL.
    if name.is_empty() || name.len() > 55 || !name.chars().all(fits) {
        return Err(Error::new(
            value.span(),
            "a module's name is 1 to 55 letters, digits, `_` or `-`",
        ));
    }
    Ok(name)
}

impl Parse for ModuleInfo {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate;
        parenthesized!(krate in input);
        let krate = krate.parse()?;
        let (mut ty, mut module, mut licensed) = (None, None, false);
        let mut info = Vec::new();
        let mut params: Vec<Param> = Vec::new();
        let order: Vec<&str> = ORDER.iter().copied().chain([PARAMS]).collect();
        let mut next = 0;
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            let position = keys::position(&key, &order, next, "`module!`")?;
            next = position + 1;
            input.parse::<Token![:]>()?;
            let mut add = |key, values: Vec<String>| {
                info.extend(values.into_iter().map(|value| (key, value)));
            };
            match order[position] {
                "type" => ty = Some(input.parse()?),
                "name" => module = Some(name(&input.parse()?)?),
                "author" => add("author", vec![text(&input.parse()?)?]),
                "authors" => add("author", list(input)?),
                "description" => add("description", vec![text(&input.parse()?)?]),
                "license" => {
                    licensed = true;
                    add("license", vec![text(&input.parse()?)?]);
                }
                "version" => add("version", vec![text(&input.parse()?)?]),
                "alias" => add("alias", list(input)?),
                "firmware" => add("firmware", list(input)?),
                "imports_ns" => add("import_ns", list(input)?),
                _ => {
                    let content;
                    syn::braced!(content in input);
                    let mut seen = BTreeSet::new();
                    let found = Punctuated::<Param, Token![,]>::parse_terminated(&content)?;
                    for param in found {
                        if !seen.insert(param.name().to_string()) {
                            return Err(Error::new(
                                param.name().span(),
                                format!("parameter `{}` is given twice", param.name()),
                            ));
                        }
                        params.push(param);
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        let needed = |key: &str| input.error(format!("`module!` needs the key `{key}`"));
        let ty = ty.ok_or_else(|| needed("type"))?;
        let name = module.ok_or_else(|| needed("name"))?;
        if !licensed {
            return Err(needed("license"));
        }
        info.extend(params.iter().flat_map(Param::info));
        Ok(Self {
            krate,
            ty,
            name,
            info,
            params,
        })
    }
}

impl ModuleInfo {
    pub(crate) fn expand(&self) -> TokenStream {
        let Self {
            krate, ty, name, ..
        } = self;
        let mut prefix = name.clone().into_bytes();
        prefix.push(0);
        let prefix = Literal::byte_string(&prefix);
        let cname = Literal::c_string(&CString::new(name.as_str()).unwrap_or_default());
        // This is assembly, because the section of a `#[used]` static has a flag that the C side's
        // `.modinfo` has not, and the loader allows only one such section.
        let infos = self.info.iter().map(|(key, value)| {
            let bytes: Vec<String> = format!("{key}={value}\0")
                .bytes()
                .map(|b| b.to_string())
                .collect();
            let bytes = format!(".byte {}", bytes.join(","));
            quote!(#bytes,)
        });
        let values = self.params.iter().map(|param| param.value(krate));
        let entries = self.params.iter().map(|param| param.entry(krate));
        let parameters = (!self.params.is_empty()).then(|| {
            quote! {
                mod module_parameters {
                    #[allow(unused_imports, reason = "types may be named by paths")]
                    use super::*;
                    #(#values)*
                }
                #(#entries)*
            }
        });
        let exported = krate.attribute(quote!(no_mangle));
        let in_init_data = krate.attribute(quote!(link_section = ".init.data"));
        // SAFETY: the loader calls `init_module` once, before anything else here.
        let init = krate.unsafe_block(quote!(__MODULE.init(&THIS_MODULE)));
        // SAFETY: the loader calls `cleanup_module` once, after `init_module` returned 0.
        let exit = krate.unsafe_block(quote!(__MODULE.exit()));
        let functions = quote! {
            #exported
            extern "C" fn init_module() -> #krate::ffi::c_int {
                #init
            }

            #exported
            extern "C" fn cleanup_module() {
                #exit
            }
        };
        // This makes a debugger show these two in the module's file, not in the kernel crate's.
        let functions = located_at(functions, ty.span());
        quote! {
            // `#[pin_data]` writes `::pin_init::..`, which the kernel crate contains. The
            // compiler's messages name a crate by the first of these two names.
            #[doc(hidden)]
            extern crate kernel;
            #[doc(hidden)]
            extern crate kernel as pin_init;

            /// The module's name, for the print macros.
            #[doc(hidden)]
            const __LOG_PREFIX: &[u8] = #prefix;

            /// This module, as the kernel's loader knows it.
            static THIS_MODULE: #krate::ThisModule = #krate::module::this_module!();

            #[doc(hidden)]
            type LocalModule = #ty;

            impl #krate::ModuleMetadata for #ty {
                const NAME: &'static #krate::__core::ffi::CStr = #cname;
            }

            #krate::__core::arch::global_asm!(
                ".pushsection .modinfo, \"a\", @progbits",
                #(#infos)*
                ".popsection",
            );
            #parameters

            const _: () = {
                static __MODULE: #krate::module::Slot<LocalModule> = #krate::module::Slot::new();

                #functions

                // Only the loader calls these two functions, indirectly: with IBT, objtool must see
                // that something has their addresses.
                #[used]
                #in_init_data
                static __ADDRESSES: (
                    extern "C" fn() -> #krate::ffi::c_int,
                    extern "C" fn(),
                ) = (init_module, cleanup_module);
            };
        }
    }
}

/// Returns `tokens` with spans located at `location`; the meaning of their names does not change.
fn located_at(tokens: TokenStream, location: Span) -> TokenStream {
    let located = |span: Span| span.located_at(location);
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => {
                let content = located_at(group.stream(), location);
                let mut new = Group::new(group.delimiter(), content);
                new.set_span(located(group.span()));
                TokenTree::Group(new)
            }
            mut token => {
                token.set_span(located(token.span()));
                token
            }
        })
        .collect()
}
