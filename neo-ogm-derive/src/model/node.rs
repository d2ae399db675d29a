//! What a node struct means.

use syn::{
    Data, DeriveInput, Field, Fields, GenericArgument, Ident, LitStr, PathArguments, Type,
    Visibility, parse_quote,
};

use super::errors::Errors;
use super::extras::{self, Extras};
use super::fields::{self, Place, PropertyField, Read};
use super::names::{Case, plain};
use super::rules::{self, Rule};
use super::validate;
use crate::parse::{self, Setting};

/// A node struct.
pub(crate) struct NodeModel {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) label: String,
    /// Further labels.
    pub(crate) labels: Vec<String>,
    pub(crate) optional_labels: Vec<LabelField>,
    pub(crate) properties: Vec<PropertyField>,
    pub(crate) relations: Vec<RelationField>,
    pub(crate) skipped: Vec<Ident>,
    /// Constraints and indexes.
    pub(crate) rules: Vec<Rule>,
    pub(crate) constructor: bool,
    pub(crate) extras: Extras,
}

/// A `bool` field that is a label.
pub(crate) struct LabelField {
    pub(crate) ident: Ident,
    pub(crate) field: String,
    pub(crate) label: String,
}

/// A relationship field.
pub(crate) struct RelationField {
    pub(crate) ident: Ident,
    pub(crate) field: String,
    /// `One`, `ZeroOrOne`, `OneOrMore` or `Many`.
    pub(crate) cardinality: Ident,
    pub(crate) target: Type,
    pub(crate) carried: Type,
    /// Unless it is the relationship struct's own.
    pub(crate) relationship_type: Option<LitStr>,
    /// `Out`, `In` or `Both`.
    pub(crate) direction: &'static str,
}

const OPTIONS: &[&str] = &[
    "label",
    "labels",
    "rename_all",
    "unique",
    "index",
    "fulltext",
    "node_key",
    "no_new",
    "validate",
    "hooks",
];
const CARDINALITIES: &[&str] = &["One", "ZeroOrOne", "OneOrMore", "Many"];

/// Mistakes in a node struct, with what could be read of it: enough for the names that the rest
/// of the program uses, so that one mistake makes one message.
pub(crate) struct BrokenNode {
    pub(crate) error: syn::Error,
    pub(crate) model: Option<Box<NodeModel>>,
}

impl From<syn::Error> for BrokenNode {
    fn from(error: syn::Error) -> Self {
        Self { error, model: None }
    }
}

/// Reads a node struct.
pub(crate) fn node(input: &DeriveInput) -> Result<NodeModel, BrokenNode> {
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
            "a node is a struct with named fields; for an enum of node structs, use \
             `#[derive(Nodes)]`, and for an enum or a newtype that is a property, \
             `#[derive(Property)]`",
        )
        .into());
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "a node struct has no type parameters or lifetimes: its label stands for one type",
        )
        .into());
    }
    let attribute = errors.ok(parse::attribute(&input.attrs, "node")).flatten();
    let settings = attribute.map(|(_, settings)| settings).unwrap_or_default();
    errors.repeated(&settings, rules::OF_STRUCTS);
    let mut model = NodeModel {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        label: plain(&input.ident),
        labels: Vec::new(),
        optional_labels: Vec::new(),
        properties: Vec::new(),
        relations: Vec::new(),
        skipped: Vec::new(),
        rules: Vec::new(),
        constructor: true,
        extras: Extras::default(),
    };
    let mut case = None;
    for setting in &settings {
        match setting.name.to_string().as_str() {
            "label" => {
                if let Some(text) = errors.ok(setting.text()) {
                    model.label = text.value();
                }
            }
            "labels" => {
                let texts = errors.ok(setting.texts()).unwrap_or_default();
                model.labels = texts.iter().map(|text| text.value()).collect();
            }
            "rename_all" => case = errors.ok(setting.text().and_then(|t| Case::parse(&t))),
            "no_new" => {
                errors.ok(setting.flag());
                model.constructor = false;
            }
            "validate" => {
                let checks = validate::of_struct(&mut errors, setting);
                model.extras.checks.extend(checks);
            }
            "hooks" => {
                errors.ok(setting.flag());
                model.extras.hooks = true;
            }
            // They name fields, which come first.
            "unique" | "index" | "fulltext" | "node_key" => {}
            _ => errors.unknown(setting, "a node", OPTIONS),
        }
    }
    for field in fields {
        read_field(&mut errors, &mut model, field, case);
    }
    model.rules = rules::of_struct(&mut errors, &model.properties, &settings, true);
    if !model.properties.iter().any(|property| property.key) {
        errors.at(
            input.ident.span(),
            format!(
                "`{}` has no key: mark the field that identifies a node with `#[node(key)]`, or \
                 add `#[node(key, generated)] id: Uuid`",
                input.ident
            ),
        );
    }
    fields::check_names(&mut errors, &model.properties);
    extras::check(&mut errors, &model.properties, "node");
    check_labels(&mut errors, &model);
    let clash = check_tokens(&mut errors, &model);
    match errors.into_error() {
        None => Ok(model),
        Some(error) => {
            let model = (!clash).then(|| Box::new(model));
            Err(BrokenNode { error, model })
        }
    }
}

