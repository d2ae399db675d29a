//! `#[derive(Node)]`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::codec::{self, Fields};
use super::{at, extras, rules, tokens};
use crate::model::{DefaultValue, NodeModel, RelationField, is_option, is_string};

/// Everything that a node struct gets.
pub(crate) fn node(model: &NodeModel) -> TokenStream {
    let ident = &model.ident;
    let schema = schema(model);
    let fields = fields(model);
    let schemas = schemas(model);
    let encode_key = codec::encode_key(&fields);
    let encode = codec::encode(&fields);
    let decode = codec::decode(&fields);
    let check = extras::check(&model.properties, &model.extras);
    let managed = extras::managed(&model.properties, &model.extras);
    let hooks = extras::node_hooks(&model.extras);
    let bind = model.relations.iter().enumerate().map(|(index, relation)| {
        let field = &relation.ident;
        // The last one takes it, and most nodes have one field.
        let origin = match index + 1 == model.relations.len() {
            true => quote!(origin),
            false => quote!(::core::clone::Clone::clone(&origin)),
        };
        quote_spanned! {at(relation.target.span())=>
            __n::RelationField::bind(&self.#field, #origin, &Self::SCHEMA.relations[#index]);
        }
    });
    let visit = model.relations.iter().enumerate().map(|(index, relation)| {
        let field = &relation.ident;
        quote_spanned! {at(relation.target.span())=>
            __n::RelationField::visit(&self.#field, self, &Self::SCHEMA.relations[#index], visitor);
        }
    });
    let load = model.relations.iter().enumerate().map(|(index, relation)| {
        let field = &relation.ident;
        quote_spanned! {at(relation.target.span())=>
            #index => __n::RelationField::load(&mut self.#field, plan, decoder, graph),
        }
    });
    let label_codec = label_codec(model);
    let inherent = inherent(model);
    let checks = model.relations.iter().filter_map(type_check);
    let rule_checks = rules::checks(&model.rules);
    let part = rules::schema_part(ident, "Node");
    quote! {
        #[automatically_derived]
        const _: () = {
            use ::neo_ogm::__private as __n;

            #schemas

            impl __n::Node for #ident {
                #schema
                #encode_key
                #encode
                #decode
                #label_codec
                #check
                #managed
                #hooks

                #[allow(unused_variables)]
                fn bind(&self, origin: __n::Origin) {
                    #(#bind)*
                }

                #[allow(unused_variables)]
                fn visit_relations<'v>(&'v self, visitor: &mut __n::Visitor<'v>) {
                    #(#visit)*
                }

                #[allow(unused_variables)]
                fn load_relation(
                    &mut self,
                    plan: &__n::LoadPlan,
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<(), __n::DecodeError> {
                    match plan.index {
                        #(#load)*
                        _ => decoder.skip(),
                    }
                }
            }

            impl __n::FromColumn for #ident {
                fn from_column(
                    decoder: &mut __n::Decoder<'_>,
                    graph: &__n::Graph,
                ) -> ::core::result::Result<Self, __n::DecodeError> {
                    __n::decode_node(decoder, graph)
                }
            }

            #inherent

            #part

            #(#checks)*
            #rule_checks
        };
    }
}

/// The fields that have to do with the property map.
fn fields(model: &NodeModel) -> Fields<'_> {
    Fields {
        properties: &model.properties,
        extras: &model.extras,
        defaulted: defaulted(model),
    }
}

/// The fields that the database has nothing for.
fn defaulted(model: &NodeModel) -> Vec<&Ident> {
    model
        .relations
        .iter()
        .map(|relation| &relation.ident)
        .chain(&model.skipped)
        .chain(model.optional_labels.iter().map(|label| &label.ident))
        .chain(&model.extras.element_id)
        .collect()
}

/// Optional labels, to and from their fields.
fn label_codec(model: &NodeModel) -> Option<TokenStream> {
    if model.optional_labels.is_empty() {
        return None;
    }
    let fields = model.optional_labels.iter().map(|label| &label.ident);
    let bits = 0..model.optional_labels.len();
    let (read, read_bits) = (fields.clone(), bits.clone());
    Some(quote! {
        fn optional_labels(&self) -> u64 {
            0 #(| (::core::primitive::u64::from(self.#fields) << #bits))*
        }

        fn set_optional_labels(&mut self, labels: u64) {
            #(self.#read = labels >> #read_bits & 1 == 1;)*
        }
    })
}

/// The constants that describe properties, constraints and indexes.
pub(super) fn schemas(model: &NodeModel) -> TokenStream {
    codec::schemas(&fields(model), &model.rules)
}

