//! How names of Rust turn into names of the database.

use syn::LitStr;

/// A way of writing names of several words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Camel,
    Pascal,
    Snake,
    ScreamingSnake,
    Kebab,
}

const CASES: [(&str, Case); 5] = [
    ("camelCase", Case::Camel),
    ("PascalCase", Case::Pascal),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
];

impl Case {
    pub(super) fn parse(text: &LitStr) -> syn::Result<Self> {
        let wanted = text.value();
        CASES
            .iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, case)| *case)
            .ok_or_else(|| {
                let known: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
                let known = super::errors::list(&known);
                syn::Error::new(
                    text.span(),
                    format!("`{wanted}` is no case; known are {known}"),
                )
            })
    }

    /// Writes a name of `snake_case` or `PascalCase` in this case.
    pub(super) fn apply(self, name: &str) -> String {
        let words = words(name);
        let capital = |word: &String| {
            let mut chars = word.chars();
            let first = chars
                .next()
                .map(|c| c.to_uppercase().to_string())
                .unwrap_or_default();
            first + chars.as_str()
        };
        match self {
            Self::Snake => words.join("_"),
            Self::Kebab => words.join("-"),
            Self::ScreamingSnake => words.join("_").to_uppercase(),
            Self::Pascal => words.iter().map(capital).collect(),
            Self::Camel => match words.split_first() {
                Some((first, rest)) => {
                    first.clone() + &rest.iter().map(capital).collect::<String>()
                }
                None => String::new(),
            },
        }
    }
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    for c in name.chars() {
        if c == '_' {
            fresh = true;
            continue;
        }
        if fresh || c.is_uppercase() {
            words.push(String::new());
        }
        fresh = false;
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words
}

/// A name without the mark of a raw identifier.
pub(super) fn plain(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(str::to_owned).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for (case, name) in [
            (Case::Camel, "publishedOn"),
            (Case::Pascal, "PublishedOn"),
            (Case::Snake, "published_on"),
            (Case::ScreamingSnake, "PUBLISHED_ON"),
            (Case::Kebab, "published-on"),
        ] {
            assert_eq!(case.apply("published_on"), name);
            assert_eq!(case.apply("PublishedOn"), name);
        }
    }
}