fn read_field(errors: &mut Errors, model: &mut NodeModel, field: &Field, case: Option<Case>) {
    let Some(ident) = &field.ident else { return };
    let settings = errors.ok(parse::attribute(&field.attrs, "node")).flatten();
    let relation = errors
        .ok(parse::attribute(&field.attrs, "relationship"))
        .flatten();
    if let Some((_, relation_settings)) = relation {
        if let Some((span, _)) = settings {
            errors.at(span, "a relationship field has no `#[node(…)]`");
        }
        if let Some(relation) = relation_field(errors, field, ident, &relation_settings) {
            model.relations.push(relation);
        }
        return;
    }
    if let Some((segment, _)) = cardinality(&field.ty)
        && settings.is_none()
    {
        errors.at(
            segment.span(),
            format!("`{ident}` is a relationship: say which by `#[relationship(type = \"…\")]`"),
        );
        return;
    }
    let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
    if let Some(setting) = settings.iter().find(|s| s.name == "optional_label") {
        return optional_label(errors, model, field, ident, setting, settings.len());
    }
    match fields::read(errors, field, ident, &settings, case, Place::Node) {
        Read::Property(property) => model.properties.push(*property),
        Read::Skipped(ident) => model.skipped.push(ident),
        Read::Flattened(flattened) => model.extras.flattened.push(*flattened),
        Read::ElementId(ident) => {
            let id = &mut model.extras.element_id;
            let second = extras::only(errors, id, ident, ("node", "element_id"));
            model.skipped.extend(second);
        }
        Read::Unmapped(ident) => {
            let rest = &mut model.extras.unmapped;
            let second = extras::only(errors, rest, ident, ("node", "unmapped"));
            model.skipped.extend(second);
        }
    }
}

fn optional_label(
    errors: &mut Errors,
    model: &mut NodeModel,
    field: &Field,
    ident: &Ident,
    setting: &Setting,
    settings: usize,
) {
    if settings > 1 {
        errors.at(
            setting.span(),
            "a label is no property, so `optional_label` stands alone",
        );
    }
    if !fields::is_named(&field.ty, "bool") {
        errors.add(syn::Error::new_spanned(
            &field.ty,
            "a node has a label or has it not: the field of an `optional_label` is a `bool`",
        ));
    }
    if let Some(label) = errors.ok(setting.text()) {
        model.optional_labels.push(LabelField {
            ident: ident.clone(),
            field: plain(ident),
            label: label.value(),
        });
    }
}

/// The name and the arguments of a relationship field's type.
fn cardinality(ty: &Type) -> Option<(&Ident, Vec<&Type>)> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    if !CARDINALITIES.iter().any(|name| segment.ident == name) {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return Some((&segment.ident, Vec::new()));
    };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some((&segment.ident, types.collect()))
}

