//! Constraints and indexes, of one property or of several.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, LitInt, Type};

use super::errors::{Errors, list};
use super::fields::{PropertyField, is_named};
use super::names::plain;
use crate::parse::{Setting, Value};

/// A constraint or an index.
#[derive(Clone)]
pub(crate) struct Rule {
    pub(crate) kind: RuleKind,
    /// The properties' names.
    pub(crate) properties: Vec<String>,
    /// The fields' types, each of which has to suit the kind.
    pub(crate) types: Vec<Type>,
    /// What it is called, unless it is called after what it is of.
    pub(crate) name: Option<String>,
    /// Where it was asked for.
    pub(crate) span: Span,
}

/// What a constraint or an index does.
#[derive(Clone)]
pub(crate) enum RuleKind {
    Unique,
    Key,
    Exists,
    Typed,
    Range,
    Text,
    Point,
    Fulltext {
        analyzer: Option<String>,
    },
    Vector {
        dimensions: u32,
        similarity: &'static str,
    },
}

/// The options of a field that make constraints and indexes.
pub(super) const OF_FIELDS: &[&str] =
    &["unique", "index", "required", "typed", "fulltext", "vector"];

/// The options of a struct that do, and may be given several times.
pub(super) const OF_STRUCTS: &[&str] = &[
    "unique",
    "index",
    "fulltext",
    "node_key",
    "relationship_key",
];

const INDEXES: &[&str] = &["range", "text", "point"];
/// What is written, and what the variant of the kind is called.
const SIMILARITIES: &[(&str, &str)] = &[("cosine", "Cosine"), ("euclidean", "Euclidean")];

/// Reads an option of a field.
pub(super) fn of_field(errors: &mut Errors, property: &mut PropertyField, setting: &Setting) {
    let mut name = None;
    let kind = match setting.name.to_string().as_str() {
        "unique" => {
            errors.ok(setting.flag());
            property.unique = true;
            RuleKind::Unique
        }
        "required" => {
            errors.ok(setting.flag());
            RuleKind::Exists
        }
        "typed" => {
            errors.ok(setting.flag());
            RuleKind::Typed
        }
        "index" => {
            let Some(kind) = index(errors, setting) else {
                return;
            };
            // A finder by it makes sense for these.
            property.index |= matches!(kind, RuleKind::Range | RuleKind::Text);
            kind
        }
        "fulltext" => {
            let options = options(
                errors,
                setting,
                &["analyzer", "name"],
                "`fulltext`, or `fulltext(analyzer = \"english\")`",
            );
            name = text(errors, options, "name");
            let analyzer = text(errors, options, "analyzer");
            RuleKind::Fulltext { analyzer }
        }
        _ => match vector(errors, setting) {
            Some((kind, called)) => {
                name = called;
                kind
            }
            None => return,
        },
    };
    property.rules.push(Rule {
        kind,
        // Its name may come behind this option.
        properties: Vec::new(),
        types: vec![property.ty.clone()],
        name,
        span: setting.span(),
    });
}

/// `index`, or `index = "text"`.
fn index(errors: &mut Errors, setting: &Setting) -> Option<RuleKind> {
    if matches!(setting.value, Value::Flag) {
        return Some(RuleKind::Range);
    }
    let kind = errors.ok(setting.text())?;
    match kind.value().as_str() {
        "range" => Some(RuleKind::Range),
        "text" => Some(RuleKind::Text),
        "point" => Some(RuleKind::Point),
        other => {
            let hint = match other {
                "fulltext" | "vector" => format!("write `{other}` as an option of its own"),
                _ => format!("known are {}", list(INDEXES)),
            };
            errors.at(
                kind.span(),
                format!("`{other}` is no kind of index; {hint}"),
            );
            None
        }
    }
}

