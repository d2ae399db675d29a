//! Any value as JSON, for columns that have no other type.

use std::fmt::Write;

use crate::value::{Map, Node, Path, Relationship, Value, Vector};

/// Writes a value. Dates and times are text in ISO form, bytes text in hexadecimal, and floating
/// point numbers that JSON has not (`NaN`, infinities) text by their names.
pub(super) fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => shown(value, out),
        Value::Integer(value) => shown(value, out),
        Value::Float(value) => float(*value, out),
        Value::Bytes(bytes) => {
            out.push('"');
            bytes
                .iter()
                .for_each(|byte| shown(format_args!("{byte:02x}"), out));
            out.push('"');
        }
        Value::String(value) => text(value, out),
        Value::List(items) => list(items, out, write),
        Value::Map(entries) => map(entries, out),
        Value::Node(value) => node(value, out),
        Value::Relationship(value) => relationship(value, out),
        Value::Path(value) => path(value, out),
        Value::Date(value) => quoted(value, out),
        Value::Time(value) => quoted(value, out),
        Value::LocalTime(value) => quoted(value, out),
        Value::DateTime(value) => quoted(value, out),
        Value::LocalDateTime(value) => quoted(value, out),
        Value::Duration(value) => quoted(value, out),
        Value::Point(point) => {
            shown(format_args!("{{\"srid\":{}", point.srid), out);
            for (name, number) in [("x", Some(point.x)), ("y", Some(point.y)), ("z", point.z)] {
                if let Some(number) = number {
                    shown(format_args!(",\"{name}\":"), out);
                    float(number, out);
                }
            }
            out.push('}');
        }
        Value::Vector(vector) => match vector {
            Vector::Int8(v) => list(v, out, |v, out| shown(v, out)),
            Vector::Int16(v) => list(v, out, |v, out| shown(v, out)),
            Vector::Int32(v) => list(v, out, |v, out| shown(v, out)),
            Vector::Int64(v) => list(v, out, |v, out| shown(v, out)),
            Vector::Float32(v) => list(v, out, |v, out| float(f64::from(*v), out)),
            Vector::Float64(v) => list(v, out, |v, out| float(*v, out)),
        },
        Value::Unsupported(value) => quoted(value, out),
    }
}

/// Writes a map as an object.
pub(super) fn map(entries: &Map, out: &mut String) {
    out.push('{');
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        text(key, out);
        out.push(':');
        write(value, out);
    }
    out.push('}');
}

fn shown(value: impl std::fmt::Display, out: &mut String) {
    // Text takes whatever is written into it.
    let _ = write!(out, "{value}");
}

fn float(value: f64, out: &mut String) {
    if value.is_finite() {
        shown(format_args!("{value:?}"), out);
    } else {
        shown(format_args!("\"{value}\""), out);
    }
}

fn quoted(value: impl ToString, out: &mut String) {
    text(&value.to_string(), out);
}

fn text(value: &str, out: &mut String) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => shown(format_args!("\\u{:04x}", u32::from(c)), out),
            c => out.push(c),
        }
    }
    out.push('"');
}

fn list<T>(items: &[T], out: &mut String, write: impl Fn(&T, &mut String)) {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(']');
}

/// Writes `"name":`, with a comma before it where it is not the first.
fn name(name: &str, out: &mut String) {
    if !out.ends_with('{') {
        out.push(',');
    }
    text(name, out);
    out.push(':');
}

fn node(node: &Node, out: &mut String) {
    out.push('{');
    name("element_id", out);
    text(&node.element_id, out);
    name("labels", out);
    list(&node.labels, out, |label, out| text(label, out));
    name("properties", out);
    map(&node.properties, out);
    out.push('}');
}

fn relationship(relationship: &Relationship, out: &mut String) {
    out.push('{');
    for (key, value) in [
        ("element_id", &relationship.element_id),
        ("type", &relationship.relationship_type),
        ("start_node_element_id", &relationship.start_node_element_id),
        ("end_node_element_id", &relationship.end_node_element_id),
    ] {
        name(key, out);
        text(value, out);
    }
    name("properties", out);
    map(&relationship.properties, out);
    out.push('}');
}

fn path(path: &Path, out: &mut String) {
    let nodes: Vec<&Node> = path.nodes().collect();
    let relationships: Vec<&Relationship> = path.relationships().collect();
    out.push('{');
    name("nodes", out);
    list(&nodes, out, |value, out| node(value, out));
    name("relationships", out);
    list(&relationships, out, |value, out| relationship(value, out));
    out.push('}');
}
