// SPDX-License-Identifier: GPL-2.0-only

//! The macros `log!` and `seq_print!`, which print a message with arguments.
//!
//! A message whose arguments are integers, texts and errors needs none of core's formatting, which
//! is larger than most modules. Whether they are is known once their types are, so the message is
//! there in both forms, and the compiler drops one.

use crate::fmt::{format_args, is_name, Argument, Wrap};
use crate::trusted::Crate;
use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, ToTokens};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{parenthesized, Expr, Ident, LitStr, Result, Token};

/// A format string and its arguments.
struct Message {
    format: Expr,
    arguments: Punctuated<Argument, Token![,]>,
}

impl Parse for Message {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let format = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self {
            format,
            arguments: Punctuated::parse_terminated(input)?,
        })
    }
}

/// Parses the path of `kernel`, because the module may call another crate so.
fn parse_crate(input: ParseStream<'_>) -> Result<Crate> {
    let krate;
    parenthesized!(krate in input);
    krate.parse()
}

struct Log {
    krate: Crate,
    level: Ident,
    prefix: Expr,
    message: Message,
}

impl Parse for Log {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate = parse_crate(input)?;
        let level = input.parse()?;
        input.parse::<Token![,]>()?;
        let prefix = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self {
            krate,
            level,
            prefix,
            message: input.parse()?,
        })
    }
}

struct SeqPrint {
    krate: Crate,
    file: Expr,
    message: Message,
}

impl Parse for SeqPrint {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate = parse_crate(input)?;
        let file = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self {
            krate,
            file,
            message: input.parse()?,
        })
    }
}

/// The format of an argument.
#[derive(Clone, Copy)]
enum Spec {
    /// `{}`
    Display,
    /// `{:?}`
    Debug,
    /// `{:03}`
    Padded(u8),
}

impl Spec {
    fn of(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self::Display),
            "?" => Some(Self::Debug),
            _ => {
                let width = text.strip_prefix('0')?;
                let is_number = width.bytes().all(|byte| byte.is_ascii_digit());
                Some(Self::Padded(width.parse().ok().filter(|_| is_number)?))
            }
        }
    }

    /// Returns the field of a format string.
    fn field(self) -> String {
        match self {
            Self::Display => "{}".to_owned(),
            Self::Debug => "{:?}".to_owned(),
            Self::Padded(width) => format!("{{:0{width}}}"),
        }
    }
}

/// A format string whose fields are for an argument of their own each, and have a [`Spec`].
struct Plain {
    /// The text around the arguments.
    texts: Vec<String>,
    values: Vec<TokenStream>,
    specs: Vec<Spec>,
    /// The values in the order in which they are evaluated: those that the string names are last.
    order: Vec<usize>,
}

impl Plain {
    fn of(Message { format, arguments }: &Message) -> Option<Self> {
        // `concat!(..)` and the like may have arguments, or not.
        let Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(format),
            ..
        }) = format
        else {
            return None;
        };
        let text = format.value();
        let mut plain = Self {
            texts: Vec::new(),
            values: Vec::new(),
            specs: Vec::new(),
            order: Vec::new(),
        };
        let mut named = Vec::new();
        let mut arguments = arguments.iter();
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}')?;
            let (name, spec) = field.split_once(':').unwrap_or((field, ""));
            plain.specs.push(Spec::of(spec)?);
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

/// Where a message goes.
struct Target {
    /// The form of an argument that is UTF-8.
    form: TokenStream,
    /// The method that lets core format an argument.
    method: TokenStream,
    wrap: Wrap,
}

/// Returns an expression that prints the message: by `print_pieces`, which takes the name of a
/// function and its last arguments, the texts and the pieces; or by `print`, which takes core's
/// arguments.
fn expand(
    krate: &Crate,
    message: &Message,
    target: &Target,
    print_pieces: impl Fn(TokenStream, TokenStream) -> TokenStream,
    print: impl Fn(TokenStream) -> TokenStream,
) -> TokenStream {
    let Some(Plain {
        texts,
        values,
        specs,
        order,
    }) = Plain::of(message)
    else {
        let Message { format, arguments } = message;
        return print(format_args(krate, format, arguments, &target.wrap));
    };
    let Target { form, method, .. } = target;
    let names: Vec<Ident> = values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let span = Span::mixed_site().located_at(value.span());
            format_ident!("value_{at}", span = span)
        })
        .collect();
    let mut fields = texts[0].clone();
    for (spec, text) in specs.iter().zip(&texts[1..]) {
        fields += &spec.field();
        fields += text;
    }
    let fields = LitStr::new(&fields, message.format.span());
    let shown = names
        .iter()
        .map(|name| quote!(#krate::fmt::Argument::new(&*#name).#method()));
    let any = print(quote!(#krate::__core::format_args!(#fields #(, #shown)*)));
    let pieces = names.iter().zip(&specs).map(|(name, spec)| {
        let show = match spec {
            Spec::Display => quote!(__show(#krate::print::Form::#form)),
            Spec::Debug => quote!(__show_debug()),
            Spec::Padded(width) => quote!(__show_padded(#width)),
        };
        quote!(#krate::print::Value::new(#name).#show)
    });
    let texts = texts.join("\0");
    let [integers, others] = [quote!(print_integers), quote!(print_pieces)]
        .map(|function| print_pieces(function, quote!(#texts, &[#(#names),*])));
    let ordered = order.iter().map(|&at| &values[at]);
    let bound = order.iter().map(|&at| &names[at]);
    quote! {
        match (#(&(#ordered),)*) {
            (#(#bound,)*) => {
                if let (#(#krate::__core::option::Option::Some(#names),)*) = (#(#pieces,)*) {
                    if #(#names.is_plain_integer())&&* {
                        #integers
                    } else {
                        #others
                    }
                } else {
                    #any
                }
            }
        }
    }
}

/// Expands `log!((KERNEL) LEVEL, PREFIX, FORMAT, ARGUMENTS)`.
pub(crate) fn log(input: TokenStream) -> Result<TokenStream> {
    let Log {
        krate,
        level,
        prefix,
        message,
    } = syn::parse2(input)?;
    let target = Target {
        form: quote!(Escaped),
        method: quote!(__escaped),
        wrap: Wrap::Escape,
    };
    let call = |function: TokenStream, arguments: TokenStream| quote!(#krate::print::#function(#krate::print::Level::#level, #prefix, #arguments));
    Ok(expand(&krate, &message, &target, call, |arguments| {
        call(quote!(print), arguments)
    }))
}

/// Expands `seq_print!((KERNEL) FILE, FORMAT, ARGUMENTS)`.
pub(crate) fn seq_print(input: TokenStream) -> Result<TokenStream> {
    let SeqPrint {
        krate,
        file,
        message,
    } = syn::parse2(input)?;
    let target = Target {
        form: quote!(Plain),
        method: quote!(__formatted),
        wrap: Wrap::Adapter,
    };
    Ok(expand(
        &krate,
        &message,
        &target,
        |function, pieces| quote!((#file).#function(#pieces)),
        |arguments| quote!((#file).call_printf(#arguments)),
    ))
}
