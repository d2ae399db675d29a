//! What a relationship struct means.

use proc_macro2::TokenStream;
use syn::{Data, DeriveInput, Fields, Ident, Visibility};

use super::errors::Errors;
use super::extras::{self, Extras};
use super::fields::{self, Place, PropertyField, Read};
use super::names::{Case, plain};
use super::rules::{self, Rule};
use super::validate;
use crate::parse;

/// A relationship struct.
pub(crate) struct RelationshipModel {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) relationship_type: String,
    pub(crate) properties: Vec<PropertyField>,
    pub(crate) skipped: Vec<Ident>,
    /// Constraints and indexes.
    pub(crate) rules: Vec<Rule>,
    pub(crate) extras: Extras,
}

const OPTIONS: &[&str] = &[
    "type",
    "rename_all",
    "unique",
    "index",
    "fulltext",
    "relationship_key",
    "validate",
    "hooks",
];

/// Reads a relationship struct and the arguments of its attribute.
pub(crate) fn relationship(
    arguments: TokenStream,
    input: &DeriveInput,
) -> syn::Result<RelationshipModel> {
    let mut errors = Errors::default();
    let fields: Vec<_> = match &input.data {
        Data::Struct(data) if !matches!(data.fields, Fields::Unnamed(_)) => {
            data.fields.iter().collect()
        }
        _ => {
            return Err(syn::Error::new(
                input.ident.span(),
                "a relationship is a struct with named fields, or without fields",
            ));
        }
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "a relationship struct has no type parameters or lifetimes",
        ));
    }
    let settings = errors.ok(parse::settings(arguments)).unwrap_or_default();
    errors.repeated(&settings, rules::OF_STRUCTS);
    let mut model = RelationshipModel {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        relationship_type: Case::ScreamingSnake.apply(&plain(&input.ident)),
        properties: Vec::new(),
        skipped: Vec::new(),
        rules: Vec::new(),
        extras: Extras::default(),
    };
    let mut case = None;
    for setting in &settings {
        match setting.name.to_string().as_str() {
            "type" => {
                if let Some(text) = errors.ok(setting.text()) {
                    model.relationship_type = text.value();
                }
            }
            "rename_all" => case = errors.ok(setting.text().and_then(|t| Case::parse(&t))),
            "validate" => {
                let checks = validate::of_struct(&mut errors, setting);
                model.extras.checks.extend(checks);
            }
            "hooks" => {
                errors.ok(setting.flag());
                model.extras.hooks = true;
            }
            // They name fields, which come first.
            "unique" | "index" | "fulltext" | "relationship_key" => {}
            _ => errors.unknown(setting, "a relationship struct", OPTIONS),
        }
    }
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let settings = errors
            .ok(parse::attribute(&field.attrs, "relationship"))
            .flatten();
        let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
        match fields::read(
            &mut errors,
            field,
            ident,
            &settings,
            case,
            Place::Relationship,
        ) {
            Read::Property(property) => model.properties.push(*property),
            Read::Skipped(ident) => model.skipped.push(ident),
            Read::Flattened(flattened) => model.extras.flattened.push(*flattened),
            Read::ElementId(ident) => {
                let id = &mut model.extras.element_id;
                let second = extras::only(&mut errors, id, ident, ("relationship", "element_id"));
                model.skipped.extend(second);
            }
            // That is no option here.
            Read::Unmapped(_) => {}
        }
    }
    model.rules = rules::of_struct(&mut errors, &model.properties, &settings, false);
    fields::check_names(&mut errors, &model.properties);
    extras::check(&mut errors, &model.properties, "relationship");
    errors.finish(model)
}
