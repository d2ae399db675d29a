//! A transaction whose COMMIT loses its answer takes effect once, and returns what it returned.

mod bulk;
mod operations;
mod raw_cypher;
mod receipts;
mod strangers;
mod units;

use std::future::IntoFuture;
use std::time::Duration;

use crate::common::Backend;
use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, Proxy, When};

/// Without a version.
#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "OnceAccount")]
struct Account {
    #[node(key)]
    id: String,
    balance: i64,
    owner: Option<String>,
    #[relationship(type = "ONCE_PARENT")]
    parent: ZeroOrOne<Account>,
    #[relationship(type = "ONCE_FRIEND")]
    friends: Many<Account, Since>,
}

#[relationship(type = "ONCE_FRIEND")]
#[derive(Debug, Clone, PartialEq)]
struct Since {
    year: i64,
}

/// With optimistic locking and all other managed fields.
#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "OnceVersioned")]
struct Versioned {
    #[node(key)]
    id: String,
    balance: i64,
    #[node(version)]
    version: Version,
    #[node(element_id)]
    element: ElementId,
    #[node(created_at)]
    created: Timestamp,
    #[node(updated_at)]
    updated: Timestamp,
}

/// A graph through a proxy, and one that goes past it.
struct Setup {
    proxy: Proxy,
    graph: Graph,
    direct: Graph,
}

impl Setup {
    async fn new(backend: &Backend) -> Self {
        let direct = backend.graph().await;
        direct
            .apply_schema::<(Account, Versioned)>()
            .await
            .expect("the schema can be applied");
        let proxy = Proxy::start(&backend.address().await).expect("the proxy starts");
        let graph = backend.graph_through(&proxy.uri()).await;
        Self {
            graph: graph.expect("the server answers"),
            proxy,
            direct,
        }
    }

    /// Runs `work` while its COMMIT takes effect and the answer is lost.
    async fn lose_answer<T: std::fmt::Debug>(&self, work: impl IntoFuture<Output = T>) -> T {
        let cut = Action::CutAfterAnswer;
        let fault = self.proxy.inject(Message::Commit, cut, When::Next(1));
        let done = work.await;
        assert_eq!(self.proxy.fired(fault), 1, "no COMMIT was sent: {done:?}");
        self.proxy.clear_faults();
        done
    }

    /// As [`lose_answer`](Self::lose_answer); `stranger` writes after the COMMIT took effect and
    /// before the mapper can send anything else.
    async fn lose_answer_to<T>(
        &self,
        stranger: impl Future<Output = ()>,
        work: impl IntoFuture<Output = T>,
    ) -> T {
        let cut = Action::CutAfterAnswer;
        self.proxy
            .inject_and_hold(Message::Commit, cut, When::Next(1));
        let stranger = async {
            let held = tokio::time::timeout(Duration::from_secs(30), self.proxy.held());
            held.await.expect("a COMMIT is sent");
            stranger.await;
            self.proxy.release();
        };
        let (done, ()) = tokio::join!(work.into_future(), stranger);
        self.proxy.clear_faults();
        done
    }

    /// Saves an account with a balance of 100, past the proxy.
    async fn account(&self, id: String) -> Account {
        let account = Account::new(id, 100);
        account.save(&self.direct).await.unwrap();
        Account::find_by_id(account.id.as_str())
            .get(&self.graph)
            .await
            .unwrap()
    }

    /// Saves a versioned account with a balance of 100, past the proxy.
    async fn versioned(&self, id: String) -> Versioned {
        let account = Versioned::new(id, 100);
        account.save(&self.direct).await.unwrap();
        Versioned::find_by_id(account.id.as_str())
            .get(&self.graph)
            .await
            .unwrap()
    }

    /// The balance of each account with this id.
    async fn balances(&self, id: &str) -> Vec<i64> {
        let accounts = Account::find_by_id(id).all(&self.direct).await.unwrap();
        accounts.iter().map(|account| account.balance).collect()
    }

    /// The versioned accounts with this id.
    async fn stored(&self, id: &str) -> Vec<Versioned> {
        let accounts = Versioned::find_by_id(id).all(&self.direct);
        accounts.await.unwrap()
    }
}
