//! The statement as the engine takes it: names encoded, and ids written in its own terms.

use std::collections::HashMap;
use std::ops::Range;

use neo_bolt::server::Failure;

use super::clauses::{Clause, items};
use super::columns::{Columns, Entity, pattern_variables, scope};
use super::place::Place;
use super::token::{Kind, Tokens};
use crate::embedded::names;

/// Functions that may also be the names of variables; the engine takes them for functions only.
const FUNCTION_WORDS: &[&str] = &[
    "count", "sum", "avg", "min", "max", "collect", "length", "nodes", "any", "none", "single",
];

/// Functions that take many rows and give one.
const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "min",
    "max",
    "collect",
    "stDev",
    "stDevP",
    "percentileCont",
    "percentileDisc",
];

/// What is to be made of a column when it comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Nothing.
    Keep,
    /// The relationship in it stands for its element id.
    ElementId,
    /// The relationship in it stands for its numeric id.
    Id,
    /// There are names of labels, types or keys in it, encoded.
    Names,
}

/// A statement in the engine's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pub(crate) finish: Vec<Finish>,
}

/// Rewrites a whole statement.
pub(crate) fn rewrite(
    tokens: &Tokens<'_>,
    places: &[Place],
    clauses: &[Clause],
    columns: &Columns,
    database_id: &str,
) -> Result<Rewritten, Failure> {
    let rewriter = Rewriter {
        tokens,
        places,
        entities: entities(tokens, places, clauses),
        database_id,
    };
    let mut replaced = HashMap::new();
    let mut finish = Vec::new();
    if let Columns::Named(columns) = columns {
        for (name, expression) in columns {
            let kind = rewriter.finish(expression);
            if matches!(kind, Finish::Id | Finish::ElementId) {
                // `elementId(r)`: only the variable is asked for, under a name of its own.
                let mut text = rewriter.token(expression.start + 2);
                if !tokens.is(expression.end, "AS") {
                    text.push_str(&format!(" AS {}", names::encode(name)));
                }
                replaced.insert(expression.start, (expression.end, text));
            }
            finish.push(kind);
        }
    }
    for (at, variables) in grouping_returns(tokens, places, clauses) {
        let variables: Vec<_> = variables.iter().map(|name| names::encode(name)).collect();
        replaced.insert(
            at,
            (at + 1, format!("WITH {} RETURN", variables.join(", "))),
        );
    }
    for (at, text) in unwound(tokens, places, clauses) {
        replaced.insert(at, (at + 1, text));
    }
    let text = rewriter.range(0..tokens.len(), &replaced)?;
    Ok(Rewritten { text, finish })
}

/// Where a `RETURN` stands that groups by something: the engine reads only those properties of a
/// node that the statement names, and takes such a `RETURN` for one that names none. Behind a
/// `WITH` it gives whole nodes; that names what is in scope, as the engine loses some of it in
/// `WITH *`.
fn grouping_returns(
    tokens: &Tokens<'_>,
    places: &[Place],
    clauses: &[Clause],
) -> Vec<(usize, Vec<String>)> {
    let aggregates = |item: Range<usize>| {
        item.into_iter().any(|index| {
            places.get(index) == Some(&Place::Function)
                && AGGREGATES.iter().any(|name| tokens.is(index, name))
        })
    };
    let mut found = Vec::new();
    let mut part = 0;
    for (number, clause) in clauses.iter().enumerate() {
        if clause.keyword == "UNION" {
            part = number + 1;
        }
        if clause.keyword != "RETURN" {
            continue;
        }
        let (mut grouped, mut by) = (false, false);
        for item in items(tokens, clause.body.clone()) {
            if aggregates(item) {
                grouped = true;
            } else {
                by = true;
            }
        }
        let variables = scope(tokens, places, clauses.get(part..number).unwrap_or(&[]));
        if grouped && by && !variables.is_empty() {
            found.push((clause.body.start - 1, variables));
        }
    }
    found
}

