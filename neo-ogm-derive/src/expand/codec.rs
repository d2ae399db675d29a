//! Reading and writing property maps.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned as _;

use super::at;
use crate::model::{DefaultValue, Extras, FlattenField, PropertyField, Role, Rule};

/// The fields of a struct, as far as they have to do with its property map.
pub(super) struct Fields<'m> {
    pub(super) properties: &'m [PropertyField],
    pub(super) extras: &'m Extras,
    /// Those that the database has nothing for.
    pub(super) defaulted: Vec<&'m Ident>,
}

/// Writes one value. It is said at the type, here and below, so that a type that is no property is
/// reported there.
fn write(property: &PropertyField) -> TokenStream {
    let (ident, ty) = (&property.ident, &property.ty);
    if property.json {
        quote_spanned!(at(ty.span())=> __n::encode_json::<#ty>(&self.#ident, encoder))
    } else {
        quote_spanned!(at(ty.span())=> __n::encode_property::<#ty>(&self.#ident, encoder))
    }
}

/// `encode_key`.
pub(super) fn encode_key(fields: &Fields<'_>) -> TokenStream {
    let keys = fields.properties.iter().filter(|property| property.key);
    let keys = keys.enumerate().map(|(index, property)| {
        let write = write(property);
        quote!(#index => #write,)
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
    }
}

/// `encode_properties`.
pub(super) fn encode(fields: &Fields<'_>) -> TokenStream {
    let written: Vec<_> = fields
        .properties
        .iter()
        .filter(|p| p.is_written())
        .collect();
    let count = written.len();
    let own = written.into_iter().map(|property| {
        let (name, write) = (&property.name, write(property));
        quote! {
            encoder.string(#name)?;
            #write?;
        }
    });
    let flattened = fields.extras.flattened.iter();
    let more = flattened.clone().map(|field| {
        let ty = &field.ty;
        quote!(+ const { __n::written(<#ty as __n::Properties>::PROPERTIES) })
    });
    let parts = flattened.enumerate().map(|(index, field)| {
        let (ident, ty, part) = (&field.ident, &field.ty, part(fields, index));
        quote_spanned! {at(ty.span())=>
            __n::Properties::encode(&self.#ident, const { #part }, encoder)?;
        }
    });
    let (unmapped_count, unmapped) = match &fields.extras.unmapped {
        Some(ident) => (
            quote!(+ __n::unmapped_count(&self.#ident, <Self as __n::Node>::SCHEMA)),
            quote! {
                __n::encode_unmapped(&self.#ident, <Self as __n::Node>::SCHEMA, encoder)?;
            },
        ),
        None => (TokenStream::new(), TokenStream::new()),
    };
    quote! {
        fn encode_properties(
            &self,
            encoder: &mut __n::Encoder<'_>,
        ) -> ::core::result::Result<(), __n::EncodeError> {
            encoder.map(#count #(#more)* #unmapped_count)?;
            #(#own)*
            #(#parts)*
            #unmapped
            ::core::result::Result::Ok(())
        }
    }
}

/// The properties of a flattened field, by the names that they have in this struct.
fn part(fields: &Fields<'_>, index: usize) -> TokenStream {
    let own = fields.properties.len();
    let before = fields.extras.flattened[..index].iter().map(|field| {
        let ty = &field.ty;
        quote!(+ <#ty as __n::Properties>::PROPERTIES.len())
    });
    let ty = &fields.extras.flattened[index].ty;
    quote! {
        __n::part_of(__PROPERTIES, #own #(#before)*, <#ty as __n::Properties>::PROPERTIES.len())
    }
}

/// The token of a flattened field's contents.
pub(super) fn flattened_token(fields: &Fields<'_>, index: usize) -> TokenStream {
    let part = part(fields, index);
    quote!(__n::Flattened::new(#part))
}

fn slots(properties: &[PropertyField]) -> Vec<Ident> {
    let indexes = 0..properties.len();
    indexes.map(|index| format_ident!("slot_{index}")).collect()
}

/// Reads one value.
fn read(property: &PropertyField) -> TokenStream {
    let (name, ty) = (&property.name, &property.ty);
    if property.json {
        quote_spanned!(at(ty.span())=> __n::decode_json::<#ty>(decoder, #name))
    } else {
        quote_spanned!(at(ty.span())=> __n::decode_property::<#ty>(decoder, #name))
    }
}

/// What stands for a property that is not there.
fn missing(property: &PropertyField) -> TokenStream {
    match &property.default {
        Some(DefaultValue::Trait) => quote!(::core::default::Default::default()),
        Some(DefaultValue::Expr(expr)) => quote!(#expr),
        None if property.is_list() => quote!(::core::default::Default::default()),
        None => {
            let (name, ty) = (&property.name, &property.ty);
            let missing = if property.json {
                quote_spanned!(at(ty.span())=> __n::missing_json::<#ty>(#name))
            } else {
                quote_spanned!(at(ty.span())=> __n::missing_property::<#ty>(#name))
            };
            quote!(#missing?)
        }
    }
}

/// `decode_properties`: one pass over the map, whatever the order of its entries.
pub(super) fn decode(fields: &Fields<'_>) -> TokenStream {
    let Fields {
        properties,
        extras,
        defaulted,
    } = fields;
    let slots = slots(properties);
    let declare = properties.iter().zip(&slots).map(|(property, slot)| {
        let ty = &property.ty;
        quote!(let mut #slot: ::core::option::Option<#ty> = ::core::option::Option::None;)
    });
    let arms = properties.iter().zip(&slots).map(|(property, slot)| {
        let bytes = syn::LitByteStr::new(property.name.as_bytes(), property.ident.span());
        let read = read(property);
        quote!(#bytes => #slot = ::core::option::Option::Some(#read?),)
    });
    let take = properties.iter().zip(&slots).map(|(property, slot)| {
        let (ident, missing) = (&property.ident, missing(property));
        quote! {
            #ident: match #slot {
                ::core::option::Option::Some(value) => value,
                ::core::option::Option::None => #missing,
            },
        }
    });
    let unmapped = extras.unmapped.iter();
    let keep = match &extras.unmapped {
        Some(ident) => quote!(__n::decode_unmapped(&mut #ident, name, decoder)?),
        None => quote!(decoder.skip()?),
    };
    let declare_unmapped = unmapped
        .clone()
        .map(|ident| quote!(let mut #ident = ::core::default::Default::default();));
    let (declare_flat, read_flat, take_flat) = decode_flattened(&extras.flattened);
    // Where nothing looks at the name, it is not given one.
    let other = if extras.flattened.is_empty() && extras.unmapped.is_none() {
        quote!(_ => #keep,)
    } else {
        quote!(name => { #read_flat #keep })
    };
    quote! {
        fn decode_properties(
            decoder: &mut __n::Decoder<'_>,
        ) -> ::core::result::Result<Self, __n::DecodeError> {
            #(#declare)*
            #declare_flat
            #(#declare_unmapped)*
            for _ in 0..decoder.map()? {
                match decoder.text_bytes()? {
                    #(#arms)*
                    #other
                }
            }
            ::core::result::Result::Ok(Self {
                #(#take)*
                #take_flat
                #(#unmapped,)*
                #(#defaulted: ::core::default::Default::default(),)*
            })
        }
    }
}

/// What reads flattened fields: declarations, a look at each name, and the fields.
fn decode_flattened(flattened: &[FlattenField]) -> (TokenStream, TokenStream, TokenStream) {
    let slots: Vec<_> = (0..flattened.len())
        .map(|index| format_ident!("flat_{index}"))
        .collect();
    let types = flattened.iter().map(|field| &field.ty);
    let declare = quote! {
        #(let mut #slots = <<#types as __n::Properties>::Slots as ::core::default::Default>::default();)*
    };
    let read = flattened.iter().zip(&slots).map(|(field, slot)| {
        let FlattenField {
            field,
            ty,
            prefix,
            ident,
        } = field;
        let prefix = syn::LitByteStr::new(prefix.as_bytes(), ident.span());
        quote! {
            if let ::core::option::Option::Some(rest) = name.strip_prefix(#prefix) {
                if <#ty as __n::Properties>::read(&mut #slot, rest, decoder)
                    .map_err(|error| error.within(#field))?
                {
                    continue;
                }
            }
        }
    });
    let take = flattened.iter().zip(&slots).map(|(field, slot)| {
        let FlattenField {
            field, ty, ident, ..
        } = field;
        quote! {
            #ident: <#ty as __n::Properties>::finish(#slot)
                .map_err(|error| error.within(#field))?,
        }
    });
    (declare, quote!(#(#read)*), quote!(#(#take)*))
}

/// What a flattened struct reads itself by: a struct of slots, and the methods that fill it.
pub(super) fn decode_parts(fields: &Fields<'_>) -> (TokenStream, TokenStream) {
    let Fields {
        properties,
        extras,
        defaulted,
    } = fields;
    let slots = slots(properties);
    let flats: Vec<_> = (0..extras.flattened.len())
        .map(|index| format_ident!("flat_{index}"))
        .collect();
    let types = properties.iter().map(|property| &property.ty);
    let flat_types: Vec<_> = extras.flattened.iter().map(|field| &field.ty).collect();
    let arms = properties.iter().zip(&slots).map(|(property, slot)| {
        let bytes = syn::LitByteStr::new(property.name.as_bytes(), property.ident.span());
        let read = read(property);
        quote!(#bytes => slots.#slot = ::core::option::Option::Some(#read?),)
    });
    let read_flat = extras.flattened.iter().zip(&flats).map(|(field, slot)| {
        let FlattenField {
            field,
            ty,
            prefix,
            ident,
        } = field;
        let prefix = syn::LitByteStr::new(prefix.as_bytes(), ident.span());
        quote! {
            if let ::core::option::Option::Some(rest) = name.strip_prefix(#prefix) {
                if <#ty as __n::Properties>::read(&mut slots.#slot, rest, decoder)
                    .map_err(|error| error.within(#field))?
                {
                    return ::core::result::Result::Ok(true);
                }
            }
        }
    });
    let take = properties.iter().zip(&slots).map(|(property, slot)| {
        let (ident, missing) = (&property.ident, missing(property));
        quote! {
            #ident: match slots.#slot {
                ::core::option::Option::Some(value) => value,
                ::core::option::Option::None => #missing,
            },
        }
    });
    let take_flat = extras.flattened.iter().zip(&flats).map(|(field, slot)| {
        let FlattenField {
            field, ty, ident, ..
        } = field;
        quote! {
            #ident: <#ty as __n::Properties>::finish(slots.#slot)
                .map_err(|error| error.within(#field))?,
        }
    });
    let (declared, none) = (slots.iter().zip(types), slots.iter());
    let declared = declared.map(|(slot, ty)| quote!(#slot: ::core::option::Option<#ty>,));
    let methods = quote! {
        type Slots = __Slots;

        fn read(
            slots: &mut __Slots,
            name: &[u8],
            decoder: &mut __n::Decoder<'_>,
        ) -> ::core::result::Result<bool, __n::DecodeError> {
            match name {
                #(#arms)*
                _ => {
                    #(#read_flat)*
                    return ::core::result::Result::Ok(false);
                }
            }
            ::core::result::Result::Ok(true)
        }

        fn finish(slots: __Slots) -> ::core::result::Result<Self, __n::DecodeError> {
            ::core::result::Result::Ok(Self {
                #(#take)*
                #(#take_flat)*
                #(#defaulted: ::core::default::Default::default(),)*
            })
        }
    };
    let slots_struct = quote! {
        pub struct __Slots {
            #(#declared)*
            #(#flats: <#flat_types as __n::Properties>::Slots,)*
        }

        impl ::core::default::Default for __Slots {
            fn default() -> Self {
                Self {
                    #(#none: ::core::option::Option::None,)*
                    #(#flats: ::core::default::Default::default(),)*
                }
            }
        }
    };
    (slots_struct, methods)
}

/// The constants that describe properties, constraints and indexes: `__PROPERTIES`, with a check of
/// their names, and `__RULES`.
pub(super) fn schemas(fields: &Fields<'_>, rules: &[Rule]) -> TokenStream {
    let own = own_schemas(fields.properties);
    let own_rules = super::rules::schemas(rules);
    if fields.extras.flattened.is_empty() {
        return quote! {
            const __PROPERTIES: &[__n::PropertySchema] = #own;
            const __RULES: &[__n::RuleSchema] = #own_rules;
        };
    }
    let count = fields.properties.len();
    let parts = fields.extras.flattened.iter().map(|field| {
        let (prefix, ty) = (&field.prefix, &field.ty);
        let properties = quote_spanned!(at(ty.span())=> <#ty as __n::Properties>::PROPERTIES);
        let rules = quote!(<#ty as __n::Properties>::RULES);
        quote!(__n::FlattenedSchema { prefix: #prefix, properties: #properties, rules: #rules })
    });
    let optional = fields.extras.flattened.iter();
    let optional = optional.filter(|field| crate::model::is_option(&field.ty));
    let present = optional.map(|field| {
        let ty = &field.ty;
        quote_spanned! {at(ty.span())=>
            const _: () = ::core::assert!(
                !__n::requires(<#ty as __n::Properties>::RULES),
                "a flattened `Option` need not be there, but its struct has a `required` field; \
                 take the `Option` away, or leave `required` out",
            );
        }
    });
    quote! {
        const __PARTS: &[__n::FlattenedSchema] = &[#(#parts),*];
        const __PROPERTIES: &[__n::PropertySchema] = {
            const OWN: &[__n::PropertySchema] = #own;
            const NAMES: &[u8] = &__n::joined_names::<{ __n::joined_bytes(__PARTS) }>(__PARTS);
            &__n::joined::<{ __n::joined_len(OWN, __PARTS) }>(OWN, __PARTS, NAMES)
        };
        const __RULES: &[__n::RuleSchema] = {
            const OWN: &[__n::RuleSchema] = #own_rules;
            const NAMES: &[&::core::primitive::str] =
                &__n::ruled_names::<{ __n::ruled_len(__PARTS) }>(
                    __PARTS,
                    __n::part_of(__PROPERTIES, #count, __PROPERTIES.len() - #count),
                );
            &__n::joined_rules::<{ __n::joined_rules_len(OWN, __PARTS) }>(OWN, __PARTS, NAMES)
        };
        #(#present)*
        const _: () = ::core::assert!(
            __n::distinct_names(__PROPERTIES),
            "a flattened struct has a property of the same name as another; give one of them \
             another name by `rename`, or the flattened one a `prefix`",
        );
    }
}

fn own_schemas(properties: &[PropertyField]) -> TokenStream {
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
        let role = match property.role {
            Role::Plain => None,
            Role::ReadOnly => Some(quote!(ReadOnly)),
            Role::Version => Some(quote!(Version)),
            Role::CreatedAt => Some(quote!(CreatedAt)),
            Role::UpdatedAt => Some(quote!(UpdatedAt)),
        };
        let role = role.map(|role| quote!(role: __n::PropertyRole::#role,));
        quote! {
            __n::PropertySchema {
                field: #field,
                name: #name,
                #(#flags)*
                #role
                ..__n::PropertySchema::PLAIN
            }
        }
    });
    quote!(&[#(#schemas),*])
}
