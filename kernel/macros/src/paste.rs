// SPDX-License-Identifier: GPL-2.0-only

//! The macros `paste!` and `concat_idents!`, which make identifiers of parts.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, Result, Token};

/// Makes an identifier, which is no keyword: lints do not see the name that the parts have in the
/// source.
fn ident(name: &str, span: Span) -> Result<Ident> {
    let mut ident = syn::parse_str::<Ident>(name)
        .map_err(|_| Error::new(span, format!("`{name}` is not an identifier")))?;
    ident.set_span(span);
    Ok(ident)
}

/// Copies the input, with an identifier in the place of each `[<..>]`.
pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let trees = input.into_iter().map(|tree| match tree {
        TokenTree::Group(group) => match parts(&group) {
            Some(parts) => Ok(pasted(parts, group.span())?.into_token_stream()),
            None => {
                let mut copy = Group::new(group.delimiter(), expand(group.stream())?);
                copy.set_span(group.span());
                Ok(copy.into_token_stream())
            }
        },
        other => Ok(other.into()),
    });
    trees.collect()
}

/// Returns what is between `[<` and `>]`.
fn parts(group: &Group) -> Option<Vec<TokenTree>> {
    let is = |tree: &TokenTree, sign| matches!(tree, TokenTree::Punct(p) if p.as_char() == sign);
    let mut trees = flat(group.stream());
    let is_pasted = group.delimiter() == Delimiter::Bracket
        && trees.len() > 2
        && is(trees.first()?, '<')
        && is(trees.last()?, '>');
    if !is_pasted {
        return None;
    }
    trees.pop();
    trees.remove(0);
    Some(trees)
}

/// Returns the tokens without the invisible groups in which the arguments of a macro are.
fn flat(stream: TokenStream) -> Vec<TokenTree> {
    let mut trees = Vec::new();
    for tree in stream {
        match tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                trees.extend(flat(group.stream()));
            }
            other => trees.push(other),
        }
    }
    trees
}

/// Makes one identifier of parts, each with the modifiers that follow it.
fn pasted(parts: Vec<TokenTree>, group: Span) -> Result<Ident> {
    let mut name = String::new();
    let mut span = group;
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        let mut text = match &part {
            TokenTree::Ident(ident) => {
                let text = ident.to_string();
                text.strip_prefix("r#").unwrap_or(&text).to_owned()
            }
            TokenTree::Literal(literal) => match syn::Lit::new(literal.clone()) {
                syn::Lit::Str(text) => text.value(),
                _ => literal.to_string(),
            },
            other => {
                let message = "an identifier, a text or a number is expected here";
                return Err(Error::new(other.span(), message));
            }
        };
        while let Some(TokenTree::Punct(colon)) =
            parts.next_if(|next| matches!(next, TokenTree::Punct(sign) if sign.as_char() == ':'))
        {
            match parts.next() {
                Some(TokenTree::Ident(modifier)) if modifier == "lower" => {
                    text = text.to_lowercase();
                }
                Some(TokenTree::Ident(modifier)) if modifier == "upper" => {
                    text = text.to_uppercase();
                }
                Some(TokenTree::Ident(modifier)) if modifier == "span" => span = part.span(),
                other => {
                    let at = other.map_or(colon.span(), |other| other.span());
                    let message = "the modifiers are `lower`, `upper` and `span`";
                    return Err(Error::new(at, message));
                }
            }
        }
        name.push_str(&text);
    }
    ident(&name, span)
}

struct Two(Ident, Ident);

impl Parse for Two {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let first = input.parse()?;
        input.parse::<Token![,]>()?;
        let second = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self(first, second))
    }
}

/// Makes one identifier of two.
pub(crate) fn concat(input: TokenStream) -> Result<TokenStream> {
    let Two(first, second) = syn::parse2(input)?;
    let name = format!("{first}{second}");
    Ok(ident(&name, second.span())?.into_token_stream())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paste(text: &str) -> Result<String> {
        Ok(expand(text.parse::<TokenStream>()?)?.to_string())
    }

    #[test]
    fn parts_become_one_identifier() {
        for (text, result) in [
            ("fn [<get_ a>] () {}", "fn get_a () { }"),
            ("[<A:lower _ b:upper 1>]", "a_B1"),
            ("[<\"text\" _2>]", "text_2"),
            ("{ ( [<x y:span>] ) }", "{ (xy) }"),
            ("[<r#type s>]", "types"),
            // These are arrays and types.
            ("[a, b]", "[a , b]"),
            ("[[<a b>]; 2]", "[ab ; 2]"),
            ("[<A as B>::C]", "[< A as B > :: C]"),
        ] {
            let spaceless = |text: &str| text.replace(' ', "");
            assert_eq!(
                spaceless(&paste(text).unwrap()),
                spaceless(result),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_identifier_is_refused() {
        for (text, message) in [
            ("[<un safe>] {}", "`unsafe` is not an identifier"),
            ("[<1 a>]", "`1a` is not an identifier"),
            (
                "[<a + b>]",
                "an identifier, a text or a number is expected here",
            ),
            (
                "[<a:camel>]",
                "the modifiers are `lower`, `upper` and `span`",
            ),
            ("[<a:>]", "the modifiers are `lower`, `upper` and `span`"),
        ] {
            assert_eq!(paste(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn two_identifiers_become_one() {
        let concat = |text: &str| concat(text.parse()?).map(|tokens| tokens.to_string());
        assert_eq!(concat("ab, _c").unwrap(), "ab_c");
        assert!(concat("un, safe").is_err());
        assert!(concat("a").is_err());
    }
}
