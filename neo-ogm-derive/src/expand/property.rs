//! `#[derive(Property)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;

use crate::model::{PropertyModel, Variant};

/// Everything that a property type gets.
pub(crate) fn property(model: &PropertyModel) -> TokenStream {
    let range = match model {
        PropertyModel::Newtype { inner, .. } => quote!(<#inner as __n::Property>::RANGE),
        _ => quote!(::core::option::Option::None),
    };
    let (ident, kind, cypher_type, write, read) = match model {
        PropertyModel::Newtype { ident, inner } => (
            ident,
            quote!(<#inner as __n::Property>::Kind),
            quote!(<#inner as __n::Property>::CYPHER_TYPE),
            quote!(__n::ToBolt::to_bolt(&self.0, encoder)),
            quote!(<#inner as __n::FromBolt<'de>>::from_bolt(decoder).map(Self)),
        ),
        PropertyModel::Text { ident, variants } => (
            ident,
            quote!(__n::kind::Plain),
            quote!(__n::CypherType::String),
            write_text(variants),
            read_text(ident, variants),
        ),
        PropertyModel::Integer { ident, variants } => {
            let numbers = numbers(variants);
            let (write, read) = (write_number(&numbers), read_number(ident, &numbers));
            (
                ident,
                quote!(__n::kind::Integer),
                quote!(__n::CypherType::Integer),
                write,
                read,
            )
        }
    };
    quote! {
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            impl __n::ToBolt for #ident {
                fn to_bolt(
                    &self,
                    encoder: &mut __n::Encoder<'_>,
                ) -> ::core::result::Result<(), __n::EncodeError> {
                    #write
                }
            }

            impl<'de> __n::FromBolt<'de> for #ident {
                fn from_bolt(
                    decoder: &mut __n::Decoder<'de>,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    #read
                }
            }

            impl __n::Property for #ident {
                type Plain = Self;
                type Kind = #kind;
                const CYPHER_TYPE: __n::CypherType = #cypher_type;
                type As<U: __n::Property> = U;
                const RANGE: ::core::option::Option<(i64, i64)> = #range;
            }

            impl __n::FromColumn for #ident {
                fn from_column(
                    decoder: &mut __n::Decoder<'_>,
                    _: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    <Self as __n::FromBolt<'_>>::from_bolt(decoder)
                }
            }
        };
    }
}

fn write_text(variants: &[Variant]) -> TokenStream {
    let arms = variants
        .iter()
        .map(|Variant { ident, name, .. }| quote!(Self::#ident => #name,));
    quote! {
        encoder.string(match self { #(#arms)* })
    }
}

fn read_text(ident: &Ident, variants: &[Variant]) -> TokenStream {
    let arms = variants.iter().map(
        |Variant { ident, name, .. }| quote!(#name => ::core::result::Result::Ok(Self::#ident),),
    );
    let names: Vec<_> = variants
        .iter()
        .map(|variant| format!("{:?}", variant.name))
        .collect();
    let expected = format!(
        "is no variant of {ident}; expected one of {}",
        names.join(", ")
    );
    quote! {
        match decoder.string()? {
            #(#arms)*
            other => ::core::result::Result::Err(__n::DecodeError::custom(
                ::core::format_args!("{other:?} {}", #expected),
            )),
        }
    }
}

/// Each variant with a constant of its number: given, or one more than the one before.
fn numbers(variants: &[Variant]) -> Vec<(&Ident, TokenStream)> {
    let mut numbers = Vec::new();
    let (mut base, mut offset) = (quote!(0_i64), 0_i64);
    for variant in variants {
        if let Some(given) = &variant.discriminant {
            (base, offset) = (quote!((#given) as i64), 0);
        }
        numbers.push((&variant.ident, quote!(#base + #offset)));
        offset += 1;
    }
    numbers
}

fn write_number(numbers: &[(&Ident, TokenStream)]) -> TokenStream {
    let arms = numbers
        .iter()
        .map(|(ident, number)| quote!(Self::#ident => #number,));
    quote! {
        encoder.integer(match self { #(#arms)* });
        ::core::result::Result::Ok(())
    }
}

fn read_number(ident: &Ident, numbers: &[(&Ident, TokenStream)]) -> TokenStream {
    let arms = numbers.iter().map(|(ident, number)| {
        quote!(if number == #number { return ::core::result::Result::Ok(Self::#ident); })
    });
    let expected = format!("is the number of no variant of {ident}");
    quote! {
        let number = decoder.integer()?;
        #(#arms)*
        ::core::result::Result::Err(__n::DecodeError::custom(
            ::core::format_args!("{number} {}", #expected),
        ))
    }
}
