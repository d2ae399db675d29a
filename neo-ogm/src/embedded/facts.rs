//! What a statement may do to the data, read off its text: which values it gives to which
//! properties, and what kinds of things it makes and deletes.

use std::collections::HashMap;
use std::ops::Range;

use neo_bolt::value::{Map, Value};

use super::cypher::clauses::{Clause, items};
use super::cypher::columns::{Entity, pattern_variables};
use super::cypher::place::Place;
use super::cypher::token::{Kind, Tokens};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// Written in the statement.
    Literal(Value),
    /// A parameter, or something within it.
    Parameter(Vec<Step>),
    /// Computed: only the data tells.
    Computed,
}

/// One step into a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The value under a key; the first step is the parameter's name.
    Key(String),
    /// Each item of a list.
    Each,
}

/// What a statement may do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Facts {
    /// Properties that are given a value one by one.
    pub(super) assigned: Vec<(String, Source)>,
    /// Maps whose keys are all given to an entity.
    pub(super) merged: Vec<Source>,
    /// Labels that are put on nodes that were there.
    pub(super) labels_set: Vec<String>,
    /// Labels are taken off.
    pub(super) labels_removed: bool,
    /// How many labels each node pattern of a `CREATE` or `MERGE` has that may make a node.
    pub(super) made_nodes: Vec<usize>,
    /// What is deleted, by the one label of its pattern where there is one.
    pub(super) deleted: Vec<Deleted>,
    /// A `CREATE` or `MERGE` is there.
    pub(super) makes: bool,
}

/// Something that a `DELETE` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deleted {
    Relationship,
    /// A node whose pattern has this label.
    Node(String),
    /// A node, a path or an expression of which nothing more is known.
    Unknown,
}

impl Source {
    /// All values that may come from here; `None` when they are not known.
    pub(super) fn values(&self, parameters: &Map) -> Option<Vec<Value>> {
        match self {
            Self::Literal(value) => Some(vec![value.clone()]),
            Self::Computed => None,
            Self::Parameter(steps) => {
                let mut steps = steps.iter();
                let Some(Step::Key(name)) = steps.next() else {
                    return None;
                };
                let mut values: Vec<&Value> = parameters.get(name).into_iter().collect();
                for step in steps {
                    values = values
                        .into_iter()
                        .flat_map(|value| match (step, value) {
                            (Step::Key(key), Value::Map(map)) => {
                                map.get(key).into_iter().collect::<Vec<_>>()
                            }
                            (Step::Each, Value::List(items)) => items.iter().collect(),
                            _ => Vec::new(),
                        })
                        .collect();
                }
                Some(values.into_iter().cloned().collect())
            }
        }
    }
}

/// Reads a statement; `None` when it writes nothing.
pub(super) fn facts(tokens: &Tokens<'_>, places: &[Place], clauses: &[Clause]) -> Option<Facts> {
    let writes = ["CREATE", "MERGE", "SET", "DELETE", "REMOVE"];
    if !clauses
        .iter()
        .any(|clause| writes.contains(&clause.keyword))
    {
        return None;
    }
    let mut reader = Reader {
        tokens,
        places,
        rows: HashMap::new(),
        bound: HashMap::new(),
        facts: Facts::default(),
    };
    for clause in clauses {
        reader.clause(clause);
    }
    Some(reader.facts)
}

struct Reader<'a, 't> {
    tokens: &'a Tokens<'t>,
    places: &'a [Place],
    /// What `UNWIND $rows AS row` calls the items of a parameter.
    rows: HashMap<String, Vec<Step>>,
    /// The variables so far, with the labels that their patterns gave them.
    bound: HashMap<String, (Entity, Vec<String>)>,
    facts: Facts,
}

