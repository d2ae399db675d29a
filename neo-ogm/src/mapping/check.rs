//! Validation: what a value must be like before it is sent.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::OnceLock;

use bytes::Bytes;
use neo_bolt::value::{Date, LocalDateTime, LocalTime};
use regex_lite::Regex;

use super::{KeyOf, Node, Relationship};
use crate::error::{Error, ErrorKind};

/// One rule that a value breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The struct's field, `address.city` in a flattened one; empty for a rule of the whole struct.
    pub field: String,
    /// The rule: `length`, `range`, `regex`, `email`, or the name of the function.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}` {}", self.field, self.message)
        }
    }
}

/// The rules that a struct breaks, as they are found.
#[derive(Debug, Default)]
pub struct Violations {
    found: Vec<Violation>,
}

impl Violations {
    /// Adds one.
    pub fn add(&mut self, field: &str, rule: &'static str, message: impl fmt::Display) {
        self.found.push(Violation {
            field: field.to_owned(),
            rule,
            message: message.to_string(),
        });
    }

    /// Collects the violations of a flattened struct, whose fields are parts of `field`.
    pub fn within(&mut self, field: &str, check: impl FnOnce(&mut Self)) {
        let before = self.found.len();
        check(self);
        for violation in &mut self.found[before..] {
            let inner = std::mem::take(&mut violation.field);
            violation.field = if inner.is_empty() {
                field.to_owned()
            } else {
                format!("{field}.{inner}")
            };
        }
    }

    fn finish(self, of: impl FnOnce() -> String) -> Result<(), Error> {
        if self.found.is_empty() {
            return Ok(());
        }
        Err(self.into_error(of()))
    }

    pub(crate) fn into_error(self, node: String) -> Error {
        Error::new(ErrorKind::Invalid {
            node,
            violations: self.found,
        })
    }
}

/// Checks the rules of a node struct; every write of a node, one or many, begins with it.
///
/// # Errors
/// [`ErrorKind::Invalid`] with all that is wrong.
pub(crate) fn check_node<N: Node>(node: &N) -> Result<(), Error> {
    let mut violations = Violations::default();
    node.check(&mut violations);
    violations.finish(|| {
        KeyOf::new(node).map_or_else(|_| N::SCHEMA.type_name.to_owned(), |key| key.to_string())
    })
}

/// Checks the rules of a relationship struct; every connect begins with it.
///
/// # Errors
/// [`ErrorKind::Invalid`] with all that is wrong.
pub(crate) fn check_relationship<R: Relationship>(carried: &R) -> Result<(), Error> {
    let mut violations = Violations::default();
    carried.check(&mut violations);
    violations.finish(|| R::SCHEMA.type_name.to_owned())
}

/// What the rule `length` counts: characters of text, items of lists and sets, bytes.
#[diagnostic::on_unimplemented(
    message = "`length` can't be asked of a `{Self}`",
    label = "has no length",
    note = "`length` is for text, lists, sets and bytes; for numbers and dates, write `range(min = …, max = …)`"
)]
pub trait HasLength {
    /// How long it is; `None` where there is no value.
    fn length(&self) -> Option<usize>;
}

impl HasLength for String {
    fn length(&self) -> Option<usize> {
        Some(self.chars().count())
    }
}

impl HasLength for Bytes {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T> HasLength for Vec<T> {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T, S: BuildHasher> HasLength for HashSet<T, S> {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T> HasLength for BTreeSet<T> {
    fn length(&self) -> Option<usize> {
        Some(self.len())
    }
}

impl<T: HasLength> HasLength for Option<T> {
    fn length(&self) -> Option<usize> {
        self.as_ref().and_then(HasLength::length)
    }
}

/// What the rule `range` compares: numbers, dates and times.
#[diagnostic::on_unimplemented(
    message = "`range` can't be asked of a `{Self}`",
    label = "is neither a number, a date nor a time",
    note = "`range` is for numbers, dates and times; for text and lists, write `length(min = …, max = …)`"
)]
pub trait HasRange {
    /// What it is compared with.
    type Bound: PartialOrd + fmt::Display;

    /// The value, where there is one.
    fn bounded(&self) -> Option<&Self::Bound>;
}

macro_rules! ranges {
    ($($ty:ty),*) => {$(
        impl HasRange for $ty {
            type Bound = Self;

            fn bounded(&self) -> Option<&Self> {
                Some(self)
            }
        }
    )*};
}
ranges!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64);
ranges!(Date, LocalTime, LocalDateTime);

impl<T: HasRange> HasRange for Option<T> {
    type Bound = T::Bound;

    fn bounded(&self) -> Option<&T::Bound> {
        self.as_ref().and_then(HasRange::bounded)
    }
}

