//! The names of a result's columns, known before there is a record.

use std::ops::Range;

use super::clauses::{Clause, items};
use super::place::Place;
use super::token::{Kind, Tokens};

/// What a statement returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Columns {
    /// No `RETURN`: no columns.
    None,
    /// As the statement names them, with the tokens of each expression.
    Named(Vec<(String, Range<usize>)>),
    /// `RETURN *`: the variables in scope, in alphabetic order.
    All(Vec<String>),
}

impl Columns {
    pub(crate) fn names(&self) -> Vec<String> {
        match self {
            Self::None => Vec::new(),
            Self::Named(columns) => columns.iter().map(|(name, _)| name.clone()).collect(),
            Self::All(names) => names.clone(),
        }
    }
}

/// The columns of the last `RETURN`.
pub(crate) fn columns(tokens: &Tokens<'_>, places: &[Place], clauses: &[Clause]) -> Columns {
    let Some(at) = clauses
        .iter()
        .rposition(|clause| clause.keyword == "RETURN")
    else {
        return Columns::None;
    };
    let body = projection(tokens, &clauses[at]);
    if tokens.mark(body.start, '*') {
        let mut names = scope(tokens, places, &clauses[..at]);
        for item in items(tokens, body).into_iter().skip(1) {
            names.push(name(tokens, &item).0);
        }
        names.sort();
        names.dedup();
        return Columns::All(names);
    }
    Columns::Named(
        items(tokens, body)
            .into_iter()
            .map(|item| name(tokens, &item))
            .collect(),
    )
}

/// The items of a `RETURN` or `WITH`, without `DISTINCT`.
fn projection(tokens: &Tokens<'_>, clause: &Clause) -> Range<usize> {
    let mut body = clause.body.clone();
    if tokens.is(body.start, "DISTINCT") {
        body.start += 1;
    }
    body
}

/// An item's column, and the tokens of its expression.
fn name(tokens: &Tokens<'_>, item: &Range<usize>) -> (String, Range<usize>) {
    if item.len() > 2 && tokens.is(item.end - 2, "AS") {
        let name = tokens.name(item.end - 1).unwrap_or_default();
        return (name.into_owned(), item.start..item.end - 2);
    }
    let alone = (item.len() == 1).then(|| tokens.kind(item.start)).flatten();
    let name = match alone {
        Some(Kind::Quoted) => tokens.name(item.start).unwrap_or_default().into_owned(),
        _ => tokens.source_of(item.clone()).to_owned(),
    };
    (name, item.clone())
}

/// The variables that are in scope behind some clauses.
pub(crate) fn scope(tokens: &Tokens<'_>, places: &[Place], clauses: &[Clause]) -> Vec<String> {
    let mut scope: Vec<String> = Vec::new();
    for clause in clauses {
        match clause.keyword {
            "WITH" => {
                let body = projection(tokens, clause);
                if !tokens.mark(body.start, '*') {
                    scope.clear();
                }
                let named = items(tokens, body)
                    .into_iter()
                    .map(|item| name(tokens, &item).0);
                scope.extend(named.filter(|name| name != "*"));
            }
            "UNWIND" | "CALL" | "YIELD" => {
                let aliases = clause
                    .body
                    .clone()
                    .filter(|index| places.get(*index) == Some(&Place::Alias));
                scope.extend(
                    aliases
                        .filter_map(|index| tokens.name(index))
                        .map(Into::into),
                );
            }
            "MATCH" | "CREATE" | "MERGE" => scope.extend(
                pattern_variables(tokens, places, &clause.body)
                    .into_iter()
                    .map(|(name, _)| name),
            ),
            _ => {}
        }
    }
    scope.sort();
    scope.dedup();
    scope
}

/// What a variable of a pattern stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entity {
    Node,
    Relationship,
    /// A path, or several relationships of one variable.
    Other,
}

/// The variables that a pattern names, and what each is.
pub(crate) fn pattern_variables(
    tokens: &Tokens<'_>,
    places: &[Place],
    body: &Range<usize>,
) -> Vec<(String, Entity)> {
    let mut found = Vec::new();
    for index in body.clone() {
        let is_variable = matches!(tokens.kind(index), Some(Kind::Word | Kind::Quoted))
            && places.get(index) == Some(&Place::Open);
        let (Some(name), Some(before)) = (tokens.name(index), index.checked_sub(1)) else {
            continue;
        };
        if !is_variable {
            continue;
        }
        let follows = |marks: &[char]| marks.iter().any(|mark| tokens.mark(index + 1, *mark));
        let bound = matches!(tokens.kind(index + 1), Some(Kind::Parameter));
        let entity = if tokens.mark(before, '(')
            && (follows(&[':', ')', '{']) || bound)
            && !before
                .checked_sub(1)
                .is_some_and(|b| places.get(b) == Some(&Place::Function))
        {
            Entity::Node
        } else if tokens.mark(before, '[')
            && before.checked_sub(1).is_some_and(|b| tokens.mark(b, '-'))
            && (follows(&[':', ']', '{']) || bound)
        {
            let end = tokens.behind(before);
            let many = (index..end).any(|at| tokens.mark(at, '*'));
            if many {
                Entity::Other
            } else {
                Entity::Relationship
            }
        } else if (follows(&['=']) && tokens.mark(index + 2, '(')) || follows(&['*']) {
            Entity::Other
        } else {
            continue;
        };
        found.push((name.into_owned(), entity));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::clauses::clauses;
    use super::super::place::places;
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let tokens = Tokens::new(text);
        let places = places(&tokens);
        columns(&tokens, &places, &clauses(&tokens, &places)).names()
    }

    #[test]
    fn names_are_the_source_or_the_alias() {
        assert_eq!(
            names("MATCH (n) RETURN DISTINCT n.name, count( * ), n.a + 1 AS `b c`, n ORDER BY n"),
            ["n.name", "count( * )", "b c", "n"]
        );
        assert_eq!(names("CREATE (n)"), [""; 0]);
        assert_eq!(
            names("RETURN [x IN [1,2] | x], {a: 1, b: 2} AS m;"),
            ["[x IN [1,2] | x]", "m"]
        );
    }

    #[test]
    fn star_is_what_is_in_scope() {
        assert_eq!(
            names("MATCH p = (b:B)-[r:T]->(a {x: 1})<--() RETURN *"),
            ["a", "b", "p", "r"]
        );
        assert_eq!(
            names("MATCH (a), (b) WITH a AS c, count(b) AS n RETURN *"),
            ["c", "n"]
        );
        assert_eq!(names("UNWIND [1] AS x WITH *, 2 AS y RETURN *"), ["x", "y"]);
    }
}
