//! Property fields: what nodes and relationships have in common.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Field, Ident, Lit, Type, parse_quote};

use super::errors::Errors;
use super::extras::FlattenField;
use super::names::{Case, plain};
use super::rules::{self, Rule};
use super::validate::{self, Check};
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
    pub(crate) role: Role,
    /// Stored as JSON text.
    pub(crate) json: bool,
    /// Rules of validation.
    pub(crate) checks: Vec<Check>,
}

/// Who writes a property.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    ReadOnly,
    Version,
    CreatedAt,
    UpdatedAt,
}

/// Which kind of struct a field is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Node,
    Relationship,
    Properties,
}

impl PropertyField {
    /// Whether a value need not be given.
    pub(crate) fn is_optional(&self) -> bool {
        self.generated
            || self.role != Role::Plain
            || self.default.is_some()
            || is_named(&self.ty, "Option")
            || self.is_list()
    }

    /// Whether the struct's field is what is written.
    pub(crate) fn is_written(&self) -> bool {
        !self.key && self.role == Role::Plain
    }

    pub(crate) fn is_list(&self) -> bool {
        let lists = ["Vec", "HashSet", "BTreeSet"];
        lists.iter().any(|name| is_named(&self.ty, name))
    }
}

/// Whether the last part of a type's path has this name.
pub(super) fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|s| s.ident == name))
}

pub(crate) fn is_timestamp(ty: &Type) -> bool {
    is_named(ty, "Timestamp")
}

pub(crate) fn is_option(ty: &Type) -> bool {
    is_named(ty, "Option")
}

pub(crate) fn is_string(ty: &Type) -> bool {
    is_named(ty, "String")
}

/// A field, read: a property, or a field that the database knows nothing of.
pub(super) enum Read {
    Property(Box<PropertyField>),
    Skipped(Ident),
    Flattened(Box<FlattenField>),
    ElementId(Ident),
    Unmapped(Ident),
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
    "json",
    "flatten",
    "prefix",
    "read_only",
    "unmapped",
    "element_id",
    "version",
    "created_at",
    "updated_at",
    "validate",
];
const OF_RELATIONSHIPS: &[&str] = &[
    "key",
    "unique",
    "index",
    "required",
    "typed",
    "fulltext",
    "vector",
    "rename",
    "default",
    "skip",
    "json",
    "flatten",
    "prefix",
    "read_only",
    "element_id",
    "created_at",
    "updated_at",
    "validate",
];
const OF_PROPERTIES: &[&str] = &[
    "unique",
    "index",
    "required",
    "typed",
    "fulltext",
    "vector",
    "rename",
    "default",
    "skip",
    "json",
    "flatten",
    "prefix",
    "read_only",
    "validate",
];

/// Reads the options of one field.
pub(super) fn read(
    errors: &mut Errors,
    field: &Field,
    ident: &Ident,
    settings: &[Setting],
    case: Option<Case>,
    of: Place,
) -> Read {
    let (place, known) = match of {
        Place::Node => ("a field of a node", OF_NODES),
        Place::Relationship => ("a field of a relationship", OF_RELATIONSHIPS),
        Place::Properties => ("a field of a flattened struct", OF_PROPERTIES),
    };
    errors.repeated(settings, &["index", "validate"]);
    if let Some(whole) = whole(errors, field, ident, settings, case, (of, known)) {
        return whole;
    }
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
        role: Role::Plain,
        json: false,
        checks: Vec::new(),
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
                    Value::Is(expr) => DefaultValue::Expr(text_default(expr, &field.ty)),
                    Value::List(_) | Value::Texts(_) => {
                        errors.at(setting.span(), "write `default` or `default = …`");
                        DefaultValue::Trait
                    }
                });
            }
            name if rules::OF_FIELDS.contains(&name) => {
                rules::of_field(errors, &mut property, setting)
            }
            // It looks at the default, which may come behind it.
            "validate" => {}
            "prefix" => errors.at(
                setting.span(),
                "`prefix` goes with `flatten`: `flatten, prefix = \"…\"`",
            ),
            flag => {
                errors.ok(setting.flag());
                match flag {
                    "key" => property.key = true,
                    "generated" => property.generated = true,
                    "json" => property.json = true,
                    "read_only" => property.role = Role::ReadOnly,
                    "version" => property.role = Role::Version,
                    "created_at" => property.role = Role::CreatedAt,
                    "updated_at" => property.role = Role::UpdatedAt,
                    _ => skip = Some(setting.span()),
                }
            }
        }
    }
    for rule in &mut property.rules {
        rule.properties = vec![property.name.clone()];
    }
    for setting in settings.iter().filter(|s| s.name == "validate") {
        validate::of_field(errors, &mut property, setting);
    }
    check(errors, &property, settings, skip, of == Place::Node);
    if !check_role(errors, &property, settings) {
        // So that the rest of the program is not complained about, too.
        property.role = Role::Plain;
    }
    if skip.is_some() {
        Read::Skipped(ident.clone())
    } else {
        Read::Property(Box::new(property))
    }
}

