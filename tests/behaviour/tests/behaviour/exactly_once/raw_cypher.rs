//! Raw Cypher that is not said to be idempotent.

use super::Setup;
use crate::common::{Backend, on_every_backend};
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::operation::CypherQuery;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, When};

on_every_backend!(
    creates_one_node_and_returns_its_rows,
    survives_a_cut_at_any_message,
    repeats_an_idempotent_statement,
    sends_a_write_in_two_round_trips,
);

struct Visits<'s> {
    setup: &'s Setup,
    name: String,
}

impl Visits<'_> {
    fn query(&self, statement: &str) -> CypherQuery {
        let query = self.setup.graph.cypher(statement);
        query.param("name", self.name.as_str())
    }

    async fn count(&self) -> i64 {
        let count = "MATCH (v:OnceVisit {name: $name}) RETURN count(v)";
        let query = self.query(count).read_only();
        query.get(&self.setup.direct).await.unwrap()
    }
}

async fn creates_one_node_and_returns_its_rows(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let visits = Visits {
        name: backend.key("visit"),
        setup: &setup,
    };
    let create = visits.query("CREATE (v:OnceVisit {name: $name, number: 7})");
    let summary = setup.lose_answer(create.execute(&setup.graph)).await;
    assert_eq!(summary.unwrap().counters().nodes_created(), 1);
    assert_eq!(visits.count().await, 1);
    let rows = "UNWIND [1, 2, 3] AS n CREATE (v:OnceVisit {name: $name, number: n}) RETURN n";
    let rows = visits.query(rows).fetch::<i64>(&setup.graph);
    assert_eq!(setup.lose_answer(rows).await.unwrap(), [1, 2, 3]);
    assert_eq!(visits.count().await, 4);
    let add = "MATCH (v:OnceVisit {name: $name, number: 7}) SET v.count = coalesce(v.count, 0) + 1 \
               RETURN v.count // not idempotent;";
    for expected in 1..=3 {
        let add = visits.query(add).get::<i64>(&setup.graph);
        assert_eq!(setup.lose_answer(add).await.unwrap(), expected);
    }
    let delete = "MATCH (v:OnceVisit {name: $name}) WITH v LIMIT 1 DETACH DELETE v";
    let delete = visits.query(delete).execute(&setup.graph);
    let summary = setup.lose_answer(delete).await.unwrap();
    assert_eq!(summary.counters().nodes_deleted(), 1);
    assert_eq!(visits.count().await, 3);
}

async fn survives_a_cut_at_any_message(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let visits = Visits {
        name: backend.key("visit"),
        setup: &setup,
    };
    let mut expected = 0;
    for message in [
        Message::Begin,
        Message::Run,
        Message::Pull,
        Message::Commit,
        Message::Success,
        Message::Record,
    ] {
        for action in [
            Action::CutBefore,
            Action::CutInside,
            Action::CutAfter,
            Action::CutAfterAnswer,
        ] {
            for nth in [1, 2, 3] {
                expected += 1;
                setup.proxy.inject(message, action, When::Nth(nth));
                let create = "CREATE (v:OnceVisit {name: $name}) WITH v \
                              MATCH (o:OnceVisit {name: $name}) RETURN count(o)";
                let count = visits.query(create).get::<i64>(&setup.graph).await;
                setup.proxy.clear_faults();
                let what = format!("{action:?} {message} {nth}");
                assert_eq!(count.expect(&what), expected, "{what}");
                assert_eq!(visits.count().await, expected, "{what}");
            }
        }
    }
}

async fn repeats_an_idempotent_statement(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let visits = Visits {
        name: backend.key("visit"),
        setup: &setup,
    };
    let merge = "MERGE (v:OnceVisit {name: $name}) RETURN 1";
    setup.proxy.reset_counts();
    let merge = visits.query(merge).idempotent().get::<i64>(&setup.graph);
    assert_eq!(setup.lose_answer(merge).await.unwrap(), 1);
    assert_eq!(setup.proxy.counts().of(Message::Commit), 2);
    assert_eq!(visits.count().await, 1);
    let broken = visits.query("CREATE (v:OnceVisit {name: $name}) RETURN 1 / 0");
    let error = broken.execute(&setup.graph).await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
    assert_eq!(visits.count().await, 1);
}

async fn sends_a_write_in_two_round_trips(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let visits = Visits {
        name: backend.key("visit"),
        setup: &setup,
    };
    let create = "CREATE (v:OnceVisit {name: $name})";
    visits.query(create).execute(&setup.graph).await.unwrap();
    for (query, trips) in [
        (visits.query(create), 2),
        (visits.query(create).idempotent(), 1),
        (visits.query("MATCH (v:OnceVisit) RETURN count(v)"), 1),
        (visits.query("RETURN 1").read_only(), 1),
    ] {
        setup.proxy.reset_counts();
        let shown = format!("{query:?}");
        query.execute(&setup.graph).await.unwrap();
        assert_eq!(setup.proxy.counts().round_trips, trips, "{shown}");
    }
}
