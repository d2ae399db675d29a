//! Constraints and indexes from the model.

use std::time::Duration;

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Edition, Team};
use neo_ogm::ErrorKind;
use neo_ogm::prelude::*;
use neo_ogm::schema::{FoundRule, Schema, SchemaSet};
use neo_ogm::testing::Space;

on_every_backend!(
    applying_twice_changes_nothing,
    uniqueness_is_kept,
    every_kind_is_made_or_reported,
    what_can_not_be_had_is_an_error_unless_skipped,
    differences_are_found,
    what_changed_is_replaced_only_when_asked,
    another_name_will_do,
    dropping_takes_what_the_model_names,
    relationships_have_indexes_and_unique_properties,
    applying_at_once_is_no_error,
    data_that_breaks_a_constraint_is_an_error,
    an_enum_of_nodes_is_a_schema,
);

async fn applying_twice_changes_nothing(backend: Backend) {
    let graph = backend.graph().await;
    for _ in 0..2 {
        graph
            .apply_schema::<(Book, Author, Team, Edition)>()
            .await
            .unwrap();
    }
    let report = graph.apply_schema::<(Book, Author, Team, Edition)>().await;
    let report = report.unwrap();
    assert_eq!(report.created().count(), 0, "{report}");
    let names: Vec<&str> = report.present().map(|rule| rule.name()).collect();
    assert_eq!(
        names,
        [
            "Book_isbn_unique",
            "Book_title_index",
            "Author_name_unique",
            "Team_id_unique",
            "Team_name_unique",
            "Edition_isbn_number_unique",
        ]
    );
    let constraints: Vec<String> = graph
        .cypher("SHOW CONSTRAINTS YIELD name")
        .fetch(&graph)
        .await
        .unwrap();
    assert!(constraints.iter().any(|known| known == "Book_isbn_unique"));
}

async fn uniqueness_is_kept(backend: Backend) {
    let graph = backend.graph().await;
    graph.apply_schema::<Team>().await.unwrap();
    let name = backend.key("team");
    Team::new(name.as_str()).save(&graph).await.unwrap();
    let error = Team::new(name.as_str()).save(&graph).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Schema.ConstraintValidationFailed"),
        "{error}"
    );
    assert!(error.to_string().contains(&name), "{error}");
    assert_eq!(
        Team::find_by_name(name.as_str())
            .count(&graph)
            .await
            .unwrap(),
        1
    );
}

/// Everything on nodes.
#[derive(Node)]
#[node(
    label = "Schema full",
    node_key(part, number),
    index(title, pages),
    unique(title, number),
    fulltext(title, tags, analyzer = "english", name = "schema full search")
)]
struct Full {
    #[node(key, typed)]
    id: String,
    #[node(required, typed)]
    part: String,
    #[node(typed)]
    number: i64,
    #[node(index = "text", fulltext)]
    title: String,
    #[node(index)]
    pages: Option<u32>,
    #[node(typed)]
    tags: Vec<String>,
    #[node(index = "point")]
    place: Option<Point>,
    #[node(typed)]
    seen: Option<LocalDateTime>,
    #[node(vector(dimensions = 3, similarity = "euclidean"))]
    meaning: Option<Vec<f32>>,
    #[relationship(type = "SCHEMA_REVIEWED")]
    reviews: Many<Full, Reviewed>,
}

/// Everything on relationships.
#[relationship(type = "SCHEMA_REVIEWED", relationship_key(id, day), index(day, text))]
struct Reviewed {
    #[relationship(unique)]
    id: String,
    #[relationship(required, typed)]
    day: Date,
    #[relationship(index = "text", fulltext)]
    text: String,
    #[relationship(index)]
    stars: i64,
    #[relationship(index = "point")]
    place: Option<Point>,
    #[relationship(vector(dimensions = 2))]
    meaning: Option<Vec<f64>>,
}

/// What the embedded engine and Neo4j Community have.
fn everywhere(name: &str) -> bool {
    let node = name.starts_with("Schema full");
    let kinds: &[&str] = if node {
        &["_unique", "_index", "_text"]
    } else {
        &["_index", "_text"]
    };
    kinds.iter().any(|kind| name.ends_with(kind))
}

