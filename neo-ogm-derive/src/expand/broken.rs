//! What is written when there were mistakes: their messages, and just enough of the traits that
//! the rest of the program does not complain about the same mistake once more.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

use super::relationship::stripped;
use crate::model::BrokenNode;

/// The methods that both traits have; they can't be called, since nothing compiles.
fn codec() -> TokenStream {
    quote! {
        fn encode_key(
            &self,
            _: usize,
            _: &mut __n::Encoder<'_>,
        ) -> ::core::result::Result<(), __n::EncodeError> {
            ::core::unreachable!()
        }
        fn encode_properties(
            &self,
            _: &mut __n::Encoder<'_>,
        ) -> ::core::result::Result<(), __n::EncodeError> {
            ::core::unreachable!()
        }
        fn decode_properties(
            _: &mut __n::Decoder<'_>,
        ) -> ::core::result::Result<Self, __n::DecodeError> {
            ::core::unreachable!()
        }
    }
}

fn from_column(input: &DeriveInput) -> TokenStream {
    let ident = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        impl #impl_generics __n::FromColumn for #ident #ty_generics #where_clause {
            fn from_column(
                _: &mut __n::Decoder<'_>,
                _: &__n::Graph,
            ) -> ::core::result::Result<Self, __n::DecodeError> {
                ::core::unreachable!()
            }
        }
    }
}

/// A node struct with mistakes.
pub(crate) fn broken_node(input: &DeriveInput, broken: &BrokenNode) -> TokenStream {
    let messages = broken.error.to_compile_error();
    if !input.generics.params.is_empty() {
        // The trait wants `'static`, which a lifetime would not be.
        return messages;
    }
    let (ident, codec, from_column) = (&input.ident, codec(), from_column(input));
    let part = super::rules::schema_part(ident, "Node");
    let schemas = broken.model.as_deref().map(super::node::schemas);
    let inherent = broken.model.as_deref().map(super::node::broken_inherent);
    quote! {
        #messages
        #[automatically_derived]
        #[allow(unused_variables)]
        const _: () = {
            use ::neo_ogm::__private as __n;
            #schemas
            #inherent
            impl __n::Node for #ident {
                const SCHEMA: &'static __n::NodeSchema = &__n::NodeSchema::EMPTY;
                #codec
                fn bind(&self, _: __n::Origin) {}
                fn load_relation(
                    &mut self,
                    _: &__n::LoadPlan,
                    _: &mut __n::Decoder<'_>,
                    _: &__n::Graph,
                ) -> ::core::result::Result<(), __n::DecodeError> {
                    ::core::unreachable!()
                }
            }
            #from_column
            #part
        };
    }
}

/// An enum of nodes with mistakes.
pub(crate) fn broken_nodes(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let messages = error.to_compile_error();
    if !input.generics.params.is_empty() {
        return messages;
    }
    let (ident, vis, from_column) = (&input.ident, &input.vis, from_column(input));
    quote! {
        #messages
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;
            impl #ident {
                #[allow(dead_code)]
                #vis fn find() -> __n::Find<Self> {
                    ::core::unreachable!()
                }
            }
            impl __n::Entity for #ident {
                const ENTITY: &'static __n::NodeSchema = &__n::NodeSchema::EMPTY;
                fn decode(
                    _: &mut __n::Decoder<'_>,
                    _: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    ::core::unreachable!()
                }
                fn key(&self) -> ::core::result::Result<__n::KeyOf, __n::EncodeError> {
                    ::core::unreachable!()
                }
                fn own_schema(&self) -> &'static __n::NodeSchema {
                    Self::ENTITY
                }
                fn encode_own_key(
                    &self,
                    _: usize,
                    _: &mut __n::Encoder<'_>,
                ) -> ::core::result::Result<(), __n::EncodeError> {
                    ::core::unreachable!()
                }
                fn visit<'v>(&'v self, _: &mut __n::Visitor<'v>) {}
                fn load_related(
                    &mut self,
                    _: &__n::LoadPlan,
                    _: &mut __n::Decoder<'_>,
                    _: &__n::Graph,
                ) -> ::core::result::Result<(), __n::DecodeError> {
                    ::core::unreachable!()
                }
            }
            #from_column
        };
    }
}

/// A relationship struct with mistakes.
pub(crate) fn broken_relationship(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let messages = error.to_compile_error();
    let item = stripped(input);
    if !input.generics.params.is_empty() {
        return quote!(#item #messages);
    }
    let (ident, codec, from_column) = (&input.ident, codec(), from_column(input));
    let part = super::rules::schema_part(ident, "Relationship");
    quote! {
        #item
        #messages
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;
            impl __n::Relationship for #ident {
                const SCHEMA: &'static __n::RelationshipSchema = &__n::RelationshipSchema {
                    type_name: "",
                    relationship_type: "",
                    properties: &[],
                    rules: &[],
                    identified: false,
                };
                #codec
            }
            #from_column
            #part
        };
    }
}

/// A flattened struct with mistakes.
pub(crate) fn broken_properties(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let messages = error.to_compile_error();
    if !input.generics.params.is_empty() {
        return messages;
    }
    let ident = &input.ident;
    quote! {
        #messages
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;
            impl __n::Properties for #ident {
                type Plain = Self;
                type Slots = ();
                const PROPERTIES: &'static [__n::PropertySchema] = &[];
                fn encode(
                    &self,
                    _: &[__n::PropertySchema],
                    _: &mut __n::Encoder<'_>,
                ) -> ::core::result::Result<(), __n::EncodeError> {
                    ::core::unreachable!()
                }
                fn read(
                    _: &mut (),
                    _: &[u8],
                    _: &mut __n::Decoder<'_>,
                ) -> ::core::result::Result<bool, __n::DecodeError> {
                    ::core::unreachable!()
                }
                fn finish(_: ()) -> ::core::result::Result<Self, __n::DecodeError> {
                    ::core::unreachable!()
                }
            }
        };
    }
}

/// A property type with mistakes.
pub(crate) fn broken_property(input: &DeriveInput, error: &syn::Error) -> TokenStream {
    let messages = error.to_compile_error();
    if !input.generics.params.is_empty() {
        return messages;
    }
    let (ident, from_column) = (&input.ident, from_column(input));
    quote! {
        #messages
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;
            impl __n::ToBolt for #ident {
                fn to_bolt(
                    &self,
                    _: &mut __n::Encoder<'_>,
                ) -> ::core::result::Result<(), __n::EncodeError> {
                    ::core::unreachable!()
                }
            }
            impl<'de> __n::FromBolt<'de> for #ident {
                fn from_bolt(
                    _: &mut __n::Decoder<'de>,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    ::core::unreachable!()
                }
            }
            impl __n::Property for #ident {
                type Plain = Self;
                type Kind = __n::kind::Plain;
                type As<U: __n::Property> = U;
            }
            #from_column
        };
    }
}
