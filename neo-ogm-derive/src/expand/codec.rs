//! Reading and writing property maps.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::at;
use crate::model::{DefaultValue, PropertyField};

/// `encode_key` and `encode_properties`.
pub(super) fn encode(properties: &[PropertyField]) -> TokenStream {
    let keys = properties
        .iter()
        .filter(|property| property.key)
        .enumerate();
    let keys = keys.map(|(index, property)| {
        let ident = &property.ident;
        let ty = &property.ty;
        // Said at the type, here and below, so that a type that is no property is reported there.
        let write =
            quote_spanned!(at(ty.span())=> __n::encode_property::<#ty>(&self.#ident, encoder));
        quote!(#index => #write,)
    });
    let others: Vec<_> = properties.iter().filter(|property| !property.key).collect();
    let count = others.len();
    let others = others.iter().map(|property| {
        let (ident, name, ty) = (&property.ident, &property.name, &property.ty);
        let write =
            quote_spanned!(at(ty.span())=> __n::encode_property::<#ty>(&self.#ident, encoder));
        quote! {
            encoder.string(#name)?;
            #write?;
        }
    });
    quote! {
        fn encode_key(
            &self,
            index: usize,
            encoder: &mut __n::Encoder<'_>,
        ) -> ::core::result::Result<(), __n::EncodeError> {
            match index {
                #(#keys)*
                _ => ::core::result::Result::Ok(()),
            }
        }

        fn encode_properties(
            &self,
            encoder: &mut __n::Encoder<'_>,
        ) -> ::core::result::Result<(), __n::EncodeError> {
            encoder.map(#count)?;
            #(#others)*
            ::core::result::Result::Ok(())
        }
    }
}

/// `decode_properties`: one pass over the map, whatever the order of its entries.
pub(super) fn decode(properties: &[PropertyField], defaulted: &[&Ident]) -> TokenStream {
    let slots: Vec<_> = (0..properties.len())
        .map(|index| format_ident!("slot_{index}"))
        .collect();
    let declare = properties.iter().zip(&slots).map(|(property, slot)| {
        let ty = &property.ty;
        quote!(let mut #slot: ::core::option::Option<#ty> = ::core::option::Option::None;)
    });
    let arms = properties.iter().zip(&slots).map(|(property, slot)| {
        let name = &property.name;
        let bytes = syn::LitByteStr::new(name.as_bytes(), property.ident.span());
        let ty = &property.ty;
        let read = quote_spanned!(at(ty.span())=> __n::decode_property::<#ty>(decoder, #name));
        quote!(#bytes => #slot = ::core::option::Option::Some(#read?),)
    });
    let take = properties.iter().zip(&slots).map(|(property, slot)| {
        let (ident, name) = (&property.ident, &property.name);
        let missing = match &property.default {
            Some(DefaultValue::Trait) => quote!(::core::default::Default::default()),
            Some(DefaultValue::Expr(expr)) => quote!(#expr),
            None if property.is_list() => quote!(::std::vec::Vec::new()),
            None => {
                let ty = &property.ty;
                let missing = quote_spanned!(at(ty.span())=> __n::missing_property::<#ty>(#name));
                quote!(#missing?)
            }
        };
        quote! {
            #ident: match #slot {
                ::core::option::Option::Some(value) => value,
                ::core::option::Option::None => #missing,
            },
        }
    });
    quote! {
        fn decode_properties(
            decoder: &mut __n::Decoder<'_>,
        ) -> ::core::result::Result<Self, __n::DecodeError> {
            #(#declare)*
            for _ in 0..decoder.map()? {
                match decoder.text_bytes()? {
                    #(#arms)*
                    _ => decoder.skip()?,
                }
            }
            ::core::result::Result::Ok(Self {
                #(#take)*
                #(#defaulted: ::core::default::Default::default(),)*
            })
        }
    }
}

/// The constants that describe properties.
pub(super) fn schemas(properties: &[PropertyField]) -> TokenStream {
    let schemas = properties.iter().map(|property| {
        let PropertyField {
            field,
            name,
            key,
            unique,
            index,
            ..
        } = property;
        let flags = [("key", key), ("unique", unique), ("index", index)];
        let flags = flags.iter().filter(|(_, set)| **set).map(|(name, _)| {
            let name = Ident::new(name, proc_macro2::Span::call_site());
            quote!(#name: true,)
        });
        quote! {
            __n::PropertySchema {
                field: #field,
                name: #name,
                #(#flags)*
                ..__n::PropertySchema::PLAIN
            }
        }
    });
    quote!(&[#(#schemas),*])
}
