// SPDX-License-Identifier: GPL-2.0-only

//! An entry of `params` in `module!`.

use crate::keys;
use crate::trusted::Crate;
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Expr, Ident, Lit, LitInt, LitStr, Result, Token, Type, TypeArray};

pub(crate) struct Param {
    name: Ident,
    ty: Type,
    kind: Kind,
    default: Expr,
    perm: u16,
    description: Option<LitStr>,
}

#[derive(Clone, Copy)]
enum Kind {
    Plain(&'static str),
    /// An array of values of this type.
    Array(&'static str),
    CStr,
}

/// Returns the name of the type as `modinfo` shows it, which is that of a C module's parameter.
fn kind_of(ty: &Type) -> Option<Kind> {
    if let Type::Array(array) = ty {
        return match kind_of(&array.elem) {
            Some(Kind::Plain(elem)) => Some(Kind::Array(elem)),
            _ => None,
        };
    }
    let text = quote!(#ty).to_string();
    Some(Kind::Plain(match text.as_str() {
        "i8" => "i8",
        "u8" => "byte",
        "i16" => "short",
        "u16" => "ushort",
        "i32" => "int",
        "u32" => "uint",
        "i64" | "isize" => "long",
        "usize" => "ulong",
        "u64" => "ullong",
        "bool" => "bool",
        "& 'static CStr" | "& 'static core :: ffi :: CStr" => return Some(Kind::CStr),
        _ => return None,
    }))
}

/// Parses `perm`, an octal number as in C: `0o444`, or `0444`.
fn mode(lit: &LitInt) -> Result<u16> {
    let text = lit.to_string();
    let digits = text.strip_prefix("0o").unwrap_or(&text).replace('_', "");
    if !text.starts_with('0') {
        return Err(Error::new(
            lit.span(),
            "`perm` is a file mode in octal: write it like 0o444",
        ));
    }
    let mode = u16::from_str_radix(&digits, 8)
        .ok()
        .filter(|mode| *mode <= 0o777)
        .ok_or_else(|| Error::new(lit.span(), "`perm` is a file mode, 0 to 0o777"))?;
    if mode & 0o222 != 0 {
        return Err(Error::new(
            lit.span(),
            "a parameter cannot be writable while the module runs: \
             the module holds references to its value; use 0o444 or 0",
        ));
    }
    Ok(mode)
}

impl Parse for Param {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty: Type = input.parse()?;
        let kind = kind_of(&ty).ok_or_else(|| {
            Error::new(
                ty.span(),
                format!(
                    "parameter `{name}` has a type that the kernel cannot parse; \
                     choose one of i8 u8 i16 u16 i32 u32 i64 u64 isize usize bool &'static CStr, \
                     or an array of numbers or bools"
                ),
            )
        })?;
        let content;
        syn::braced!(content in input);
        let (mut default, mut perm, mut description) = (None, None, None);
        const ORDER: [&str; 3] = ["default", "perm", "description"];
        let mut next = 0;
        while !content.is_empty() {
            let key: Ident = content.parse()?;
            let position = keys::position(&key, &ORDER, next, &format!("parameter `{name}`"))?;
            next = position + 1;
            content.parse::<Token![:]>()?;
            match position {
                0 => default = Some(content.parse::<Expr>()?),
                1 => perm = Some(mode(&content.parse()?)?),
                _ => description = Some(content.parse::<LitStr>()?),
            }
            if !content.is_empty() {
                content.parse::<Token![,]>()?;
            }
        }
        let default = default.ok_or_else(|| {
            Error::new(name.span(), format!("parameter `{name}` needs `default`"))
        })?;
        if let (Kind::CStr, Expr::Lit(lit)) = (kind, &default) {
            if !matches!(lit.lit, Lit::CStr(_)) {
                return Err(Error::new(
                    lit.span(),
                    "the default of a `&'static CStr` is a C string: write it like c\"world\"",
                ));
            }
        }
        Ok(Self {
            name,
            ty,
            kind,
            default,
            perm: perm.unwrap_or(0o444),
            description,
        })
    }
}

impl Param {
    pub(crate) fn name(&self) -> &Ident {
        &self.name
    }

    /// Returns the entries for `.modinfo`.
    pub(crate) fn info(&self) -> Vec<(&'static str, String)> {
        let name = &self.name;
        let ty = match self.kind {
            Kind::Plain(text) => text.to_owned(),
            Kind::Array(elem) => format!("array of {elem}"),
            Kind::CStr => "charp".to_owned(),
        };
        let mut info = vec![("parmtype", format!("{name}:{ty}"))];
        if let Some(text) = &self.description {
            info.push(("parm", format!("{name}:{}", text.value())));
        }
        info
    }

    /// Generates the value, in `mod module_parameters`.
    pub(crate) fn value(&self, krate: &Crate) -> TokenStream {
        let Self {
            name, default, ty, ..
        } = self;
        let doc = match &self.description {
            Some(text) => text.value(),
            None => format!("The parameter `{name}`."),
        };
        let ty = match (self.kind, ty) {
            (Kind::Array(_), Type::Array(TypeArray { elem, len, .. })) => {
                quote!(#krate::module_param::ArrayParam<#elem, { #len }>)
            }
            (Kind::CStr, _) => quote!(#krate::module_param::CharpParam),
            _ => quote!(#krate::module_param::ModuleParamAccess<#ty>),
        };
        quote! {
            #[doc = #doc]
            #[allow(non_upper_case_globals, reason = "it has its parameter's name")]
            pub(crate) static #name: #ty = <#ty>::new(#default);
        }
    }

    /// Generates the entry that the kernel's loader finds.
    pub(crate) fn entry(&self, krate: &Crate) -> TokenStream {
        let Self { name, perm, .. } = self;
        let text = syn::LitCStr::new(
            &std::ffi::CString::new(name.to_string()).unwrap_or_default(),
            name.span(),
        );
        let (array, owner) = match self.kind {
            Kind::Array(_) => (
                Some(quote! {
                    static __ARRAY: #krate::module_param::KparamArray =
                        module_parameters::#name.array();
                }),
                quote!(__ARRAY),
            ),
            _ => (None, quote!(module_parameters::#name)),
        };
        let in_param = krate.attribute(quote!(link_section = "__param"));
        quote! {
            const _: () = {
                #array
                #in_param
                #[used]
                static __PARAM: #krate::module_param::KernelParam =
                    #owner.entry(#text, &THIS_MODULE, #perm);
            };
        }
    }
}
