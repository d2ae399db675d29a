//! Property fields: what nodes and relationships have in common.

use proc_macro2::Span;
use syn::{Expr, Field, Ident, Type};

use super::errors::Errors;
use super::names::{Case, plain};
use super::rules::{self, Rule};
use crate::parse::{Setting, Value};

/// What stands in for a value that is not there.
pub(crate) enum DefaultValue {
    /// `Default::default()`.
    Trait,
    /// An expression.
    Expr(Expr),
}

/// A field that is a property.
pub(crate) struct PropertyField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The field's name in Rust, without the mark of a raw identifier.
    pub(crate) field: String,
    /// The property's name.
    pub(crate) name: String,
    pub(crate) key: bool,
    pub(crate) generated: bool,
    pub(crate) unique: bool,
    pub(crate) index: bool,
    /// Constraints and indexes of this property alone.
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<DefaultValue>,
}

impl PropertyField {
    /// Whether a value need not be given.
    pub(crate) fn is_optional(&self) -> bool {
        self.generated
            || self.default.is_some()
            || is_named(&self.ty, "Option")
            || is_named(&self.ty, "Vec")
    }

    pub(crate) fn is_list(&self) -> bool {
        is_named(&self.ty, "Vec")
    }
}

/// Whether the last part of a type's path has this name.
pub(super) fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == name))
}

pub(crate) fn is_string(ty: &Type) -> bool {
    is_named(ty, "String")
}

/// A field, read: a property, or a field that the database knows nothing of.
pub(super) enum Read {
    Property(Box<PropertyField>),
    Skipped(Ident),
}

const OF_NODES: &[&str] = &[
    "key",
    "generated",
    "unique",
    "index",
    "required",
    "typed",
    "fulltext",
    "vector",
    "rename",
    "default",
    "skip",
    "optional_label",
];
const OF_RELATIONSHIPS: &[&str] = &[
    "key", "unique", "index", "required", "typed", "fulltext", "vector", "rename", "default",
    "skip",
];

/// Reads the options of one field. `node` says whether it is of a node.
pub(super) fn read(
    errors: &mut Errors,
    field: &Field,
    ident: &Ident,
    settings: &[Setting],
    case: Option<Case>,
    node: bool,
) -> Read {
    let (place, known) = if node {
        ("a field of a node", OF_NODES)
    } else {
        ("a field of a relationship", OF_RELATIONSHIPS)
    };
    errors.repeated(settings, &["index"]);
    let rust_name = plain(ident);
    let mut property = PropertyField {
        ident: ident.clone(),
        ty: field.ty.clone(),
        name: case.map_or_else(|| rust_name.clone(), |case| case.apply(&rust_name)),
        field: rust_name,
        key: false,
        generated: false,
        unique: false,
        index: false,
        rules: Vec::new(),
        default: None,
    };
    let mut skip = None;
    for setting in settings {
        let name = setting.name.to_string();
        if !known.contains(&name.as_str()) {
            errors.unknown(setting, place, known);
            continue;
        }
        match name.as_str() {
            "rename" => {
                if let Some(text) = errors.ok(setting.text()) {
                    property.name = text.value();
                }
            }
            "default" => {
                property.default = Some(match &setting.value {
                    Value::Flag => DefaultValue::Trait,
                    Value::Is(expr) => DefaultValue::Expr(expr.clone()),
                    Value::List(_) | Value::Texts(_) => {
                        errors.at(setting.span(), "write `default` or `default = …`");
                        DefaultValue::Trait
                    }
                });
            }
            name if rules::OF_FIELDS.contains(&name) => {
                rules::of_field(errors, &mut property, setting)
            }
            flag => {
                errors.ok(setting.flag());
                match flag {
                    "key" => property.key = true,
                    "generated" => property.generated = true,
                    _ => skip = Some(setting.span()),
                }
            }
        }
    }
    check(errors, &property, settings, skip, node);
    if skip.is_some() {
        Read::Skipped(ident.clone())
    } else {
        Read::Property(Box::new(property))
    }
}

fn check(
    errors: &mut Errors,
    property: &PropertyField,
    settings: &[Setting],
    skip: Option<Span>,
    node: bool,
) {
    let span_of = |name: &str| {
        settings
            .iter()
            .find(|setting| setting.name == name)
            .map_or_else(|| property.ident.span(), Setting::span)
    };
    if let Some(span) = skip
        && settings.len() > 1
    {
        errors.at(
            span,
            "a skipped field is not in the database; `skip` stands alone",
        );
    }
    if property.key && is_named(&property.ty, "Option") {
        errors.at(
            span_of("key"),
            "a key is always there, so it can't be an `Option`; take the `Option` away, or make \
             the field `unique` instead",
        );
    }
    if property.key && property.default.is_some() {
        errors.at(
            span_of("default"),
            "a key with a default would make different nodes one; for a key that is made up, use \
             `#[node(key, generated)]` on a `Uuid`",
        );
    }
    if property.generated && !property.key {
        errors.at(
            span_of("generated"),
            "only keys are generated: `#[node(key, generated)]`",
        );
    }
    if property.generated && !is_named(&property.ty, "Uuid") {
        errors.at(
            span_of("generated"),
            "a generated key is a UUID v7; make the field a `neo_ogm::Uuid`",
        );
    }
    rules::check_field(errors, property, settings, node);
}

/// Two properties of one name would overwrite each other.
pub(super) fn check_names(errors: &mut Errors, properties: &[PropertyField]) {
    for (index, property) in properties.iter().enumerate() {
        if let Some(before) = properties[..index].iter().find(|p| p.name == property.name) {
            errors.at(
                property.ident.span(),
                format!(
                    "`{}` and `{}` are the same property {:?}; give one of them another name by \
                     `rename`",
                    before.field, property.field, property.name
                ),
            );
        }
        if property.name.starts_with("_neo_ogm_") {
            errors.at(
                property.ident.span(),
                "names that begin with `_neo_ogm_` belong to the mapper; choose another",
            );
        }
    }
}
