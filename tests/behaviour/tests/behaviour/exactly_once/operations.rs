//! Single operations: what they do and what they return.

use super::{Account, Setup, Since, Versioned};
use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Action, When};

on_every_backend!(
    counts_what_an_update_changed,
    counts_what_a_finder_deleted,
    returns_created_for_the_first_attempt,
    returns_created_if_the_records_are_lost,
    fills_managed_fields_as_stored,
    counts_each_versioned_write_once,
    reports_errors_of_the_operation_itself,
    changes_relationships_once,
);

/// Cuts that lose what a single operation returns, before or after it took effect.
const LOST_RECORDS: [(Message, Action, u64); 6] = [
    (Message::Record, Action::CutBefore, 1),
    (Message::Record, Action::CutInside, 1),
    (Message::Success, Action::CutBefore, 1),
    (Message::Success, Action::CutBefore, 2),
    (Message::Success, Action::CutBefore, 3),
    (Message::Commit, Action::CutAfter, 1),
];

async fn counts_what_an_update_changed(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let prefix = backend.key("");
    for name in ["a", "b", "c"] {
        setup.account(backend.key(name)).await;
    }
    let low = || {
        let mine = Account::find().filter(Account::ID.starts_with(prefix.as_str()));
        // The update itself takes the nodes out of what the filter finds.
        mine.filter(Account::BALANCE.lt(105))
    };
    let update = low().update(&setup.graph);
    let update = update.set(Account::BALANCE, Account::BALANCE + 10);
    assert_eq!(setup.lose_answer(update).await.unwrap(), 3);
    for name in ["a", "b", "c"] {
        assert_eq!(setup.balances(&backend.key(name)).await, [110]);
    }
    let update = low().update(&setup.graph).set(Account::BALANCE, 0);
    assert_eq!(setup.lose_answer(update).await.unwrap(), 0);
    for (round, (message, action, nth)) in (1..).zip(LOST_RECORDS) {
        setup.proxy.inject(message, action, When::Nth(nth));
        let all = Account::find().filter(Account::ID.starts_with(prefix.as_str()));
        let before = Account::BALANCE.eq(110 + round - 1);
        let update = all.filter(before).update(&setup.graph);
        let update = update.set(Account::BALANCE, Account::BALANCE + 1);
        let what = format!("{action:?} {message} {nth}");
        assert_eq!(update.await.expect(&what), 3, "{what}");
        setup.proxy.clear_faults();
        for name in ["a", "b", "c"] {
            let balances = setup.balances(&backend.key(name)).await;
            assert_eq!(balances, [110 + round], "{what}");
        }
    }
}

async fn counts_what_a_finder_deleted(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let mine = || Account::find().filter(Account::ID.starts_with(backend.key("")));
    let fill = async || {
        for name in ["a", "b"] {
            setup.account(backend.key(name)).await;
        }
    };
    fill().await;
    let delete = setup.lose_answer(mine().delete(&setup.graph));
    assert_eq!(delete.await.unwrap(), 2);
    assert_eq!(mine().count(&setup.direct).await.unwrap(), 0);
    for (message, action, nth) in LOST_RECORDS {
        fill().await;
        setup.proxy.inject(message, action, When::Nth(nth));
        let deleted = mine().delete(&setup.graph).await;
        setup.proxy.clear_faults();
        let what = format!("{action:?} {message} {nth}");
        assert_eq!(deleted.expect(&what), 2, "{what}");
        assert_eq!(mine().count(&setup.direct).await.unwrap(), 0);
    }
    fill().await;
    let unit = setup.graph.transaction(async |tx| mine().delete(&tx).await);
    assert_eq!(setup.lose_answer(unit).await.unwrap(), 2);
}

async fn returns_created_for_the_first_attempt(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let (a, b) = (
        Account::new(backend.key("a"), 1),
        Account::new(backend.key("b"), 1),
    );
    let saved = setup.lose_answer(a.create_or_update(&setup.graph)).await;
    assert!(saved.unwrap());
    let saved = setup.lose_answer(a.create_or_update(&setup.graph)).await;
    assert!(!saved.unwrap());
    let (got, created) = setup
        .lose_answer(b.get_or_create(&setup.graph))
        .await
        .unwrap();
    assert_eq!((&got, created), (&b, true));
    let other = Account::new(b.id.clone(), 2);
    let (got, created) = setup
        .lose_answer(other.get_or_create(&setup.graph))
        .await
        .unwrap();
    assert_eq!((&got, created), (&b, false));
    let c = Account::new(backend.key("c"), 1);
    let unit = setup.graph.transaction(async |tx| {
        let first = c.get_or_create(&tx).await?.1;
        let second = c.create_or_update(&tx).await?;
        Ok((first, second))
    });
    assert_eq!(setup.lose_answer(unit).await.unwrap(), (true, false));
}

async fn returns_created_if_the_records_are_lost(backend: Backend) {
    let setup = Setup::new(&backend).await;
    for (round, (message, action, nth)) in LOST_RECORDS.into_iter().enumerate() {
        let what = format!("{action:?} {message} {nth}");
        let account = Versioned::new(backend.key(&format!("a{round}")), 1);
        setup.proxy.inject(message, action, When::Nth(nth));
        let created = account.create_or_update(&setup.graph).await;
        setup.proxy.clear_faults();
        assert!(created.expect(&what), "{what}");
        assert_eq!(setup.stored(&account.id).await, [account], "{what}");

        let account = Versioned::new(backend.key(&format!("b{round}")), 1);
        setup.proxy.inject(message, action, When::Nth(nth));
        let made = account.get_or_create(&setup.graph).await;
        setup.proxy.clear_faults();
        let (made, created) = made.expect(&what);
        assert!(created, "{what}");
        assert_eq!(setup.stored(&account.id).await, [made], "{what}");

        let account = Versioned::new(backend.key(&format!("c{round}")), 1);
        setup.proxy.inject(message, action, When::Nth(nth));
        let inserted = account.insert(&setup.graph).await;
        setup.proxy.clear_faults();
        inserted.expect(&what);
        assert_eq!(setup.stored(&account.id).await, [account], "{what}");
    }
}

