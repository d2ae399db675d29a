//! `#[derive(Projection)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Ident};

use super::at;
use crate::model::{BrokenProjection, ProjectedField, ProjectionModel};

/// What a projection gets.
pub(crate) fn projection(model: &ProjectionModel) -> TokenStream {
    let ProjectionModel { ident, of, fields } = model;
    let selections: Vec<_> = fields
        .iter()
        .map(|field| selection(&quote!(#of), field))
        .collect();
    let columns = fields.iter().zip(&selections).map(|(field, selection)| {
        let (ty, name) = (&field.ty, &field.field);
        // Said at the type, so that a type that does not fit is reported there.
        quote_spanned! {at(ty.span())=>
            __n::project::<#of, #ty, _>(#selection, #name, columns);
        }
    });
    let reads = fields.iter().zip(&selections).map(|(field, selection)| {
        let (ident, ty, name) = (&field.ident, &field.ty, &field.field);
        quote_spanned! {at(ty.span())=>
            #ident: __n::read_projected::<#of, #ty, _>(|| #selection, #name, decoder, graph)?,
        }
    });
    quote! {
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            impl __n::Projection<#of> for #ident {
                fn columns(columns: &mut __n::Columns) {
                    #(#columns)*
                }

                fn read(
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    ::core::result::Result::Ok(Self { #(#reads)* })
                }
            }
        };
    }
}

/// What is selected for a field: what it says, or the property of its name.
fn selection(of: &TokenStream, field: &ProjectedField) -> TokenStream {
    if let Some(from) = &field.from {
        return quote!(#from);
    }
    let token = Ident::new(&field.field.to_uppercase(), field.ident.span());
    quote!(<#of>::#token)
}

/// A projection with mistakes.
pub(crate) fn broken_projection(input: &DeriveInput, broken: &BrokenProjection) -> TokenStream {
    let messages = broken.error.to_compile_error();
    let Some(of) = broken
        .of
        .as_ref()
        .filter(|_| input.generics.params.is_empty())
    else {
        return messages;
    };
    let ident = &input.ident;
    quote! {
        #messages
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            impl __n::Projection<#of> for #ident {
                fn columns(_: &mut __n::Columns) {}

                fn read(
                    _: &mut __n::Decoder<'_>,
                    _: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    ::core::unreachable!()
                }
            }
        };
    }
}
