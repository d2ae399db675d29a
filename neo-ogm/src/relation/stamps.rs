//! What the mapper itself writes on a relationship, and what a write tells the struct of it.

use neo_bolt::Record;
use neo_bolt::value::DateTime;

use crate::error::Error;
use crate::executor::{Target, WriteStatement};
use crate::mapping::{Managed, PropertyRole, Relationship, RelationshipSchema, of_role};
use crate::query::{Assignments, escape};

/// The property that has the time when the relationship was made.
pub(super) fn created(schema: &RelationshipSchema) -> Option<&'static str> {
    of_role(schema.properties, PropertyRole::CreatedAt)
}

/// The property that has the time when the relationship was last written.
pub(super) fn updated(schema: &RelationshipSchema) -> Option<&'static str> {
    of_role(schema.properties, PropertyRole::UpdatedAt)
}

/// The time that a statement writes as `$now`; none where no property wants it.
pub(crate) fn now(schema: &RelationshipSchema, target: &Target) -> Option<DateTime> {
    let wanted = created(schema).is_some() || updated(schema).is_some();
    wanted.then(|| target.time())
}

/// Adds the columns that the struct's fields take from the relationship `r`.
pub(crate) fn columns(
    statement: &mut WriteStatement,
    schema: &RelationshipSchema,
    managed: &Managed<'_>,
) {
    let times = [
        (managed.created_at, created(schema), "created_at"),
        (managed.updated_at, updated(schema), "updated_at"),
    ];
    for (field, name, column) in times {
        if let (Some(_), Some(name)) = (field, name) {
            statement.column(column, format_args!("r.{}", escape(name)));
        }
    }
    if managed.element_id.is_some() {
        statement.column("id", "elementId(r)");
    }
}

/// Whether the struct has fields that want to know something.
pub(crate) fn asks(managed: &Managed<'_>) -> bool {
    managed.created_at.is_some() || managed.updated_at.is_some() || managed.element_id.is_some()
}

/// Puts what came back, from the column `at` on, into the struct's fields.
pub(crate) fn fill(
    managed: &Managed<'_>,
    record: &Record,
    mut at: usize,
    target: &Target,
) -> Result<(), Error> {
    for field in [managed.created_at, managed.updated_at] {
        let Some(field) = field else { continue };
        // A relationship that was made before the struct had the field has none.
        if let Some(time) = record.get_at::<Option<DateTime>>(at)? {
            field.0.put(target.attempt(), time);
        }
        at += 1;
    }
    if let Some(id) = managed.element_id {
        id.0.put(target.attempt(), record.get_at::<String>(at)?.into());
    }
    Ok(())
}

/// Adds the time of this write to what an update changes, where it changes anything.
pub(super) fn change(changes: &mut Assignments, schema: &RelationshipSchema, target: &Target) {
    if let Some(updated) = updated(schema) {
        changes.stamp(updated, || target.time());
    }
}

/// Tells a struct when its relationship was written, where nothing came back of it.
pub(super) fn written<R: Relationship>(carried: &R, now: Option<&DateTime>, target: &Target) {
    if let (Some(field), Some(now)) = (carried.managed().updated_at, now) {
        field.0.put(target.attempt(), now.clone());
    }
}
