//! Questions of every kind over one small library.

mod aggregates;
mod expressions;
mod follow;
mod loads;
mod pages;
mod paths;
mod search;
mod selections;

use crate::common::Backend;
use neo_ogm::prelude::*;

/// What a novel is called in the database is not what it is called here.
#[derive(Property, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Novel,
    #[property(rename = "long poem")]
    Poem,
}

#[derive(Node, Debug, Clone)]
#[node(label = "QueryBook")]
pub(super) struct Volume {
    #[node(key)]
    pub(super) isbn: String,
    pub(super) title: String,
    pub(super) kind: Kind,
    pub(super) pages: Option<u32>,
    pub(super) sold: Option<u32>,
    pub(super) price: Option<f64>,
    pub(super) published: Option<Date>,
    pub(super) tags: Vec<String>,
    #[relationship(type = "QUERY_WRITTEN_BY")]
    pub(super) writers: Many<Writer, Wrote>,
    #[relationship(type = "QUERY_LEADS_TO")]
    pub(super) leads_to: Many<Volume, Leads>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "QueryWriter")]
pub(super) struct Writer {
    #[node(key)]
    pub(super) name: String,
    pub(super) born: Option<i32>,
    #[relationship(type = "QUERY_WRITTEN_BY", direction = "in")]
    pub(super) volumes: Many<Volume, Wrote>,
}

#[relationship(type = "QUERY_WRITTEN_BY")]
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wrote {
    pub(super) year: i32,
    pub(super) share: Option<f64>,
}

#[relationship(type = "QUERY_LEADS_TO")]
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leads {
    pub(super) steps: i64,
}

/// Five books: 1 to 4 lead in a row to each other, 1 to 3 have writers, 3 has two. Every key
/// begins with the prefix.
pub(super) async fn library(backend: &Backend) -> (Graph, String) {
    let graph = backend.graph().await;
    graph.apply_schema::<(Volume, Writer)>().await.unwrap();
    let prefix = backend.key("library");
    let date = |year, month, day| Some(Date::from_ymd(year, month, day).unwrap());
    let mut volumes = Vec::new();
    for (number, title, kind, pages, sold, published, tags) in [
        (
            1,
            "War and Peace",
            Kind::Novel,
            Some(1225),
            Some(2000),
            date(1869, 1, 5),
            vec!["russian", "war"],
        ),
        (
            2,
            "anna Karenina",
            Kind::Novel,
            Some(864),
            Some(1000),
            date(1878, 4, 1),
            vec!["russian"],
        ),
        (
            3,
            "Good Omens",
            Kind::Novel,
            Some(300),
            Some(100),
            date(1990, 5, 10),
            vec![],
        ),
        (4, "Beowulf", Kind::Poem, Some(100), None, None, vec!["old"]),
        (5, "Emma", Kind::Novel, None, Some(7), None, vec![]),
    ] {
        let mut volume = Volume::new(format!("{prefix}{number}"), title, kind);
        volume.pages = pages;
        volume.sold = sold;
        volume.price = pages.map(|pages| f64::from(pages) / 4.0);
        volume.published = published;
        volume.tags = tags.into_iter().map(str::to_owned).collect();
        volume.save(&graph).await.unwrap();
        volumes.push(volume);
    }
    for (name, born, wrote) in [
        ("Tolstoy", Some(1828), vec![(0, 1869), (1, 1878)]),
        ("Gaiman", Some(1960), vec![(2, 1990)]),
        ("Pratchett", Some(1948), vec![(2, 1989)]),
        ("Nobody", None, vec![]),
    ] {
        let mut writer = Writer::new(format!("{prefix}{name}"));
        writer.born = born;
        writer.save(&graph).await.unwrap();
        for (volume, year) in wrote {
            let wrote = Wrote {
                year,
                share: (year == 1990).then_some(0.5),
            };
            volumes[volume]
                .writers
                .connect(&writer)
                .properties(wrote)
                .await
                .unwrap();
        }
    }
    for (from, to) in [(0, 1), (1, 2), (2, 3)] {
        let leads = Leads { steps: to as i64 };
        volumes[from]
            .leads_to
            .connect(&volumes[to])
            .properties(leads)
            .await
            .unwrap();
    }
    (graph, prefix)
}

/// The books of this test.
pub(super) fn mine(prefix: &str) -> neo_ogm::operation::Find<Volume> {
    Volume::find().filter(Volume::ISBN.starts_with(prefix))
}

/// The numbers that their keys end with.
pub(super) fn numbers(volumes: &[Volume]) -> String {
    volumes
        .iter()
        .filter_map(|volume| volume.isbn.chars().last())
        .collect()
}