impl Reader<'_, '_> {
    fn clause(&mut self, clause: &Clause) {
        match clause.keyword {
            "UNWIND" => self.unwind(&clause.body),
            "MATCH" => self.bind(&clause.body),
            "CREATE" | "MERGE" => {
                self.facts.makes = true;
                self.made(&clause.body);
                self.bind(&clause.body);
                self.keys(&clause.body);
            }
            "SET" => {
                for item in items(self.tokens, clause.body.clone()) {
                    self.set(&item);
                }
            }
            "REMOVE" => {
                let labels = clause
                    .body
                    .clone()
                    .any(|at| self.place(at) == Some(Place::Label));
                self.facts.labels_removed |= labels;
            }
            "DELETE" => {
                for item in items(self.tokens, clause.body.clone()) {
                    let deleted = self.deleted(&item);
                    self.facts.deleted.push(deleted);
                }
            }
            "WITH" => self.renamed(&clause.body),
            _ => {}
        }
    }

    fn place(&self, index: usize) -> Option<Place> {
        self.places.get(index).copied()
    }

    fn unwind(&mut self, body: &Range<usize>) {
        if body.len() < 3 || !self.tokens.is(body.end - 2, "AS") {
            return;
        }
        let source = self.source(&(body.start..body.end - 2));
        if let (Source::Parameter(mut steps), Some(alias)) =
            (source, self.tokens.name(body.end - 1))
        {
            steps.push(Step::Each);
            self.rows.insert(alias.into_owned(), steps);
        }
    }

    /// A `WITH` that calls something by the name of a row makes the name mean that.
    fn renamed(&mut self, body: &Range<usize>) {
        for item in items(self.tokens, body.clone()) {
            if item.len() > 2
                && self.tokens.is(item.end - 2, "AS")
                && let Some(alias) = self.tokens.name(item.end - 1)
            {
                self.rows.remove(alias.as_ref());
                let alone = (item.len() == 3)
                    .then(|| self.tokens.name(item.start))
                    .flatten();
                let known = alone.and_then(|name| self.bound.get(name.as_ref()).cloned());
                match known {
                    Some(known) => self.bound.insert(alias.into_owned(), known),
                    None => self.bound.remove(alias.as_ref()),
                };
            }
        }
    }

    fn bind(&mut self, body: &Range<usize>) {
        for (name, entity) in pattern_variables(self.tokens, self.places, body) {
            let labels = self.labels_of(&name, body);
            let known = self.bound.entry(name).or_insert((entity, Vec::new()));
            if known.1.is_empty() {
                known.1 = labels;
            }
        }
    }

    /// The labels directly behind a variable in a pattern.
    fn labels_of(&self, name: &str, body: &Range<usize>) -> Vec<String> {
        let at = body.clone().find(|at| {
            self.place(*at) == Some(Place::Open)
                && self.tokens.mark(at + 1, ':')
                && self.tokens.name(*at).as_deref() == Some(name)
        });
        at.map(|at| self.labels_from(at + 1)).unwrap_or_default()
    }

    /// The chain `:A:B` that begins at a colon.
    fn labels_from(&self, mut colon: usize) -> Vec<String> {
        let mut labels = Vec::new();
        while self.tokens.mark(colon, ':') && self.place(colon + 1) == Some(Place::Label) {
            labels.extend(self.tokens.name(colon + 1).map(Into::into));
            colon += 2;
        }
        labels
    }

    /// The node patterns that may make a node: those with labels, and those without a variable
    /// that is bound already.
    fn made(&mut self, body: &Range<usize>) {
        for open in body.clone().filter(|at| self.tokens.mark(*at, '(')) {
            let called = open > body.start && self.place(open - 1) == Some(Place::Function);
            if called {
                continue;
            }
            let variable = (self.place(open + 1) == Some(Place::Open))
                .then(|| self.tokens.name(open + 1))
                .flatten()
                .filter(|_| !matches!(self.tokens.kind(open + 1), Some(Kind::Parameter)));
            let bound = variable
                .as_ref()
                .is_some_and(|name| self.bound.contains_key(name.as_ref()));
            if bound {
                continue;
            }
            let colon = open + 1 + usize::from(variable.is_some());
            self.facts.made_nodes.push(self.labels_from(colon).len());
        }
    }

