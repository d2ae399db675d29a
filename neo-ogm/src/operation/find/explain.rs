//! How the database would answer a question, and how it did.

use std::sync::Arc;

use neo_bolt::{AccessMode, Plan, ProfiledPlan, ResultSummary};

use super::question::Returned;
use super::{Aggregation, Find, Found, Groups, Ranked, Select};
use crate::error::{Error, ErrorKind};
use crate::executor::{Executor, Target};
use crate::mapping::Entity;
use crate::query::Parameters;

async fn summary(
    prefix: &str,
    text: String,
    parameters: Parameters<'_>,
    target: &Target,
) -> Result<ResultSummary, Error> {
    let statement: Arc<str> = format!("{prefix} {text}").into();
    let found = target
        .execute(AccessMode::Read, statement, parameters)
        .await?;
    Ok(found.summary)
}

fn no_plan() -> Error {
    Error::new(ErrorKind::Embedded(
        "the embedded engine does not have plans; a Neo4j server has them".to_owned(),
    ))
}

macro_rules! explained {
    ($([$($generics:tt)*] $ty:ty, |$question:ident, $parameters:ident| $render:expr;)*) => {$(
        /// Plans.
        impl<$($generics)*> $ty {
            /// How the database would answer it, without asking: `EXPLAIN`. One round trip.
            ///
            /// # Errors
            /// The embedded engine has no plans.
            pub fn explain(self, on: impl Executor) -> Found<Self, Plan> {
                Found::new(self, on, |$question, target| Box::pin(async move {
                    let mut $parameters = Parameters::default();
                    let text = $render;
                    let summary = summary("EXPLAIN", text, $parameters, &target).await?;
                    summary.plan().ok_or_else(no_plan)
                }))
            }

            /// Asks, and tells how the database answered it, with database hits and rows for each
            /// step: `PROFILE`. What it found is thrown away. One round trip.
            ///
            /// # Errors
            /// The embedded engine has no plans.
            pub fn profile(self, on: impl Executor) -> Found<Self, ProfiledPlan> {
                Found::new(self, on, |$question, target| Box::pin(async move {
                    let mut $parameters = Parameters::default();
                    let text = $render;
                    let summary = summary("PROFILE", text, $parameters, &target).await?;
                    summary.profile().ok_or_else(no_plan)
                }))
            }
        }
    )*};
}
explained! {
    [N: Entity] Find<N>, |find, parameters| {
        find.question.render(&mut parameters, &Returned::Nodes)
    };
    [N: Entity] Ranked<N>, |ranked, parameters| {
        ranked.find.question.render(&mut parameters, &Returned::Scored)
    };
    [T: Send + 'static] Select<T>, |select, parameters| select.render(&mut parameters);
    [A: Send + 'static] Aggregation<A>, |aggregation, parameters| {
        aggregation.render(&mut parameters)
    };
    [N: Entity, K: Send + 'static, A: Send + 'static] Groups<N, K, A>, |groups, parameters| {
        groups.render(&mut parameters)
    };
}
