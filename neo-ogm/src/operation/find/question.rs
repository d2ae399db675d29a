//! What is asked, without types, and its Cypher.

use std::sync::Arc;

use neo_bolt::{AccessMode, EagerResult};

use crate::error::Error;
use crate::executor::Target;
use crate::mapping::NodeSchema;
use crate::query::{Condition, Cypher, End, Expr, Hop, LoadPlan, OrderStep, Parameters, escape};

/// A question for nodes.
#[derive(Clone)]
pub(crate) struct Question {
    pub(super) schema: &'static NodeSchema,
    pub(super) start: Start,
    pub(super) hints: Vec<&'static str>,
    pub(super) conditions: Vec<Condition>,
    pub(super) order: Vec<OrderStep>,
    pub(super) skip: Option<u32>,
    pub(super) limit: Option<u32>,
    pub(super) loads: Vec<LoadPlan>,
}

/// Where the nodes come from.
#[derive(Clone)]
pub(super) enum Start {
    /// What a procedure of an index gives, with a score.
    Ranked {
        procedure: &'static str,
        arguments: Vec<Expr>,
        nearest: Option<Nearest>,
    },
    /// All that have the label.
    Label,
    /// What a step leads to from the nodes of another question.
    Walk(Box<Question>, Hop),
}

/// How many nodes a vector index is asked for.
#[derive(Clone, Copy)]
pub(super) struct Nearest {
    /// How many are to be found.
    pub(super) count: u32,
    /// How many the index is to give, where that was said.
    pub(super) candidates: Option<u32>,
}

impl Nearest {
    /// How many more the index gives where filters come behind it.
    pub(super) const FACTOR: u32 = 10;

    /// How many the index gives, where `filtered` says whether filters come behind it.
    fn candidates(self, filtered: bool) -> u32 {
        let unless_told = match filtered {
            true => self.count.saturating_mul(Self::FACTOR),
            false => self.count,
        };
        self.candidates.unwrap_or(unless_told).max(self.count)
    }
}

/// What a statement says of each node.
pub(super) enum Returned<'c> {
    /// The node, and what is loaded with it.
    Nodes,
    /// The same, behind how many there are in all.
    Counted,
    /// The same, behind the score.
    Scored,
    /// The same, behind a list of what the order asks for.
    Keyed,
    /// These columns, with their names; and whether equal rows are one.
    Columns(&'c [(Expr, String)], bool),
}

impl Question {
    pub(super) fn new(schema: &'static NodeSchema) -> Self {
        Self {
            schema,
            start: Start::Label,
            hints: Vec::new(),
            conditions: Vec::new(),
            order: Vec::new(),
            skip: None,
            limit: None,
            loads: Vec::new(),
        }
    }

    /// The question without its page.
    pub(super) fn whole(&self) -> Self {
        Self {
            skip: None,
            limit: None,
            ..self.clone()
        }
    }

    pub(super) fn is_ranked(&self) -> bool {
        matches!(self.start, Start::Ranked { .. })
    }

    /// The variables that are there behind what finds the nodes.
    fn found(&self) -> Vec<String> {
        let mut found = vec!["n".to_owned()];
        if self.is_ranked() {
            found.push("score".to_owned());
        }
        found
    }

