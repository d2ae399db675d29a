//! Workers with nodes of their own, where each answer and each property is foretold.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use neo_ogm::prelude::*;
use neo_test_support::Message;
use neo_test_support::proxy::{Proxy, When};

use super::operation::Operation;
use super::perform::Shelf;
use super::state::{Answer, Model, State};
use super::stranger::Stranger;
use super::{ACTIONS, Tally};
use crate::context::Failure;
use crate::places::Place;
use crate::random::Random;

/// The messages of a flush, and which of them is hit.
const MESSAGES: &[(Message, u64)] = &[
    (Message::Begin, 1),
    (Message::Run, 1),
    (Message::Run, 2),
    (Message::Run, 3),
    (Message::Run, 4),
    (Message::Pull, 1),
    (Message::Pull, 2),
    (Message::Pull, 3),
    (Message::Commit, 1),
    (Message::Commit, 1),
    (Message::Commit, 1),
    (Message::Commit, 1),
    (Message::Commit, 1),
    (Message::Commit, 1),
    (Message::Success, 1),
    (Message::Success, 2),
    (Message::Success, 3),
    (Message::Success, 4),
    (Message::Success, 5),
    (Message::Success, 6),
    (Message::Record, 1),
    (Message::Record, 2),
    (Message::Hello, 1),
    (Message::Logon, 1),
];

/// What is cut as well, while the mapper finds out what became of the first transaction.
const MORE: &[(Message, u64)] = &[
    (Message::Begin, 2),
    (Message::Run, 2),
    (Message::Commit, 2),
    (Message::Commit, 2),
    (Message::Success, 5),
    (Message::Record, 2),
];

/// One way in which an operation may have gone, one after the other with the stranger's write.
struct Course {
    model: Model,
    answer: Answer,
    stranger: Option<Vec<i64>>,
}

/// Every course that applies the operation once, or not at all if it says so.
fn courses(
    before: &Model,
    operation: Operation,
    stranger: Option<Stranger>,
    number: i64,
) -> Vec<Course> {
    let mut courses = Vec::new();
    let explicit = matches!(operation, Operation::Explicit(_));
    for (applied, first) in [(true, true), (true, false), (false, true)] {
        let mut model = before.clone();
        let mut found = None;
        if !first {
            found = stranger.map(|one| one.apply(&mut model));
        }
        let answer = match applied {
            true => operation.apply(&mut model, number),
            // An explicit transaction is not run again.
            false if explicit => Answer::NotCommitted,
            false => continue,
        };
        if first {
            found = stranger.map(|one| one.apply(&mut model));
        }
        courses.push(Course {
            model,
            answer,
            stranger: found,
        });
    }
    courses
}

/// Works until enough cuts have been made.
pub(super) async fn work(
    place: Place,
    direct: Graph,
    prefix: String,
    mut random: Random,
    cuts: Arc<AtomicU64>,
    wanted: u64,
) -> Result<Tally, Failure> {
    let proxy = Proxy::start(place.address())?;
    let graph = place.through(&proxy.uri()).await?;
    let mut shelf = Shelf::fill(graph.clone(), prefix.clone()).await?;
    let mut model = Model {
        state: State::read(&direct, &prefix, 0).await?,
        held: shelf.held(),
    };
    let mut tally = Tally::default();
    let mut entries = 0;
    while cuts.load(Ordering::Relaxed) < wanted {
        tally.operations += 1;
        let number = i64::try_from(tally.operations)?;
        model.state.entries = 0;
        shelf.refresh(&mut model).await?;
        let operation = Operation::by_chance(&mut random, &model);
        let stranger = Stranger::by_chance(&mut random, operation, number);
        let (message, nth) = random.of(MESSAGES);
        let action = random.of(ACTIONS);
        if matches!(message, Message::Hello | Message::Logon) {
            // They come with a new connection only.
            proxy.cut_all();
        }
        let hold = random.below(5) < 3;
        let mut faults = vec![match hold {
            true => proxy.inject_and_hold(message, action, When::Nth(nth)),
            false => proxy.inject(message, action, When::Nth(nth)),
        }];
        let mut second = String::new();
        if random.below(4) == 0 {
            let (message, nth) = random.of(MORE);
            let action = random.of(ACTIONS);
            second = format!(" and {action:?} at {message} {nth}");
            faults.push(proxy.inject(message, action, When::Nth(nth)));
        }
        let mut met = None;
        let answer = {
            let mut performing = std::pin::pin!(shelf.perform(operation, number));
            tokio::select! {
                answer = &mut performing => answer,
                () = proxy.held() => {
                    // The mapper is not polled and can't send: the order is certain.
                    met = Some(stranger.perform(&direct, &prefix).await?);
                    proxy.release();
                    performing.await
                }
            }
        };
        proxy.release();
        let fired: u64 = faults.iter().map(|fault| proxy.fired(*fault)).sum();
        proxy.clear_faults();
        cuts.fetch_add(fired, Ordering::Relaxed);
        if fired > 0 {
            let boundary = format!("{} {message} {nth} {action:?}", operation.name());
            tally.boundaries.insert(boundary);
            tally.strangers += u64::from(met.is_some());
        }
        let read = State::read(&direct, &prefix, number).await;
        let what = || {
            let wrote = match &met {
                Some(found) => format!(", {stranger:?} found {found:?}"),
                None => String::new(),
            };
            format!("{operation:?} of {number} with {action:?} at {message} {nth}{second}{wrote}")
        };
        let found = match read {
            Ok(state) => Model {
                state,
                held: shelf.held(),
            },
            Err(error) => {
                // Two nodes of one key, or a bound that is broken: there is nothing to go on from.
                tally.differences.push(format!("after {}: {error}", what()));
                return Ok(tally);
            }
        };
        let courses = courses(&model, operation, met.as_ref().map(|_| stranger), number);
        let course = courses.iter().find(|course| {
            course.model == found && course.answer == answer && course.stranger == met
        });
        if course.is_none() {
            // The nodes are right, and so is what the stranger saw: only the answer is wrong.
            let mut right = courses
                .iter()
                .any(|one| one.model == found && one.stranger == met);
            if let Answer::Failed(error) = &answer {
                // One that says that it failed may not have taken effect.
                let mut without = model.clone();
                let saw = met.as_ref().map(|_| stranger.apply(&mut without));
                right |= without == found && saw == met;
                tally.unknown += u64::from(error.contains("unknown"));
            }
            let kind = match right {
                true => &mut tally.wrong_answers,
                false => &mut tally.differences,
            };
            let expected: Vec<_> = courses
                .iter()
                .map(|one| format!("{:?} with {:?}", one.answer, one.model))
                .collect();
            let text = format!(
                "{}: {answer:?} with {found:?}, expected {}",
                what(),
                expected.join(" or ")
            );
            eprintln!("   {text}");
            kind.push(text);
        }
        entries += found.state.entries;
        model = found;
    }
    // Nothing arrives late.
    graph.close().await;
    model.state.entries = 0;
    let all = "MATCH (e:ProofEntry {ledger: $key}) RETURN count(e)";
    let all = crate::model::count(&direct, all, &prefix).await?;
    let found = State::read(&direct, &prefix, -1).await?;
    if found != model.state || all != entries {
        tally.differences.push(format!(
            "at the end: {found:?} with {all} entries, expected {:?} with {entries}",
            model.state
        ));
    }
    Ok(tally)
}
