//! Many tasks that want the same: invariants hold, and no deadlock surfaces.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::context::{Context, Failure};
use crate::model::{self, Account, Author, Book, Holder, Passport, WrittenBy, count};
use crate::random::Random;

const TASKS: u64 = 16;

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let place = context.place()?.clone();
    let graph = place.graph().await?;
    cardinality(context, &graph).await?;
    both_ends(context, &graph).await?;
    replaces(context, &graph).await?;
    unique_keys(context, &graph).await?;
    inserts(context, &graph).await?;
    counters(context, &graph).await?;
    versions(context, &graph).await?;
    creations(context, &graph).await?;
    deadlocks(context, &graph).await?;
    model::clean(&graph, context.prefix()).await
}

/// What many tasks have come to.
#[derive(Default)]
struct Sum {
    done: u64,
    refused: u64,
    surprises: Vec<String>,
}

impl Sum {
    fn add(&mut self, end: Result<(), neo_ogm::Error>) {
        match end {
            Ok(()) => self.done += 1,
            Err(error) => match error.kind() {
                ErrorKind::Cardinality { .. } | ErrorKind::AlreadyExists { .. } => {
                    self.refused += 1;
                }
                _ => self.surprises.push(error.to_string()),
            },
        }
    }

    fn surprise(&self) -> String {
        let first = self.surprises.first();
        first.map_or(String::new(), |text| {
            format!("; {} surprises: {text}", self.surprises.len())
        })
    }
}

/// Runs `work` in all tasks at once, until each has done it `each` times.
async fn together<F, Fut>(each: u64, random: &Random, work: F) -> Result<Sum, Failure>
where
    F: Fn(u64, u64, Random) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), neo_ogm::Error>> + Send,
{
    let (work, mut tasks) = (Arc::new(work), JoinSet::new());
    for task in 0..TASKS {
        let (work, mut random) = (Arc::clone(&work), random.fork(task));
        tasks.spawn(async move {
            let mut sum = Sum::default();
            for number in 0..each {
                let chance = random.next();
                sum.add(work(task, number, Random::new(chance)).await);
            }
            sum
        });
    }
    let mut total = Sum::default();
    while let Some(sum) = tasks.join_next().await {
        let sum = sum?;
        total.done += sum.done;
        total.refused += sum.refused;
        total.surprises.extend(sum.surprises);
    }
    Ok(total)
}

fn each(context: &Context) -> u64 {
    context.size(10_000, 320) / TASKS
}

async fn people(graph: &Graph, prefix: &str, count: u64) -> Result<Vec<Author>, Failure> {
    let mut people = Vec::new();
    for number in 0..count {
        let author = Author::new(format!("{prefix}{number}"));
        author.save(graph).await?;
        people.push(author);
    }
    Ok(people)
}

/// All tasks connect another author with the same book, in rounds: one gets through.
async fn cardinality(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let rounds = each(context);
    let prefix = format!("{}one-", context.prefix());
    let people = people(graph, &prefix, TASKS).await?;
    let (mut sum, mut violated) = (Sum::default(), 0);
    for round in 0..rounds {
        let book = Book::new(format!("{prefix}{round}"), "A title", 0);
        book.save(graph).await?;
        let barrier = Arc::new(Barrier::new(people.len()));
        let mut tasks = JoinSet::new();
        for author in people.clone() {
            let (book, barrier) = (book.clone(), Arc::clone(&barrier));
            tasks.spawn(async move {
                barrier.wait().await;
                let connect = book.author.connect(&author);
                connect.properties(WrittenBy { year: 1 }).await
            });
        }
        let before = sum.done;
        for end in tasks.join_all().await {
            sum.add(end);
        }
        let related = "MATCH (:ProofBook {isbn: $key})-[r:PROOF_WRITTEN_BY]->() RETURN count(r)";
        let related = count(graph, related, &book.isbn).await?;
        violated += u64::from(related != 1 || sum.done - before != 1);
    }
    context.check(
        "one of `One`",
        violated == 0 && sum.surprises.is_empty(),
        format!(
            "{rounds} rounds of {TASKS} connects, violated in {violated}{}",
            sum.surprise()
        ),
    );
    Ok(())
}

