//! An import that runs again, from the start or beside itself, makes everything once.

use crate::common::{Backend, on_every_backend};
use neo_ogm::prelude::*;

on_every_backend!(an_import_runs_twice, imports_run_beside_each_other,);

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "ImportArticle")]
struct Article {
    #[node(key)]
    number: String,
    title: String,
    #[node(default = 0)]
    views: i64,
    #[relationship(type = "IMPORT_TAGGED")]
    tags: Many<Tag>,
}

#[derive(Node, Debug, Clone, PartialEq)]
#[node(label = "ImportTag")]
struct Tag {
    #[node(key)]
    name: String,
    #[relationship(type = "IMPORT_TAGGED", direction = "in")]
    articles: Many<Article>,
}

struct Rows {
    prefix: String,
}

impl Rows {
    fn articles(&self) -> Vec<Article> {
        let number = |n: usize| format!("{}-{n:03}", self.prefix);
        (0..60)
            .map(|n| Article::new(number(n), format!("Article {n}")))
            .collect()
    }

    fn tags(&self) -> Vec<Tag> {
        (0..7)
            .map(|n| Tag::new(format!("{}-{n}", self.prefix)))
            .collect()
    }

    async fn import(&self, graph: &Graph) -> Result<(), neo_ogm::Error> {
        let (articles, tags) = (self.articles(), self.tags());
        graph.save_all(&articles).batch_size(17).await?;
        graph.save_all(&tags).await?;
        let pairs = articles.iter().enumerate().flat_map(|(n, article)| {
            let tags = &tags;
            [n % 7, n % 3].map(|tag| (article, &tags[tag]))
        });
        graph.connect_all(Article::TAGS, pairs).batch_size(25).await
    }

    async fn check(&self, graph: &Graph) {
        let of = || Article::find().filter(Article::NUMBER.starts_with(self.prefix.as_str()));
        assert_eq!(of().count(graph).await.unwrap(), 60);
        let tags = Tag::find().filter(Tag::NAME.starts_with(self.prefix.as_str()));
        assert_eq!(tags.count(graph).await.unwrap(), 7);
        // Where n % 7 and n % 3 are the same tag, there is one relationship.
        let counts = of()
            .order_by(Article::NUMBER.asc())
            .select(Article::TAGS.count());
        let counts = counts.all(graph).await.unwrap();
        let due: Vec<i64> = (0..60)
            .map(|n| if n % 7 == n % 3 { 1 } else { 2 })
            .collect();
        assert_eq!(counts, due);
    }
}

async fn an_import_runs_twice(backend: Backend) {
    let graph = backend.graph().await;
    let rows = Rows {
        prefix: backend.key("import"),
    };
    rows.import(&graph).await.unwrap();
    rows.check(&graph).await;
    rows.import(&graph).await.unwrap();
    rows.check(&graph).await;
}

async fn imports_run_beside_each_other(backend: Backend) {
    let graph = backend.graph().await;
    let prefix = backend.key("beside");
    graph.apply_schema::<(Article, Tag)>().await.unwrap();
    let mut imports = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (graph, prefix) = (graph.clone(), prefix.clone());
        imports.spawn(async move { Rows { prefix }.import(&graph).await });
    }
    while let Some(done) = imports.join_next().await {
        done.unwrap().unwrap();
    }
    Rows { prefix }.check(&graph).await;
}
