//! Syntax: the options of an attribute, and nothing of what they mean.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Token, parenthesized};

/// One option of an attribute.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

/// What stands behind an option's name.
#[derive(Clone)]
pub(crate) enum Value {
    /// Nothing: `key`.
    Flag,
    /// A value: `rename = "…"`.
    Is(Expr),
    /// A list of names, with options of their own: `fulltext(a, b, analyzer = "english")`.
    List(Vec<Setting>),
    /// A list of texts: `labels("A", "B")`.
    Texts(Vec<LitStr>),
}

impl Setting {
    pub(crate) fn span(&self) -> Span {
        self.name.span()
    }

    /// The text of `name = "text"`.
    pub(crate) fn text(&self) -> syn::Result<LitStr> {
        if let Value::Is(Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        })) = &self.value
        {
            if text.value().is_empty() {
                return Err(syn::Error::new(
                    text.span(),
                    format!("`{}` is empty", self.name),
                ));
            }
            return Ok(text.clone());
        }
        Err(syn::Error::new(
            self.span(),
            format!("`{0}` takes a text: `{0} = \"…\"`", self.name),
        ))
    }

    /// The texts of `name("a", "b")`.
    pub(crate) fn texts(&self) -> syn::Result<&[LitStr]> {
        match &self.value {
            Value::Texts(texts) if texts.iter().all(|text| !text.value().is_empty()) => Ok(texts),
            _ => Err(syn::Error::new(
                self.span(),
                format!("`{0}` takes texts: `{0}(\"…\", \"…\")`", self.name),
            )),
        }
    }

    /// Says that nothing may stand behind the name.
    pub(crate) fn flag(&self) -> syn::Result<()> {
        match self.value {
            Value::Flag => Ok(()),
            _ => Err(syn::Error::new(
                self.span(),
                format!("`{}` takes no value", self.name),
            )),
        }
    }
}

impl Parse for Setting {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return Err(input
                .error("an option has a name: `type = \"…\"`, `label = \"…\"`, `rename = \"…\"`"));
        }
        // `type` is a keyword, and an option.
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Is(input.parse()?)
        } else if input.peek(syn::token::Paren) {
            let list;
            parenthesized!(list in input);
            if list.peek(LitStr) {
                let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
                return Ok(Self {
                    name,
                    value: Value::Texts(texts.into_iter().collect()),
                });
            }
            let items = Punctuated::<Setting, Token![,]>::parse_terminated(&list)?;
            Value::List(items.into_iter().collect())
        } else {
            Value::Flag
        };
        Ok(Self { name, value })
    }
}

/// The options between the parentheses of an attribute.
pub(crate) fn settings(tokens: TokenStream) -> syn::Result<Vec<Setting>> {
    let parsed = Punctuated::<Setting, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(parsed.into_iter().collect())
}

/// The options of every attribute called `name`; `None` where there is no such attribute.
pub(crate) fn attribute(
    attributes: &[Attribute],
    name: &str,
) -> syn::Result<Option<(Span, Vec<Setting>)>> {
    let mut found: Option<(Span, Vec<Setting>)> = None;
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        let list = match &attribute.meta {
            syn::Meta::Path(_) => Vec::new(),
            syn::Meta::List(list) => settings(list.tokens.clone())?,
            syn::Meta::NameValue(pair) => {
                return Err(syn::Error::new_spanned(
                    pair,
                    format!("write `#[{name}(…)]`"),
                ));
            }
        };
        let span = attribute
            .path()
            .get_ident()
            .map_or_else(Span::call_site, Ident::span);
        found.get_or_insert((span, Vec::new())).1.extend(list);
    }
    Ok(found)
}
