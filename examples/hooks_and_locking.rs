//! What happens around a write: hooks that look on or refuse, versions that keep two programs from
//! overwriting each other, and the times of the first and the last write.

use neo_ogm::mapping::HookContext;
use neo_ogm::prelude::*;
use neo_ogm::{Error, ErrorKind};
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
#[node(hooks)]
struct Account {
    #[node(key)]
    number: String,
    balance: i64,
    #[node(version)]
    version: Version,
    #[node(created_at)]
    created: Timestamp,
    #[node(updated_at)]
    updated: Timestamp,
    /// Filled when the node is read.
    #[node(skip)]
    shown: String,
    #[relationship(type = "TRUSTS")]
    trusts: Many<Account, Trust>,
}

impl Hooks for Account {
    async fn before_save(&self, _: &HookContext) -> Result<(), Error> {
        if self.balance < 0 {
            return Err(Error::abort(format!("{} would be overdrawn", self.number)));
        }
        Ok(())
    }

    /// Whatever it does on `cx` belongs to the same transaction, where there is one.
    async fn after_create(&self, cx: &HookContext) -> Result<(), Error> {
        println!("{} was opened (by {:?})", self.number, cx.operation());
        let entry = Entry::new(&self.number, format!("opened with {}", self.balance));
        entry.save(cx).await
    }

    async fn before_delete(&self, _: &HookContext) -> Result<(), Error> {
        if self.balance > 0 {
            return Err(Error::abort(format!("{} is not empty", self.number)));
        }
        Ok(())
    }

    fn after_load(&mut self) -> Result<(), Error> {
        self.shown = format!("{}: {}", self.number, self.balance);
        Ok(())
    }
}

/// The journal, to which the hooks of an account write.
#[derive(Node, Debug)]
struct Entry {
    #[node(key, generated)]
    id: Uuid,
    #[node(index)]
    account: String,
    text: String,
}

/// Relationships have hooks, too.
#[relationship(type = "TRUSTS", hooks)]
#[derive(Debug, Clone)]
struct Trust {
    up_to: i64,
}

impl RelationshipHooks for Trust {
    async fn before_connect(&self, _: &HookContext) -> Result<(), Error> {
        if self.up_to > 1000 {
            return Err(Error::abort("nobody is trusted with so much"));
        }
        Ok(())
    }
}

/// Takes from an account what is read anew each time that somebody else was quicker.
async fn withdraw(graph: &Graph, number: &str, amount: i64) -> Result<u32, Error> {
    for conflicts in 0.. {
        let mut account = Account::find_by_number(number).get(graph).await?;
        account.balance -= amount;
        match account.save(graph).await {
            Ok(()) => return Ok(conflicts),
            Err(error) if matches!(error.kind(), ErrorKind::VersionConflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    unreachable!("it goes on until the account is saved or an error comes")
}

async fn run(graph: Graph) -> Result<(), Error> {
    graph.apply_schema::<(Account, Entry)>().await?;
    let number = "1";

    // The hooks run: one writes to the journal, one fills a field that is not stored.
    let mut account = Account::new(number, 100);
    account.save(&graph).await?;
    let entries = Entry::find_by_account(number);
    assert_eq!(entries.clone().count(&graph).await?, 1);
    let mut found = Account::find_by_number(number).get(&graph).await?;
    assert_eq!(found.shown, format!("{number}: 100"));

    // They refuse: nothing is sent.
    account.balance = -1;
    let error = account.save(&graph).await.expect_err("it is overdrawn");
    println!("Refused: {error}");
    assert!(matches!(error.kind(), ErrorKind::Aborted(_)));
    account.balance = 100;
    let error = account.delete(&graph).await.expect_err("it is not empty");
    println!("Refused: {error}");
    let other = Account::new("2", 0);
    other.save(&graph).await?;
    let trust = account
        .trusts
        .connect(&other)
        .properties(Trust { up_to: 5000 });
    println!("Refused: {}", trust.await.expect_err("it is too much"));
    assert_eq!(account.trusts.count().await?, 0);

    // Two hold the same account. The second write would undo the first, and is refused.
    found.balance = 70;
    found.save(&graph).await?;
    assert_eq!(
        (account.version.get(), found.version.get()),
        (Some(1), Some(2))
    );
    account.balance = 40;
    let error = account.save(&graph).await.expect_err("it was changed");
    println!("Refused: {error}");
    assert!(matches!(error.kind(), ErrorKind::VersionConflict { .. }));

    // Read anew, it can be saved. When it was made stays, when it was last written changes.
    account.refresh(&graph).await?;
    assert_eq!(account.balance, 70);
    account.save(&graph).await?;
    println!(
        "Made {:?}, last written {:?}",
        account.created.get(),
        account.updated.get()
    );
    assert!(account.created.get().is_some());
    assert_eq!(account.created.get(), found.created.get());
    assert_ne!(account.updated.get(), found.updated.get());

    // Eight tasks take one each; none is lost.
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let graph = graph.clone();
            tokio::spawn(async move { withdraw(&graph, number, 1).await })
        })
        .collect();
    let mut conflicts = 0;
    for task in tasks {
        conflicts += task.await.expect("the task did not panic")?;
    }
    account.refresh(&graph).await?;
    println!(
        "After 8 withdrawals and {conflicts} conflicts: {}",
        account.balance
    );
    assert_eq!(account.balance, 62);

    account.balance = 0;
    account.save(&graph).await?;
    account.delete(&graph).await?;
    println!("Done.");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    isolated(run).await
}
