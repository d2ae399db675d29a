//! Eager loads: lists in the row of the node that they belong to.
//!
//! A list of `[relationship, node, further lists…]`, so that no relationship multiplies the rows of
//! another. Where nothing is ordered or cut, it is a pattern comprehension in `RETURN`. Where
//! something is, clauses come before, from the innermost level outwards, each of which gathers its
//! level into a list before the next one begins.

use super::super::expression::End;
use super::super::plan::LoadPlan;
use super::Cypher;

impl<'c> Cypher<'_, 'c> {
    /// Writes the list of a plan in which nothing is ordered or cut.
    pub(crate) fn load(&mut self, from: &str, plan: &'c LoadPlan) {
        let id = self.fresh();
        let (r, m) = (format!("r{id}"), format!("m{id}"));
        let carried = plan.relation.relationship.asked(&r);
        let named = carried != "null" || !plan.hop.relationship.is_empty();
        self.push("[");
        self.hop(from, if named { &r } else { "" }, &plan.hop, &m);
        self.hop_conditions(&r, &plan.hop, &m);
        self.write(format_args!(" | [{carried}, {m}"));
        for next in &plan.next {
            self.push(", ");
            self.load(&m, next);
        }
        self.push("]]");
    }

    /// Writes the clauses that make the list of a plan, and gives the name that it has from then
    /// on. `carried` are the variables that have to be there still.
    pub(crate) fn staged_load(
        &mut self,
        from: &str,
        plan: &'c LoadPlan,
        carried: &mut Vec<String>,
    ) -> String {
        let id = self.fresh();
        let (r, m, list) = (format!("r{id}"), format!("m{id}"), format!("l{id}"));
        self.push(" OPTIONAL MATCH ");
        self.hop(from, &r, &plan.hop, &m);
        self.hop_conditions(&r, &plan.hop, &m);
        let outer = carried.len();
        carried.extend([r.clone(), m.clone()]);
        let inner: Vec<_> = plan
            .next
            .iter()
            .map(|next| {
                next.is_staged()
                    .then(|| self.staged_load(&m, next, carried))
            })
            .collect();
        if !plan.order.is_empty() {
            self.with(carried);
            for (index, (end, step)) in plan.order.iter().enumerate() {
                self.push(if index == 0 { " ORDER BY " } else { ", " });
                let variable = match end {
                    End::Node => &m,
                    End::Relationship => &r,
                };
                self.order_step(variable, step);
            }
        }
        carried.truncate(outer);
        self.with(carried);
        self.write(format_args!(
            ", collect(CASE WHEN {m} IS NULL THEN null ELSE [{}, {m}",
            plan.relation.relationship.asked(&r)
        ));
        for (next, staged) in plan.next.iter().zip(inner) {
            self.push(", ");
            match staged {
                Some(list) => self.push(&list),
                None => self.load(&m, next),
            }
        }
        self.push("] END)");
        self.slice(plan);
        self.write(format_args!(" AS {list}"));
        carried.push(list.clone());
        list
    }

    fn slice(&mut self, plan: &LoadPlan) {
        if plan.skip.is_none() && plan.limit.is_none() {
            return;
        }
        let skip = plan.skip.unwrap_or(0);
        self.push("[");
        if skip > 0 {
            self.number(skip.into());
        }
        self.push("..");
        if let Some(limit) = plan.limit {
            self.number(i64::from(skip) + i64::from(limit));
        }
        self.push("]");
    }

    /// Writes ` WITH n, l1`.
    pub(crate) fn with(&mut self, carried: &[String]) {
        for (index, name) in carried.iter().enumerate() {
            self.push(if index == 0 { " WITH " } else { ", " });
            self.push(name);
        }
    }
}
