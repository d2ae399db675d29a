//! Full-text and vector search, plans and hints: what the embedded engine refuses.

use std::time::Duration;

use crate::common::{Backend, on_every_backend};
use neo_ogm::ErrorKind;
use neo_ogm::neo_bolt::value::Vector;
use neo_ogm::prelude::*;

on_every_backend!(
    words_are_found_and_ranked,
    vectors_are_found_by_nearness,
    filters_leave_the_nearest_that_pass,
    stored_vectors_are_searched,
    a_missing_index_is_told,
    plans_and_hints,
);

#[derive(Node, Debug, Clone)]
#[node(label = "QueryArticle", fulltext(title, text))]
struct Article {
    #[node(key)]
    id: String,
    #[node(fulltext)]
    title: String,
    text: String,
    #[node(index)]
    year: i32,
    #[node(vector(dimensions = 3, similarity = "cosine"))]
    place: Vec<f32>,
    #[relationship(type = "QUERY_CITES")]
    cites: Many<Article>,
}

async fn articles(backend: &Backend) -> (Graph, String) {
    let graph = backend.graph().await;
    let applied = graph.apply_schema::<(Article,)>().await;
    if !backend.is_embedded() {
        applied.unwrap();
    }
    // A word that only this test has, so that tests share the index.
    let own = backend.key("own").replace('-', "");
    let mut saved: Vec<Article> = Vec::new();
    for (number, title, text, year, place) in [
        (1, "graph graph", "NOT a word: (", 2001, vec![1.0, 0.0, 0.0]),
        (2, "graph", "apples and pears", 2002, vec![0.9, 0.1, 0.0]),
        (3, "trees", "apples", 2003, vec![0.0, 1.0, 0.0]),
    ] {
        let article = Article {
            year,
            place,
            text: format!("{own} {text}"),
            ..Article::new(format!("{own}{number}"), format!("{title} {own}"), "", 0)
        };
        article.save(&graph).await.unwrap();
        if let Some(before) = saved.first() {
            article.cites.connect(before).await.unwrap();
        }
        saved.push(article);
    }
    if !backend.is_embedded() {
        let wait = graph.cypher("CALL db.index.fulltext.awaitEventuallyConsistentIndexRefresh()");
        wait.execute(&graph).await.unwrap();
        graph
            .cypher("CALL db.awaitIndexes(60)")
            .execute(&graph)
            .await
            .unwrap();
    }
    (graph, own)
}

fn numbers(found: &[Article]) -> String {
    found
        .iter()
        .filter_map(|article| article.id.chars().last())
        .collect()
}

fn refused(error: &neo_ogm::Error) {
    let code = error.code().unwrap_or_default();
    assert!(code.starts_with("Neo.ClientError."), "{error}");
    assert!(error.to_string().contains("embedded engine"), "{error}");
}

async fn words_are_found_and_ranked(backend: Backend) {
    let (graph, own) = articles(&backend).await;
    let mine = || Article::find().filter(Article::ID.starts_with(own.as_str()));
    let search = mine().search(Article::TITLE, "graph");
    if backend.is_embedded() {
        return refused(&search.all(&graph).await.unwrap_err());
    }
    let found = search.load(Article::CITES).all(&graph).await.unwrap();
    let nodes: Vec<_> = found.iter().map(|scored| scored.node.clone()).collect();
    assert_eq!(numbers(&nodes), "12");
    assert!(found[0].score > found[1].score && found[1].score > 0.0);
    assert_eq!(found[1].node.cites.get().unwrap().len(), 1);
    let over = (Article::TITLE, Article::TEXT);
    let apples = mine().search(over, "apples").filter(Article::YEAR.gt(2002));
    assert_eq!(numbers(&apples.nodes(&graph).await.unwrap()), "3");
    let by_year = mine()
        .search(over, &own)
        .order_by(Article::YEAR.desc())
        .skip(1)
        .limit(1);
    assert_eq!(numbers(&by_year.nodes(&graph).await.unwrap()), "2");
    // What a user types is words, whatever is in it.
    for text in [
        "NOT",
        "word: (",
        "\"",
        "a AND",
        "title:trees",
        "*",
        "/x",
        "~1 ^ &&",
        "",
        "\\",
    ] {
        let found = mine().search(over, text).nodes(&graph).await;
        assert!(found.is_ok(), "{text}: {found:?}");
    }
    let words = mine().search(over, "word: (").nodes(&graph).await.unwrap();
    assert_eq!(numbers(&words), "1");
    // The language of the index, where asked for, and the index by name.
    let raw = mine().search_lucene("QueryArticle_title_fulltext", "tre* AND NOT graph");
    assert_eq!(numbers(&raw.nodes(&graph).await.unwrap()), "3");
    assert!(
        mine()
            .search_lucene(over, "AND (")
            .all(&graph)
            .await
            .is_err()
    );
    let best = mine()
        .search(Article::TITLE, "graph")
        .first(&graph)
        .await
        .unwrap()
        .unwrap();
    let good = mine().search(Article::TITLE, "graph").min_score(best.score);
    assert_eq!(good.nodes(&graph).await.unwrap().len(), 1);
}