fn enterprise(name: &str) -> bool {
    let kinds = ["_key", "_exists", "_type"];
    kinds.iter().any(|kind| name.ends_with(kind))
}

async fn every_kind_is_made_or_reported(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    graph.drop_schema::<Full>().await.unwrap();
    let apply = || {
        graph
            .apply_schema::<Full>()
            .skip_unsupported()
            .await_online(Duration::from_secs(30))
    };
    let report = apply().await.unwrap();
    let all = Schema::of::<Full>();
    assert_eq!(all.rules().len(), 26);
    assert_eq!(
        report.created().count() + report.unsupported().count(),
        26,
        "{report}"
    );
    for made in report.created() {
        assert!(
            everywhere(made.name()) || !backend.is_embedded(),
            "{report}"
        );
    }
    for unsupported in report.unsupported() {
        let name = unsupported.rule.name();
        // A server may well be of the Enterprise Edition.
        assert!(enterprise(name) || backend.is_embedded(), "{report}");
        assert!(!everywhere(name), "{report}");
        assert!(unsupported.reason.len() > 20);
    }
    let created = report.created().count();
    let again = apply().await.unwrap();
    assert_eq!(
        (again.created().count(), again.present().count()),
        (0, created),
        "{again}"
    );
    let diff = graph.schema_diff::<Full>().await.unwrap();
    assert_eq!(diff.missing.len(), report.unsupported().count(), "{diff}");
    assert!(diff.extra.is_empty() && diff.different.is_empty(), "{diff}");
    let dropped = graph.drop_schema::<Full>().await.unwrap();
    assert_eq!(dropped.len(), created);
    space.close().await.unwrap();
}

#[derive(Node)]
struct SchemaStrict {
    #[node(key)]
    id: String,
    #[node(required)]
    name: String,
}

async fn what_can_not_be_had_is_an_error_unless_skipped(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    match graph.apply_schema::<SchemaStrict>().await {
        Err(error) => {
            let ErrorKind::Schema(report) = error.kind() else {
                panic!("{error}");
            };
            // The rest was made all the same.
            let there = report.created().chain(report.present());
            assert_eq!(there.count(), 1, "{report}");
            assert_eq!(report.unsupported().count(), 1);
            let text = error.to_string();
            assert!(
                text.contains("skip_unsupported")
                    && text.contains(
                        "existence constraint `SchemaStrict_name_exists` of :SchemaStrict(name)"
                    ),
                "{text}"
            );
        }
        // The Enterprise Edition has it.
        Ok(report) => assert!(!backend.is_embedded(), "{report}"),
    }
    let applied = graph.apply_schema::<SchemaStrict>().skip_unsupported();
    assert_eq!(applied.await.unwrap().created().count(), 0);
    space.close().await.unwrap();
}

mod before {
    use neo_ogm::prelude::*;

    #[derive(Node)]
    pub(super) struct SchemaChanged {
        #[node(key)]
        pub(super) id: String,
        #[node(index)]
        pub(super) title: String,
        #[node(index)]
        pub(super) pages: i64,
        #[node(unique)]
        pub(super) code: String,
    }
}

mod after {
    use neo_ogm::prelude::*;

    /// The title has another kind of index, the number none, and the code need not be unique.
    #[derive(Node)]
    pub(super) struct SchemaChanged {
        #[node(key)]
        pub(super) id: String,
        #[node(index = "text")]
        pub(super) title: String,
        pub(super) pages: i64,
        #[node(index)]
        pub(super) code: String,
    }
}

fn shown(found: &[FoundRule]) -> Vec<&str> {
    found.iter().map(|found| found.name.as_str()).collect()
}

