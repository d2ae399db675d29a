//! What Neo4j's Cypher has and the engine has not: each is refused by its name.

use neo_bolt::server::Failure;

use super::place::{Place, is_subquery};
use super::token::{Kind, Tokens};

const SYNTAX: &str = "Neo.ClientError.Statement.SyntaxError";
const PROCEDURE: &str = "Neo.ClientError.Procedure.ProcedureNotFound";

/// Functions of Neo4j that are worth a sentence of their own.
const FUNCTIONS: &[&str] = &[
    "reduce",
    "point",
    "point.distance",
    "point.withinBBox",
    "randomUUID",
    "vector",
    "vector.similarity.cosine",
    "vector.similarity.euclidean",
    "valueType",
    "isEmpty",
    "nullIf",
];

/// Clauses and prefixes that the engine does not read.
const CLAUSES: &[(&str, &str)] = &[
    ("FOREACH", "FOREACH"),
    ("LOAD", "LOAD CSV"),
    ("USE", "USE"),
    ("PROFILE", "PROFILE"),
    ("EXPLAIN", "EXPLAIN"),
    ("USING", "planner hints (USING)"),
    ("FINISH", "FINISH"),
    ("INSERT", "INSERT"),
];

/// The failure of a feature that only a Neo4j server has.
pub(crate) fn missing(code: &str, feature: &str) -> Failure {
    Failure::new(
        code,
        format_args!("the embedded engine does not have {feature}; a Neo4j server has it"),
    )
}