    /// The keys of the maps in a range, each with the source of its value.
    fn keys(&mut self, range: &Range<usize>) {
        for at in range.clone() {
            if self.place(at) == Some(Place::Key) && self.tokens.mark(at + 1, ':') {
                let end = self.value_end(at + 2, range.end);
                let source = self.source(&(at + 2..end));
                if let Some(name) = self.tokens.name(at) {
                    self.facts.assigned.push((name.into_owned(), source));
                }
            }
            // `(n:Label $properties)`
            let closes = self.tokens.mark(at + 1, ')') || self.tokens.mark(at + 1, ']');
            let behind = at > range.start
                && (self.place(at - 1) == Some(Place::Label)
                    || self.tokens.mark(at - 1, '(')
                    || self.place(at - 1) == Some(Place::Open));
            if self.tokens.kind(at) == Some(Kind::Parameter) && closes && behind {
                let source = self.source(&(at..at + 1));
                self.facts.merged.push(source);
            }
        }
    }

    /// Where a value in a map ends.
    fn value_end(&self, start: usize, limit: usize) -> usize {
        let mut at = start;
        while at < limit {
            match self.tokens.kind(at) {
                Some(Kind::Mark(',' | '}')) => return at,
                Some(Kind::Mark('(' | '[' | '{')) => at = self.tokens.behind(at),
                _ => at += 1,
            }
        }
        limit
    }

    fn set(&mut self, item: &Range<usize>) {
        let Some(equals) = item.clone().find(|at| self.tokens.mark(*at, '=')) else {
            let labels = item
                .clone()
                .filter(|at| self.place(*at) == Some(Place::Label));
            let labels = labels.filter_map(|at| self.tokens.name(at)).map(Into::into);
            self.facts.labels_set.extend(labels.collect::<Vec<_>>());
            return;
        };
        let value = equals + 1..item.end;
        let merges = equals > item.start && self.tokens.mark(equals - 1, '+');
        let key = equals.saturating_sub(1);
        if !merges && self.place(key) == Some(Place::Key) {
            let source = self.source(&value);
            if let Some(name) = self.tokens.name(key) {
                self.facts.assigned.push((name.into_owned(), source));
            }
        } else if self.tokens.mark(value.start, '{') {
            self.keys(&value);
        } else {
            let source = self.source(&value);
            self.facts.merged.push(source);
        }
    }

    fn deleted(&self, item: &Range<usize>) -> Deleted {
        let alone = (item.len() == 1)
            .then(|| self.tokens.name(item.start))
            .flatten();
        match alone.and_then(|name| self.bound.get(name.as_ref())) {
            Some((Entity::Relationship, _)) => Deleted::Relationship,
            Some((Entity::Node, labels)) => match &labels[..] {
                [label, ..] => Deleted::Node(label.clone()),
                [] => Deleted::Unknown,
            },
            _ => Deleted::Unknown,
        }
    }

    fn source(&self, range: &Range<usize>) -> Source {
        let at = range.start;
        let text = self.tokens.source(at);
        if range.len() == 1 {
            match self.tokens.kind(at) {
                Some(Kind::Number) => return number(text),
                Some(Kind::Text) if !text.contains('\\') => {
                    let inner = text.get(1..text.len().saturating_sub(1)).unwrap_or("");
                    return Source::Literal(Value::String(inner.to_owned()));
                }
                Some(Kind::Word) if text.eq_ignore_ascii_case("null") => {
                    return Source::Literal(Value::Null);
                }
                Some(Kind::Word) if text.eq_ignore_ascii_case("true") => {
                    return Source::Literal(Value::Boolean(true));
                }
                Some(Kind::Word) if text.eq_ignore_ascii_case("false") => {
                    return Source::Literal(Value::Boolean(false));
                }
                _ => {}
            }
        }
        let Some(name) = self.tokens.name(at) else {
            return Source::Computed;
        };
        let mut steps = match self.tokens.kind(at) {
            Some(Kind::Parameter) => vec![Step::Key(name.into_owned())],
            _ => match self.rows.get(name.as_ref()) {
                Some(steps) => steps.clone(),
                None => return Source::Computed,
            },
        };
        let mut rest = at + 1;
        while rest + 1 < range.end
            && self.tokens.mark(rest, '.')
            && self.place(rest + 1) == Some(Place::Key)
        {
            steps.extend(
                self.tokens
                    .name(rest + 1)
                    .map(|name| Step::Key(name.into_owned())),
            );
            rest += 2;
        }
        if rest == range.end {
            Source::Parameter(steps)
        } else {
            Source::Computed
        }
    }
}

