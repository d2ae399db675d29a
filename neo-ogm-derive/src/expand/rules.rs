//! Constraints and indexes, as constants.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, Type};

use super::at;
use crate::model::{Rule, RuleKind};

/// The constants that describe constraints and indexes.
pub(super) fn schemas(rules: &[Rule]) -> TokenStream {
    let rules = rules.iter().map(|rule| {
        let kind = kind(rule);
        let properties = &rule.properties;
        let name = optional(rule.name.as_ref());
        quote! {
            __n::RuleSchema {
                kind: #kind,
                properties: &[#(#properties),*],
                name: #name,
            }
        }
    });
    quote!(&[#(#rules),*])
}

fn kind(rule: &Rule) -> TokenStream {
    match &rule.kind {
        RuleKind::Unique => quote!(__n::RuleKind::Unique),
        RuleKind::Key => quote!(__n::RuleKind::Key),
        RuleKind::Exists => quote!(__n::RuleKind::Exists),
        RuleKind::Typed => {
            let ty = &rule.types[0];
            quote!(__n::RuleKind::Typed(<#ty as __n::Property>::CYPHER_TYPE))
        }
        RuleKind::Range => quote!(__n::RuleKind::Range),
        RuleKind::Text => quote!(__n::RuleKind::Text),
        RuleKind::Point => quote!(__n::RuleKind::Point),
        RuleKind::Fulltext { analyzer } => {
            let analyzer = optional(analyzer.as_ref());
            quote!(__n::RuleKind::Fulltext { analyzer: #analyzer })
        }
        RuleKind::Vector {
            dimensions,
            similarity,
        } => {
            let similarity = format_ident!("{similarity}");
            quote! {
                __n::RuleKind::Vector {
                    dimensions: #dimensions,
                    similarity: __n::Similarity::#similarity,
                }
            }
        }
    }
}

fn optional(text: Option<&String>) -> TokenStream {
    match text {
        Some(text) => quote!(::core::option::Option::Some(#text)),
        None => quote!(::core::option::Option::None),
    }
}

/// Sees to it, when the program is compiled, that each field's type suits its index.
pub(super) fn checks(rules: &[Rule]) -> TokenStream {
    let checks = rules.iter().flat_map(|rule| {
        let wanted = wanted(&rule.kind);
        rule.types
            .iter()
            .filter_map(move |ty| wanted.map(|wanted| check(rule, ty, wanted)))
    });
    quote!(#(#checks)*)
}

fn wanted(kind: &RuleKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        RuleKind::Typed => (
            "has_constraint",
            "the database has no type constraint for values of this field's type; leave `typed` \
             out",
        ),
        RuleKind::Text => (
            "is_text",
            "a text index is over text; make the field a `String`, or write `index`",
        ),
        RuleKind::Point => (
            "is_point",
            "a point index is over points; make the field a `Point`, or write `index`",
        ),
        RuleKind::Fulltext { .. } => (
            "is_words",
            "a full-text index is over text; make the field a `String` or a `Vec<String>`",
        ),
        RuleKind::Vector { .. } => (
            "is_vector",
            "a vector index is over vectors; make the field a `Vector`, a `Vec<f32>` or a \
             `Vec<f64>`",
        ),
        _ => return None,
    })
}

fn check(rule: &Rule, ty: &Type, (suits, message): (&str, &str)) -> TokenStream {
    let suits = format_ident!("{suits}");
    quote_spanned! {at(rule.span)=>
        const _: () = ::core::assert!(
            <#ty as __n::Property>::CYPHER_TYPE.#suits(),
            #message
        );
    }
}

/// What lets the struct be named in `apply_schema`; `of` is `Node` or `Relationship`.
pub(super) fn schema_part(ident: &Ident, of: &str) -> TokenStream {
    let of = format_ident!("{of}");
    quote! {
        impl __n::SchemaPart for #ident {
            const PART: __n::Part = __n::Part::#of(<Self as __n::#of>::SCHEMA);
        }
    }
}
