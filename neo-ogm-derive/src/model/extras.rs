//! Fields and options that not every struct has.

use syn::{Ident, Type};

use super::errors::Errors;
use super::fields::{PropertyField, Role};
use super::validate::Check;

/// What a struct has besides plain properties and relationships.
#[derive(Default)]
pub(crate) struct Extras {
    /// Fields whose own fields are properties.
    pub(crate) flattened: Vec<FlattenField>,
    /// The field that has the element id.
    pub(crate) element_id: Option<Ident>,
    /// The field that keeps properties that no other field takes.
    pub(crate) unmapped: Option<Ident>,
    /// Rules of the whole struct.
    pub(crate) checks: Vec<Check>,
    /// There are hooks.
    pub(crate) hooks: bool,
}

/// A field whose own fields are properties.
pub(crate) struct FlattenField {
    pub(crate) ident: Ident,
    pub(crate) field: String,
    pub(crate) ty: Type,
    /// What stands before the names of its properties.
    pub(crate) prefix: String,
}

/// What `of`, a node or a relationship, has one of at most.
pub(super) fn check(errors: &mut Errors, properties: &[PropertyField], of: &str) {
    for (role, option) in [
        (Role::Version, "version"),
        (Role::CreatedAt, "created_at"),
        (Role::UpdatedAt, "updated_at"),
    ] {
        let mut of_role = properties.iter().filter(|property| property.role == role);
        let first = of_role.next();
        if let (Some(first), Some(second)) = (first, of_role.next()) {
            errors.at(
                second.ident.span(),
                format!(
                    "`{}` has `{option}` already; a {of} has one such field",
                    first.field
                ),
            );
        }
    }
}

/// Puts a field of which there is one at most where it belongs; gives back a second one.
pub(super) fn only(
    errors: &mut Errors,
    place: &mut Option<Ident>,
    ident: Ident,
    (of, option): (&str, &str),
) -> Option<Ident> {
    if let Some(first) = place {
        errors.at(
            ident.span(),
            format!("`{first}` has `{option}` already; a {of} has one such field"),
        );
        return Some(ident);
    }
    *place = Some(ident);
    None
}