/// What the rules `regex` and `email` look at: text.
#[diagnostic::on_unimplemented(
    message = "`regex` and `email` can't be asked of a `{Self}`",
    label = "is not text",
    note = "they are for `String` and `Option<String>`; for your own types, write `with = path::to::function`"
)]
pub trait HasText {
    /// The text, where there is one.
    fn text(&self) -> Option<&str>;
}

impl HasText for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl<T: HasText> HasText for Option<T> {
    fn text(&self) -> Option<&str> {
        self.as_ref().and_then(HasText::text)
    }
}

/// The rule `length`.
#[doc(hidden)]
pub fn check_length<T: HasLength>(
    value: &T,
    (min, max): (Option<usize>, Option<usize>),
    field: &str,
    violations: &mut Violations,
) {
    let Some(length) = value.length() else { return };
    if let Some(min) = min.filter(|min| length < *min) {
        let message = format_args!("is {length} long, and must be {min} at least");
        violations.add(field, "length", message);
    }
    if let Some(max) = max.filter(|max| length > *max) {
        let message = format_args!("is {length} long, and must be {max} at most");
        violations.add(field, "length", message);
    }
}

/// The rule `range`.
#[doc(hidden)]
pub fn check_range<T: HasRange>(
    value: &T,
    (min, max): (Option<T::Bound>, Option<T::Bound>),
    field: &str,
    violations: &mut Violations,
) {
    let Some(value) = value.bounded() else { return };
    // What can't be compared, NaN, is out of every range.
    let way = |bound: &T::Bound| value.partial_cmp(bound);
    if let Some(min) = min
        && !matches!(way(&min), Some(Ordering::Greater | Ordering::Equal))
    {
        let message = format_args!("is {value}, and must be {min} at least");
        violations.add(field, "range", message);
    }
    if let Some(max) = max
        && !matches!(way(&max), Some(Ordering::Less | Ordering::Equal))
    {
        let message = format_args!("is {value}, and must be {max} at most");
        violations.add(field, "range", message);
    }
}

/// The rule `regex`: the whole text matches, as with Cypher's `=~`.
#[doc(hidden)]
pub fn check_regex<T: HasText>(
    value: &T,
    pattern: &'static str,
    compiled: &OnceLock<Result<Regex, String>>,
    field: &str,
    violations: &mut Violations,
) {
    let Some(text) = value.text() else { return };
    let compiled = compiled
        .get_or_init(|| Regex::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string()));
    match compiled {
        Ok(regex) if regex.is_match(text) => {}
        Ok(_) => {
            let message = format_args!("is {text:?}, and must match {pattern:?}");
            violations.add(field, "regex", message);
        }
        Err(error) => {
            let message = format_args!("has a rule that is no regular expression: {error}");
            violations.add(field, "regex", message);
        }
    }
}

/// The rule `email`: what a mail server could take, not whether it does.
#[doc(hidden)]
pub fn check_email<T: HasText>(value: &T, field: &str, violations: &mut Violations) {
    let Some(text) = value.text() else { return };
    if !is_email(text) {
        let message = format_args!("is {text:?}, and must be an e-mail address");
        violations.add(field, "email", message);
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let local_fits = (1..=64).contains(&local.len())
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local
            .chars()
            .all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    let label_fits = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    local_fits && domain.len() <= 253 && domain.contains('.') && domain.split('.').all(label_fits)
}

/// The rule `with`: a function of the program's own.
#[doc(hidden)]
pub fn check_with<E: fmt::Display>(
    answer: Result<(), E>,
    rule: &'static str,
    field: &str,
    violations: &mut Violations,
) {
    if let Err(message) = answer {
        violations.add(field, rule, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses() {
        for good in ["a@b.se", "first.last+tag@mail.example.org", "ö@exämple.se"] {
            assert!(is_email(good), "{good}");
        }
        for bad in [
            "",
            "a",
            "@b.se",
            "a@",
            "a@b",
            "a b@c.se",
            "a@b..se",
            ".a@b.se",
            "a..b@c.se",
            "a@-b.se",
            "a@b.se ",
            "a@b@c.se",
        ] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn ranges_and_lengths() {
        let mut violations = Violations::default();
        check_range(&f64::NAN, (Some(0.0), None), "ratio", &mut violations);
        check_range(&Some(7), (Some(1), Some(6)), "eyes", &mut violations);
        check_range(&None::<i32>, (Some(1), None), "nothing", &mut violations);
        check_length(
            &"žluť".to_owned(),
            (Some(4), Some(4)),
            "four",
            &mut violations,
        );
        check_length(&vec![1], (Some(2), None), "list", &mut violations);
        let found: Vec<_> = violations.found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "`ratio` is NaN, and must be 0 at least",
                "`eyes` is 7, and must be 6 at most",
                "`list` is 1 long, and must be 2 at least",
            ]
        );
    }
}
