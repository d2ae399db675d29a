//! Rules of validation: `validate(length(min = 1), regex = "…", with = path)`.

use proc_macro2::Span;
use syn::{Expr, ExprLit, ExprPath, ExprUnary, Lit, LitStr, Path, UnOp};

use super::errors::Errors;
use super::fields::{DefaultValue, PropertyField};
use crate::parse::{Setting, Value};

/// One rule of validation.
pub(crate) struct Check {
    pub(crate) kind: CheckKind,
    pub(crate) span: Span,
}

/// What a rule asks.
pub(crate) enum CheckKind {
    /// How many characters or items there are.
    Length(Bounds),
    /// How large a value is.
    Range(Bounds),
    /// The whole text matches.
    Regex(LitStr),
    /// The text is an e-mail address.
    Email,
    /// A function of the program's own says so.
    With(Path),
}

/// The least and the largest value; one of them at least.
pub(crate) struct Bounds {
    pub(crate) min: Option<Expr>,
    pub(crate) max: Option<Expr>,
}

const OF_FIELDS: &[&str] = &["length", "range", "regex", "email", "with"];
const OF_STRUCTS: &[&str] = &["with"];

/// Reads the rules of a field.
pub(super) fn of_field(errors: &mut Errors, property: &mut PropertyField, setting: &Setting) {
    let checks = read(errors, setting, OF_FIELDS);
    for check in &checks {
        if let Some(DefaultValue::Expr(default)) = &property.default {
            check_default(errors, check, default);
        }
    }
    property.checks.extend(checks);
}

/// Reads the rules of a whole struct, which are functions.
pub(super) fn of_struct(errors: &mut Errors, setting: &Setting) -> Vec<Check> {
    read(errors, setting, OF_STRUCTS)
}

fn read(errors: &mut Errors, setting: &Setting, known: &[&str]) -> Vec<Check> {
    let usage = if known.len() > 1 {
        "`validate(length(min = 1, max = 50), regex = \"…\", range(min = 0), email, with = path)`"
    } else {
        "`validate(with = path)` on a struct: a function that takes a reference to it"
    };
    let rules = match &setting.value {
        Value::List(rules) if !rules.is_empty() => rules,
        _ => {
            errors.at(setting.span(), format!("say what is to hold: {usage}"));
            return Vec::new();
        }
    };
    errors.repeated(rules, &["with", "regex"]);
    let rules = rules.iter().filter_map(|rule| {
        let name = rule.name.to_string();
        let kind = match name.as_str() {
            _ if !known.contains(&name.as_str()) => {
                errors.unknown(rule, "`validate`", known);
                None
            }
            "length" => bounds(errors, rule).map(CheckKind::Length),
            "range" => bounds(errors, rule).map(CheckKind::Range),
            "regex" => regex(errors, rule).map(CheckKind::Regex),
            "email" => errors.ok(rule.flag()).map(|()| CheckKind::Email),
            _ => with(errors, rule).map(CheckKind::With),
        };
        kind.map(|kind| Check {
            kind,
            span: rule.span(),
        })
    });
    rules.collect()
}

/// `(min = …, max = …)`.
fn bounds(errors: &mut Errors, rule: &Setting) -> Option<Bounds> {
    let name = &rule.name;
    let options = match &rule.value {
        Value::List(options) if !options.is_empty() => options,
        _ => {
            let usage = format!("write `{name}(min = …, max = …)`, or one of the two");
            errors.at(rule.span(), usage);
            return None;
        }
    };
    errors.repeated(options, &[]);
    let (mut min, mut max) = (None, None);
    for option in options {
        match &option.value {
            Value::Is(value) if option.name == "min" => min = Some(value.clone()),
            Value::Is(value) if option.name == "max" => max = Some(value.clone()),
            _ => errors.unknown(option, &format!("`{name}`"), &["min", "max"]),
        }
    }
    let numbers = min
        .as_ref()
        .and_then(number)
        .zip(max.as_ref().and_then(number));
    if let Some((least, largest)) = numbers
        && least > largest
    {
        errors.at(
            rule.span(),
            format!("nothing is {least} at least and {largest} at most; `min` is the smaller one"),
        );
    }
    (min.is_some() || max.is_some()).then_some(Bounds { min, max })
}

fn regex(errors: &mut Errors, rule: &Setting) -> Option<LitStr> {
    let pattern = errors.ok(rule.text())?;
    match regex_lite::Regex::new(&pattern.value()) {
        Ok(_) => Some(pattern),
        Err(error) => {
            errors.at(
                pattern.span(),
                format!("this is no regular expression: {error}"),
            );
            None
        }
    }
}

fn with(errors: &mut Errors, rule: &Setting) -> Option<Path> {
    if let Value::Is(Expr::Path(ExprPath { path, .. })) = &rule.value {
        return Some(path.clone());
    }
    errors.at(
        rule.span(),
        "`with` names a function: `with = path::to::function`, which takes a reference to the \
         value and returns a `Result<(), impl Display>`",
    );
    None
}

/// The number that an expression plainly is.
fn number(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse().ok(),
        Expr::Lit(ExprLit {
            lit: Lit::Float(number),
            ..
        }) => number.base10_parse().ok(),
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => number(expr).map(|number| -number),
        _ => None,
    }
}

/// A default that breaks the field's own rule could never be saved.
fn check_default(errors: &mut Errors, check: &Check, default: &Expr) {
    let (bounds, value) = match &check.kind {
        CheckKind::Range(bounds) => (bounds, number(default)),
        CheckKind::Length(bounds) => (bounds, text_length(default)),
        _ => return,
    };
    let Some(value) = value else { return };
    let bound = |expr: &Option<Expr>| expr.as_ref().and_then(number);
    let small = bound(&bounds.min).is_some_and(|min| value < min);
    let large = bound(&bounds.max).is_some_and(|max| value > max);
    if small || large {
        errors.add(syn::Error::new_spanned(
            default,
            "the default breaks the field's own rule, so it could never be saved",
        ));
    }
}

#[allow(clippy::cast_precision_loss)] // no literal is that long
fn text_length(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value().chars().count() as f64),
        Expr::MethodCall(call) => text_length(&call.receiver),
        Expr::Call(call) => call.args.first().and_then(text_length),
        _ => None,
    }
}
