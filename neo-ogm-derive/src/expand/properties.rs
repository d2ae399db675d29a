//! `#[derive(Properties)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::codec::{self, Fields};
use super::{at, extras, rules, tokens};
use crate::model::PropertiesModel;

/// Everything that a flattened struct gets.
pub(crate) fn properties(model: &PropertiesModel) -> TokenStream {
    let ident = &model.ident;
    let fields = Fields {
        properties: &model.properties,
        extras: &model.extras,
        defaulted: model.skipped.iter().collect(),
    };
    let schemas = codec::schemas(&fields, &model.rules);
    let rule_checks = rules::checks(&model.rules);
    let (slots, methods) = codec::decode_parts(&fields);
    let check = extras::check(&model.properties, &model.extras);
    let tokens = tokens::fields(&model.vis, &fields);
    let own = model.properties.iter().enumerate();
    let own = own
        .filter(|(_, property)| property.is_written())
        .map(|(index, property)| {
            let (ident, ty) = (&property.ident, &property.ty);
            let write = if property.json {
                quote_spanned!(at(ty.span())=> __n::encode_json::<#ty>(&self.#ident, encoder))
            } else {
                quote_spanned!(at(ty.span())=> __n::encode_property::<#ty>(&self.#ident, encoder))
            };
            quote! {
                encoder.string(names[#index].name)?;
                #write?;
            }
        });
    let count = model.properties.len();
    let flattened = model.extras.flattened.iter().map(|field| {
        let (ident, ty) = (&field.ident, &field.ty);
        quote! {
            let (part, rest) = rest.split_at(<#ty as __n::Properties>::PROPERTIES.len());
            __n::Properties::encode(&self.#ident, part, encoder)?;
        }
    });
    quote! {
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            #schemas

            #slots

            impl __n::Properties for #ident {
                type Plain = Self;
                const PROPERTIES: &'static [__n::PropertySchema] = __PROPERTIES;
                const RULES: &'static [__n::RuleSchema] = __RULES;
                #methods

                #[allow(unused_variables)]
                fn encode(
                    &self,
                    names: &[__n::PropertySchema],
                    encoder: &mut __n::Encoder<'_>,
                ) -> ::core::result::Result<(), __n::EncodeError> {
                    #(#own)*
                    let rest = &names[#count..];
                    #(#flattened)*
                    ::core::result::Result::Ok(())
                }

                #check
            }

            impl #ident {
                #tokens
            }

            #rule_checks
        };
    }
}