async fn vectors_are_found_by_nearness(backend: Backend) {
    let (graph, own) = articles(&backend).await;
    let near = Article::find()
        .filter(Article::ID.starts_with(own.as_str()))
        .nearest(Article::PLACE, &[1.0, 0.05, 0.0], 1000);
    if backend.is_embedded() {
        return refused(&near.all(&graph).await.unwrap_err());
    }
    let found = near.limit(2).all(&graph).await.unwrap();
    let nodes: Vec<_> = found.iter().map(|scored| scored.node.clone()).collect();
    assert_eq!(numbers(&nodes), "12");
    assert!(found[0].score > 0.99, "{}", found[0].score);
}

#[derive(Node, Debug, Clone)]
#[node(label = "QueryNear")]
struct Near {
    #[node(key)]
    id: String,
    pages: i64,
    #[node(vector(dimensions = 2, similarity = "cosine"))]
    place: Vec<f32>,
}

async fn filters_leave_the_nearest_that_pass(backend: Backend) {
    let near = || Near::find().nearest(Near::PLACE, &[1.0, 0.0], 2);
    assert_eq!(
        near().to_cypher(),
        "CALL db.index.vector.queryNodes($p0, $p1, $p2) YIELD node AS n, score WHERE n:QueryNear \
         RETURN score, n ORDER BY score DESC"
    );
    let far = || near().filter(Near::PAGES.gt(15));
    assert_eq!(
        far().limit(1).to_cypher(),
        "CALL db.index.vector.queryNodes($p0, $p1, $p2) YIELD node AS n, score WHERE n:QueryNear \
         AND n.pages > $p3 WITH n, score ORDER BY score DESC LIMIT $p4 \
         RETURN score, n ORDER BY score DESC LIMIT $p5"
    );
    assert_eq!(
        near().min_score(0.1).to_cypher().matches("LIMIT").count(),
        0
    );
    let graph = backend.graph().await;
    if backend.is_embedded() {
        return refused(&far().all(&graph).await.unwrap_err());
    }
    // Each a little further round the circle; the index may take neighbours for one another.
    let all: Vec<_> = (0..24_u8)
        .map(|n| Near {
            place: vec![(f32::from(n) * 0.06).cos(), (f32::from(n) * 0.06).sin()],
            ..Near::new(format!("{n:02}"), n.into())
        })
        .collect();
    graph.save_all(&all).await.unwrap();
    let schema = graph.apply_schema::<(Near,)>();
    schema.await_online(Duration::from_secs(60)).await.unwrap();
    let pages = |found: &[Near]| -> Vec<i64> { found.iter().map(|near| near.pages).collect() };
    assert_eq!(near().nodes(&graph).await.unwrap().len(), 2);
    // 20 candidates, 4 of which pass.
    let found = pages(&far().nodes(&graph).await.unwrap());
    assert!(
        found.len() == 2 && found.iter().all(|page| (16..21).contains(page)),
        "{found:?}"
    );
    let order = far().order_by(Near::PAGES.desc());
    let ordered = pages(&order.nodes(&graph).await.unwrap());
    assert!(ordered[0] > ordered[1], "{ordered:?}");
    assert!(far().first(&graph).await.unwrap().unwrap().node.pages < 21);
    // Too few candidates, and enough of them.
    let last = || near().filter(Near::PAGES.ge(23));
    assert_eq!(last().all(&graph).await.unwrap().len(), 0);
    let more = last().candidates(24).nodes(&graph).await.unwrap();
    assert_eq!(pages(&more), [23]);
    let less = far().candidates(1).nodes(&graph).await.unwrap();
    assert_eq!(less.len(), 0);
    let words = Article::find().search(Article::TITLE, "x").candidates(3);
    let error = words.all(&graph).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::NotSupported { .. }),
        "{error}"
    );
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "QueryVector")]
struct Stored {
    #[node(key)]
    id: String,
    #[node(vector(dimensions = 3))]
    place: Vector,
}

