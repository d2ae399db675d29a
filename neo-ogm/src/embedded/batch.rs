//! `UNWIND $rows AS row …` run row by row.
//!
//! The engine looks a node up by its index when the key is a parameter, and scans when the key
//! is a row's. So a statement whose rows do not see each other's work, or see it alike either
//! way, is run once for each row, with the row as a parameter, in the same transaction.

use std::borrow::Cow;
use std::ops::Range;

use neo_bolt::server::Failure;
use neo_bolt::value::{Map, Value};

use super::cypher::clauses::{Clause, clauses, items};
use super::cypher::columns::{columns, pattern_variables};
use super::cypher::place::{Place, places};
use super::cypher::rewrite::rewrite;
use super::cypher::token::{Kind, Tokens};
use super::engine::{Handle, Rows};
use super::facts::{Facts, Source};

/// How the parameters are called that hold what a row has.
const ROW: &str = "neo_row";

/// A statement for one row.
#[derive(Debug)]
pub(super) struct Batch {
    /// The parameter that has the rows.
    rows: String,
    /// The statement behind the `UNWIND`, with parameters in place of `row` and `row.key`.
    text: String,
    /// The keys of a row that it asks for.
    keys: Vec<String>,
    caution: Caution,
}

/// What can be told of the rows only once they are there: these of their maps are merged into
/// nodes that the statement has looked up, so they may not have the properties looked at.
#[derive(Debug, Default)]
struct Caution {
    maps: Vec<String>,
    looked_at: Vec<String>,
}

/// Finds out whether a statement may be run row by row.
pub(super) fn batch(
    tokens: &Tokens<'_>,
    places: &[Place],
    found: &[Clause],
    facts: Option<&Facts>,
    database_id: &str,
) -> Result<Option<Batch>, Failure> {
    let Some((unwind, rest)) = found.split_first() else {
        return Ok(None);
    };
    let body = &unwind.body;
    let leads = unwind.keyword == "UNWIND"
        && body.start == 1
        && body.len() == 3
        && tokens.kind(1) == Some(Kind::Parameter)
        && tokens.is(2, "AS");
    if !leads {
        return Ok(None);
    }
    let (Some(rows), Some(row)) = (tokens.name(1), tokens.name(3)) else {
        return Ok(None);
    };
    let Some(caution) = independent(tokens, places, rest, facts, &row) else {
        return Ok(None);
    };
    let Some(handed_on) = handed_on(tokens, rest, &row) else {
        return Ok(None);
    };
    let Some((text, keys)) = per_row(tokens, places, body.end, &row, &handed_on) else {
        return Ok(None);
    };
    let inner = Tokens::new(&text);
    let inner_places = self::places(&inner);
    let inner_clauses = clauses(&inner, &inner_places);
    let inner_columns = columns(&inner, &inner_places, &inner_clauses);
    let rewritten = rewrite(
        &inner,
        &inner_places,
        &inner_clauses,
        &inner_columns,
        database_id,
    )?;
    Ok(Some(Batch {
        rows: rows.into_owned(),
        text: rewritten.text,
        keys,
        caution,
    }))
}

/// The tokens by which each `WITH row, a, b` hands the row on, with a comma; `None` where one does
/// more than hand on, or does not hand on the row.
fn handed_on(tokens: &Tokens<'_>, rest: &[Clause], row: &str) -> Option<Vec<Range<usize>>> {
    let withs = rest.iter().filter(|clause| clause.keyword == "WITH");
    withs
        .map(|clause| {
            let items = items(tokens, clause.body.clone());
            if items.len() < 2 || items.iter().any(|item| item.len() != 1) {
                return None;
            }
            let found = items
                .iter()
                .position(|item| tokens.name(item.start).as_deref() == Some(row))?;
            let at = items.get(found)?.start;
            Some(if found == 0 {
                at..at + 2
            } else {
                at - 1..at + 1
            })
        })
        .collect()
}