async fn fills_managed_fields_as_stored(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let mut account = Versioned::new(backend.key("account"), 1);
    setup
        .lose_answer(account.insert(&setup.graph))
        .await
        .unwrap();
    assert!(account.element.get().is_some() && account.created.get().is_some());
    assert_eq!(
        setup.stored(&account.id).await,
        std::slice::from_ref(&account)
    );
    account.balance = 2;
    setup.lose_answer(account.save(&setup.graph)).await.unwrap();
    assert_eq!(
        setup.stored(&account.id).await,
        std::slice::from_ref(&account)
    );
    account.balance = 3;
    setup
        .lose_answer(account.update(&setup.graph))
        .await
        .unwrap();
    assert_eq!(account.version.get(), Some(3));
    assert_eq!(
        setup.stored(&account.id).await,
        std::slice::from_ref(&account)
    );
    let mut tracked = account.tracked();
    tracked.balance = 4;
    let saved = setup.lose_answer(tracked.save_changes(&setup.graph)).await;
    assert!(saved.unwrap());
    assert!(tracked.changed().is_empty());
    assert_eq!(setup.stored(&tracked.id).await, [tracked.into_inner()]);
}

async fn counts_each_versioned_write_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = setup.versioned(backend.key("account")).await;
    for version in 2..=6 {
        let unit = setup.graph.transaction(async |tx| {
            account.save(&tx).await?;
            Ok(account.version.get())
        });
        let said = setup.lose_answer(unit).await.unwrap();
        assert_eq!((said, account.version.get()), (Some(version), said));
        assert_eq!(
            setup.stored(&account.id).await,
            std::slice::from_ref(&account)
        );
    }
    let find = Versioned::find_by_id(account.id.as_str());
    let update = find.update(&setup.graph);
    let update = update.set(Versioned::BALANCE, Versioned::BALANCE + 1);
    assert_eq!(setup.lose_answer(update).await.unwrap(), 1);
    let stored = setup.stored(&account.id).await.remove(0);
    assert_eq!((stored.balance, stored.version.get()), (101, Some(7)));
    let stale = account.save(&setup.graph).await.unwrap_err();
    assert!(
        matches!(stale.kind(), ErrorKind::VersionConflict { .. }),
        "{stale}"
    );
    setup
        .lose_answer(stored.delete(&setup.graph))
        .await
        .unwrap();
    assert!(setup.stored(&account.id).await.is_empty());
}

/// An operation that fails by itself has a known outcome, whatever happened to its answer.
async fn reports_errors_of_the_operation_itself(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let there = setup.account(backend.key("there")).await;
    let missing = Account::new(backend.key("missing"), 1);
    for (message, action, nth) in LOST_RECORDS {
        let what = format!("{action:?} {message} {nth}");
        let cut = || setup.proxy.inject(message, action, When::Nth(nth));
        cut();
        let error = missing.update(&setup.graph).await.unwrap_err();
        setup.proxy.clear_faults();
        assert!(
            matches!(error.kind(), ErrorKind::NodeNotFound { .. }),
            "{what}: {error}"
        );
        assert_ne!(error.commit_outcome(), CommitOutcome::Unknown, "{what}");
        cut();
        let error = there.insert(&setup.graph).await.unwrap_err();
        setup.proxy.clear_faults();
        assert!(
            matches!(error.kind(), ErrorKind::AlreadyExists { .. }),
            "{what}: {error}"
        );
        assert_ne!(error.commit_outcome(), CommitOutcome::Unknown, "{what}");
    }
    assert_eq!(setup.balances(&there.id).await, [100]);
    assert!(setup.balances(&missing.id).await.is_empty());
}

async fn changes_relationships_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let a = setup.account(backend.key("a")).await;
    let b = setup.account(backend.key("b")).await;
    let c = setup.account(backend.key("c")).await;
    let connect = a.friends.connect(&b).properties(Since { year: 1 });
    setup.lose_answer(connect).await.unwrap();
    assert_eq!(a.friends.count().await.unwrap(), 1);
    setup.lose_answer(a.parent.connect(&b)).await.unwrap();
    let again = a.parent.connect(&c).await.unwrap_err();
    assert!(
        matches!(again.kind(), ErrorKind::Cardinality { .. }),
        "{again}"
    );
    setup.lose_answer(a.parent.replace(&c)).await.unwrap();
    assert_eq!(a.parent.fetch().await.unwrap().unwrap().id, c.id);
    setup.lose_answer(a.friends.disconnect(&b)).await.unwrap();
    setup.lose_answer(a.friends.disconnect(&b)).await.unwrap();
    for other in [&b, &c] {
        let connect = a.friends.connect(other).properties(Since { year: 2 });
        connect.await.unwrap();
    }
    setup.lose_answer(a.friends.disconnect_all()).await.unwrap();
    assert_eq!(a.friends.count().await.unwrap(), 0);
}
