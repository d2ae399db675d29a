//! Constraints and indexes from the model.

use crate::common::on_every_backend;
use crate::common::{Author, Backend, Book, Edition, Team};
use neo_ogm::prelude::*;

on_every_backend!(applying_twice_changes_nothing, uniqueness_is_kept);

async fn applying_twice_changes_nothing(backend: Backend) {
    let graph = backend.graph().await;
    for _ in 0..2 {
        graph
            .apply_schema::<(Book, Author, Team, Edition)>()
            .await
            .unwrap();
    }
    let constraints: Vec<String> = graph
        .cypher("SHOW CONSTRAINTS YIELD name")
        .fetch(&graph)
        .await
        .unwrap();
    for name in [
        "Book_isbn_unique",
        "Author_name_unique",
        "Team_name_unique",
        "Edition_isbn_number_unique",
    ] {
        assert!(
            constraints.iter().any(|known| known == name),
            "{name} in {constraints:?}"
        );
    }
    let indexes: Vec<String> = graph
        .cypher("SHOW INDEXES YIELD name")
        .fetch(&graph)
        .await
        .unwrap();
    assert!(
        indexes.iter().any(|known| known == "Book_title_index"),
        "{indexes:?}"
    );
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
