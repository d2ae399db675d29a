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