/// Where an `UNWIND` names its variable, and what is written there: the engine forgets what such a
/// variable's keys are when a pattern follows, so that `row.key` is null. It does not where a
/// `WITH` has given the variable another name.
fn unwound(tokens: &Tokens<'_>, places: &[Place], clauses: &[Clause]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut part = 0;
    for (number, clause) in clauses.iter().enumerate() {
        if clause.keyword == "UNION" {
            part = number + 1;
        }
        let behind = clauses.iter().skip(number + 1);
        let patterns = behind
            .take_while(|next| !matches!(next.keyword, "WITH" | "RETURN" | "UNION"))
            .any(|next| matches!(next.keyword, "MATCH" | "MERGE" | "CREATE"));
        if clause.keyword != "UNWIND" || !patterns {
            continue;
        }
        let mut body = clause.body.clone().rev();
        let alias = body.find(|index| places.get(*index) == Some(&Place::Alias));
        let Some((at, name)) = alias.and_then(|at| Some((at, tokens.name(at)?))) else {
            continue;
        };
        let mut text = format!("neo_unwound{at} WITH ");
        for before in scope(tokens, places, clauses.get(part..number).unwrap_or(&[])) {
            text.push_str(&names::encode(&before));
            text.push_str(", ");
        }
        text.push_str(&format!("neo_unwound{at} AS {}", names::encode(&name)));
        found.push((at, text));
    }
    found
}

/// What each variable of the statement is, where its patterns tell.
fn entities(tokens: &Tokens<'_>, places: &[Place], clauses: &[Clause]) -> HashMap<String, Entity> {
    let whole = 0..tokens.len();
    let mut entities: HashMap<_, _> = pattern_variables(tokens, places, &whole)
        .into_iter()
        .collect();
    for clause in clauses.iter().filter(|clause| clause.keyword == "WITH") {
        for index in clause.body.clone() {
            // `WITH n AS m`: another name for the same.
            let alone = index >= clause.body.start + 2
                && places.get(index) == Some(&Place::Alias)
                && (index == clause.body.start + 2 || tokens.mark(index - 3, ','));
            if let (true, Some(alias), Some(name)) = (
                alone,
                tokens.name(index),
                tokens.name(index.saturating_sub(2)),
            ) && let Some(entity) = entities.get(name.as_ref()).copied()
            {
                entities.insert(alias.into_owned(), entity);
            }
        }
    }
    entities
}

struct Rewriter<'a, 't> {
    tokens: &'a Tokens<'t>,
    places: &'a [Place],
    entities: HashMap<String, Entity>,
    database_id: &'a str,
}

impl Rewriter<'_, '_> {
    /// The variable in `id(v)` or `elementId(v)`, if an expression is just that.
    fn id_call(&self, start: usize) -> Option<(Finish, String)> {
        let finish = if self.tokens.is(start, "elementId") {
            Finish::ElementId
        } else if self.tokens.is(start, "id") {
            Finish::Id
        } else {
            return None;
        };
        let alone = self.places.get(start) == Some(&Place::Function)
            && self.tokens.mark(start + 3, ')')
            && matches!(self.tokens.kind(start + 2), Some(Kind::Word | Kind::Quoted));
        if !alone {
            return None;
        }
        Some((finish, self.tokens.name(start + 2)?.into_owned()))
    }

    /// How a column is to be finished.
    fn finish(&self, expression: &Range<usize>) -> Finish {
        let names = expression.clone().any(|at| {
            self.places.get(at) == Some(&Place::Function)
                && ["labels", "type", "keys"]
                    .iter()
                    .any(|name| self.tokens.is(at, name))
        });
        if names {
            Finish::Names
        } else {
            self.relationship_id(expression)
        }
    }

    /// How a column that is exactly the id of a relationship is to be finished.
    fn relationship_id(&self, expression: &Range<usize>) -> Finish {
        match self.id_call(expression.start) {
            Some((finish, variable))
                if expression.len() == 4
                    && self.entities.get(&variable) == Some(&Entity::Relationship) =>
            {
                finish
            }
            _ => Finish::Keep,
        }
    }