/// Finds the first feature that the engine lacks.
pub(crate) fn check(tokens: &Tokens<'_>, places: &[Place]) -> Result<(), Failure> {
    for index in 0..tokens.len() {
        let place = places.get(index).copied().unwrap_or(Place::Open);
        match tokens.kind(index) {
            Some(Kind::Word) if place == Place::Function => function(tokens, index)?,
            Some(Kind::Word) if place == Place::Open => word(tokens, index)?,
            Some(Kind::Mark('{')) => brace(tokens, index)?,
            Some(Kind::Mark('!' | '%' | '&' | '|')) => label_expression(tokens, places, index)?,
            Some(Kind::Mark('$')) if tokens.mark(index + 1, '(') => {
                return Err(missing(SYNTAX, "dynamic labels and properties, `$(…)`"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn function(tokens: &Tokens<'_>, index: usize) -> Result<(), Failure> {
    let mut called = tokens.source(index).to_owned();
    let mut first = index;
    while first >= 2 && tokens.mark(first - 1, '.') {
        first -= 2;
        called = format!("{}.{called}", tokens.source(first));
    }
    match FUNCTIONS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(&called))
    {
        Some(known) => Err(missing(SYNTAX, &format!("the function {known}()"))),
        None => Ok(()),
    }
}

fn word(tokens: &Tokens<'_>, index: usize) -> Result<(), Failure> {
    let first_of_clause = index == 0
        || !matches!(
            tokens.kind(index - 1),
            Some(Kind::Mark('(' | '[' | ',' | '-' | '+' | '='))
        );
    if let Some((_, feature)) = CLAUSES.iter().find(|(word, _)| tokens.is(index, word))
        && first_of_clause
        && !matches!(
            tokens.kind(index + 1),
            None | Some(Kind::Mark('.' | ',' | ')' | '=' | ':'))
        )
    {
        return Err(missing(SYNTAX, feature));
    }
    if tokens.is(index, "CALL") && !tokens.mark(index + 1, '{') && !tokens.mark(index + 1, '(') {
        return procedure(tokens, index + 1);
    }
    if tokens.is(index, "CALL") {
        return Err(missing(SYNTAX, "CALL subqueries, `CALL { … }`"));
    }
    Ok(())
}

/// No procedure of Neo4j is there.
fn procedure(tokens: &Tokens<'_>, start: usize) -> Result<(), Failure> {
    let mut name = String::new();
    for index in start..tokens.len() {
        match tokens.kind(index) {
            Some(Kind::Word | Kind::Quoted | Kind::Mark('.')) if !tokens.is(index, "YIELD") => {
                name.push_str(tokens.source(index));
            }
            _ => break,
        }
    }
    Err(missing(PROCEDURE, &format!("the procedure {name}")))
}

fn brace(tokens: &Tokens<'_>, index: usize) -> Result<(), Failure> {
    let Some(before) = index.checked_sub(1) else {
        return Ok(());
    };
    if is_subquery(tokens, index) {
        for word in ["COUNT", "COLLECT"] {
            if tokens.is(before, word) {
                return Err(missing(
                    SYNTAX,
                    &format!("{word} subqueries, `{word} {{ … }}`"),
                ));
            }
        }
        if tokens.mark(before, ')') {
            return Err(missing(SYNTAX, "quantified path patterns"));
        }
    }
    if tokens.mark(index + 1, '.') {
        return Err(missing(SYNTAX, "map projections, `n { .name }`"));
    }
    Ok(())
}

/// `&`, `!` and `%` in labels; `|` between the labels of a node.
fn label_expression(tokens: &Tokens<'_>, places: &[Place], index: usize) -> Result<(), Failure> {
    let Some(before) = index.checked_sub(1) else {
        return Ok(());
    };
    let behind_label = places.get(before) == Some(&Place::Label);
    let behind_colon = tokens.mark(before, ':');
    let open = (0..index).rev().scan(0_usize, |depth, at| {
        match tokens.kind(at) {
            Some(Kind::Mark(')' | ']' | '}')) => *depth += 1,
            Some(Kind::Mark('(' | '[' | '{')) if *depth == 0 => return Some(Some(at)),
            Some(Kind::Mark('(' | '[' | '{')) => *depth -= 1,
            _ => {}
        }
        Some(None)
    });
    let in_relationship = open
        .flatten()
        .next()
        .is_some_and(|at| tokens.mark(at, '[') && at > 0 && tokens.mark(at - 1, '-'));
    let is_expression = match tokens.kind(index) {
        Some(Kind::Mark('|')) => {
            behind_label && !in_relationship && places.get(index + 1) == Some(&Place::Label)
        }
        Some(Kind::Mark('%')) => behind_colon,
        _ => behind_label || behind_colon,
    };
    if is_expression {
        return Err(missing(
            SYNTAX,
            "label expressions with `|`, `&`, `!` and `%`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::place::places;
    use super::*;

    fn checked(text: &str) -> Result<(), Failure> {
        let tokens = Tokens::new(text);
        check(&tokens, &places(&tokens))
    }

    #[test]
    fn gaps_are_named() {
        for (text, name) in [
            (
                "MATCH (n) CALL { WITH n RETURN 1 AS x } RETURN x",
                "CALL subqueries",
            ),
            (
                "MATCH (n) CALL (n) { RETURN 1 AS x } RETURN x",
                "CALL subqueries",
            ),
            ("CALL db.labels() YIELD label RETURN label", "db.labels"),
            ("MATCH (n) RETURN COUNT { (n)-->() }", "COUNT subqueries"),
            ("MATCH (n) RETURN n { .name, .age }", "map projections"),
            ("RETURN reduce(a = 0, x IN [1] | a + x)", "reduce()"),
            ("RETURN point({x: 1, y: 2})", "point()"),
            ("MATCH (n) FOREACH (x IN [1] | CREATE (:A))", "FOREACH"),
            ("LOAD CSV FROM 'x' AS row RETURN row", "LOAD CSV"),
            ("MATCH (n:A|B) RETURN n", "label expressions"),
            ("MATCH (n:!A) RETURN n", "label expressions"),
            ("MATCH (n:$($l)) RETURN n", "dynamic labels"),
            ("MATCH ((a)-[:T]->(b)){1,3} RETURN a", "quantified path"),
            ("RETURN vector.similarity.cosine([1], [2])", "vector"),
        ] {
            let failure = checked(text).expect_err(text);
            assert!(failure.message.contains(name), "{text}: {failure}");
            assert!(failure.code.starts_with("Neo.ClientError."), "{failure}");
        }
    }

    #[test]
    fn what_the_engine_has_passes() {
        for text in [
            "MATCH (a)-[r:T|U]->(b) WHERE a.use > 1 AND b.load % 2 = 0 RETURN [x IN [1] | x]",
            "MATCH (n:Book {k: $k}) WHERE EXISTS { MATCH (n)-[:T]->(m) } RETURN n, n.point AS p",
            "MATCH (use) RETURN use, {a: {b: 1}} AS m",
        ] {
            checked(text).expect(text);
        }
    }
}
