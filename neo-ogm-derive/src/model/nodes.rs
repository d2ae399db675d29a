//! What an enum of node structs means.

use syn::{Data, DeriveInput, Fields, Ident, Type, Visibility};

use super::errors::Errors;
use super::names::{Case, plain};
use crate::parse;

/// An enum of node structs.
pub(crate) struct NodesModel {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The label that all of them share, where there is one.
    pub(crate) label: Option<String>,
    pub(crate) variants: Vec<NodesVariant>,
}

/// A variant, which holds a node struct.
pub(crate) struct NodesVariant {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The name of its token.
    pub(crate) token: String,
}

/// Reads an enum of node structs.
pub(crate) fn nodes(input: &DeriveInput) -> syn::Result<NodesModel> {
    let mut errors = Errors::default();
    let Data::Enum(data) = &input.data else {
        return Err(syn::Error::new(
            input.ident.span(),
            "`#[derive(Nodes)]` is for an enum of several node structs; on a struct, write \
             `#[derive(Node)]`",
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &input.generics,
            "an enum of nodes has no type parameters or lifetimes",
        ));
    }
    let settings = errors.ok(parse::attribute(&input.attrs, "nodes")).flatten();
    let settings = settings.map(|(_, settings)| settings).unwrap_or_default();
    errors.repeated(&settings, &[]);
    let mut model = NodesModel {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        label: None,
        variants: Vec::new(),
    };
    for setting in &settings {
        if setting.name == "label" {
            model.label = errors.ok(setting.text()).map(|text| text.value());
        } else {
            errors.unknown(setting, "an enum of nodes", &["label"]);
        }
    }
    for variant in &data.variants {
        let ty = match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed[0].ty.clone(),
            _ => {
                errors.at(
                    variant.ident.span(),
                    format!(
                        "a variant of an enum of nodes holds one node struct: `{0}({0})`",
                        variant.ident
                    ),
                );
                continue;
            }
        };
        if model.variants.iter().any(|before| before.ty == ty) {
            errors.add(syn::Error::new_spanned(
                &ty,
                "another variant holds this struct already; a node could be either",
            ));
            continue;
        }
        model.variants.push(NodesVariant {
            ident: variant.ident.clone(),
            ty,
            token: Case::ScreamingSnake.apply(&plain(&variant.ident)),
        });
    }
    if data.variants.is_empty() {
        errors.at(
            input.ident.span(),
            "an enum without variants has no nodes: `enum Party { Person(Person), Company(Company) }`",
        );
    }
    errors.finish(model)
}
