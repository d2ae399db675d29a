//! What an enum or a newtype that is a property means.

use syn::{Data, DeriveInput, Expr, Fields, Ident, Type};

use super::errors::Errors;
use super::names::{Case, plain};
use crate::parse;

/// An enum or a newtype.
pub(crate) enum PropertyModel {
    /// Stored as text.
    Text {
        ident: Ident,
        variants: Vec<Variant>,
    },
    /// Stored as numbers.
    Integer {
        ident: Ident,
        variants: Vec<Variant>,
    },
    /// Stored as what it wraps.
    Newtype { ident: Ident, inner: Box<Type> },
}

/// A variant without contents.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) name: String,
    pub(crate) discriminant: Option<Expr>,
}

/// Reads an enum or a newtype.
pub(crate) fn property(input: &DeriveInput) -> syn::Result<PropertyModel> {
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "a property type has no type parameters or lifetimes",
        ));
    }
    let ident = input.ident.clone();
    let settings = errors
        .ok(parse::attribute(&input.attrs, "property"))
        .flatten();
    let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
    errors.repeated(&settings, &[]);
    let (mut integer, mut case) = (false, None);
    for setting in &settings {
        match setting.name.to_string().as_str() {
            "integer" => {
                errors.ok(setting.flag());
                integer = true;
            }
            "rename_all" => case = errors.ok(setting.text().and_then(|t| Case::parse(&t))),
            _ => errors.unknown(setting, "a property type", &["integer", "rename_all"]),
        }
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                let inner = Box::new(fields.unnamed[0].ty.clone());
                errors.finish(PropertyModel::Newtype { ident, inner })
            }
            _ => Err(syn::Error::new(
                ident.span(),
                "a property struct is a newtype: `struct Isbn(String);`",
            )),
        },
        Data::Enum(data) => {
            let mut variants = Vec::new();
            for variant in &data.variants {
                if !matches!(variant.fields, Fields::Unit) {
                    errors.at(
                        variant.ident.span(),
                        "a variant of a property enum has no contents: a property is one value",
                    );
                }
                let mut name = plain(&variant.ident);
                if let Some(case) = case {
                    name = case.apply(&name);
                }
                let own = errors
                    .ok(parse::attribute(&variant.attrs, "property"))
                    .flatten();
                for setting in own.map(|(_, settings)| settings).unwrap_or_default() {
                    if setting.name == "rename" {
                        if let Some(text) = errors.ok(setting.text()) {
                            name = text.value();
                        }
                    } else {
                        errors.unknown(&setting, "a variant", &["rename"]);
                    }
                }
                if variants.iter().any(|before: &Variant| before.name == name) {
                    errors.at(
                        variant.ident.span(),
                        format!("{name:?} is another variant's name"),
                    );
                }
                let discriminant = variant.discriminant.as_ref().map(|(_, expr)| expr.clone());
                variants.push(Variant {
                    ident: variant.ident.clone(),
                    name,
                    discriminant,
                });
            }
            if variants.is_empty() {
                errors.at(ident.span(), "an enum without variants has no values");
            }
            errors.finish(if integer {
                PropertyModel::Integer { ident, variants }
            } else {
                PropertyModel::Text { ident, variants }
            })
        }
        Data::Union(_) => Err(syn::Error::new(ident.span(), "a union can't be a property")),
    }
}
