//! Mistakes, collected so that all of them are reported at once.

use proc_macro2::Span;

use crate::parse::Setting;

/// The mistakes so far.
#[derive(Default)]
pub(super) struct Errors {
    first: Option<syn::Error>,
}

impl Errors {
    pub(super) fn add(&mut self, error: syn::Error) {
        match &mut self.first {
            Some(first) => first.combine(error),
            None => self.first = Some(error),
        }
    }

    pub(super) fn at(&mut self, span: Span, message: impl std::fmt::Display) {
        self.add(syn::Error::new(span, message));
    }

    /// Keeps the mistake and goes on without the value.
    pub(super) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// All mistakes, or the value where there were none.
    pub(super) fn finish<T>(self, value: T) -> syn::Result<T> {
        self.first.map_or(Ok(value), Err)
    }

    /// All mistakes so far.
    pub(super) fn into_error(self) -> Option<syn::Error> {
        self.first
    }

    /// An option that is not known here, with the nearest one that is.
    pub(super) fn unknown(&mut self, setting: &Setting, place: &str, known: &[&str]) {
        let name = setting.name.to_string();
        if let Some(hint) = elsewhere(&name, known) {
            self.at(
                setting.span(),
                format!("`{name}` is no option of {place}; {hint}"),
            );
            return;
        }
        let near = known
            .iter()
            .map(|known| (distance(&name, known), *known))
            .min()
            .filter(|(distance, _)| *distance <= 2 || distance * 3 <= name.len());
        let hint = match near {
            Some((_, near)) => format!("did you mean `{near}`?"),
            None => format!("known are {}", list(known)),
        };
        self.at(
            setting.span(),
            format!("`{name}` is no option of {place}; {hint}"),
        );
    }

    /// Options that are given twice.
    pub(super) fn repeated(&mut self, settings: &[Setting], several: &[&str]) {
        for (index, setting) in settings.iter().enumerate() {
            let again = settings[..index]
                .iter()
                .any(|before| before.name == setting.name);
            if again && !several.iter().any(|name| setting.name == name) {
                self.at(setting.span(), format!("`{}` is given twice", setting.name));
            }
        }
    }
}

/// What is written here for an option that others have by another name.
fn elsewhere(name: &str, known: &[&str]) -> Option<&'static str> {
    let (option, hint) = match name {
        "id" | "pk" | "primary_key" | "primary" | "identity" => {
            ("key", "write `key` for what identifies a node")
        }
        "unique_index" | "uniqueness" => ("unique", "write `unique`"),
        "name" | "type" | "labeled" if known.contains(&"labels") => (
            "label",
            "write `label = \"…\"` for the label in the database",
        ),
        "column" | "field" | "name" | "property" | "db_property" => (
            "rename",
            "write `rename = \"…\"` for the name in the database",
        ),
        "ignore" | "transient" | "skip_serializing" => ("skip", "write `skip`"),
        "nullable" | "optional" | "null" | "blank" => (
            "rename",
            "a property that may be missing is a field of the type `Option`",
        ),
        "serialize" | "serde" => ("json", "write `json` to store what serde knows as text"),
        "embedded" | "composite" => (
            "flatten",
            "write `flatten` for the fields of a struct with `#[derive(Properties)]`",
        ),
        "choices" => (
            "rename",
            "a property with a few values is an enum with `#[derive(Property)]`",
        ),
        "min" | "max" | "range" | "length" | "min_length" | "max_length" | "regex" | "email" => (
            "validate",
            "rules go into `validate(…)`, such as `validate(length(max = 50))`",
        ),
        "auto" | "uuid" | "auto_increment" => (
            "generated",
            "write `key, generated` on a field of the type `Uuid`",
        ),
        "relationship" | "relation" | "rel" => (
            "rename",
            "a relationship has an attribute of its own: `#[relationship(type = \"…\")]`",
        ),
        "label" | "type_name" if known.contains(&"type") => (
            "type",
            "write `type = \"…\"` for the type of the relationships",
        ),
        "dir" | "incoming" | "outgoing" => (
            "direction",
            "write `direction = \"in\"`, `\"out\"` or `\"both\"`",
        ),
        "model" | "properties" | "cardinality" => (
            "direction",
            "the field's type says that: `One<Person, WrittenBy>`",
        ),
        _ => return None,
    };
    known.contains(&option).then_some(hint)
}

pub(super) fn list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// How many letters must be changed, put in or taken out.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_near() {
        assert_eq!(distance("renmae", "rename"), 2);
        assert_eq!(distance("key", "keys"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