/// Whether the rows can't tell if they run together or one after the other, and on what terms.
fn independent(
    tokens: &Tokens<'_>,
    places: &[Place],
    rest: &[Clause],
    facts: Option<&Facts>,
    row: &str,
) -> Option<Caution> {
    let plain = rest.iter().all(|clause| match clause.keyword {
        "MATCH" | "OPTIONAL" | "WHERE" | "MERGE" | "ON" | "SET" | "CREATE" | "REMOVE"
        | "DELETE" | "DETACH" => true,
        "WITH" => !tokens.is(clause.body.start, "DISTINCT"),
        "RETURN" => {
            !tokens.is(clause.body.start, "DISTINCT") && !tokens.mark(clause.body.start, '*')
        }
        _ => false,
    });
    // An aggregate would be taken over all rows; so would a nested clause of a subquery.
    let aggregates = (0..tokens.len()).any(|at| {
        places.get(at) == Some(&Place::Function)
            && [
                "count",
                "collect",
                "sum",
                "avg",
                "min",
                "max",
                "stdev",
                "stdevp",
                "percentilecont",
                "percentiledisc",
                "rand",
            ]
            .iter()
            .any(|name| tokens.is(at, name))
    });
    if !plain || aggregates || rest.is_empty() {
        return None;
    }
    let reads: Vec<&Clause> = rest
        .iter()
        .filter(|clause| matches!(clause.keyword, "MATCH" | "WHERE"))
        .collect();
    let Some(facts) = facts else {
        return Some(Caution::default());
    };
    // A MERGE sees what the rows before it made, in either order of running. A MATCH does not:
    // so nothing that it looks at may be written.
    let merges_paths = rest
        .iter()
        .filter(|clause| clause.keyword == "MERGE")
        .count()
        > 1;
    if reads.is_empty() {
        let fine = !merges_paths && rest.iter().all(|clause| clause.keyword != "CREATE")
            || rest
                .iter()
                .all(|clause| matches!(clause.keyword, "CREATE" | "RETURN"));
        return fine.then(Caution::default);
    }
    let relabels = !facts.labels_set.is_empty() || facts.labels_removed;
    let looked_at: Vec<_> = reads
        .iter()
        .flat_map(|clause| clause.body.clone())
        .filter(|at| places.get(*at) == Some(&Place::Key))
        // What is asked of the row itself is not asked of a node.
        .filter(|at| *at < 2 || tokens.name(at - 2).as_deref() != Some(row))
        .filter_map(|at| tokens.name(at))
        .map(Cow::into_owned)
        .collect();
    let overwrites = facts
        .assigned
        .iter()
        .any(|(key, _)| looked_at.contains(key))
        || facts.merged.contains(&Source::Computed);
    let maps = merged_maps(tokens, places, rest, row)?;
    let walks = reads.iter().any(|clause| {
        clause
            .body
            .clone()
            .any(|at| tokens.mark(at, '[') || (tokens.mark(at, '-') && tokens.mark(at + 1, '-')))
    });
    let fine = !relabels && !overwrites && !walks && facts.made_nodes.is_empty();
    fine.then_some(Caution { maps, looked_at })
}

/// The maps of a row that are merged into a variable that a `MATCH` looks at; `None` where what is
/// merged is no map of the row.
fn merged_maps(
    tokens: &Tokens<'_>,
    places: &[Place],
    rest: &[Clause],
    row: &str,
) -> Option<Vec<String>> {
    let matched: Vec<String> = rest
        .iter()
        .filter(|clause| clause.keyword == "MATCH")
        .flat_map(|clause| pattern_variables(tokens, places, &clause.body))
        .map(|(name, _)| name)
        .collect();
    let sets = rest.iter().filter(|clause| clause.keyword == "SET");
    let merges = sets.flat_map(|clause| clause.body.clone()).filter(|at| {
        tokens.mark(at + 1, '+')
            && tokens.mark(at + 2, '=')
            && tokens
                .name(*at)
                .is_some_and(|name| matched.iter().any(|known| *known == name))
    });
    merges
        .map(|at| {
            let of_row = tokens.name(at + 3).as_deref() == Some(row)
                && tokens.mark(at + 4, '.')
                && places.get(at + 5) == Some(&Place::Key);
            let name = tokens.name(at + 5).filter(|_| of_row)?;
            Some(name.into_owned())
        })
        .collect()
}

/// The statement with parameters in place of the row; `None` where the row is used as a whole.
fn per_row(
    tokens: &Tokens<'_>,
    places: &[Place],
    start: usize,
    row: &str,
    handed_on: &[Range<usize>],
) -> Option<(String, Vec<String>)> {
    let mut keys: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut at = start;
    let mut copied = tokens.all.get(start)?.span.start;
    while let Some(token) = tokens.all.get(at) {
        if let Some(range) = handed_on.iter().find(|range| range.start == at) {
            text.push_str(tokens.text.get(copied..token.span.start)?);
            text.push(' ');
            copied = tokens.all.get(range.end - 1)?.span.end;
            at = range.end;
            continue;
        }
        let is_row = places.get(at) != Some(&Place::Key)
            && places.get(at) != Some(&Place::Label)
            && matches!(token.kind, Kind::Word | Kind::Quoted)
            && tokens.name(at).as_deref() == Some(row);
        if !is_row {
            at += 1;
            continue;
        }
        let dotted = tokens.mark(at + 1, '.') && places.get(at + 2) == Some(&Place::Key);
        if !dotted {
            return None;
        }
        let key = tokens.name(at + 2)?.into_owned();
        let number = keys
            .iter()
            .position(|known| *known == key)
            .unwrap_or_else(|| {
                keys.push(key);
                keys.len() - 1
            });
        text.push_str(tokens.text.get(copied..token.span.start)?);
        text.push_str(&format!("${ROW}_{number}"));
        copied = tokens.all.get(at + 2)?.span.end;
        at += 3;
    }
    text.push_str(tokens.text.get(copied..)?);
    Some((text, keys))
}