/// Holders and passports, both bounded, connected at random.
async fn both_ends(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}both-", context.prefix());
    let (mut holders, mut passports) = (Vec::new(), Vec::new());
    for number in 0..8 {
        let holder = Holder::new(format!("{prefix}{number}"));
        let passport = Passport::new(format!("{prefix}{number}"));
        holder.save(graph).await?;
        passport.save(graph).await?;
        holders.push(holder);
        passports.push(passport);
    }
    let ends = Arc::new((holders, passports));
    let each = each(context);
    let sum = together(each, &context.random(), move |_, _, mut random| {
        let ends = Arc::clone(&ends);
        async move {
            let holder = &ends.0[random.below(8)];
            let passport = &ends.1[random.below(8)];
            match random.below(3) {
                0 => holder.passport.connect(passport).await,
                1 => holder.passport.replace(passport).await,
                _ => holder.passport.disconnect_all().await.map(drop),
            }
        }
    })
    .await?;
    let doubled = "MATCH (n)-[r:PROOF_HOLDS]-() WHERE coalesce(n.name, n.number) STARTS WITH $key \
                   WITH n, count(r) AS related WHERE related > 1 RETURN count(n)";
    let doubled = count(graph, doubled, &prefix).await?;
    context.check(
        "bounds at both ends",
        doubled == 0 && sum.surprises.is_empty(),
        format!(
            "{} connects, replaces and disconnects, {} refused, {doubled} nodes beyond their \
             bound{}",
            each * TASKS,
            sum.refused,
            sum.surprise()
        ),
    );
    Ok(())
}

/// All tasks replace the authors of the same few books: each has one at any time.
async fn replaces(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}replace-", context.prefix());
    let authors = people(graph, &prefix, 8).await?;
    let mut books = Vec::new();
    for number in 0..4 {
        let book = Book::new(format!("{prefix}{number}"), "A title", 0);
        book.save(graph).await?;
        books.push(book);
    }
    let ends = Arc::new((books, authors));
    let each = each(context);
    let sum = together(each, &context.random(), move |_, _, mut random| {
        let ends = Arc::clone(&ends);
        async move {
            let replace = ends.0[random.below(4)]
                .author
                .replace(&ends.1[random.below(8)]);
            replace.properties(WrittenBy { year: 1 }).await
        }
    })
    .await?;
    let related = "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key \
                   OPTIONAL MATCH (b)-[r:PROOF_WRITTEN_BY]->() \
                   WITH b, count(r) AS related WHERE related = 1 RETURN count(b)";
    let related = count(graph, related, &prefix).await?;
    context.check(
        "replace",
        related == 4 && sum.surprises.is_empty(),
        format!(
            "{} replaces on 4 books, {related} of which have one author{}",
            each * TASKS,
            sum.surprise()
        ),
    );
    Ok(())
}

/// All tasks save nodes of the same keys: each key is there once.
async fn unique_keys(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}unique-", context.prefix());
    let each = each(context);
    let (on, key) = (graph.clone(), prefix.clone());
    let sum = together(each, &context.random(), move |_, number, _| {
        let book = Book::new(format!("{key}{number}"), "A title", 0);
        let on = on.clone();
        async move { book.save(&on).await }
    })
    .await?;
    let found = "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key RETURN count(b)";
    let found = count(graph, found, &prefix).await?;
    context.check(
        "unique keys",
        u64::try_from(found)? == each && sum.surprises.is_empty(),
        format!(
            "{} saves of {each} keys left {found} nodes{}",
            each * TASKS,
            sum.surprise()
        ),
    );
    Ok(())
}

/// All tasks insert nodes of the same keys: one succeeds, the others are told.
async fn inserts(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}insert-", context.prefix());
    let each = each(context);
    let (on, key) = (graph.clone(), prefix);
    let sum = together(each, &context.random(), move |_, number, _| {
        let book = Book::new(format!("{key}{number}"), "A title", 0);
        let on = on.clone();
        async move { book.insert(&on).await }
    })
    .await?;
    context.check(
        "insert",
        sum.done == each && sum.refused == each * (TASKS - 1) && sum.surprises.is_empty(),
        format!(
            "{} inserts of {each} keys: {} succeeded, {} met a node{}",
            each * TASKS,
            sum.done,
            sum.refused,
            sum.surprise()
        ),
    );
    Ok(())
}