/// What stands between the parentheses; nothing where there are none.
fn options<'s>(
    errors: &mut Errors,
    setting: &'s Setting,
    known: &[&str],
    usage: &str,
) -> &'s [Setting] {
    let options: &[Setting] = match &setting.value {
        Value::Flag => &[],
        Value::List(options) => options,
        Value::Is(_) | Value::Texts(_) => {
            errors.at(setting.span(), format!("write {usage}"));
            &[]
        }
    };
    errors.repeated(options, &[]);
    for option in options {
        if !known.iter().any(|known| option.name == known) {
            errors.unknown(option, &format!("`{}`", setting.name), known);
        }
    }
    options
}

/// The text of one option.
fn text(errors: &mut Errors, options: &[Setting], name: &str) -> Option<String> {
    let option = options.iter().find(|option| option.name == name)?;
    errors.ok(option.text()).map(|text| text.value())
}

/// `vector(dimensions = 384, similarity = "cosine")`.
fn vector(errors: &mut Errors, setting: &Setting) -> Option<(RuleKind, Option<String>)> {
    let usage = "`vector(dimensions = 384, similarity = \"cosine\")`";
    let known = ["dimensions", "similarity", "name"];
    let options = options(errors, setting, &known, usage);
    let Some(given) = options.iter().find(|option| option.name == "dimensions") else {
        errors.at(
            setting.span(),
            format!("a vector index has to know how long the vectors are: {usage}"),
        );
        return None;
    };
    let dimensions = number(given).filter(|dimensions| (1..=4096).contains(dimensions));
    if dimensions.is_none() {
        errors.at(
            given.span(),
            "`dimensions` is a number from 1 to 4096: `dimensions = 384`",
        );
    }
    let mut similarity = "Cosine";
    if let Some(option) = options.iter().find(|option| option.name == "similarity")
        && let Some(text) = errors.ok(option.text())
    {
        match SIMILARITIES.iter().find(|(name, _)| *name == text.value()) {
            Some((_, variant)) => similarity = variant,
            None => errors.at(
                text.span(),
                format!(
                    "`{}` is no similarity function; it is \"cosine\" or \"euclidean\"",
                    text.value()
                ),
            ),
        }
    }
    let name = text(errors, options, "name");
    let dimensions = dimensions?;
    let kind = RuleKind::Vector {
        dimensions,
        similarity,
    };
    Some((kind, name))
}

fn number(setting: &Setting) -> Option<u32> {
    match &setting.value {
        Value::Is(Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        })) => LitInt::base10_parse(number).ok(),
        _ => None,
    }
}

/// Options of one field that do not go together.
pub(super) fn check_field(
    errors: &mut Errors,
    property: &PropertyField,
    settings: &[Setting],
    node: bool,
) {
    let range = |rule: &&Rule| matches!(rule.kind, RuleKind::Range);
    let range = property.rules.iter().find(range).map(|rule| rule.span);
    // The key of a relationship only tells it from others between the same two nodes.
    if property.key && node {
        let unique = settings.iter().find(|setting| setting.name == "unique");
        let given = [("unique", unique.map(Setting::span)), ("index", range)];
        for (redundant, span) in given {
            if let Some(span) = span {
                errors.at(
                    span,
                    format!("a key is unique and indexed by itself; leave `{redundant}` out"),
                );
            }
        }
    }
    if let Some(span) = range.filter(|_| property.unique) {
        errors.at(
            span,
            "what is `unique` is indexed by itself; leave `index` out",
        );
    }
    let required = settings.iter().find(|setting| setting.name == "required");
    if let Some(required) = required
        && is_named(&property.ty, "Option")
    {
        errors.at(
            required.span(),
            "what is `required` is always there; take the `Option` away, or leave `required` out",
        );
    }
}