async fn differences_are_found(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    drop_changed(graph).await;
    let nothing = graph.schema_diff::<before::SchemaChanged>().await.unwrap();
    assert_eq!(
        (nothing.missing.len(), nothing.extra.len()),
        (4, 0),
        "{nothing}"
    );
    graph.apply_schema::<before::SchemaChanged>().await.unwrap();
    assert!(
        graph
            .schema_diff::<before::SchemaChanged>()
            .await
            .unwrap()
            .is_empty()
    );
    let diff = graph.schema_diff::<after::SchemaChanged>().await.unwrap();
    let missing: Vec<&str> = diff.missing.iter().map(|rule| rule.name()).collect();
    assert_eq!(missing, ["SchemaChanged_title_text"], "{diff}");
    let mut extra = shown(&diff.extra);
    extra.sort_unstable();
    assert_eq!(
        extra,
        ["SchemaChanged_pages_index", "SchemaChanged_title_index"]
    );
    let [(rule, found)] = &diff.different[..] else {
        panic!("{diff}");
    };
    assert_eq!(
        (rule.name(), found.name.as_str()),
        ("SchemaChanged_code_index", "SchemaChanged_code_unique")
    );
    assert!(
        diff.to_string()
            .contains("\nextra: RANGE index `SchemaChanged_"),
        "{diff}"
    );

    // What stands in the way is an error, and is replaced where that is asked for.
    let error = graph
        .apply_schema::<after::SchemaChanged>()
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("different: range index `SchemaChanged_code_index`")
            && text.contains("replace_changed"),
        "{text}"
    );
    let report = graph
        .apply_schema::<after::SchemaChanged>()
        .replace_changed()
        .await
        .unwrap();
    assert_eq!(report.replaced().count(), 1, "{report}");
    let diff = graph.schema_diff::<after::SchemaChanged>().await.unwrap();
    assert!(
        diff.missing.is_empty() && diff.different.is_empty(),
        "{diff}"
    );
    drop_changed(graph).await;
    space.close().await.unwrap();
}

async fn drop_changed(graph: &Graph) {
    graph.drop_schema::<before::SchemaChanged>().await.unwrap();
    graph.drop_schema::<after::SchemaChanged>().await.unwrap();
}

#[derive(Node)]
struct SchemaNamed {
    #[node(key)]
    id: String,
    #[node(index)]
    title: String,
    pages: i64,
}

/// A name of the model's that something else has is not taken for the model's own.
async fn what_changed_is_replaced_only_when_asked(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    graph.drop_schema::<SchemaNamed>().await.unwrap();
    let make = "CREATE INDEX §SchemaNamed_title_index FOR (n:SchemaNamed) ON (n.pages)";
    run(&space, make).await;
    let error = graph.apply_schema::<SchemaNamed>().await.unwrap_err();
    assert!(
        error.to_string().contains(
            "the database has RANGE index `SchemaNamed_title_index` of :SchemaNamed(pages)"
        ),
        "{error}"
    );
    let replaced = graph
        .apply_schema::<SchemaNamed>()
        .replace_changed()
        .await
        .unwrap();
    assert_eq!(replaced.replaced().count(), 1, "{replaced}");
    let diff = graph.schema_diff::<SchemaNamed>().await.unwrap();
    assert!(diff.is_empty(), "{diff}");
    graph.drop_schema::<SchemaNamed>().await.unwrap();
    space.close().await.unwrap();
}

#[derive(Node)]
struct SchemaOther {
    #[node(key)]
    id: String,
}

async fn another_name_will_do(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    let make = "CREATE CONSTRAINT §by_hand FOR (n:SchemaOther) REQUIRE n.id IS UNIQUE";
    run(&space, make).await;
    let report = graph.apply_schema::<SchemaOther>().await.unwrap();
    assert_eq!(report.present().count(), 1, "{report}");
    // It is not the model's to drop.
    assert!(graph.drop_schema::<SchemaOther>().await.unwrap().is_empty());
    run(&space, "DROP CONSTRAINT §by_hand").await;
    space.close().await.unwrap();
}

#[derive(Node)]
struct SchemaDropped {
    #[node(key)]
    id: String,
    #[node(index)]
    title: String,
}

async fn dropping_takes_what_the_model_names(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    let make = "CREATE INDEX §kept FOR (n:SchemaDropped) ON (n.pages)";
    run(&space, make).await;
    graph.apply_schema::<SchemaDropped>().await.unwrap();
    let dropped = graph.drop_schema::<SchemaDropped>().await.unwrap();
    let mut names = shown(&dropped);
    names.sort_unstable();
    assert_eq!(
        names,
        ["SchemaDropped_id_unique", "SchemaDropped_title_index"]
    );
    assert!(
        graph
            .drop_schema::<SchemaDropped>()
            .await
            .unwrap()
            .is_empty()
    );
    let diff = graph.schema_diff::<SchemaDropped>().await.unwrap();
    assert_eq!(shown(&diff.extra), ["kept"]);
    run(&space, "DROP INDEX §kept").await;
    space.close().await.unwrap();
}

