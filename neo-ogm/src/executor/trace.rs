//! What `tracing` is told: a span for each statement and each unit of work, at the level DEBUG and
//! under the target `neo_ogm`.
//!
//! A span has the statement's text, in which the mapper puts no values, and never a parameter.

use neo_bolt::AccessMode;
use tracing::Span;
use tracing::field::Empty;

/// The span of one statement; `rows` is known when it is over.
pub(super) fn statement(cypher: &str, mode: AccessMode, in_transaction: bool) -> Span {
    tracing::debug_span!(
        target: "neo_ogm",
        "statement",
        cypher,
        mode = name(mode),
        in_transaction,
        rows = Empty,
    )
}

/// The span of a unit of work, around those of its statements.
pub(super) fn unit_of_work(mode: AccessMode) -> Span {
    tracing::debug_span!(target: "neo_ogm", "transaction", mode = name(mode))
}

fn name(mode: AccessMode) -> &'static str {
    match mode {
        AccessMode::Read => "read",
        AccessMode::Write => "write",
    }
}

#[cfg(all(test, feature = "embedded"))]
mod tests {
    use std::fmt;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use crate::executor::Graph;

    /// Writes down the spans of the mapper.
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl Heard {
        fn lines(&self) -> MutexGuard<'_, Vec<String>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl Visit for Heard {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            if let Some(line) = self.lines().last_mut() {
                line.push_str(&format!(" {}={value:?}", field.name()));
            }
        }
    }

    impl Subscriber for Heard {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.is_span() && metadata.target() == "neo_ogm"
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let name = span.metadata().name().to_owned();
            self.lines().push(name);
            span.record(&mut self.clone());
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut self.clone());
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn statements_are_told_and_values_are_not() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let heard = Heard::default();
        tracing::subscriber::with_default(heard.clone(), || {
            runtime.block_on(async {
                let graph = Graph::in_memory().await.unwrap();
                let query = graph.cypher("RETURN $secret").param("secret", "hunter2");
                query.clone().read_only().execute(&graph).await.unwrap();
                let work = graph.transaction(async |tx| query.clone().fetch::<String>(&tx).await);
                work.await.unwrap();
            });
        });
        assert_eq!(
            heard.lines()[..],
            [
                "statement cypher=\"RETURN $secret\" mode=\"read\" in_transaction=false rows=1",
                "transaction mode=\"write\"",
                "statement cypher=\"RETURN $secret\" mode=\"write\" in_transaction=true rows=1",
            ]
        );
    }
}
