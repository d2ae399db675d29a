//! Reading and writing property maps.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Ident;

use crate::model::{DefaultValue, PropertyField};

/// `encode_key` and `encode_properties`.
pub(super) fn encode(properties: &[PropertyField]) -> TokenStream {
    let keys = properties
        .iter()
        .filter(|property| property.key)
        .enumerate();
    let keys = keys.map(|(index, property)| {
        let ident = &property.ident;
        quote!(#index => __n::ToBolt::to_bolt(&self.#ident, encoder),)
    });
    let others: Vec<_> = properties.iter().filter(|property| !property.key).collect();
    let count = others.len();
    let others = others.iter().map(|property| {
        let (ident, name) = (&property.ident, &property.name);
        quote! {
            encoder.string(#name)?;
            __n::ToBolt::to_bolt(&self.#ident, encoder)?;
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
        quote! {
            #bytes => {
                #slot = ::core::option::Option::Some(
                    __n::FromBolt::from_bolt(decoder)
                        .map_err(|error: __n::DecodeError| error.within(#name))?,
                );
            }
        }
    });
    let take = properties.iter().zip(&slots).map(|(property, slot)| {
        let (ident, name) = (&property.ident, &property.name);
        let missing = match &property.default {
            Some(DefaultValue::Trait) => quote!(::core::default::Default::default()),
            Some(DefaultValue::Expr(expr)) => quote!(#expr),
            None if property.is_list() => quote!(::std::vec::Vec::new()),
            None => quote! {
                __n::FromBolt::from_missing()
                    .map_err(|error: __n::DecodeError| error.within(#name))?
            },
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
        quote! {
            __n::PropertySchema {
                field: #field,
                name: #name,
                key: #key,
                unique: #unique,
                index: #index,
            }
        }
    });
    quote!(&[#(#schemas),*])
}
