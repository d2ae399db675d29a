//! Uniqueness, checked inside the transaction that writes.

use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

use super::catalogue::Entry;
use super::command::{Rule, RuleKind};
use crate::embedded::engine::Handle;
use crate::embedded::facts::{Facts, Source};
use crate::embedded::names;

/// Which values of a property may have come to be there.
enum Written {
    /// None: the statement does not touch the property.
    Nothing,
    /// These, and no others.
    Values(Vec<Value>),
    /// Any.
    Anything,
}

/// Sees to it that what a statement has just written keeps to the rules.
pub(crate) fn check(
    handle: &mut impl Handle,
    facts: &Facts,
    parameters: &Map,
    rules: &[Entry],
) -> Result<(), Failure> {
    for Entry { rule, .. } in rules {
        if rule.kind != RuleKind::Unique {
            continue;
        }
        let labelled = facts.labels_set.contains(&rule.label);
        let written: Vec<Written> = rule
            .properties
            .iter()
            .map(|property| written(property, facts, parameters))
            .collect();
        let touched = written
            .iter()
            .any(|written| !matches!(written, Written::Nothing));
        if !touched && !labelled {
            continue;
        }
        match written.first() {
            // The values of the first property find the nodes through the index.
            Some(Written::Values(values)) if !labelled && others_follow(&written) => {
                for value in values.iter().filter(|value| !value.is_null()) {
                    check_value(handle, rule, value)?;
                }
            }
            _ => check_all(handle, rule)?,
        }
    }
    Ok(())
}

/// Whether all nodes with a new value of a further property have a new value of the first: only
/// then do the values of the first find them all.
fn others_follow(written: &[Written]) -> bool {
    written
        .iter()
        .skip(1)
        .all(|written| !matches!(written, Written::Anything))
        && (written.len() == 1
            || written
                .iter()
                .all(|written| matches!(written, Written::Values(_))))
}

fn written(property: &str, facts: &Facts, parameters: &Map) -> Written {
    let mut values = Vec::new();
    let mut touched = false;
    for (_, source) in facts.assigned.iter().filter(|(name, _)| name == property) {
        touched = true;
        match source.values(parameters) {
            Some(found) => values.extend(found),
            None => return Written::Anything,
        }
    }
    for source in &facts.merged {
        let Some(maps) = source.values(parameters) else {
            return Written::Anything;
        };
        debug_assert!(*source != Source::Computed);
        for map in maps {
            if let Value::Map(map) = map
                && let Some(value) = map.get(property)
            {
                touched = true;
                values.push(value.clone());
            }
        }
    }
    if touched {
        Written::Values(values)
    } else {
        Written::Nothing
    }
}

/// Looks at the nodes that have one value of the rule's first property.
fn check_value(handle: &mut impl Handle, rule: &Rule, value: &Value) -> Result<(), Failure> {
    let (label, properties) = encoded(rule);
    let Some((first, rest)) = properties.split_first() else {
        return Ok(());
    };
    let mut text = format!("MATCH (n:{label} {{{first}: $value}})");
    if !rest.is_empty() {
        text.push_str(" WITH n");
        for (number, property) in rest.iter().enumerate() {
            text.push_str(&format!(", n.{property} AS p{number}"));
        }
        text.push_str(" WITH collect(id(n)) AS ids");
        for number in 0..rest.len() {
            text.push_str(&format!(", p{number}"));
        }
        text.push_str(" WHERE size(ids) > 1");
        for number in 0..rest.len() {
            text.push_str(&format!(" AND p{number} IS NOT NULL"));
        }
        text.push_str(" RETURN ids[0] AS id LIMIT 1");
        let parameters = neo_bolt::params! { "value" => value.clone() };
        let rows = handle.run(&text, &parameters)?;
        return match rows.records.first().and_then(|record| record.first()) {
            Some(id) => violation(handle, rule, id),
            None => Ok(()),
        };
    }
    text.push_str(" RETURN id(n) AS id LIMIT 2");
    let parameters = neo_bolt::params! { "value" => value.clone() };
    let rows = handle.run(&text, &parameters)?;
    match &rows.records[..] {
        [first, _, ..] => match first.first() {
            Some(id) => violation(handle, rule, id),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Looks at all nodes of the label.
pub(crate) fn check_all(handle: &mut impl Handle, rule: &Rule) -> Result<(), Failure> {
    let (label, properties) = encoded(rule);
    let columns: Vec<_> = properties
        .iter()
        .enumerate()
        .map(|(number, property)| format!("n.{property} AS p{number}"))
        .collect();
    let there: Vec<_> = (0..properties.len())
        .map(|number| format!("p{number} IS NOT NULL"))
        .collect();
    let text = format!(
        "MATCH (n:{label}) WITH {}, collect(id(n)) AS ids WHERE size(ids) > 1 AND {} \
         RETURN ids[0] AS id LIMIT 1",
        columns.join(", "),
        there.join(" AND ")
    );
    let rows = handle.run(&text, &Map::new())?;
    match rows.records.first().and_then(|record| record.first()) {
        Some(id) => violation(handle, rule, id),
        None => Ok(()),
    }
}

fn encoded(rule: &Rule) -> (String, Vec<String>) {
    let properties = rule
        .properties
        .iter()
        .map(|name| names::encode(name).into_owned())
        .collect();
    (names::encode(&rule.label).into_owned(), properties)
}

/// The failure that names label, properties and values.
fn violation(handle: &mut impl Handle, rule: &Rule, id: &Value) -> Result<(), Failure> {
    let Value::Integer(number) = id else {
        return Ok(());
    };
    let parameters = neo_bolt::params! { "id" => *number };
    let (label, _) = encoded(rule);
    let text = format!("MATCH (n:{label}) WHERE id(n) = $id RETURN n");
    let rows = handle.run(&text, &parameters)?;
    let values: Vec<String> = match rows.records.first().and_then(|record| record.first()) {
        Some(Value::Node(node)) => rule
            .properties
            .iter()
            .map(|name| shown(node.get(name)))
            .collect(),
        _ => rule.properties.iter().map(|_| "?".to_owned()).collect(),
    };
    let names: Vec<String> = rule
        .properties
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let word = if names.len() == 1 {
        "property"
    } else {
        "properties"
    };
    Err(Failure::new(
        "Neo.ClientError.Schema.ConstraintValidationFailed",
        format_args!(
            "Node({number}) already exists with label `{}` and {word} {} = {}",
            rule.label,
            names.join(", "),
            values.join(", ")
        ),
    ))
}

fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => format!("'{text}'"),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Float(number)) => number.to_string(),
        Some(Value::Boolean(value)) => value.to_string(),
        Some(Value::Date(date)) => date.to_string(),
        other => format!("{other:?}"),
    }
}
