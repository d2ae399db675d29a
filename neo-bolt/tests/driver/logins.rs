//! Logins that change while connections wait in the pool.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use neo_bolt::{AuthManager, AuthToken, BoxError, BoxFuture};

use crate::peer::Server;

/// Gives out one login, and another from the `changes`-th question on.
struct Changing {
    asked: AtomicUsize,
    changes: usize,
}

impl AuthManager for Changing {
    fn get_auth(&self) -> BoxFuture<'_, Result<AuthToken, BoxError>> {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        let user = if asked < self.changes { "ann" } else { "bob" };
        Box::pin(async move { Ok(AuthToken::basic(user, "secret")) })
    }

    fn handle_security_error<'a>(
        &'a self,
        _: &'a AuthToken,
        _: &'a neo_bolt::Error,
    ) -> BoxFuture<'a, Result<bool, BoxError>> {
        Box::pin(async { Ok(false) })
    }
}

/// How often the manager is asked, and how many connections are opened, by four queries between
/// which the login changes once, on a server of Bolt 5.`minor`.
async fn four_queries(minor: u8) -> (usize, usize) {
    let server = Server::new(move |mut peer| async move {
        peer.log_in_as(minor, 5).await;
        peer.serve().await;
    });
    let manager = Arc::new(Changing {
        asked: AtomicUsize::new(0),
        changes: 2,
    });
    let driver = server
        .builder()
        .auth_manager(Arc::clone(&manager) as Arc<dyn AuthManager>)
        .build()
        .unwrap();
    for _ in 0..4 {
        let mut session = driver.session(Default::default());
        let mut result = session.run("1", ()).await.unwrap();
        result.consume().await.unwrap();
    }
    (manager.asked.load(Ordering::SeqCst), server.opened())
}

#[tokio::test]
async fn a_connection_that_stands_in_for_another_is_given_a_login_of_its_own() {
    assert_eq!(four_queries(0).await, (5, 2));
}

#[tokio::test]
async fn a_connection_that_takes_other_logins_stays() {
    assert_eq!(four_queries(4).await, (4, 1));
}