    fn range(
        &self,
        range: Range<usize>,
        replaced: &HashMap<usize, (usize, String)>,
    ) -> Result<String, Failure> {
        let mut out = String::with_capacity(self.tokens.text.len() + 32);
        let mut copied = self
            .tokens
            .all
            .get(range.start)
            .map_or(0, |token| token.span.start);
        let mut index = range.start;
        while index < range.end {
            let Some(token) = self.tokens.all.get(index) else {
                break;
            };
            out.push_str(
                self.tokens
                    .text
                    .get(copied..token.span.start)
                    .unwrap_or(" "),
            );
            let next = if let Some((end, text)) = replaced.get(&index) {
                out.push_str(text);
                *end
            } else {
                self.step(index, &mut out)?
            };
            copied = self
                .tokens
                .all
                .get(next - 1)
                .map_or(copied, |token| token.span.end);
            index = next;
        }
        Ok(out)
    }

    /// Writes what begins at a token, and gives the index behind it.
    fn step(&self, index: usize, out: &mut String) -> Result<usize, Failure> {
        let is_id = self.places.get(index) == Some(&Place::Function)
            && (self.tokens.is(index, "elementId") || self.tokens.is(index, "id"));
        if !is_id {
            out.push_str(&self.token(index));
            return Ok(index + 1);
        }
        let element = self.tokens.is(index, "elementId");
        let end = self.tokens.behind(index + 1);
        let inner = index + 2..end.saturating_sub(1);
        self.needs_node(&inner)?;
        let of = self.range(inner, &HashMap::new())?;
        if element {
            out.push_str(&format!("('4:{}:' + toString(id({of})))", self.database_id));
        } else {
            out.push_str(&format!("id({of})"));
        }
        Ok(end)
    }

    /// The engine knows the ids of nodes; those of relationships only when they are returned.
    fn needs_node(&self, argument: &Range<usize>) -> Result<(), Failure> {
        let start = argument.start;
        let is_end = self.places.get(start) == Some(&Place::Function)
            && (self.tokens.is(start, "startNode") || self.tokens.is(start, "endNode"));
        let variable = (argument.len() == 1)
            .then(|| self.tokens.name(start))
            .flatten();
        let entity = variable.and_then(|name| self.entities.get(name.as_ref()).copied());
        if is_end || entity == Some(Entity::Node) {
            return Ok(());
        }
        let expression = self.tokens.source_of(argument.clone());
        Err(Failure::new(
            "Neo.ClientError.Statement.SyntaxError",
            format_args!(
                "the embedded engine gives the id of `{expression}` only where it is a node of a \
                 pattern, or a relationship that is returned as it is (`RETURN elementId(r)`); a \
                 Neo4j server has no such limit"
            ),
        ))
    }

