//! `#[derive(Nodes)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::at;
use crate::model::NodesModel;

/// Everything that an enum of nodes gets.
pub(crate) fn nodes(model: &NodesModel) -> TokenStream {
    let NodesModel {
        ident,
        vis,
        label,
        variants,
    } = model;
    let type_name = ident.to_string();
    let shared = label.as_deref().unwrap_or_default();
    // Said at the type, so that a type that is no node is reported there.
    let schemas = variants.iter().map(|variant| {
        let ty = &variant.ty;
        quote_spanned!(at(ty.span())=> || <#ty as __n::Node>::SCHEMA)
    });
    let read = variants.iter().enumerate().map(|(index, variant)| {
        let (name, ty) = (&variant.ident, &variant.ty);
        quote_spanned!(at(ty.span())=> #index => __n::decode_node::<#ty>(decoder, graph).map(Self::#name),)
    });
    let key = variants.iter().map(|variant| {
        let name = &variant.ident;
        quote!(Self::#name(node) => __n::KeyOf::new(node),)
    });
    let own_schema = variants.iter().map(|variant| {
        let (name, ty) = (&variant.ident, &variant.ty);
        quote!(Self::#name(_) => <#ty as __n::Node>::SCHEMA,)
    });
    let own_key = variants.iter().map(|variant| {
        let name = &variant.ident;
        quote!(Self::#name(node) => __n::Node::encode_key(node, index, encoder),)
    });
    let visit = variants.iter().map(|variant| {
        let name = &variant.ident;
        quote!(Self::#name(node) => visitor.node(node),)
    });
    let load = variants.iter().map(|variant| {
        let name = &variant.ident;
        quote!(Self::#name(node) => __n::load_of_variant(node, plan, decoder, graph),)
    });
    let tokens = variants.iter().map(|variant| {
        let ty = &variant.ty;
        let token = Ident::new(&variant.token, variant.ident.span());
        let doc = format!(
            "Names the variant `{}` in filters and loads.",
            variant.ident
        );
        quote! {
            #[doc = #doc]
            #[allow(dead_code)]
            #vis const #token: __n::Variant<Self, #ty> = __n::Variant::new();
        }
    });
    let from = variants.iter().map(|variant| {
        let (name, ty) = (&variant.ident, &variant.ty);
        quote! {
            impl ::core::convert::From<#ty> for #ident {
                fn from(node: #ty) -> Self {
                    Self::#name(node)
                }
            }
        }
    });
    let types = variants.iter().map(|variant| &variant.ty);
    let labels = variants.iter().map(|variant| {
        let ty = &variant.ty;
        quote!(<#ty as __n::Node>::SCHEMA)
    });
    let check = if label.is_some() {
        quote! {
            const _: () = ::core::assert!(
                __n::share_label(&[#(#labels),*], #shared),
                "a variant of this enum lacks its label: give each struct `#[node(labels(…))]` \
                 with the label of the enum, or leave `#[nodes(label = …)]` out",
            );
        }
    } else {
        quote! {
            const _: () = ::core::assert!(
                __n::distinct_labels(&[#(#labels),*]),
                "two variants of this enum have the same label, so a node could be either",
            );
        }
    };
    quote! {
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            impl __n::Entity for #ident {
                const ENTITY: &'static __n::NodeSchema = &__n::NodeSchema {
                    type_name: #type_name,
                    label: #shared,
                    variants: &[#(#schemas),*],
                    ..__n::NodeSchema::EMPTY
                };

                fn decode(
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    match __n::variant_of(Self::ENTITY, decoder, graph)? {
                        #(#read)*
                        _ => ::core::unreachable!(),
                    }
                }

                fn key(&self) -> ::core::result::Result<__n::KeyOf, __n::EncodeError> {
                    match self { #(#key)* }
                }

                fn own_schema(&self) -> &'static __n::NodeSchema {
                    match self { #(#own_schema)* }
                }

                fn encode_own_key(
                    &self,
                    index: usize,
                    encoder: &mut __n::Encoder<'_>,
                ) -> ::core::result::Result<(), __n::EncodeError> {
                    match self { #(#own_key)* }
                }

                fn visit<'v>(&'v self, visitor: &mut __n::Visitor<'v>) {
                    match self { #(#visit)* }
                }

                fn load_related(
                    &mut self,
                    plan: &__n::LoadPlan,
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<(), __n::DecodeError> {
                    match self { #(#load)* }
                }
            }

            impl __n::FromColumn for #ident {
                fn from_column(
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    <Self as __n::Entity>::decode(decoder, graph)
                }
            }

            impl #ident {
                #(#tokens)*

                /// Finds nodes of any of the variants; without a filter, all of them.
                #[allow(dead_code)]
                #vis fn find() -> __n::Find<Self> {
                    __n::Find::new()
                }
            }

            impl __n::SchemaSet for #ident {
                fn parts() -> ::std::vec::Vec<__n::Part> {
                    <(#(#types,)*) as __n::SchemaSet>::parts()
                }
            }

            #(#from)*
            #check
        };
    }
}
