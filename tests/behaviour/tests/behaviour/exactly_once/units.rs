//! Units of work and explicit transactions.

use std::sync::atomic::{AtomicU32, Ordering};

use super::{Account, Setup, Since, Versioned};
use crate::common::{Backend, on_every_backend};
use neo_ogm::neo_bolt::CommitOutcome;
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_test_support::Message;
use neo_test_support::proxy::{Action, When};

on_every_backend!(
    applies_a_read_modify_write_once,
    applies_a_versioned_read_modify_write_once,
    inserts_once_if_the_count_was_zero,
    knows_its_own_insert_after_a_branch,
    knows_its_own_versioned_insert_after_a_branch,
    runs_the_closure_once_if_the_commit_took_effect,
    runs_the_closure_again_if_the_commit_did_not_take_effect,
    survives_several_lost_answers,
    survives_a_cut_before_and_a_cut_after_commit,
    applies_updates_that_count_once,
    applies_concurrent_operations_of_a_unit_once,
    returns_what_the_first_attempt_made,
    rolls_back_a_unit_that_fails,
    commits_an_explicit_transaction_once,
);

/// Reads an account, adds 10 and saves it.
async fn add_ten(tx: &Transaction, id: &str) -> Result<Account, Error> {
    let mut account = Account::find_by_id(id).get(tx).await?;
    account.balance += 10;
    account.save(tx).await?;
    Ok(account)
}

async fn applies_a_read_modify_write_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    let unit = setup
        .graph
        .transaction(async |tx| add_ten(&tx, &id).await.map(drop));
    setup.lose_answer(unit).await.unwrap();
    assert_eq!(setup.balances(&id).await, [110]);
}

async fn applies_a_versioned_read_modify_write_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.versioned(backend.key("account")).await.id;
    let unit = setup.graph.transaction(async |tx| {
        let mut account = Versioned::find_by_id(id.as_str()).get(&tx).await?;
        account.balance += 10;
        account.save(&tx).await?;
        Ok(account)
    });
    let account = setup.lose_answer(unit).await.unwrap();
    assert_eq!((account.balance, account.version.get()), (110, Some(2)));
    assert_eq!(setup.stored(&id).await, std::slice::from_ref(&account));
    let mut account = account;
    account.save(&setup.graph).await.unwrap();
    let stored = setup.stored(&id).await;
    assert_eq!((stored[0].balance, stored[0].version.get()), (110, Some(3)));
    account.balance += 1;
    account.save(&setup.graph).await.unwrap();
    assert_eq!(setup.stored(&id).await, [account]);
}

async fn inserts_once_if_the_count_was_zero(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let owner = backend.key("owner");
    let unit = setup.graph.transaction(async |tx| {
        // Each attempt makes another node, so a key does not hide a second one.
        let found = Account::find().filter(Account::OWNER.eq(owner.as_str()));
        if found.clone().count(&tx).await? > 0 {
            return Ok(false);
        }
        let mut account = Account::new(format!("{owner}-{}", Uuid::now_v7()), 1);
        account.owner = Some(owner.clone());
        account.insert(&tx).await?;
        Ok(true)
    });
    assert!(setup.lose_answer(unit).await.unwrap());
    let create = "MATCH (n:OnceAccount) WHERE n.owner = $owner WITH count(n) AS n \
                  WHERE n < 2 CREATE (:OnceAccount {id: $id, owner: $owner, balance: 1}) \
                  RETURN n";
    let unit = setup.graph.transaction(async |tx| {
        let create = tx.cypher(create).param("owner", owner.as_str());
        let id = format!("{owner}-{}", Uuid::now_v7());
        create.param("id", id).get::<i64>(&tx).await
    });
    assert_eq!(setup.lose_answer(unit).await.unwrap(), 1);
    let found = Account::find().filter(Account::OWNER.eq(owner.as_str()));
    assert_eq!(found.count(&setup.direct).await.unwrap(), 2);
}

async fn knows_its_own_insert_after_a_branch(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let (a, b) = (
        Account::new(backend.key("a"), 1),
        Account::new(backend.key("b"), 2),
    );
    let unit = setup.graph.transaction(async |tx| {
        let exists = Account::find_by_id(a.id.as_str()).exists(&tx).await?;
        if !exists {
            a.save(&tx).await?;
        }
        b.insert(&tx).await?;
        Ok(exists)
    });
    assert!(!setup.lose_answer(unit).await.unwrap());
    assert_eq!(setup.balances(&a.id).await, [1]);
    assert_eq!(setup.balances(&b.id).await, [2]);
    let error = b.insert(&setup.graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::AlreadyExists { .. }),
        "{error}"
    );
}

