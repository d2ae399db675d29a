//! What a struct of some of a node's properties means.

use syn::{Data, DeriveInput, Expr, Fields, Ident, Type};

use super::errors::Errors;
use super::names::plain;
use crate::parse::{self, Value};

/// A struct that rows turn into.
pub(crate) struct ProjectionModel {
    pub(crate) ident: Ident,
    /// The node that the rows are of.
    pub(crate) of: Expr,
    pub(crate) fields: Vec<ProjectedField>,
}

/// A field, and what it is of the node.
pub(crate) struct ProjectedField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The field's name in Rust, without the mark of a raw identifier.
    pub(crate) field: String,
    /// The selection, where it is not the property of the field's name.
    pub(crate) from: Option<Expr>,
}

/// A projection with mistakes, and what it is of, where that is known.
pub(crate) struct BrokenProjection {
    pub(crate) error: syn::Error,
    pub(crate) of: Option<Box<Expr>>,
}

/// Reads a projection.
pub(crate) fn projection(input: &DeriveInput) -> Result<ProjectionModel, BrokenProjection> {
    let mut errors = Errors::default();
    let of = node(&mut errors, input);
    if !input.generics.params.is_empty() {
        errors.add(syn::Error::new_spanned(
            &input.generics,
            "a projection has no type parameters or lifetimes: a row keeps nothing of the message",
        ));
    }
    let mut fields = Vec::new();
    match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => {
            for field in &data.fields {
                fields.extend(projected(&mut errors, field));
            }
        }
        _ => errors.at(
            input.ident.span(),
            "a projection is a struct with named fields",
        ),
    }
    match (errors.into_error(), of) {
        (None, Some(of)) => Ok(ProjectionModel {
            ident: input.ident.clone(),
            of,
            fields,
        }),
        (error, of) => Err(BrokenProjection {
            error: error
                .unwrap_or_else(|| syn::Error::new(input.ident.span(), "a projection of nothing")),
            of: of.map(Box::new),
        }),
    }
}

/// What `of` names.
fn node(errors: &mut Errors, input: &DeriveInput) -> Option<Expr> {
    let settings = errors
        .ok(parse::attribute(&input.attrs, "projection"))
        .flatten();
    let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
    errors.repeated(&settings, &[]);
    let mut of = None;
    for setting in &settings {
        match &setting.value {
            Value::Is(expr @ Expr::Path(_)) if setting.name == "of" => of = Some(expr.clone()),
            _ if setting.name == "of" => errors.at(
                setting.span(),
                "`of` names a node struct: `#[projection(of = Book)]`",
            ),
            _ => errors.unknown(setting, "a projection", &["of"]),
        }
    }
    if of.is_none() && settings.is_empty() {
        errors.at(
            input.ident.span(),
            format!(
                "say which node `{}` shows some of: `#[projection(of = Book)]`",
                input.ident
            ),
        );
    }
    of
}

fn projected(errors: &mut Errors, field: &syn::Field) -> Option<ProjectedField> {
    let ident = field.ident.clone()?;
    let settings = errors
        .ok(parse::attribute(&field.attrs, "projection"))
        .flatten();
    let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
    errors.repeated(&settings, &[]);
    let mut from = None;
    for setting in &settings {
        match &setting.value {
            Value::Is(expr) if setting.name == "from" => from = Some(expr.clone()),
            _ if setting.name == "from" => errors.at(
                setting.span(),
                "`from` takes what can be selected: `from = Book::AUTHOR.to(Person::NAME).first()`",
            ),
            _ => errors.unknown(setting, "a field of a projection", &["from"]),
        }
    }
    Some(ProjectedField {
        field: plain(&ident),
        ty: field.ty.clone(),
        ident,
        from,
    })
}
