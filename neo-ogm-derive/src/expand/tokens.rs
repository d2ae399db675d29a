//! Tokens and finders: `Book::TITLE`, `Book::find_by_isbn`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, Visibility};

use super::at;
use super::codec::{self, Fields};
use crate::model::NodeModel;

fn token(property_field: &str, ident: &Ident) -> Ident {
    Ident::new(&property_field.to_uppercase(), ident.span())
}

/// A token for each property, and for each flattened struct.
pub(super) fn fields(vis: &Visibility, fields: &Fields<'_>) -> TokenStream {
    let flattened = fields
        .extras
        .flattened
        .iter()
        .enumerate()
        .map(|(index, field)| {
            let ty = &field.ty;
            let token = token(&field.field, &field.ident);
            let doc = format!(
                "Names the properties of `{}` in filters and orderings.",
                field.field
            );
            let value = codec::flattened_token(fields, index);
            let plain = quote_spanned!(at(ty.span())=> <#ty as __n::Properties>::Plain);
            quote! {
                #[doc = #doc]
                #[allow(dead_code)]
                #vis const #token: __n::Flattened<Self, #plain> = #value;
            }
        });
    let tokens = fields.properties.iter().map(|property| {
        let (ty, name) = (&property.ty, &property.name);
        let token = token(&property.field, &property.ident);
        let doc = format!("Names the property `{name}` in filters, orderings and selections.");
        let ty = match (property.json, crate::model::is_option(ty)) {
            (false, _) => quote!(#ty),
            (true, false) => quote!(::std::string::String),
            (true, true) => quote!(::core::option::Option<::std::string::String>),
        };
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis const #token: __n::Field<Self, #ty> = __n::Field::new(#name);
        }
    });
    quote!(#(#tokens)* #(#flattened)*)
}

/// A token for each relationship field.
pub(super) fn relations(model: &NodeModel) -> TokenStream {
    let vis = &model.vis;
    let tokens = model.relations.iter().enumerate().map(|(index, relation)| {
        let (target, carried) = (&relation.target, &relation.carried);
        let token = token(&relation.field, &relation.ident);
        let doc = format!(
            "Names the relationship `{}` in filters and loads.",
            relation.field
        );
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis const #token: __n::Relation<Self, #target, #carried> = __n::Relation::new(#index);
        }
    });
    quote!(#(#tokens)*)
}

/// A token for each optional label.
pub(super) fn labels(model: &NodeModel) -> TokenStream {
    let vis = &model.vis;
    let tokens = model.optional_labels.iter().map(|label| {
        let (name, token) = (&label.label, token(&label.field, &label.ident));
        let doc = format!("Names the label `{name}` in filters.");
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis const #token: __n::Label<Self> = __n::Label::new(#name);
        }
    });
    quote!(#(#tokens)*)
}

/// `find`, and a finder for the key and each indexed or unique property.
pub(super) fn finders(model: &NodeModel) -> TokenStream {
    let vis = &model.vis;
    let keys: Vec<_> = model
        .properties
        .iter()
        .filter(|property| property.key)
        .collect();
    let found = model
        .properties
        .iter()
        .filter(|property| property.unique || property.index || (property.key && keys.len() == 1));
    let finders = found.map(|property| {
        let ty = &property.ty;
        let token = token(&property.field, &property.ident);
        let finder = format_ident!("find_by_{}", property.field, span = property.ident.span());
        let doc = format!("Finds nodes by their property `{}`.", property.name);
        let plain = quote_spanned!(at(ty.span())=> <#ty as __n::Property>::Plain);
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis fn #finder(value: impl __n::Operand<#plain>) -> __n::Find<Self> {
                __n::Find::new()
                    .filter(Self::#token.eq(__n::Operand::<#plain>::into_operand(value)))
            }
        }
    });
    let composite = (keys.len() > 1).then(|| {
        let parameters = keys.iter().map(|property| {
            let (ident, ty) = (&property.ident, &property.ty);
            quote!(#ident: impl __n::Operand<<#ty as __n::Property>::Plain>)
        });
        let filters = keys.iter().map(|property| {
            let (ident, ty) = (&property.ident, &property.ty);
            let token = token(&property.field, ident);
            quote! {
                .filter(Self::#token.eq(
                    __n::Operand::<<#ty as __n::Property>::Plain>::into_operand(#ident),
                ))
            }
        });
        quote! {
            /// Finds the node of a key.
            #[allow(dead_code)]
            #vis fn find_by_key(#(#parameters),*) -> __n::Find<Self> {
                __n::Find::new()#(#filters)*
            }
        }
    });
    quote! {
        /// Finds nodes; without a filter, all of them.
        #[allow(dead_code)]
        #vis fn find() -> __n::Find<Self> {
            __n::Find::new()
        }
        #(#finders)*
        #composite
    }
}
