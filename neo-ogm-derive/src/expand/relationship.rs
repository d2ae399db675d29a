//! `#[relationship]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use super::codec::{self, Fields};
use super::{extras, rules, tokens};
use crate::model::{DefaultValue, RelationshipModel, is_option};

/// The struct without the attributes of its fields, and everything that it gets.
pub(crate) fn relationship(model: &RelationshipModel, input: &DeriveInput) -> TokenStream {
    let RelationshipModel {
        ident,
        relationship_type,
        ..
    } = model;
    let item = stripped(input);
    let type_name = ident.to_string();
    let fields = Fields {
        properties: &model.properties,
        extras: &model.extras,
        defaulted: model
            .skipped
            .iter()
            .chain(&model.extras.element_id)
            .collect(),
    };
    let schemas = codec::schemas(&fields, &model.rules);
    let encode_key = codec::encode_key(&fields);
    let encode = codec::encode(&fields);
    let decode = codec::decode(&fields);
    let check = extras::check(&model.properties, &model.extras);
    let managed = extras::managed(&model.properties, &model.extras);
    let identified = model.extras.element_id.is_some();
    let hooks = extras::relationship_hooks(&model.extras);
    let tokens = tokens::fields(&model.vis, &fields);
    let defaults = defaults(model);
    let rule_checks = rules::checks(&model.rules);
    let part = rules::schema_part(ident, "Relationship");
    quote! {
        #item

        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            #schemas

            impl __n::Relationship for #ident {
                const SCHEMA: &'static __n::RelationshipSchema = &__n::RelationshipSchema {
                    type_name: #type_name,
                    relationship_type: #relationship_type,
                    properties: __PROPERTIES,
                    rules: __RULES,
                    identified: #identified,
                };
                #encode_key
                #encode
                #decode
                #check
                #managed
                #hooks
            }

            impl __n::FromColumn for #ident {
                fn from_column(
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    __n::decode_relationship(decoder, graph)
                }
            }

            impl #ident {
                #tokens
            }

            #part

            #defaults
            #rule_checks
        };
    }
}

/// What a connect without properties takes, where every field has something to stand in.
fn defaults(model: &RelationshipModel) -> Option<TokenStream> {
    if model
        .properties
        .iter()
        .any(|property| !property.is_optional() || property.key)
        || model
            .extras
            .flattened
            .iter()
            .any(|field| !is_option(&field.ty))
    {
        return None;
    }
    let ident = &model.ident;
    let values = model.properties.iter().map(|property| {
        let ident = &property.ident;
        match &property.default {
            Some(DefaultValue::Expr(expr)) => quote!(#ident: #expr,),
            _ => quote!(#ident: ::core::default::Default::default(),),
        }
    });
    let skipped = model.skipped.iter().chain(&model.extras.element_id);
    let flattened = model.extras.flattened.iter().map(|field| &field.ident);
    Some(quote! {
        impl __n::DefaultProperties for #ident {
            fn default_properties() -> Self {
                Self {
                    #(#values)*
                    #(#flattened: ::core::option::Option::None,)*
                    #(#skipped: ::core::default::Default::default(),)*
                }
            }
        }
    })
}

/// The struct as the compiler is to see it.
pub(super) fn stripped(input: &DeriveInput) -> DeriveInput {
    let mut item = input.clone();
    if let Data::Struct(data) = &mut item.data {
        for field in &mut data.fields {
            field
                .attrs
                .retain(|attribute| !attribute.path().is_ident("relationship"));
        }
    }
    item
}
