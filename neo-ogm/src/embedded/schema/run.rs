//! Carries out statements about the schema.

use std::sync::Arc;

use neo_bolt::params;
use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

use super::catalogue::{Catalogue, Entry, entity_name, kind_name};
use super::command::{Command, EntityType, Rule, RuleKind, Shown};
use super::unique;
use crate::embedded::engine::Handle;
use crate::embedded::execute::Outcome;

/// Whether a statement changes the schema.
pub(crate) fn writes(command: &Command) -> bool {
    !matches!(command, Command::Show { .. })
}

/// Changes the schema. The handle has its turn to write, with a transaction open in which
/// nothing has been written; that transaction is over afterwards.
pub(crate) fn apply(
    catalogue: &Catalogue,
    handle: &mut impl Handle,
    command: &Command,
) -> Result<Outcome, Failure> {
    // The catalogue writes through a connection of its own, which must not wait for this one.
    handle.rollback()?;
    let counter = match command {
        Command::Create {
            rule,
            if_not_exists,
        } => create(catalogue, handle, rule, *if_not_exists)?,
        Command::Drop {
            constraint,
            name,
            if_exists,
        } => drop_rule(catalogue, handle, *constraint, name, *if_exists)?,
        Command::Show { .. } => None,
    };
    let counters = match counter {
        Some(name) => {
            let mut counters = params! { name => 1 };
            counters.insert("contains-updates".into(), Value::Boolean(true));
            counters
        }
        None => Map::new(),
    };
    Ok(Outcome {
        counters,
        query_type: "s",
        ..Outcome::default()
    })
}

fn create(
    catalogue: &Catalogue,
    handle: &mut impl Handle,
    rule: &Rule,
    if_not_exists: bool,
) -> Result<Option<&'static str>, Failure> {
    let rules = catalogue.rules()?;
    if let Some(conflict) = conflict(&rules, rule) {
        return match conflict {
            Conflict::Same if if_not_exists => Ok(None),
            Conflict::Same => Err(exists(rule, "EquivalentSchemaRuleAlreadyExists")),
            Conflict::Name(_) if if_not_exists => Ok(None),
            Conflict::Name(RuleKind::Unique) => {
                Err(exists(rule, "ConstraintWithNameAlreadyExists"))
            }
            Conflict::Name(_) => Err(exists(rule, "IndexWithNameAlreadyExists")),
            Conflict::Index => Err(exists(rule, "IndexAlreadyExists")),
            Conflict::Constraint if if_not_exists => Ok(None),
            Conflict::Constraint => Err(exists(rule, "ConstraintAlreadyExists")),
        };
    }
    catalogue.insert(rule)?;
    let made = build(handle, rule);
    if let Err(failure) = made {
        handle.rollback()?;
        catalogue.remove(&rule.name)?;
        return Err(failure);
    }
    catalogue.confirm(&rule.name)?;
    Ok(Some(if rule.kind == RuleKind::Unique {
        "constraints-added"
    } else {
        "indexes-added"
    }))
}

/// Makes the engine's index, and sees whether the data keeps to the rule.
fn build(handle: &mut impl Handle, rule: &Rule) -> Result<(), Failure> {
    handle.begin_write()?;
    if rule.entity == EntityType::Node {
        handle.create_index(&rule.label, &names(rule))?;
    }
    if rule.kind == RuleKind::Unique {
        unique::check_all(handle, rule).map_err(|failure| {
            if failure.code.ends_with("ConstraintValidationFailed") {
                Failure::new(
                    "Neo.DatabaseError.Schema.ConstraintCreationFailed",
                    format_args!(
                        "Unable to create Constraint( name='{}', type='UNIQUENESS' ): {}; make \
                         the values different first",
                        rule.name, failure.message
                    ),
                )
            } else {
                failure
            }
        })?;
    }
    handle.commit()
}

fn drop_rule(
    catalogue: &Catalogue,
    handle: &mut impl Handle,
    constraint: bool,
    name: &str,
    if_exists: bool,
) -> Result<Option<&'static str>, Failure> {
    let found = catalogue.find(name)?;
    let found = found.filter(|entry| (entry.rule.kind == RuleKind::Unique) == constraint);
    let Some(Entry { rule, .. }) = found else {
        if if_exists {
            return Ok(None);
        }
        let (what, code) = if constraint {
            (
                "constraint",
                "Neo.DatabaseError.Schema.ConstraintDropFailed",
            )
        } else {
            ("index", "Neo.DatabaseError.Schema.IndexDropFailed")
        };
        return Err(Failure::new(
            code,
            format_args!("Unable to drop {what} `{name}`: there is no such {what}"),
        ));
    };
    catalogue.remove(name)?;
    let rules = catalogue.rules()?;
    let shared = rules.iter().any(|entry| same_target(&entry.rule, &rule));
    if rule.entity == EntityType::Node && !shared {
        handle.begin_write()?;
        handle.drop_index(&rule.label, &names(&rule))?;
        handle.commit()?;
    }
    Ok(Some(if constraint {
        "constraints-removed"
    } else {
        "indexes-removed"
    }))
}

fn names(rule: &Rule) -> Vec<&str> {
    rule.properties.iter().map(String::as_str).collect()
}