impl Batch {
    /// Whether a row would change what the statement looks at.
    fn overwrites(&self, row: &Value) -> bool {
        let Value::Map(row) = row else { return true };
        self.caution.maps.iter().any(|name| match row.get(name) {
            Some(Value::Map(map)) => self
                .caution
                .looked_at
                .iter()
                .any(|property| map.contains_key(property)),
            _ => true,
        })
    }

    /// Runs the statement for each row; `None` where the rows are no list of maps, which the
    /// whole statement then deals with.
    pub(super) fn run(
        &self,
        handle: &mut impl Handle,
        parameters: &Map,
    ) -> Result<Option<Rows>, Failure> {
        let Some(Value::List(rows)) = parameters.get(&self.rows) else {
            return Ok(None);
        };
        if !rows.iter().all(|row| matches!(row, Value::Map(_))) {
            return Ok(None);
        }
        if rows.iter().any(|row| self.overwrites(row)) {
            return Ok(None);
        }
        let mut one = parameters.clone();
        one.remove(&self.rows);
        let mut all = Rows::default();
        for row in rows {
            let Value::Map(row) = row else { continue };
            for (number, key) in self.keys.iter().enumerate() {
                let value = row.get(key).cloned().unwrap_or_default();
                one.insert(format!("{ROW}_{number}"), value);
            }
            let mut of_row = handle.run(&self.text, &one)?;
            if all.columns.is_empty() {
                all.columns = of_row.columns;
            }
            all.records.append(&mut of_row.records);
        }
        Ok(Some(all))
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::facts;
    use super::*;

    fn of(text: &str) -> Option<Batch> {
        let tokens = Tokens::new(text);
        let places = places(&tokens);
        let clauses = clauses(&tokens, &places);
        let facts = facts(&tokens, &places, &clauses);
        batch(&tokens, &places, &clauses, facts.as_ref(), "db").unwrap()
    }

    #[test]
    fn rows_become_parameters() {
        let found = of("UNWIND $rows AS row MERGE (n:B {k: row.k0}) SET n += row.p, n.k = row.k0");
        assert_eq!(
            found.unwrap().text,
            "MERGE (n:B {k: $neo_row_0}) SET n += $neo_row_1, n.k = $neo_row_0"
        );
        let found = of(
            "UNWIND $rows AS row MATCH (a:A {k: row.a}) MATCH (b:B {k: row.b}) \
             MERGE (a)-[r:T]->(b) SET r += row.p",
        );
        assert_eq!(found.unwrap().keys, ["a", "b", "p"]);
        assert!(of("UNWIND $rows AS row MATCH (n:B {k: row.k}) RETURN n.x AS x").is_some());
    }

    #[test]
    fn a_row_that_is_handed_on() {
        for text in [
            "UNWIND $rows AS row OPTIONAL MATCH (n:B {k: row.k}) WITH row, n WHERE n.z = row.i \
             SET n += row.p",
            "UNWIND $rows AS row OPTIONAL MATCH (n:B {k: row.k}) WITH n, row WHERE n.z = row.i \
             SET n += row.p",
        ] {
            let found = of(text).unwrap();
            let words: Vec<_> = found.text.split_whitespace().collect();
            assert_eq!(
                words.join(" "),
                "OPTIONAL MATCH (n:B {k: $neo_row_0}) WITH n WHERE n.z = $neo_row_1 \
                 SET n += $neo_row_2"
            );
            let row = |p: Map| Value::Map(Map::from([("p".to_owned(), Value::Map(p))]));
            let one = || Value::Integer(1);
            assert!(!found.overwrites(&row(Map::from([("i".to_owned(), one())]))));
            assert!(found.overwrites(&row(Map::from([("k".to_owned(), one())]))));
            assert!(found.overwrites(&row(Map::from([("z".to_owned(), one())]))));
        }
        assert!(of("UNWIND $rows AS row MATCH (n:B {k: row.k}) DETACH DELETE n").is_some());
    }

    #[test]
    fn what_might_differ_is_left_whole() {
        for text in [
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) RETURN count(n)",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) RETURN DISTINCT n",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) RETURN n ORDER BY n.x",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) RETURN n LIMIT 1",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) WITH n RETURN n",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) CREATE (:B {k: row.j})",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) SET n.k = row.j",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) SET n += $p",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) WITH n SET n.x = row.x",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) WITH row, n AS m SET m.x = row.x",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) WITH DISTINCT row, n SET n.x = row.x",
            "UNWIND $rows AS row WITH row MATCH (n:B {k: row.k}) SET n.x = row.x",
            "UNWIND $rows AS row MATCH (n:B {k: row.k})-[r:T]->(m) MERGE (n)-[:T]->(m)",
            "UNWIND $rows AS row MATCH (n:B {k: row.k}) SET n:C",
            "UNWIND $rows AS row MATCH (n) WHERE n.k = keys(row) RETURN n",
            "UNWIND [1] AS row MERGE (n:B {k: row})",
        ] {
            assert!(of(text).is_none(), "{text}");
        }
    }
}
