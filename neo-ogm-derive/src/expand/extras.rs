//! Validation, hooks, and the fields that the mapper fills.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use super::at;
use crate::model::{Bounds, Check, CheckKind, Extras, PropertyField, Role};

/// `check`, where there are rules.
pub(super) fn check(properties: &[PropertyField], extras: &Extras) -> Option<TokenStream> {
    let of_fields = properties.iter().flat_map(|property| {
        let checks = property.checks.iter();
        checks.map(move |check| of_field(property, check))
    });
    let of_parts = extras.flattened.iter().map(|part| {
        let (ident, field) = (&part.ident, &part.field);
        quote! {
            violations.within(#field, |violations| {
                __n::Properties::check(&self.#ident, violations);
            });
        }
    });
    let of_struct = extras.checks.iter().filter_map(|check| match &check.kind {
        CheckKind::With(path) => {
            let rule = last(path);
            Some(quote_spanned! {at(check.span)=>
                __n::check_with((#path)(self), #rule, "", violations);
            })
        }
        _ => None,
    });
    let all: Vec<_> = of_fields.chain(of_parts).chain(of_struct).collect();
    (!all.is_empty()).then(|| {
        quote! {
            fn check(&self, violations: &mut __n::Violations) {
                #(#all)*
            }
        }
    })
}

fn of_field(property: &PropertyField, check: &Check) -> TokenStream {
    let PropertyField {
        ident, field, ty, ..
    } = property;
    // Said at the rule, so that a rule that does not go with the type is reported there.
    match &check.kind {
        CheckKind::Length(bounds) => {
            let bounds = pair(bounds);
            quote_spanned! {at(check.span)=>
                __n::check_length::<#ty>(&self.#ident, #bounds, #field, violations);
            }
        }
        CheckKind::Range(bounds) => {
            let bounds = pair(bounds);
            quote_spanned! {at(check.span)=>
                __n::check_range::<#ty>(&self.#ident, #bounds, #field, violations);
            }
        }
        CheckKind::Regex(pattern) => quote_spanned! {at(check.span)=>
            {
                static PATTERN: __n::Pattern = __n::Pattern::new();
                __n::check_regex::<#ty>(&self.#ident, #pattern, &PATTERN, #field, violations);
            }
        },
        CheckKind::Email => quote_spanned! {at(check.span)=>
            __n::check_email::<#ty>(&self.#ident, #field, violations);
        },
        CheckKind::With(path) => {
            let rule = last(path);
            quote_spanned! {at(check.span)=>
                __n::check_with((#path)(&self.#ident), #rule, #field, violations);
            }
        }
    }
}

fn pair(bounds: &Bounds) -> TokenStream {
    let one = |bound: &Option<syn::Expr>| match bound {
        Some(bound) => quote!(::core::option::Option::Some(#bound)),
        None => quote!(::core::option::Option::None),
    };
    let (min, max) = (one(&bounds.min), one(&bounds.max));
    quote!((#min, #max))
}

/// The name of a function without the way to it.
fn last(path: &syn::Path) -> String {
    let last = path.segments.last();
    last.map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}

/// `managed` and `set_element_id`, where there are such fields.
pub(super) fn managed(properties: &[PropertyField], extras: &Extras) -> TokenStream {
    let cells = properties.iter().filter_map(|property| {
        let ident = &property.ident;
        let is_cell = crate::model::is_timestamp(&property.ty);
        match property.role {
            Role::Version => Some(quote!(version: ::core::option::Option::Some(&self.#ident),)),
            Role::CreatedAt if is_cell => {
                Some(quote!(created_at: ::core::option::Option::Some(&self.#ident),))
            }
            Role::UpdatedAt if is_cell => {
                Some(quote!(updated_at: ::core::option::Option::Some(&self.#ident),))
            }
            _ => None,
        }
    });
    let id = extras.element_id.iter();
    let id_cell = id
        .clone()
        .map(|ident| quote!(element_id: ::core::option::Option::Some(&self.#ident),));
    let cells: Vec<_> = cells.chain(id_cell).collect();
    let managed = (!cells.is_empty()).then(|| {
        quote! {
            #[allow(clippy::needless_update)]
            fn managed(&self) -> __n::Managed<'_> {
                __n::Managed { #(#cells)* ..::core::default::Default::default() }
            }
        }
    });
    let set_id = id.map(|ident| {
        quote! {
            fn set_element_id(&mut self, id: &str) {
                self.#ident.set(id);
            }
        }
    });
    quote!(#managed #(#set_id)*)
}

/// The hooks of a node.
pub(super) fn node_hooks(extras: &Extras) -> Option<TokenStream> {
    extras.hooks.then(|| {
        quote! {
            const HOOKS: bool = true;

            fn hook<'a>(
                &'a self,
                event: __n::NodeEvent,
                cx: &'a __n::HookContext,
            ) -> __n::BoxFuture<'a, ::core::result::Result<(), __n::Error>> {
                __n::node_hook(self, event, cx)
            }

            fn loaded(&mut self) -> ::core::result::Result<(), __n::DecodeError> {
                __n::Hooks::after_load(self).map_err(|error| __n::load_refused(&error))
            }
        }
    })
}

/// The hooks of a relationship struct.
pub(super) fn relationship_hooks(extras: &Extras) -> Option<TokenStream> {
    extras.hooks.then(|| {
        quote! {
            const HOOKS: bool = true;

            fn hook<'a>(
                carried: ::core::option::Option<&'a Self>,
                event: __n::RelationshipEvent,
                cx: &'a __n::HookContext,
            ) -> __n::BoxFuture<'a, ::core::result::Result<(), __n::Error>> {
                __n::relationship_hook(carried, event, cx)
            }

            fn loaded(&mut self) -> ::core::result::Result<(), __n::DecodeError> {
                __n::RelationshipHooks::after_load(self)
                    .map_err(|error| __n::load_refused(&error))
            }
        }
    })
}