/// What the rest of a program names: `new`, tokens and finders.
pub(super) fn inherent(model: &NodeModel) -> TokenStream {
    let values = values(model);
    inherent_with(model, &quote!(Self { #values }))
}

/// The same for a struct with mistakes, of which some fields could not be read.
pub(super) fn broken_inherent(model: &NodeModel) -> TokenStream {
    inherent_with(model, &quote!(::core::unreachable!()))
}

fn inherent_with(model: &NodeModel, made: &TokenStream) -> TokenStream {
    let ident = &model.ident;
    let constructor = model.constructor.then(|| constructor(model, made));
    let fields = tokens::fields(&model.vis, &fields(model));
    let relations = tokens::relations(model);
    let labels = tokens::labels(model);
    let finders = tokens::finders(model);
    quote! {
        impl #ident {
            #constructor
            #fields
            #relations
            #labels
            #finders
        }
    }
}

fn schema(model: &NodeModel) -> TokenStream {
    let NodeModel {
        ident,
        label,
        labels,
        ..
    } = model;
    let optional_labels = model.optional_labels.iter().map(|of| {
        let (field, label) = (&of.field, &of.label);
        quote!(__n::OptionalLabel { field: #field, label: #label })
    });
    let type_name = ident.to_string();
    let relations = model.relations.iter().map(|relation| {
        let RelationField {
            field,
            cardinality,
            target,
            carried,
            ..
        } = relation;
        let direction = Ident::new(relation.direction, relation.ident.span());
        let relationship_type = match &relation.relationship_type {
            Some(text) => quote!(#text),
            None => quote!(<#carried as __n::Relationship>::SCHEMA.relationship_type),
        };
        let cardinality = Ident::new(&cardinality.to_string(), relation.ident.span());
        // Said at the type, so that a type that is no node is reported there.
        let target = quote_spanned!(at(target.span())=> || <#target as __n::Entity>::ENTITY);
        quote! {
            __n::RelationSchema {
                field: #field,
                relationship_type: #relationship_type,
                direction: __n::Direction::#direction,
                cardinality: __n::Cardinality::#cardinality,
                target: #target,
                relationship: <#carried as __n::Relationship>::SCHEMA,
            }
        }
    });
    quote! {
        const SCHEMA: &'static __n::NodeSchema = &__n::NodeSchema {
            type_name: #type_name,
            label: #label,
            labels: &[#(#labels),*],
            optional_labels: &[#(#optional_labels),*],
            properties: __PROPERTIES,
            rules: __RULES,
            relations: &[#(#relations),*],
            ..__n::NodeSchema::EMPTY
        };
    }
}

/// A field and its relationship struct that both name a type must name the same.
fn type_check(relation: &RelationField) -> Option<TokenStream> {
    let (text, carried) = (relation.relationship_type.as_ref()?, &relation.carried);
    let message = format!(
        "the relationship field `{}` and its relationship struct name different types; leave \
         `type` out on the field",
        relation.field
    );
    Some(quote_spanned! {at(text.span())=>
        const _: () = ::core::assert!(
            <#carried as __n::Relationship>::SCHEMA.relationship_type.is_empty()
                || __n::same_text(
                    <#carried as __n::Relationship>::SCHEMA.relationship_type,
                    #text,
                ),
            #message
        );
    })
}

/// `new`, which takes what must be given.
/// What `new` gives each field.
fn values(model: &NodeModel) -> TokenStream {
    let values = model.properties.iter().map(|property| {
        let (ident, ty) = (&property.ident, &property.ty);
        let value = match &property.default {
            _ if property.generated => quote!(__n::uuid_v7()),
            Some(DefaultValue::Expr(expr)) => quote!(#expr),
            Some(DefaultValue::Trait) => quote!(::core::default::Default::default()),
            None if property.is_optional() => quote!(::core::default::Default::default()),
            None if is_string(ty) => quote!(#ident.into()),
            None => quote!(#ident),
        };
        quote!(#ident: #value,)
    });
    let flattened = model.extras.flattened.iter();
    let (given, absent): (Vec<_>, Vec<_>) = flattened.partition(|field| !is_option(&field.ty));
    let given = given.iter().map(|field| &field.ident);
    let absent = absent.iter().map(|field| &field.ident);
    let absent = absent.chain(&model.extras.unmapped);
    let defaulted = defaulted(model);
    quote! {
        #(#values)*
        #(#given,)*
        #(#absent: ::core::default::Default::default(),)*
        #(#defaulted: ::core::default::Default::default(),)*
    }
}

fn constructor(model: &NodeModel, made: &TokenStream) -> TokenStream {
    let vis = &model.vis;
    let given = model.properties.iter();
    let given = given.filter(|property| !property.is_optional());
    let parameters = given.map(|property| {
        let (ident, ty) = (&property.ident, &property.ty);
        if is_string(ty) {
            quote!(#ident: impl ::core::convert::Into<#ty>)
        } else {
            quote!(#ident: #ty)
        }
    });
    let flattened = model.extras.flattened.iter();
    let flattened = flattened
        .filter(|field| !is_option(&field.ty))
        .map(|field| {
            let (ident, ty) = (&field.ident, &field.ty);
            quote!(#ident: #ty)
        });
    let parameters = parameters.chain(flattened);
    let doc = format!(
        "A new `{}`, in memory only; `save` brings it into the database.",
        model.ident
    );
    quote! {
        #[doc = #doc]
        #[allow(dead_code, clippy::too_many_arguments, clippy::new_without_default)]
        #[must_use]
        #vis fn new(#(#parameters),*) -> Self {
            #made
        }
    }
}