/// The name of a type of the standard library that holds another, and what it holds.
fn wrapper(ty: &Type) -> Option<(&'static str, String)> {
    const WRAPPERS: [&str; 7] = ["Box", "Arc", "Rc", "Option", "Vec", "HashSet", "BTreeSet"];
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    let name = WRAPPERS.into_iter().find(|name| segment.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let held = arguments.args.first()?;
    Some((name, quote::quote!(#held).to_string()))
}

fn relation_field(
    errors: &mut Errors,
    field: &Field,
    ident: &Ident,
    settings: &[Setting],
) -> Option<RelationField> {
    errors.repeated(settings, &[]);
    let (mut relationship_type, mut direction) = (None, "Out");
    for setting in settings {
        match setting.name.to_string().as_str() {
            "type" => relationship_type = errors.ok(setting.text()),
            "direction" => {
                let Some(text) = errors.ok(setting.text()) else {
                    continue;
                };
                direction = match text.value().as_str() {
                    "out" => "Out",
                    "in" => "In",
                    "both" => "Both",
                    other => {
                        errors.at(
                            text.span(),
                            format!(
                                "`{other}` is no direction; it is \"out\" (from this node), \
                                 \"in\" (to this node) or \"both\""
                            ),
                        );
                        "Out"
                    }
                };
            }
            _ => errors.unknown(setting, "a relationship field", &["type", "direction"]),
        }
    }
    let wrong = "a relationship field has the type `One<Person>`, `ZeroOrOne<…>`, \
                 `OneOrMore<…>` or `Many<…>`, with a relationship struct as second argument \
                 where the relationship has properties: `One<Person, WrittenBy>`";
    let Some((name, arguments)) = cardinality(&field.ty) else {
        let message = match wrapper(&field.ty) {
            Some(("Option", node)) => {
                format!("a relationship to one node or to none is a `ZeroOrOne<{node}>`")
            }
            Some(("Box" | "Arc" | "Rc", node)) => {
                format!("a relationship to one node is a `One<{node}>`")
            }
            Some((_, node)) => {
                format!("a relationship to any number of nodes is a `Many<{node}>`")
            }
            None => wrong.to_owned(),
        };
        errors.add(syn::Error::new_spanned(&field.ty, message));
        return None;
    };
    let (target, carried): (Type, Type) = match arguments[..] {
        [target] => (target.clone(), parse_quote!(())),
        [target, carried] => (target.clone(), carried.clone()),
        _ => {
            errors.add(syn::Error::new_spanned(&field.ty, wrong));
            return None;
        }
    };
    if let Some((held, node)) = wrapper(&target) {
        let kind = match held {
            "Option" => "ZeroOrOne".to_owned(),
            "Vec" | "HashSet" | "BTreeSet" => "Many".to_owned(),
            _ => name.to_string(),
        };
        errors.add(syn::Error::new_spanned(
            &target,
            format!("a relationship field names the node struct itself: `{kind}<{node}>`"),
        ));
        return None;
    }
    let carries_nothing = matches!(&carried, Type::Tuple(tuple) if tuple.elems.is_empty());
    let typed = settings.iter().any(|setting| setting.name == "type");
    if carries_nothing && !typed {
        errors.at(
            ident.span(),
            format!("`{ident}` has no relationship type: `#[relationship(type = \"…\")]`"),
        );
        return None;
    }
    Some(RelationField {
        ident: ident.clone(),
        field: plain(ident),
        cardinality: name.clone(),
        target,
        carried,
        relationship_type,
        direction,
    })
}

/// Each label has one meaning.
fn check_labels(errors: &mut Errors, model: &NodeModel) {
    let mut known = vec![model.label.as_str()];
    let further = model.labels.iter().map(|label| (&model.ident, label));
    let optional = model
        .optional_labels
        .iter()
        .map(|of| (&of.ident, &of.label));
    for (ident, label) in further.chain(optional) {
        if known.contains(&label.as_str()) {
            errors.at(
                ident.span(),
                format!("the label {label:?} is given twice; a node has each label once"),
            );
        }
        known.push(label);
    }
    if let Some(too_many) = model.optional_labels.get(64) {
        errors.at(
            too_many.ident.span(),
            "a node has at most 64 optional labels; make this one a property",
        );
    }
}

/// Tokens and finders are named after fields, and must not meet. Whether they do.
fn check_tokens(errors: &mut Errors, model: &NodeModel) -> bool {
    let mut clash = false;
    let mut known: Vec<(String, &str)> = Vec::new();
    let properties = model
        .properties
        .iter()
        .map(|p| (&p.ident, p.field.as_str()));
    let relations = model.relations.iter().map(|r| (&r.ident, r.field.as_str()));
    let labels = model.optional_labels.iter();
    let labels = labels.map(|l| (&l.ident, l.field.as_str()));
    let flattened = model.extras.flattened.iter();
    let flattened = flattened.map(|f| (&f.ident, f.field.as_str()));
    let all = properties.chain(relations).chain(labels).chain(flattened);
    for (ident, field) in all {
        let token = field.to_uppercase();
        if token == "SCHEMA" {
            errors.at(
                ident.span(),
                "a field can't be called `schema`: its token would hide `Node::SCHEMA`; call it \
                 otherwise and add `#[node(rename = \"schema\")]`",
            );
        }
        if let Some((_, before)) = known.iter().find(|(other, _)| *other == token) {
            errors.at(
                ident.span(),
                format!("`{before}` and `{field}` would both have the token `{token}`"),
            );
            clash = true;
        }
        known.push((token, field));
    }
    clash
}