/// The constraints and indexes of a struct: that of its key, those of its fields, and those that
/// it names itself.
pub(super) fn of_struct(
    errors: &mut Errors,
    properties: &[PropertyField],
    settings: &[Setting],
    node: bool,
) -> Vec<Rule> {
    let (key_option, attribute) = if node {
        ("node_key", "node")
    } else {
        ("relationship_key", "relationship")
    };
    let named: Vec<Rule> = settings
        .iter()
        .filter(|setting| {
            let name = setting.name.to_string();
            name == key_option || (OF_STRUCTS.contains(&name.as_str()) && !name.ends_with("_key"))
        })
        .filter_map(|setting| several(errors, properties, setting, attribute))
        .collect();
    let keyed = settings
        .iter()
        .find(|setting| setting.name == key_option && matches!(setting.value, Value::Flag));
    let keys: Vec<&PropertyField> = properties.iter().filter(|property| property.key).collect();
    let mut rules = Vec::new();
    if let Some(first) = keys.first() {
        let kind = match keyed {
            Some(_) => Some(RuleKind::Key),
            None => node.then_some(RuleKind::Unique),
        };
        rules.extend(kind.map(|kind| Rule {
            kind,
            properties: keys.iter().map(|key| key.name.clone()).collect(),
            types: Vec::new(),
            name: None,
            span: first.ident.span(),
        }));
    } else if let Some(setting) = keyed.filter(|_| !node) {
        errors.at(
            setting.span(),
            "no field is marked `#[relationship(key)]`; mark one, or name fields: \
             `relationship_key(first, second)`",
        );
    }
    for property in properties {
        rules.extend(property.rules.iter().cloned());
    }
    rules.extend(named);
    rules
}

/// Those of a struct that is flattened into others. What they are called is made of the label and
/// of the names that the properties have there.
pub(super) fn of_flattened(errors: &mut Errors, properties: &[PropertyField]) -> Vec<Rule> {
    let rules = properties.iter().flat_map(|property| &property.rules);
    let rules: Vec<Rule> = rules.cloned().collect();
    for rule in rules.iter().filter(|rule| rule.name.is_some()) {
        errors.at(
            rule.span,
            "a struct may be flattened several times, so an index in it is called after the label \
             and the property; leave `name` out",
        );
    }
    rules
}

/// `unique(a, b)`, `index(a, b)`, `fulltext(a, b, analyzer = "english")` or `node_key(a, b)`.
fn several(
    errors: &mut Errors,
    properties: &[PropertyField],
    setting: &Setting,
    attribute: &str,
) -> Option<Rule> {
    let option = setting.name.to_string();
    let is_key = option.ends_with("_key");
    let items = match &setting.value {
        Value::List(items) => items,
        Value::Flag if is_key => return None,
        _ => {
            errors.at(
                setting.span(),
                format!("`{option}` on a struct names fields: `{option}(first, second)`"),
            );
            return None;
        }
    };
    let known: &[&str] = if option == "fulltext" {
        &["analyzer", "name"]
    } else {
        &["name"]
    };
    let (fields, options): (Vec<&Setting>, Vec<&Setting>) = items
        .iter()
        .partition(|item| matches!(item.value, Value::Flag));
    let options: Vec<Setting> = options.into_iter().cloned().collect();
    errors.repeated(&options, &[]);
    for option in &options {
        if !known.iter().any(|known| option.name == known) {
            errors.unknown(option, &format!("`{}`", setting.name), known);
        }
    }
    let (mut names, mut types) = (Vec::new(), Vec::new());
    for field in &fields {
        let wanted = plain(&field.name);
        match properties.iter().find(|property| property.field == wanted) {
            Some(property) => {
                names.push(property.name.clone());
                types.push(property.ty.clone());
            }
            None => errors.at(
                field.span(),
                format!("there is no property field `{wanted}`"),
            ),
        }
    }
    if fields.len() < 2 && !is_key {
        errors.at(
            setting.span(),
            format!(
                "`{option}(…)` on a struct takes two fields or more; for one, write \
                 `#[{attribute}({option})]` on the field"
            ),
        );
    }
    let kind = match option.as_str() {
        "unique" => RuleKind::Unique,
        "index" => RuleKind::Range,
        "fulltext" => RuleKind::Fulltext {
            analyzer: text(errors, &options, "analyzer"),
        },
        _ => RuleKind::Key,
    };
    Some(Rule {
        kind,
        properties: names,
        types,
        name: text(errors, &options, "name"),
        span: setting.span(),
    })
}