#[derive(Node)]
struct SchemaEnd {
    #[node(key)]
    id: String,
    #[relationship(type = "SCHEMA_LINKED")]
    links: Many<SchemaEnd, Linked>,
}

#[relationship(type = "SCHEMA_LINKED")]
struct Linked {
    #[relationship(unique)]
    code: String,
    #[relationship(index)]
    day: i64,
}

async fn relationships_have_indexes_and_unique_properties(backend: Backend) {
    fn names<S: SchemaSet>() -> Vec<String> {
        let schema = Schema::of::<S>();
        schema
            .rules()
            .iter()
            .map(|rule| rule.name().to_owned())
            .collect()
    }
    let of_relationship = ["SCHEMA_LINKED_code_unique", "SCHEMA_LINKED_day_index"];
    // By themselves, and through the node that has them.
    assert_eq!(names::<Linked>(), of_relationship);
    assert_eq!(names::<(SchemaEnd, Linked)>()[1..], of_relationship);
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    let report = graph
        .apply_schema::<SchemaEnd>()
        .skip_unsupported()
        .await
        .unwrap();
    let kept = report.unsupported().count() == 0;
    assert_eq!(kept, !backend.is_embedded(), "{report}");
    if !kept {
        return;
    }
    let (a, b) = (
        SchemaEnd::new(backend.key("a")),
        SchemaEnd::new(backend.key("b")),
    );
    a.save(graph).await.unwrap();
    b.save(graph).await.unwrap();
    let code = backend.key("code");
    let link = |day| Linked {
        code: code.clone(),
        day,
    };
    a.links.connect(&b).properties(link(1)).await.unwrap();
    let error = b.links.connect(&a).properties(link(2)).await.unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.ClientError.Schema.ConstraintValidationFailed"),
        "{error}"
    );
    space.close().await.unwrap();
}

/// As several processes do that start at once.
async fn applying_at_once_is_no_error(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let graph = space.graph().clone();
            tokio::spawn(async move { graph.apply_schema::<before::SchemaChanged>().await })
        })
        .collect();
    for task in tasks {
        let report = task.await.unwrap().unwrap();
        assert_eq!(
            report.created().count() + report.present().count(),
            4,
            "{report}"
        );
    }
    let diff = space.graph().schema_diff::<before::SchemaChanged>();
    assert!(diff.await.unwrap().is_empty());
    space.close().await.unwrap();
}

async fn data_that_breaks_a_constraint_is_an_error(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let graph = space.graph();
    let text = "UNWIND ['a', 'b'] AS id CREATE (:SchemaChanged {id: id, code: 'same'})";
    graph.cypher(text).execute(graph).await.unwrap();
    let error = graph.apply_schema::<before::SchemaChanged>();
    let error = error.skip_unsupported().await.unwrap_err();
    assert_eq!(
        error.code(),
        Some("Neo.DatabaseError.Schema.ConstraintCreationFailed"),
        "{error}"
    );
    assert!(
        error.to_string().contains("SchemaChanged_code_unique"),
        "{error}"
    );
    space.close().await.unwrap();
}

#[derive(Nodes)]
enum Either {
    Named(SchemaNamed),
    Other(SchemaOther),
}

async fn an_enum_of_nodes_is_a_schema(backend: Backend) {
    let space = Space::new(&backend.graph().await);
    let report = space.graph().apply_schema::<(Either, SchemaEnd)>();
    let report = report.skip_unsupported().await.unwrap();
    let names: Vec<&str> = report.created().map(|rule| rule.name()).collect();
    assert_eq!(
        names[..4],
        [
            "SchemaNamed_id_unique",
            "SchemaNamed_title_index",
            "SchemaOther_id_unique",
            "SchemaEnd_id_unique",
        ]
    );
    space.close().await.unwrap();
}

/// Runs a statement with the names of constraints and indexes in the space, where `§` says so.
async fn run(space: &Space, statement: &str) {
    let statement = statement.replace('§', space.prefix());
    let graph = space.graph();
    graph.cypher(statement).execute(graph).await.unwrap();
}