enum Conflict {
    Same,
    Name(RuleKind),
    Index,
    Constraint,
}

fn same_target(a: &Rule, b: &Rule) -> bool {
    a.entity == b.entity && a.label == b.label && a.properties == b.properties
}

fn conflict(rules: &Arc<Vec<Entry>>, rule: &Rule) -> Option<Conflict> {
    let of_target = |kind: fn(RuleKind) -> bool| {
        rules
            .iter()
            .any(|entry| same_target(&entry.rule, rule) && kind(entry.rule.kind))
    };
    if rules
        .iter()
        .any(|entry| same_target(&entry.rule, rule) && entry.rule.kind == rule.kind)
    {
        return Some(Conflict::Same);
    }
    if let Some(entry) = rules.iter().find(|entry| entry.rule.name == rule.name) {
        return Some(Conflict::Name(entry.rule.kind));
    }
    if rule.kind == RuleKind::Unique && of_target(|kind| kind == RuleKind::Range) {
        return Some(Conflict::Index);
    }
    (rule.kind == RuleKind::Range && of_target(|kind| kind == RuleKind::Unique))
        .then_some(Conflict::Constraint)
}

fn exists(rule: &Rule, code: &str) -> Failure {
    Failure::new(
        format!("Neo.ClientError.Schema.{code}"),
        format_args!(
            "`{}` on :{}({}) stands against a rule that is there already; see SHOW CONSTRAINTS \
             and SHOW INDEXES, or say IF NOT EXISTS",
            rule.name,
            rule.label,
            rule.properties.join(", ")
        ),
    )
}

const CONSTRAINT_COLUMNS: &[&str] = &[
    "id",
    "name",
    "type",
    "entityType",
    "labelsOrTypes",
    "properties",
    "ownedIndex",
    "propertyType",
];
const INDEX_COLUMNS: &[&str] = &[
    "id",
    "name",
    "state",
    "populationPercent",
    "type",
    "entityType",
    "labelsOrTypes",
    "properties",
    "indexProvider",
    "owningConstraint",
    "lastRead",
    "readCount",
    "options",
];

/// Shows the schema.
pub(crate) fn show(catalogue: &Catalogue, command: &Command) -> Result<Outcome, Failure> {
    let Command::Show {
        constraints,
        only,
        columns,
    } = command
    else {
        return Ok(Outcome::default());
    };
    let rules = catalogue.rules()?;
    let shown = rules.iter().filter(|entry| {
        let kind = entry.rule.kind;
        match (constraints, only) {
            (true, _) => kind == RuleKind::Unique,
            // The index of a constraint is a range index.
            (false, Some(RuleKind::Range)) => kind != RuleKind::Text,
            (false, Some(only)) => kind == *only,
            (false, None) => true,
        }
    });
    let rows: Vec<Map> = shown
        .map(|entry| {
            if *constraints {
                constraint_row(entry)
            } else {
                index_row(entry)
            }
        })
        .collect();
    let known = if *constraints {
        CONSTRAINT_COLUMNS
    } else {
        INDEX_COLUMNS
    };
    let wanted: Vec<(String, String)> = match columns {
        Shown::Default | Shown::All => known
            .iter()
            .map(|name| ((*name).to_owned(), (*name).to_owned()))
            .collect(),
        Shown::Named(wanted) => wanted.clone(),
    };
    if let Some((name, _)) = wanted
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()))
    {
        return Err(Failure::new(
            "Neo.ClientError.Statement.SyntaxError",
            format_args!("SHOW has no column `{name}`; it has {}", known.join(", ")),
        ));
    }
    let records = rows
        .into_iter()
        .map(|row| {
            wanted
                .iter()
                .map(|(name, _)| row.get(name).cloned().unwrap_or_default())
                .collect()
        })
        .collect();
    Ok(Outcome {
        columns: wanted.into_iter().map(|(_, alias)| alias).collect(),
        records,
        query_type: "r",
        ..Outcome::default()
    })
}

fn common(Entry { id, rule }: &Entry) -> Map {
    params! {
        "id" => *id,
        "name" => rule.name.as_str(),
        "entityType" => entity_name(rule.entity),
        "labelsOrTypes" => vec![rule.label.as_str()],
        "properties" => rule.properties.clone(),
    }
}

fn constraint_row(entry: &Entry) -> Map {
    let mut row = common(entry);
    row.insert("type".into(), "UNIQUENESS".into());
    row.insert("ownedIndex".into(), entry.rule.name.as_str().into());
    row.insert("propertyType".into(), Value::Null);
    row
}

fn index_row(entry: &Entry) -> Map {
    let (kind, owner) = match entry.rule.kind {
        RuleKind::Unique => ("RANGE", Value::from(entry.rule.name.as_str())),
        kind => (kind_name(kind), Value::Null),
    };
    let mut row = common(entry);
    row.insert("type".into(), kind.into());
    row.insert("owningConstraint".into(), owner);
    row.insert("state".into(), "ONLINE".into());
    row.insert("populationPercent".into(), 100.0.into());
    row.insert("indexProvider".into(), Value::Null);
    row.insert("options".into(), Value::Map(Map::new()));
    row
}