    /// One token in the engine's terms.
    fn token(&self, index: usize) -> String {
        let source = self.tokens.source(index);
        let place = self.places.get(index).copied().unwrap_or(Place::Open);
        let Some(name) = self.tokens.name(index) else {
            return source.to_owned();
        };
        match self.tokens.kind(index) {
            Some(Kind::Parameter) => format!("${}", names::encode(&name)),
            Some(Kind::Quoted) => names::encode(&name).into_owned(),
            _ => match place {
                Place::Label | Place::Key | Place::Alias => names::encode(&name).into_owned(),
                Place::Function => source.to_owned(),
                Place::Open => {
                    let variable = FUNCTION_WORDS
                        .iter()
                        .any(|word| self.tokens.is(index, word));
                    if variable || !name.is_ascii() {
                        names::encode(&name).into_owned()
                    } else {
                        source.to_owned()
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::clauses::clauses;
    use super::super::columns::columns;
    use super::super::place::places;
    use super::*;

    fn rewritten(text: &str) -> Result<Rewritten, Failure> {
        let tokens = Tokens::new(text);
        let places = places(&tokens);
        let clauses = clauses(&tokens, &places);
        let columns = columns(&tokens, &places, &clauses);
        rewrite(&tokens, &places, &clauses, &columns, "db")
    }

    #[test]
    fn usual_statements_stay_as_they_are() {
        for text in [
            "MERGE (n:Book {isbn: $k0})  SET n += $p // `x`\n RETURN count(n) AS c",
            "MATCH (n) WHERE n.a = 'elementId(n) `x`' RETURN n.a",
        ] {
            assert_eq!(rewritten(text).unwrap().text, text);
        }
    }

    #[test]
    fn names_are_encoded_in_every_place() {
        let text = "MATCH (`n n`:`A B` {`c d`: $`e f`}) WHERE `n n`.ü = 1 RETURN collect(1) AS count, \
                    count({order: 1}) AS x ORDER BY count";
        let e = |name: &str| names::encode(name).into_owned();
        assert_eq!(
            rewritten(text).unwrap().text,
            format!(
                "MATCH ({}:{} {{{}: ${}}}) WHERE {}.{} = 1 RETURN collect(1) AS {count}, \
                 count({{{}: 1}}) AS x ORDER BY {count}",
                e("n n"),
                e("A B"),
                e("c d"),
                e("e f"),
                e("n n"),
                e("ü"),
                e("order"),
                count = e("count"),
            )
        );
    }

    #[test]
    fn a_return_that_groups_stands_behind_a_with_of_all_that_is_in_scope() {
        assert_eq!(
            rewritten("MATCH (n)-[r:T]->(`m m`) RETURN n, count(r) AS c ORDER BY n.x")
                .unwrap()
                .text,
            format!(
                "MATCH (n)-[r:T]->({m}) WITH {m}, n, r RETURN n, count(r) AS c ORDER BY n.x",
                m = names::encode("m m")
            )
        );
        assert_eq!(
            rewritten("MATCH (a) WITH a.k AS k MATCH (n) RETURN n, k, count(*) AS c")
                .unwrap()
                .text,
            "MATCH (a) WITH a.k AS k MATCH (n) WITH k, n RETURN n, k, count(*) AS c"
        );
    }

    #[test]
    fn what_is_unwound_has_another_name_before_a_pattern() {
        let text = "MATCH (n) UNWIND $l AS `r w` OPTIONAL MATCH (m) RETURN `r w`.k";
        let row = names::encode("r w");
        assert_eq!(
            rewritten(text).unwrap().text,
            format!(
                "MATCH (n) UNWIND $l AS neo_unwound7 WITH n, neo_unwound7 AS {row} OPTIONAL MATCH (m) \
                 RETURN {row}.k"
            )
        );
        let text = "UNWIND $l AS row WITH row.k AS k MATCH (m {k: k}) RETURN m";
        assert_eq!(rewritten(text).unwrap().text, text);
    }

    #[test]
    fn element_ids() {
        let of_node = "('4:db:' + toString(id(n)))";
        assert_eq!(
            rewritten("MATCH (n:A) WHERE elementId(n) = $id RETURN elementId(n) AS id")
                .unwrap()
                .text,
            format!("MATCH (n:A) WHERE {of_node} = $id RETURN {of_node} AS id")
        );
        let of_relationship =
            rewritten("MATCH ()-[r:T]->() RETURN 1, elementId(r) AS e, id(r)").unwrap();
        assert_eq!(
            of_relationship.text,
            format!(
                "MATCH ()-[r:T]->() RETURN 1, r AS e, r AS {}",
                names::encode("id(r)")
            )
        );
        assert_eq!(
            of_relationship.finish,
            [Finish::Keep, Finish::ElementId, Finish::Id]
        );
        for refused in [
            "MATCH ()-[r]->() WHERE elementId(r) = $id RETURN 1",
            "MATCH p = ()-->() RETURN [x IN nodes(p) | elementId(x)]",
        ] {
            assert!(
                rewritten(refused)
                    .unwrap_err()
                    .message
                    .contains("only where"),
                "{refused}"
            );
        }
    }
}
