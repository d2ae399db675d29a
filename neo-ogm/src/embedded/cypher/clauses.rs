//! The clauses of a statement, outside of subqueries.

use std::ops::Range;

use super::place::Place;
use super::token::{Kind, Tokens};

/// A clause: its keyword, and the tokens behind it up to the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// In capitals; `OPTIONAL MATCH` is `MATCH`, `DETACH DELETE` is `DELETE`, and the `SET` of
    /// `ON CREATE SET` is a `SET`.
    pub(crate) keyword: &'static str,
    pub(crate) body: Range<usize>,
}

const KEYWORDS: &[&str] = &[
    "MATCH", "OPTIONAL", "WHERE", "WITH", "RETURN", "CREATE", "MERGE", "SET", "DELETE", "DETACH",
    "REMOVE", "UNWIND", "ON", "ORDER", "SKIP", "LIMIT", "UNION", "CALL", "YIELD", "FOREACH",
    "OFFSET",
];

/// The clauses in their order; words that only lead to the next keyword (`OPTIONAL`, `ON`,
/// `DETACH`) are clauses without a body.
pub(crate) fn clauses(tokens: &Tokens<'_>, places: &[Place]) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    let mut depth = 0_usize;
    for index in 0..tokens.len() {
        match tokens.kind(index) {
            Some(Kind::Mark('(' | '[' | '{')) => depth += 1,
            Some(Kind::Mark(')' | ']' | '}')) => depth = depth.saturating_sub(1),
            Some(Kind::Word) if depth == 0 && places.get(index) == Some(&Place::Open) => {
                if let Some(keyword) = keyword(tokens, index) {
                    if let Some(last) = clauses.last_mut() {
                        last.body.end = index;
                    }
                    clauses.push(Clause {
                        keyword,
                        body: index + 1..tokens.len(),
                    });
                }
            }
            _ => {}
        }
    }
    if let Some(last) = clauses.last_mut()
        && last.body.end > last.body.start
        && tokens.mark(last.body.end - 1, ';')
    {
        last.body.end -= 1;
    }
    clauses
}

fn keyword(tokens: &Tokens<'_>, index: usize) -> Option<&'static str> {
    let keyword = KEYWORDS
        .iter()
        .find(|keyword| tokens.is(index, keyword))
        .copied()?;
    let before = |word| {
        index
            .checked_sub(1)
            .is_some_and(|before| tokens.is(before, word))
    };
    match keyword {
        // `STARTS WITH`, `ENDS WITH`; `ON CREATE SET`, `ON MATCH SET`.
        "WITH" if before("STARTS") || before("ENDS") => None,
        "CREATE" | "MATCH" if before("ON") => None,
        keyword => Some(keyword),
    }
}

/// Splits a range at the commas that stand in no brackets of their own.
pub(crate) fn items(tokens: &Tokens<'_>, range: Range<usize>) -> Vec<Range<usize>> {
    let mut items = Vec::new();
    let (mut start, mut depth) = (range.start, 0_usize);
    for index in range.clone() {
        match tokens.kind(index) {
            Some(Kind::Mark('(' | '[' | '{')) => depth += 1,
            Some(Kind::Mark(')' | ']' | '}')) => depth = depth.saturating_sub(1),
            Some(Kind::Mark(',')) if depth == 0 => {
                items.push(start..index);
                start = index + 1;
            }
            _ => {}
        }
    }
    if start < range.end {
        items.push(start..range.end);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::super::place::places;
    use super::*;

    #[test]
    fn clauses_of_a_statement() {
        let tokens = Tokens::new(
            "OPTIONAL MATCH (n) WHERE n.a STARTS WITH 'x' AND EXISTS { MATCH (n) WHERE 1=1 } \
             MERGE (m) ON CREATE SET m.a = 1, m.set = 2 DETACH DELETE n RETURN n;",
        );
        let found = clauses(&tokens, &places(&tokens));
        let keywords: Vec<_> = found.iter().map(|clause| clause.keyword).collect();
        assert_eq!(
            keywords,
            [
                "OPTIONAL", "MATCH", "WHERE", "MERGE", "ON", "SET", "DETACH", "DELETE", "RETURN"
            ]
        );
        let sources: Vec<_> = items(&tokens, found[5].body.clone())
            .into_iter()
            .map(|i| tokens.source_of(i))
            .collect();
        assert_eq!(sources, ["m.a = 1", "m.set = 2"]);
        assert_eq!(tokens.source_of(found[8].body.clone()), "n");
    }
}
