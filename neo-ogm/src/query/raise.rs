//! How a statement refuses one of its rows, so that everything it did is undone with it.
//!
//! Cypher has no word for that which openCypher 9 and Neo4j share. A regular expression that is
//! none fails in each of them, and each repeats it in its message: it carries the row's number
//! and the reason to whoever reads the error.

use std::fmt::Write as _;

use crate::error::Error;

/// Begins what is written into the expression.
const MARK: &str = "(neo_ogm:";

/// Writes an expression that refuses the row whose number is `row`, for `reason`, once it is
/// evaluated: so it stands in a branch of a `CASE`, which no engine evaluates beforehand.
pub(crate) fn raise(text: &mut String, row: &str, reason: char) {
    // Writing to a string does not fail.
    let _ = write!(text, "'' =~ ('{MARK}' + toString({row}) + ':{reason}')");
}

/// The same with a number behind the reason, which `number` evaluates to.
pub(crate) fn raise_with(text: &mut String, row: &str, reason: char, number: &str) {
    let _ = write!(
        text,
        "'' =~ ('{MARK}' + toString({row}) + ':{reason}' + toString({number}))"
    );
}

/// The number behind the reason.
pub(crate) fn raised_number(error: &Error) -> Option<i64> {
    let message = error.driver_error()?.message();
    let (_, said) = message.split_once(MARK)?;
    let (_, rest) = said.split_once(':')?;
    let digits = rest.get(1..)?;
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '-');
    digits.get(..end.unwrap_or(digits.len()))?.parse().ok()
}

/// The row and the reason, where a statement refused one.
pub(crate) fn raised(error: &Error) -> Option<(usize, char)> {
    let message = error.driver_error()?.message();
    let (_, said) = message.split_once(MARK)?;
    let (row, rest) = said.split_once(':')?;
    Some((row.parse().ok()?, rest.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_that_can_not_hold() {
        let mut text = String::new();
        raise(&mut text, "row.i", 'a');
        assert_eq!(text, "'' =~ ('(neo_ogm:' + toString(row.i) + ':a')");
    }
}