async fn knows_its_own_versioned_insert_after_a_branch(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let a = setup.versioned(backend.key("a")).await;
    let b = Versioned::new(backend.key("b"), 2);
    let unit = setup.graph.transaction(async |tx| {
        let mut changed = Versioned::find_by_id(a.id.as_str()).get(&tx).await?;
        if !Versioned::find_by_id(b.id.as_str()).exists(&tx).await? {
            b.save(&tx).await?;
        }
        changed.balance += 10;
        changed.save(&tx).await?;
        Ok(changed)
    });
    let changed = setup.lose_answer(unit).await.unwrap();
    assert_eq!((changed.balance, changed.version.get()), (110, Some(2)));
    assert_eq!(b.version.get(), Some(1));
    assert_eq!(setup.stored(&a.id).await, [changed]);
    assert_eq!(setup.stored(&b.id).await, [b]);
}

async fn runs_the_closure_once_if_the_commit_took_effect(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    for round in 1..=5_u32 {
        let runs = AtomicU32::new(0);
        let unit = setup.graph.transaction(async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            add_ten(&tx, &id).await?;
            Ok(tx.attempt())
        });
        assert_eq!(setup.lose_answer(unit).await.unwrap(), 1);
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        let expected = 100 + 10 * i64::from(round);
        assert_eq!(setup.balances(&id).await, [expected]);
    }
}

async fn runs_the_closure_again_if_the_commit_did_not_take_effect(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    for (message, action) in [
        (Message::Commit, Action::CutBefore),
        (Message::Commit, Action::CutInside),
        (Message::Run, Action::CutBefore),
        (Message::Run, Action::CutAfterAnswer),
        (Message::Begin, Action::CutAfterAnswer),
    ] {
        let before = setup.balances(&id).await[0];
        let runs = AtomicU32::new(0);
        let fault = setup.proxy.inject(message, action, When::Next(1));
        let unit = setup.graph.transaction(async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            add_ten(&tx, &id).await.map(|account| account.balance)
        });
        let balance = unit.await.unwrap();
        assert_eq!(setup.proxy.fired(fault), 1);
        setup.proxy.clear_faults();
        assert_eq!(balance, before + 10, "{action:?} {message}");
        assert_eq!(runs.load(Ordering::Relaxed), 2, "{action:?} {message}");
        assert_eq!(setup.balances(&id).await, [balance], "{action:?} {message}");
    }
}

/// Finding out whether the commit took effect may lose its answer, too.
async fn survives_several_lost_answers(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    for lost in 2..=4 {
        let before = setup.balances(&id).await[0];
        let cut = Action::CutAfterAnswer;
        setup.proxy.inject(Message::Commit, cut, When::Next(lost));
        let unit = setup
            .graph
            .transaction(async |tx| Ok(add_ten(&tx, &id).await?.balance));
        let balance = unit.await.unwrap();
        setup.proxy.clear_faults();
        assert_eq!(balance, before + 10);
        assert_eq!(setup.balances(&id).await, [balance]);
    }
}

async fn survives_a_cut_before_and_a_cut_after_commit(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    for order in [
        [Action::CutBefore, Action::CutAfterAnswer],
        [Action::CutAfterAnswer, Action::CutBefore],
        [Action::CutBefore, Action::CutAfter],
        [Action::CutAfter, Action::CutAfterAnswer],
    ] {
        let before = setup.balances(&id).await[0];
        for (number, action) in (1..).zip(order) {
            setup
                .proxy
                .inject(Message::Commit, action, When::Nth(number));
        }
        let unit = setup
            .graph
            .transaction(async |tx| Ok(add_ten(&tx, &id).await?.balance));
        let balance = unit.await.unwrap();
        setup.proxy.clear_faults();
        assert_eq!(balance, before + 10, "{order:?}");
        assert_eq!(setup.balances(&id).await, [balance], "{order:?}");
    }
}

async fn applies_updates_that_count_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    let one = || Account::find_by_id(id.as_str());
    let add = "MATCH (n:OnceAccount {id: $id}) SET n.balance = n.balance + 10 RETURN n.balance";
    let add = setup.graph.cypher(add).param("id", id.as_str());
    let computed = setup.graph.transaction(async |tx| {
        let update = one().update(&tx);
        update.set(Account::BALANCE, Account::BALANCE + 10).await
    });
    assert_eq!(setup.lose_answer(computed).await.unwrap(), 1);
    assert_eq!(setup.balances(&id).await, [110]);
    let locked = setup.graph.transaction(async |tx| {
        let mut account = one().lock().get(&tx).await?;
        account.balance += 10;
        account.update(&tx).await?;
        Ok(account.balance)
    });
    assert_eq!(setup.lose_answer(locked).await.unwrap(), 120);
    assert_eq!(setup.balances(&id).await, [120]);
    let raw = setup
        .graph
        .transaction(async |tx| add.clone().get::<i64>(&tx).await);
    assert_eq!(setup.lose_answer(raw).await.unwrap(), 130);
    assert_eq!(setup.balances(&id).await, [130]);
    let streamed = setup.graph.transaction(async |tx| {
        let mut rows = add.clone().stream::<i64>(&tx).await?;
        let mut balance = 0;
        while let Some(row) = rows.next().await {
            balance = row?;
        }
        Ok(balance)
    });
    assert_eq!(setup.lose_answer(streamed).await.unwrap(), 140);
    assert_eq!(setup.balances(&id).await, [140]);
}

