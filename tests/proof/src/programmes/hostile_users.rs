//! Nasty strings in every place where a string goes, and secrets in everything that is printed.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use neo_ogm::neo_bolt::value::Value;
use neo_ogm::prelude::*;

use crate::context::{Context, Failure};
use crate::model::{self, Book, count};
use crate::random::Random;

/// Names that no sane model has: they end what they stand in, wherever that is possible.
#[derive(Node, Debug, Clone)]
#[node(label = "Proof` {x: 1}) DETACH DELETE n //")]
struct Nasty {
    #[node(key, rename = "ke`y\"'}) RETURN 1 //")]
    key: String,
    #[node(index, rename = "`] = 1 SET n.pwned = true //")]
    value: Option<String>,
    #[node(rename = "\\u0060}) DETACH DELETE n //")]
    escaped: Option<String>,
    #[relationship(type = "KNOWS`]->() DETACH DELETE n //")]
    knows: Many<Nasty>,
}

/// A backtick in another notation, which Cypher understands as well.
#[derive(Node, Debug, Clone)]
#[node(label = "Proof\\u0060) DETACH DELETE n //")]
struct Escaped {
    #[node(key)]
    key: String,
}

const PIECES: &[&str] = &[
    "'",
    "\"",
    "`",
    "``",
    "\\",
    "\\'",
    "\\\"",
    "\\u0027",
    "\\u0060",
    "\\u0022",
    "}",
    ")",
    "]",
    "})",
    "//",
    "/*",
    "*/",
    ";",
    "$key",
    "${x}",
    "{{x}}",
    "%s",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "e\u{301}",
    "日本",
    "🦀",
    " ",
    "--",
    "OR 1=1",
    " DETACH DELETE n ",
    "}) DETACH DELETE n //",
    "' OR '1' = '1",
    "\" OR true //",
    "`) MATCH (m) DETACH DELETE m //",
    "\\u0027}) DETACH DELETE n //",
    "CALL db.labels()",
    "NULL",
    "true",
    "1",
    "",
];

fn nasty(random: &mut Random) -> String {
    let count = 1 + random.below(6);
    (0..count).map(|_| random.of(PIECES)).collect()
}

pub(super) async fn run(context: &mut Context) -> Result<(), Failure> {
    let place = context.place()?.clone();
    let graph = place.graph().await?;
    graph.apply_schema::<(Nasty, Escaped)>().await?;
    let canary = Book::new(format!("{}canary", context.prefix()), "A title", 1);
    canary.save(&graph).await?;
    let there = "MATCH (b:ProofBook {isbn: $key}) RETURN count(b)";

    values(context, &graph).await?;
    names(context, &graph).await?;
    handles(context, &graph).await?;

    let canaries = count(&graph, there, &canary.isbn).await?;
    context.check(
        "the canary lives",
        canaries == 1,
        format!("{canaries} of 1"),
    );
    graph
        .cypher("MATCH (n) WHERE n.pwned IS NOT NULL RETURN count(n)")
        .fetch::<i64>(&graph)
        .await
        .map(|pwned| context.check("nothing was injected", pwned == [0], format!("{pwned:?}")))?;
    secrets(context, place.address()).await?;
    model::clean(&graph, context.prefix()).await
}

/// Strings as values: they come back as they went, and find what they should and no more.
async fn values(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let rounds = context.size(1_000, 60);
    let mut random = context.random();
    let mut wrong = Vec::new();
    let mut operations = 0;
    for round in 0..rounds {
        let text = nasty(&mut random);
        let key = format!("{}{round}{text}", context.prefix());
        let mut book = Book::new(key.as_str(), text.as_str(), round);
        book.save(graph).await?;
        let by_key = Book::find_by_isbn(key.as_str()).one(graph).await?;
        if by_key.map(|found| found.title) != Some(text.clone()) {
            wrong.push(format!("by key: {key:?}"));
        }
        let mine = || Book::ISBN.eq(key.as_str());
        let filters = [
            ("eq", Book::TITLE.eq(text.as_str())),
            ("starts with", Book::TITLE.starts_with(text.as_str())),
            ("ends with", Book::TITLE.ends_with(text.as_str())),
            ("contains", Book::TITLE.contains(text.as_str())),
            ("in list", Book::TITLE.in_list([text.as_str()])),
        ];
        for (name, filter) in filters {
            operations += 1;
            let found = Book::find().filter(mine().and(filter)).count(graph).await?;
            if found != 1 {
                wrong.push(format!("{name}: {text:?} found {found}"));
            }
        }
        let other = format!("{text}!");
        let found = Book::find().filter(mine().and(Book::TITLE.eq(other.as_str())));
        if found.exists(graph).await? {
            wrong.push(format!("found by another text: {text:?}"));
        }
        // A regular expression is the user's own; a broken one is an error, and no more.
        let matched = Book::find().filter(mine().and(Book::TITLE.matches(text.as_str())));
        let _ = matched.count(graph).await;
        let echo = graph
            .cypher("RETURN $text AS text")
            .param("text", text.as_str());
        if echo.fetch::<String>(graph).await? != [text.clone()] {
            wrong.push(format!("as a parameter: {text:?}"));
        }
        book.title = other;
        book.update(graph).await?;
        book.refresh(graph).await?;
        operations += 6;
        book.delete(graph).await?;
    }
    context.check(
        "strings as values",
        wrong.is_empty(),
        format!(
            "{operations} operations with {rounds} strings, {} wrong{}",
            wrong.len(),
            wrong
                .first()
                .map_or(String::new(), |text| format!(": {text}"))
        ),
    );
    Ok(())
}