fn number(text: &str) -> Source {
    if let Ok(integer) = text.parse::<i64>() {
        Source::Literal(Value::Integer(integer))
    } else if let Ok(float) = text.parse::<f64>() {
        Source::Literal(Value::Float(float))
    } else {
        Source::Computed
    }
}

#[cfg(test)]
mod tests {
    use super::super::cypher::clauses::clauses;
    use super::super::cypher::place::places;
    use super::*;
    use neo_bolt::params;

    fn read(text: &str) -> Option<Facts> {
        let tokens = Tokens::new(text);
        let places = places(&tokens);
        facts(&tokens, &places, &clauses(&tokens, &places))
    }

    fn values(text: &str, parameters: &Map) -> Vec<(String, Option<Vec<Value>>)> {
        let facts = read(text).unwrap();
        facts
            .assigned
            .iter()
            .map(|(key, s)| (key.clone(), s.values(parameters)))
            .collect()
    }

    #[test]
    fn reads_have_none() {
        assert_eq!(
            read("MATCH (n {set: 1}) WHERE n.create = 2 RETURN n.delete AS merge"),
            None
        );
    }

    #[test]
    fn the_values_of_assigned_properties() {
        let parameters = params! {
            "k" => "a",
            "rows" => vec![params! { "k" => 1 }, params! { "k" => 2 }, params! { "x" => 3 }],
        };
        assert_eq!(
            values(
                "MERGE (n:B {isbn: $k, at: {y: 5}.y}) SET n.a = 'x', n.b = n.c + 1",
                &parameters
            ),
            [
                ("isbn".to_owned(), Some(vec![Value::from("a")])),
                ("at".to_owned(), None),
                ("y".to_owned(), Some(vec![Value::from(5)])),
                ("a".to_owned(), Some(vec![Value::from("x")])),
                ("b".to_owned(), None),
            ]
        );
        assert_eq!(
            values("UNWIND $rows AS row MERGE (n:B {k: row.k})", &parameters),
            [("k".to_owned(), Some(vec![Value::from(1), Value::from(2)]))]
        );
        assert_eq!(
            values(
                "UNWIND $rows AS row WITH row.x AS row MERGE (n:B {k: row})",
                &parameters
            ),
            [("k".to_owned(), None)]
        );
    }

    #[test]
    fn merged_maps_and_labels() {
        let facts = read("MATCH (n) SET n += $p, n = properties(n), n:A:B, n += {z: 1}").unwrap();
        assert_eq!(
            facts.merged,
            [
                Source::Parameter(vec![Step::Key("p".into())]),
                Source::Computed
            ]
        );
        assert_eq!(facts.labels_set, ["A", "B"]);
        assert_eq!(
            facts.assigned,
            [("z".to_owned(), Source::Literal(Value::Integer(1)))]
        );
        let facts = read("CREATE (n:A $p)").unwrap();
        assert_eq!(
            facts.merged,
            [Source::Parameter(vec![Step::Key("p".into())])]
        );
    }

    #[test]
    fn what_is_made_and_deleted() {
        let facts = read("MATCH (a:A) CREATE (a)-[:T]->(b:B:C)-[:T]->(:D), ()").unwrap();
        assert_eq!(facts.made_nodes, [2, 1, 0]);
        let facts = read("MATCH (a:A)-[r:T]->(b) WITH a, a AS c, r, b DELETE r, a, c, b").unwrap();
        assert_eq!(
            facts.deleted,
            [
                Deleted::Relationship,
                Deleted::Node("A".into()),
                Deleted::Node("A".into()),
                Deleted::Unknown
            ]
        );
    }
}