/// A text literal is a default of a `String`, too.
fn text_default(expr: &Expr, ty: &Type) -> Expr {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(_), ..
        }) if is_string(ty) => parse_quote!(::std::string::String::from(#expr)),
        _ => expr.clone(),
    }
}

/// Reads a field that is no property of its own: flattened, an element id, or the keeper of
/// properties that no field takes.
fn whole(
    errors: &mut Errors,
    field: &Field,
    ident: &Ident,
    settings: &[Setting],
    case: Option<Case>,
    (of, known): (Place, &[&str]),
) -> Option<Read> {
    let is_whole = |setting: &&Setting| {
        ["flatten", "element_id", "unmapped"]
            .iter()
            .any(|name| setting.name == name)
            && known.iter().any(|name| setting.name == name)
    };
    let setting = settings.iter().find(is_whole)?;
    errors.ok(setting.flag());
    let option = setting.name.to_string();
    for other in settings.iter().filter(|other| other.name != setting.name) {
        if option != "flatten" || other.name != "prefix" {
            errors.at(
                other.span(),
                format!("`{}` does not go with `{option}`", other.name),
            );
        }
    }
    let wrong = |wanted: &str| {
        syn::Error::new_spanned(&field.ty, format!("the field of `{option}` is {wanted}"))
    };
    Some(match option.as_str() {
        "flatten" => {
            let rust_name = plain(ident);
            let name = case.map_or_else(|| rust_name.clone(), |case| case.apply(&rust_name));
            let mut prefix = format!("{name}.");
            if let Some(given) = settings.iter().find(|setting| setting.name == "prefix") {
                match &given.value {
                    Value::Is(Expr::Lit(ExprLit {
                        lit: Lit::Str(text),
                        ..
                    })) => prefix = text.value(),
                    _ => errors.at(
                        given.span(),
                        "`prefix` takes a text, which may be empty: `prefix = \"\"`",
                    ),
                }
            }
            Read::Flattened(Box::new(FlattenField {
                ident: ident.clone(),
                field: rust_name,
                ty: field.ty.clone(),
                prefix,
            }))
        }
        "element_id" => {
            if !is_named(&field.ty, "ElementId") {
                errors.add(wrong(match of {
                    Place::Relationship => {
                        "an `ElementId`, which is filled when the relationship is written or found"
                    }
                    _ => "an `ElementId`, which is filled when the node is saved or found",
                }));
            }
            Read::ElementId(ident.clone())
        }
        _ => {
            if !is_named(&field.ty, "Map") {
                errors.add(wrong("a `neo_ogm::neo_bolt::value::Map`"));
            }
            Read::Unmapped(ident.clone())
        }
    })
}

/// What the mapper or somebody else writes is not the struct's to write. Whether the field's type
/// can be filled by whoever does.
fn check_role(errors: &mut Errors, property: &PropertyField, settings: &[Setting]) -> bool {
    const ROLES: &[&str] = &["read_only", "version", "created_at", "updated_at"];
    let span_of = |name: &str| settings.iter().find(|s| s.name == name).map(Setting::span);
    if property.json
        && property.key
        && let Some(span) = span_of("json")
    {
        errors.at(
            span,
            "JSON text is no key: the same value can be written in many ways",
        );
    }
    let is_role = |setting: &&Setting| ROLES.iter().any(|role| setting.name == role);
    let mut roles = settings.iter().filter(is_role);
    let Some(role) = roles.next() else {
        return true;
    };
    if let Some(second) = roles.next() {
        errors.at(
            second.span(),
            format!("`{}` does not go with `{}`", second.name, role.name),
        );
    }
    let by_mapper = property.role != Role::ReadOnly;
    for other in ["key", "generated", "json", "default", "validate"] {
        if let Some(span) = span_of(other)
            && (by_mapper || ["key", "generated", "validate"].contains(&other))
        {
            let why = if by_mapper {
                "the mapper writes this field"
            } else if other == "validate" {
                "what is not written needs no validation"
            } else {
                "a key that is never written would name nothing"
            };
            errors.at(
                span,
                format!("`{other}` does not go with `{}`: {why}", role.name),
            );
        }
    }
    let (fits, wanted) = match property.role {
        Role::Version => (is_named(&property.ty, "Version"), "a `neo_ogm::Version`"),
        Role::CreatedAt | Role::UpdatedAt => (
            is_named(&property.ty, "Timestamp") || is_named(&property.ty, "Option"),
            "a `neo_ogm::Timestamp`, or an `Option` of a date-time type: before the first save \
             there is none",
        ),
        _ => return true,
    };
    if !fits {
        errors.add(syn::Error::new_spanned(
            &property.ty,
            format!("the field of `{}` is {wanted}", role.name),
        ));
    }
    fits
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
