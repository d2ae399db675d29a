//! What a struct that is flattened into nodes means.

use syn::{Data, DeriveInput, Fields, Ident, Visibility};

use super::errors::Errors;
use super::extras::Extras;
use super::fields::{self, Place, PropertyField, Read};
use super::names::Case;
use super::rules::{self, Rule};
use super::validate;
use crate::parse;

/// A struct whose fields are properties of the struct that it is flattened into.
pub(crate) struct PropertiesModel {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) properties: Vec<PropertyField>,
    pub(crate) skipped: Vec<Ident>,
    /// Constraints and indexes.
    pub(crate) rules: Vec<Rule>,
    pub(crate) extras: Extras,
}

/// Reads such a struct.
pub(crate) fn properties(input: &DeriveInput) -> syn::Result<PropertiesModel> {
    let mut errors = Errors::default();
    let fields = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    let Some(fields) = fields else {
        return Err(syn::Error::new(
            input.ident.span(),
            "`#[derive(Properties)]` is for a struct with named fields, each a property; for an \
             enum or a newtype that is one property, write `#[derive(Property)]`",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "a flattened struct has no type parameters or lifetimes",
        ));
    }
    let mut model = PropertiesModel {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        properties: Vec::new(),
        skipped: Vec::new(),
        rules: Vec::new(),
        extras: Extras::default(),
    };
    let settings = errors
        .ok(parse::attribute(&input.attrs, "property"))
        .flatten();
    let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
    errors.repeated(&settings, &["validate"]);
    let mut case = None;
    for setting in &settings {
        match setting.name.to_string().as_str() {
            "rename_all" => case = errors.ok(setting.text().and_then(|t| Case::parse(&t))),
            "validate" => {
                let checks = validate::of_struct(&mut errors, setting);
                model.extras.checks.extend(checks);
            }
            _ => errors.unknown(setting, "a flattened struct", &["rename_all", "validate"]),
        }
    }
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let settings = errors
            .ok(parse::attribute(&field.attrs, "property"))
            .flatten();
        let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
        match fields::read(
            &mut errors,
            field,
            ident,
            &settings,
            case,
            Place::Properties,
        ) {
            Read::Property(property) => model.properties.push(*property),
            Read::Skipped(ident) => model.skipped.push(ident),
            Read::Flattened(flattened) => model.extras.flattened.push(*flattened),
            // Those are no options here.
            Read::ElementId(_) | Read::Unmapped(_) => {}
        }
    }
    model.rules = rules::of_flattened(&mut errors, &model.properties);
    fields::check_names(&mut errors, &model.properties);
    errors.finish(model)
}