/// Names of labels, properties and types that try to end what they stand in.
async fn names(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let key = |name: &str| format!("{}{name}", context.prefix());
    let mut first = Nasty::new(key("first"));
    first.value = Some("`".into());
    first.escaped = Some("\\u0060".into());
    let second = Nasty::new(key("second"));
    first.save(graph).await?;
    second.insert(graph).await?;
    first.knows.connect(&second).await?;
    let found = Nasty::find()
        .filter(Nasty::KEY.eq(first.key.as_str()).and(Nasty::VALUE.eq("`")))
        .order_by(Nasty::VALUE.asc())
        .load(Nasty::KNOWS)
        .one(graph)
        .await?;
    let whole = match &found {
        None => false,
        Some(found) => {
            found.escaped.as_deref() == Some("\\u0060") && found.knows.get()?.count() == 1
        }
    };
    first.knows.disconnect(&second).await?;
    first.delete(graph).await?;
    second.delete(graph).await?;
    let escaped = Escaped::new(key("escaped"));
    escaped.save(graph).await?;
    let labels: Vec<Vec<String>> = graph
        .cypher("MATCH (n {key: $key}) RETURN labels(n)")
        .param("key", escaped.key.as_str())
        .fetch(graph)
        .await?;
    let kept = labels == [["Proof\\u0060) DETACH DELETE n //"]];
    escaped.delete(graph).await?;
    context.check(
        "names in the model",
        whole && kept,
        format!("a node came back whole: {whole}; its label: {labels:?}"),
    );
    Ok(())
}

/// Strings that handles take: they are refused by the server, or passed on as they are.
async fn handles(context: &mut Context, graph: &Graph) -> Result<(), Failure> {
    let mut random = context.random();
    let rounds = context.size(100, 10);
    let mut done = 0;
    for _ in 0..rounds {
        let text = nasty(&mut random);
        let on = graph.with_metadata(text.as_str(), text.as_str());
        let one: Vec<i64> = on.cypher("RETURN 1").fetch(&on).await?;
        done += u32::from(one == [1]);
        let on = graph.with_database(format!("no{text}"));
        done += u32::from(on.cypher("RETURN 1").execute(&on).await.is_err());
        let named = graph
            .cypher("RETURN 1")
            .param(text.as_str(), Value::from(1));
        done += u32::from(named.execute(graph).await.is_ok());
    }
    context.check(
        "strings in handles",
        done == rounds * 3,
        format!("{done} of {} as they should", rounds * 3),
    );
    Ok(())
}

/// Gathers everything that is logged, with all its fields.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Log {
    fn text(&self) -> std::sync::MutexGuard<'_, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl tracing::field::Visit for Log {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.text(), " {field}={value:?}");
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        self.text().push_str(span.metadata().name());
        span.record(&mut self.clone());
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, values: &tracing::span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
        self.text().push('\n');
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}

/// A password and a value of a parameter must be in nothing that is printed or logged.
async fn secrets(context: &mut Context, address: &str) -> Result<(), Failure> {
    const SECRET: &str = "s3cr3t-0f-th3-pr00f";
    let log = Log::default();
    // All threads; it is the only subscriber of this program.
    let _ = tracing::subscriber::set_global_default(log.clone());
    let mut printed = Vec::new();
    let logins = [
        Auth::basic("neo4j", SECRET),
        Auth::bearer(SECRET),
        Auth::kerberos(SECRET),
    ];
    for auth in logins {
        printed.push(format!("{auth:?}"));
        let builder = Graph::builder(&format!("bolt://{address}")).auth(auth.clone());
        printed.push(format!("{builder:?}"));
        let uri = format!("bolt://{address}");
        match Graph::connect(&uri, auth).await {
            Ok(graph) => printed.push(format!("{graph:?} {graph}")),
            Err(error) => {
                printed.push(format!("{error} {error:?} {:?}", error.kind()));
                let mut source = std::error::Error::source(&error);
                while let Some(error) = source {
                    printed.push(format!("{error} {error:?}"));
                    source = error.source();
                }
            }
        }
    }
    let in_uri = format!("bolt://neo4j:{SECRET}@{address}");
    match Graph::connect(&in_uri, Auth::none()).await {
        Ok(graph) => printed.push(format!("{graph:?} {graph}")),
        Err(error) => printed.push(format!("{error} {error:?}")),
    }
    let graph = context.place()?.graph().await?;
    let query = graph
        .cypher("RETURN $password + 1 / 0")
        .param("password", SECRET);
    printed.push(format!("{query:?}"));
    if let Err(error) = query.execute(&graph).await {
        printed.push(format!("{error} {error:?}"));
    }
    let find = Book::find().filter(Book::TITLE.eq(SECRET));
    printed.push(format!("{find:?}"));
    let found = find.all(&graph);
    printed.push(format!("{found:?}"));
    found.await?;
    let leaked: Vec<_> = printed
        .iter()
        .filter(|text| text.contains(SECRET))
        .collect();
    let logged = log.text().contains(SECRET);
    context.check(
        "secrets in what is printed",
        leaked.is_empty(),
        match leaked.first() {
            None => format!("{} texts looked through", printed.len()),
            Some(text) => format!("found in: {text}"),
        },
    );
    let lines = log.text().lines().count();
    context.check(
        "secrets in what is logged",
        !logged,
        format!("{lines} lines looked through"),
    );
    Ok(())
}