/// All tasks count up in units of work that read before they write.
async fn counters(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}counter-", context.prefix());
    let book = Book::new(prefix.clone(), "A title", 0);
    book.save(graph).await?;
    let each = each(context);
    let (on, key) = (graph.clone(), prefix.clone());
    let sum = together(each, &context.random(), move |_, _, _| {
        let (on, key) = (on.clone(), key.clone());
        async move {
            let up = "MATCH (b:ProofBook {isbn: $key}) SET b.pages = b.pages + 1";
            on.cypher(up).param("key", key).execute(&on).await.map(drop)
        }
    })
    .await?;
    let pages = "MATCH (b:ProofBook {isbn: $key}) RETURN b.pages";
    let pages = count(graph, pages, &prefix).await?;
    context.check(
        "counters",
        u64::try_from(pages)? == each * TASKS && sum.surprises.is_empty(),
        format!("{} counted up to {pages}{}", each * TASKS, sum.surprise()),
    );
    Ok(())
}

/// All tasks add to the same balance, each to what it has read: whoever comes too late is told, and
/// reads again.
async fn versions(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}version-", context.prefix());
    Account::new(prefix.as_str(), 0).save(graph).await?;
    let each = each(context);
    let (on, key) = (graph.clone(), prefix.clone());
    let conflicts = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&conflicts);
    let sum = together(each, &context.random(), move |_, _, _| {
        let (on, key, seen) = (on.clone(), key.clone(), Arc::clone(&seen));
        async move {
            loop {
                let found = Account::find_by_number(key.as_str()).one(&on).await?;
                let Some(mut account) = found else {
                    return Err(neo_ogm::Error::abort("the account is gone"));
                };
                account.balance += 1;
                match account.save(&on).await {
                    Err(error) if matches!(error.kind(), ErrorKind::VersionConflict { .. }) => {
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                    ended => return ended,
                }
            }
        }
    })
    .await?;
    let account = Account::find_by_number(prefix.as_str()).one(graph).await?;
    let account = account.ok_or("the account is gone")?;
    let wanted = i64::try_from(each * TASKS)?;
    context.check(
        "versions",
        account.balance == wanted
            && account.version.get() == Some(wanted + 1)
            && sum.surprises.is_empty(),
        format!(
            "{wanted} additions came to {}, at version {:?}; {} came too late and were repeated{}",
            account.balance,
            account.version.get(),
            conflicts.load(Ordering::Relaxed),
            sum.surprise()
        ),
    );
    Ok(())
}

/// All tasks get or create nodes of the same keys: each is created once.
async fn creations(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}create-", context.prefix());
    let each = each(context);
    let (on, key) = (graph.clone(), prefix.clone());
    let created = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&created);
    let sum = together(each, &context.random(), move |_, number, _| {
        let book = Book::new(format!("{key}{number}"), "A title", 0);
        let (on, seen) = (on.clone(), Arc::clone(&seen));
        async move {
            let (_, created) = book.get_or_create(&on).await?;
            seen.fetch_add(u64::from(created), Ordering::Relaxed);
            Ok(())
        }
    })
    .await?;
    let found = "MATCH (b:ProofBook) WHERE b.isbn STARTS WITH $key RETURN count(b)";
    let found = u64::try_from(count(graph, found, &prefix).await?)?;
    let created = created.load(Ordering::Relaxed);
    context.check(
        "get_or_create",
        (found, created) == (each, each) && sum.surprises.is_empty(),
        format!(
            "{} calls for {each} keys created {created} nodes; {found} are there{}",
            each * TASKS,
            sum.surprise()
        ),
    );
    Ok(())
}

/// Transactions that write two nodes of a few in any order, which deadlock all the time.
async fn deadlocks(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let prefix = format!("{}deadlock-", context.prefix());
    let books: Arc<Vec<Book>> = Arc::new(
        (0..6)
            .map(|number| Book::new(format!("{prefix}{number}"), "A title", 0))
            .collect(),
    );
    let each = each(context);
    let retried = Arc::new(AtomicU64::new(0));
    let (on, seen) = (graph.clone(), Arc::clone(&retried));
    let sum = together(each, &context.random(), move |_, _, mut random| {
        let (on, books, seen) = (on.clone(), Arc::clone(&books), Arc::clone(&seen));
        async move {
            let first = random.below(6);
            let second = (first + 1 + random.below(5)) % 6;
            let attempts = on.transaction(async |tx| {
                books[first].save(&tx).await?;
                books[second].save(&tx).await?;
                Ok(tx.attempt())
            });
            if attempts.await? > 1 {
                seen.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    })
    .await?;
    context.check(
        "deadlocks",
        sum.surprises.is_empty(),
        format!(
            "{} transactions of two nodes in any order, {} of them ran again, {} surface{}",
            each * TASKS,
            retried.load(Ordering::Relaxed),
            sum.surprises.len(),
            sum.surprise()
        ),
    );
    Ok(())
}