/// Vectors as values need Bolt 6; what can't carry them says so.
async fn stored_vectors_are_searched(backend: Backend) {
    let graph = backend.graph().await;
    let stored = |id: &str, numbers: [f32; 3]| {
        Stored::new(backend.key(id), Vector::Float32(numbers.to_vec()))
    };
    let all = [
        stored("1", [1.0, 0.0, 0.0]),
        stored("2", [0.9, 0.1, 0.0]),
        stored("3", [0.0, 0.0, 1.0]),
    ];
    if let Err(error) = graph.save_all(&all).await {
        // The wire carries them from Bolt 6 on, and the store of Community has no place for them.
        let said = error.to_string();
        let known = said.contains("Bolt 6") || said.contains("aligned store format");
        return assert!(known, "{said}");
    }
    let schema = graph.apply_schema::<(Stored,)>();
    schema.await_online(Duration::from_secs(60)).await.unwrap();
    let found = Stored::find()
        .filter(Stored::ID.starts_with(backend.key("")))
        .nearest(Stored::PLACE, &[1.0, 0.0, 0.0], 2)
        .candidates(1000)
        .nodes(&graph)
        .await
        .unwrap();
    assert_eq!(found, all[..2]);
}

async fn a_missing_index_is_told(backend: Backend) {
    let graph = backend.graph().await;
    let error = Article::find()
        .search(Article::TEXT, "x")
        .all(&graph)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NoIndex { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("`Article` has no full-text index over text"),
        "{text}"
    );
    let followed = Article::find()
        .follow(Article::CITES)
        .search(Article::TITLE, "x");
    let error = followed.all(&graph).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotASearch), "{error}");
}

async fn plans_and_hints(backend: Backend) {
    let (graph, own) = articles(&backend).await;
    let hinted = || {
        Article::find()
            .filter(
                Article::YEAR
                    .gt(2001)
                    .and(Article::ID.starts_with(own.as_str())),
            )
            .using_index(Article::YEAR)
    };
    assert!(
        hinted()
            .to_cypher()
            .contains("(n:QueryArticle) USING INDEX n:QueryArticle(year) WHERE")
    );
    if backend.is_embedded() {
        refused(&hinted().all(&graph).await.unwrap_err());
        let error = Article::find().explain(&graph).await.unwrap_err();
        assert!(error.to_string().contains("embedded engine"), "{error}");
        return refused(&Article::find().profile(&graph).await.unwrap_err());
    }
    assert_eq!(hinted().all(&graph).await.unwrap().len(), 2);
    let plan = hinted().explain(&graph).await.unwrap();
    let mut steps = vec![&plan];
    let mut operators = Vec::new();
    while let Some(step) = steps.pop() {
        operators.push(step.operator_type().to_owned());
        steps.extend(step.children());
    }
    assert!(
        operators.iter().any(|o| o.starts_with("NodeIndexSeek")),
        "{operators:?}"
    );
    let profile = hinted().aggregate(count()).profile(&graph).await.unwrap();
    assert_eq!(profile.rows(), 1);
}
