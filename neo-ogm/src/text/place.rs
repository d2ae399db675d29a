//! What a name in a statement names, told by its neighbours.

use super::token::{Kind, Tokens};

/// The place of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A keyword, a variable, a function or part of an expression.
    Open,
    /// A label or a relationship type.
    Label,
    /// A property's key, behind a dot or in a map.
    Key,
    /// A function's name, directly before its parenthesis.
    Function,
    /// A variable that an `AS` introduces.
    Alias,
}

/// What kind of brackets a token stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Map,
    Other,
}

/// The places of all tokens.
pub(crate) fn places(tokens: &Tokens<'_>) -> Vec<Place> {
    let mut places = Vec::with_capacity(tokens.len());
    let mut brackets: Vec<Bracket> = Vec::new();
    for index in 0..tokens.len() {
        let place = place(tokens, &places, brackets.last().copied(), index);
        match tokens.kind(index) {
            Some(Kind::Mark('{')) => {
                brackets.push(if is_subquery(tokens, index) {
                    Bracket::Other
                } else {
                    Bracket::Map
                });
            }
            Some(Kind::Mark('(' | '[')) => brackets.push(Bracket::Other),
            Some(Kind::Mark(')' | ']' | '}')) => {
                brackets.pop();
            }
            _ => {}
        }
        places.push(place);
    }
    places
}

/// Whether a brace opens a subquery and no map.
pub(crate) fn is_subquery(tokens: &Tokens<'_>, brace: usize) -> bool {
    let Some(before) = brace.checked_sub(1) else {
        return false;
    };
    ["EXISTS", "COUNT", "COLLECT", "CALL"].iter().any(|word| tokens.is(before, word))
        // `CALL (x) { … }`, and quantified patterns.
        || (tokens.mark(before, ')') && !tokens.mark(brace + 2, ':'))
}

fn place(tokens: &Tokens<'_>, places: &[Place], bracket: Option<Bracket>, index: usize) -> Place {
    if !matches!(tokens.kind(index), Some(Kind::Word | Kind::Quoted)) {
        return Place::Open;
    }
    let Some(before) = index.checked_sub(1) else {
        return Place::Open;
    };
    let opens = tokens.mark(index + 1, '(');
    if tokens.mark(before, '.') && !before.checked_sub(1).is_some_and(|b| tokens.mark(b, '.')) {
        return if opens { Place::Function } else { Place::Key };
    }
    if bracket == Some(Bracket::Map)
        && (tokens.mark(before, '{') || tokens.mark(before, ','))
        && tokens.mark(index + 1, ':')
    {
        return Place::Key;
    }
    if tokens.mark(before, ':') {
        let is_value = before.checked_sub(1).is_some_and(|key| {
            bracket == Some(Bracket::Map) && places.get(key) == Some(&Place::Key)
        });
        return if !is_value {
            Place::Label
        } else if opens {
            Place::Function
        } else {
            Place::Open
        };
    }
    let after_label = before
        .checked_sub(1)
        .is_some_and(|b| places.get(b) == Some(&Place::Label));
    if after_label && (tokens.mark(before, '|') || tokens.mark(before, '&')) {
        return Place::Label;
    }
    if tokens.is(before, "AS") {
        return Place::Alias;
    }
    if opens && tokens.kind(index) == Some(Kind::Word) && !is_clause_word(tokens.source(index)) {
        return Place::Function;
    }
    Place::Open
}

/// Words that stand before a parenthesis and are no functions.
fn is_clause_word(word: &str) -> bool {
    [
        "MATCH", "WHERE", "CREATE", "MERGE", "AND", "OR", "XOR", "NOT", "IN", "RETURN", "WITH",
        "WHEN", "THEN", "ELSE", "CASE", "BY", "ON", "SET", "CALL", "DELETE", "UNWIND", "AS", "IS",
        "SKIP", "LIMIT", "CONTAINS", "DISTINCT", "REQUIRE", "FOR", "FOREACH", "YIELD",
    ]
    .iter()
    .any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str, wanted: Place) -> Vec<String> {
        let tokens = Tokens::new(text);
        places(&tokens)
            .into_iter()
            .enumerate()
            .filter(|(_, place)| *place == wanted)
            .map(|(index, _)| tokens.source(index).to_owned())
            .collect()
    }

    #[test]
    fn keys_labels_functions_and_aliases() {
        let text = "MATCH (n:Order:A {count: $x, b: count})-[r:T|U*1..3 {w: 1}]->(:`x y`) \
                    WHERE n.set > 1 AND n:Other AND EXISTS { MATCH (n)-->(m) WHERE m.k = 1 } \
                    RETURN count(n) AS count, {limit: n.skip} AS m, date.truncate('day') AS d";
        assert_eq!(
            named(text, Place::Label),
            ["Order", "A", "T", "U", "`x y`", "Other"]
        );
        assert_eq!(
            named(text, Place::Key),
            ["count", "b", "w", "set", "k", "limit", "skip"]
        );
        assert_eq!(named(text, Place::Function), ["count", "truncate"]);
        assert_eq!(named(text, Place::Alias), ["count", "m", "d"]);
    }
}