    /// Writes the order of the nodes.
    fn ordering<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        if self.order.is_empty() && self.is_ranked() {
            cypher.push(" ORDER BY score DESC");
        }
        cypher.ordering("n", &self.order);
    }

    pub(super) fn is_paged(&self) -> bool {
        self.skip.is_some() || self.limit.is_some()
    }

    /// At most `count`, and fewer where the caller asked for fewer.
    pub(super) fn at_most(&mut self, count: u32) {
        self.limit = Some(self.limit.map_or(count, |limit| limit.min(count)));
    }

    /// Writes what finds the nodes, as `variable`, each once.
    pub(super) fn matching<'c>(&'c self, cypher: &mut Cypher<'_, 'c>, variable: &str) {
        self.matching_beside(cypher, variable, "");
    }

    /// The same, where `beside` (a comma and a name, or nothing) has to be there still behind it.
    pub(super) fn matching_beside<'c>(
        &'c self,
        cypher: &mut Cypher<'_, 'c>,
        variable: &str,
        beside: &str,
    ) {
        let mut word = " WHERE ";
        match &self.start {
            Start::Ranked {
                procedure,
                arguments,
                nearest,
            } => {
                cypher.push("CALL ");
                cypher.push(procedure);
                cypher.push("(");
                for (index, argument) in arguments.iter().enumerate() {
                    cypher.push(if index > 0 { ", " } else { "" });
                    cypher.expression(variable, argument);
                    if let Some(nearest) = nearest.filter(|_| index == 0) {
                        cypher.push(", ");
                        cypher.number(nearest.candidates(self.is_filtered()).into());
                    }
                }
                cypher.write(format_args!(") YIELD node AS {variable}, score"));
                // An index may be of several labels.
                if self.schema.label.is_empty() {
                    cypher.one_of(word, variable, self.schema);
                } else {
                    cypher.push(word);
                    cypher.write(format_args!("{variable}:{}", escape(self.schema.label)));
                }
                word = " AND ";
            }
            Start::Label => {
                cypher.push("MATCH ");
                cypher.node(variable, self.schema);
                self.hint(cypher, variable);
                if cypher.one_of(word, variable, self.schema) {
                    word = " AND ";
                }
            }
            Start::Walk(earlier, hop) => {
                let id = cypher.fresh();
                let (s, r) = (format!("s{id}"), format!("r{id}"));
                earlier.matching_beside(cypher, &s, beside);
                if earlier.is_paged() {
                    cypher.write(format_args!(" WITH {s}{beside}"));
                    cypher.ordering(&s, &earlier.order);
                    earlier.paging(cypher);
                }
                cypher.push(" MATCH ");
                let named = !hop.relationship.is_empty();
                cypher.hop(&s, if named { &r } else { "" }, hop, variable);
                self.hint(cypher, variable);
                word = cypher.hop_conditions(&r, hop, variable);
            }
        }
        if !self.conditions.is_empty() {
            cypher.push(word);
            cypher.conjunction(variable, &self.conditions);
        }
        match &self.start {
            // Several ways may lead to one node.
            Start::Walk(..) => cypher.write(format_args!(" WITH DISTINCT {variable}{beside}")),
            // The index was asked for more.
            Start::Ranked {
                nearest: Some(nearest),
                ..
            } if nearest.candidates(self.is_filtered()) > nearest.count => {
                cypher.write(format_args!(
                    " WITH {variable}, score{beside} ORDER BY score DESC LIMIT "
                ));
                cypher.number(nearest.count.into());
            }
            _ => (),
        }
    }

    /// Whether nodes that an index gives may be left out for anything but their score.
    fn is_filtered(&self) -> bool {
        let by_score = |condition: &Condition| {
            matches!(
                condition,
                Condition::Compare {
                    left: Expr::Name(_),
                    ..
                }
            )
        };
        !self.conditions.iter().all(by_score)
    }

    fn hint(&self, cypher: &mut Cypher<'_, '_>, variable: &str) {
        for property in &self.hints {
            cypher.write(format_args!(
                " USING INDEX {variable}:{}({})",
                escape(self.schema.label),
                escape(property)
            ));
        }
    }

    pub(super) fn paging(&self, cypher: &mut Cypher<'_, '_>) {
        for (word, number) in [(" SKIP ", self.skip), (" LIMIT ", self.limit)] {
            if let Some(number) = number {
                cypher.push(word);
                cypher.number(number.into());
            }
        }
    }

    /// The whole statement.
    pub(super) fn render<'c>(
        &'c self,
        parameters: &mut Parameters<'c>,
        returned: &Returned<'c>,
    ) -> String {
        let mut cypher = Cypher::new(parameters);
        self.matching(&mut cypher, "n");
        self.rest(&mut cypher, self.found(), returned);
        cypher.finish()
    }

    /// Everything behind what finds the nodes. `carried` are the variables that are there.
    pub(super) fn rest<'c>(
        &'c self,
        cypher: &mut Cypher<'_, 'c>,
        mut carried: Vec<String>,
        returned: &Returned<'c>,
    ) {
        for step in &self.order {
            summarise(cypher, &step.expr, &mut carried);
        }
        // What is loaded or summed up comes behind the limit, so that it is made for those nodes
        // only that stay.
        let more = match returned {
            Returned::Columns(columns, _) => columns
                .iter()
                .any(|(expr, _)| matches!(expr, Expr::Summary(_))),
            _ => !self.loads.is_empty(),
        };
        let narrowed = self.is_paged() && more;
        if narrowed {
            cypher.with(&carried);
            self.ordering(cypher);
            self.paging(cypher);
        }
        match *returned {
            Returned::Nodes => self.nodes(cypher, &mut carried, ""),
            Returned::Counted => self.nodes(cypher, &mut carried, "total, "),
            Returned::Scored => self.nodes(cypher, &mut carried, "score, "),
            Returned::Keyed => self.nodes(cypher, &mut carried, "["),
            Returned::Columns(columns, distinct) => {
                for (expr, _) in columns {
                    summarise(cypher, expr, &mut carried);
                }
                cypher.push(if distinct {
                    " RETURN DISTINCT "
                } else {
                    " RETURN "
                });
                for (index, (expr, name)) in columns.iter().enumerate() {
                    cypher.push(if index > 0 { ", " } else { "" });
                    cypher.expression("n", expr);
                    cypher.write(format_args!(" AS {}", escape(name)));
                }
                if distinct {
                    // Behind DISTINCT only the columns are there.
                    for (expr, name) in columns {
                        cypher.alias(expr, escape(name).into_owned());
                    }
                }
            }
        }
        self.ordering(cypher);
        if !narrowed {
            self.paging(cypher);
        }
    }

    /// Writes `RETURN n` with what is loaded, behind a first column: one that is there, or, for
    /// `[`, a list of what the order asks for.
    fn nodes<'c>(&'c self, cypher: &mut Cypher<'_, 'c>, carried: &mut Vec<String>, first: &str) {
        let staged: Vec<_> = self
            .loads
            .iter()
            .map(|plan| {
                plan.is_staged()
                    .then(|| cypher.staged_load("n", plan, carried))
            })
            .collect();
        cypher.push(" RETURN ");
        cypher.push(first);
        if first == "[" {
            for (index, step) in self.order.iter().enumerate() {
                cypher.push(if index > 0 { ", " } else { "" });
                cypher.expression("n", &step.expr);
            }
            cypher.push("] AS place, ");
        }
        cypher.push("n");
        for (index, (plan, staged)) in self.loads.iter().zip(staged).enumerate() {
            cypher.push(", ");
            match staged {
                Some(list) => cypher.push(&list),
                None => {
                    cypher.load("n", plan);
                    cypher.write(format_args!(" AS c{index}"));
                }
            }
        }
    }

    pub(super) async fn ask(
        &self,
        target: &Target,
        returned: &Returned<'_>,
    ) -> Result<EagerResult, Error> {
        let mut parameters = Parameters::default();
        let statement: Arc<str> = self.render(&mut parameters, returned).into();
        target
            .execute(AccessMode::Read, statement, parameters)
            .await
    }

    /// Asks for one row of an aggregate over the nodes; order and loads play no part, unless there
    /// is a page to be cut.
    pub(super) async fn ask_whole(
        &self,
        target: &Target,
        what: &str,
    ) -> Result<EagerResult, Error> {
        let mut parameters = Parameters::default();
        let mut cypher = Cypher::new(&mut parameters);
        self.matching(&mut cypher, "n");
        self.cut(&mut cypher);
        cypher.push(" RETURN ");
        cypher.push(what);
        cypher.push(" AS answer");
        let statement = cypher.finish().into();
        target
            .execute(AccessMode::Read, statement, parameters)
            .await
    }

    /// Writes the page that the nodes are cut to, where there is one.
    pub(super) fn cut<'c>(&'c self, cypher: &mut Cypher<'_, 'c>) {
        if !self.is_paged() {
            return;
        }
        let mut carried = self.found();
        for step in &self.order {
            summarise(cypher, &step.expr, &mut carried);
        }
        cypher.with(&carried);
        self.ordering(cypher);
        self.paging(cypher);
    }
}

/// What nodes of `schema` are called in messages.
pub(super) fn name_of(schema: &NodeSchema) -> &'static str {
    if schema.label.is_empty() {
        schema.type_name
    } else {
        schema.label
    }
}

/// Writes the clause of an aggregate over what a relationship leads to; from then on it has a
/// name.
pub(super) fn summarise<'c>(
    cypher: &mut Cypher<'_, 'c>,
    expr: &'c Expr,
    carried: &mut Vec<String>,
) {
    let Expr::Summary(summary) = expr else { return };
    let id = cypher.fresh();
    let (r, m, name) = (format!("r{id}"), format!("m{id}"), format!("x{id}"));
    let named = summary.end == End::Relationship || !summary.hop.relationship.is_empty();
    cypher.push(" OPTIONAL MATCH ");
    cypher.hop("n", if named { &r } else { "" }, &summary.hop, &m);
    cypher.hop_conditions(&r, &summary.hop, &m);
    cypher.with(carried);
    cypher.push(", ");
    let variable = match summary.end {
        End::Node => &m,
        End::Relationship => &r,
    };
    cypher.expression(variable, &summary.aggregate);
    cypher.write(format_args!(" AS {name}"));
    carried.push(name.clone());
    cypher.alias(expr, name);
}