async fn applies_concurrent_operations_of_a_unit_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let a = setup.account(backend.key("a")).await;
    let b = setup.account(backend.key("b")).await;
    let c = Account::new(backend.key("c"), 3);
    let add = "MATCH (n:OnceAccount {id: $id}) SET n.balance = n.balance + 10";
    let add = setup.graph.cypher(add).param("id", a.id.as_str());
    let unit = setup.graph.transaction(async |tx| {
        let update = Account::find_by_id(b.id.as_str()).update(&tx);
        let update = update.set(Account::BALANCE, Account::BALANCE + 10);
        let connect = a.friends.connect(&b).properties(Since { year: 1 }).on(&tx);
        let (raw, updated, connected, inserted) = tokio::join!(
            add.clone().execute(&tx),
            update.into_future(),
            connect.into_future(),
            c.insert(&tx).into_future(),
        );
        raw?;
        connected?;
        inserted?;
        updated
    });
    assert_eq!(setup.lose_answer(unit).await.unwrap(), 1);
    assert_eq!(setup.balances(&a.id).await, [110]);
    assert_eq!(setup.balances(&b.id).await, [110]);
    assert_eq!(setup.balances(&c.id).await, [3]);
    assert_eq!(a.friends.count().await.unwrap(), 1);
}

async fn returns_what_the_first_attempt_made(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let prefix = backend.key("made");
    let unit = setup.graph.transaction(async |tx| {
        let made = Account::new(format!("{prefix}-{}", Uuid::now_v7()), 1);
        made.insert(&tx).await?;
        let all = Account::find().filter(Account::ID.starts_with(prefix.as_str()));
        Ok((made.id, all.count(&tx).await?))
    });
    let (id, count) = setup.lose_answer(unit).await.unwrap();
    assert_eq!(count, 1);
    let all = Account::find().filter(Account::ID.starts_with(prefix.as_str()));
    let all = all.select(Account::ID).all(&setup.direct).await.unwrap();
    assert_eq!(all, [id]);
}

async fn rolls_back_a_unit_that_fails(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let account = Account::new(backend.key("account"), 1);
    let cut = Action::CutBefore;
    setup.proxy.inject(Message::Commit, cut, When::Next(1));
    let unit = setup.graph.transaction(async |tx| {
        account.insert(&tx).await?;
        match tx.attempt() {
            1 => Ok(()),
            _ => Err(Error::abort("that was enough")),
        }
    });
    let error = unit.await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Aborted(_)), "{error}");
    // The first attempt certainly did not take effect.
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
    assert_eq!(setup.balances(&account.id).await, [0_i64; 0]);
}

async fn commits_an_explicit_transaction_once(backend: Backend) {
    let setup = Setup::new(&backend).await;
    let id = setup.account(backend.key("account")).await.id;
    let made = Versioned::new(backend.key("made"), 1);
    let tx = setup.graph.begin().await.unwrap();
    add_ten(&tx, &id).await.unwrap();
    made.insert(&tx).await.unwrap();
    let add = "MATCH (n:OnceAccount {id: $id}) SET n.balance = n.balance + 1";
    let add = tx.cypher(add).param("id", id.as_str());
    add.execute(&tx).await.unwrap();
    setup.lose_answer(tx.commit()).await.unwrap();
    assert_eq!(setup.balances(&id).await, [111]);
    assert_eq!(made.version.get(), Some(1));
    assert_eq!(setup.stored(&made.id).await, [made]);
    // Nothing of it is tried again, and what became of it is known.
    let tx = setup.graph.begin().await.unwrap();
    add_ten(&tx, &id).await.unwrap();
    let cut = Action::CutBefore;
    setup.proxy.inject(Message::Commit, cut, When::Next(1));
    let error = tx.commit().await.unwrap_err();
    assert_eq!(error.commit_outcome(), CommitOutcome::NotSent, "{error}");
    assert_eq!(setup.balances(&id).await, [111]);
}
