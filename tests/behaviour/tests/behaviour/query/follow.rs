//! From nodes to what they are related with.

use super::{Leads, Volume, Writer, Wrote, library, mine, numbers};
use crate::common::{Backend, on_every_backend};

on_every_backend!(steps_lead_on, a_step_starts_from_a_page, steps_over_several);

async fn steps_lead_on(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let others = Volume::find_by_isbn(format!("{prefix}1"))
        .follow(Volume::WRITERS)
        .filter(Writer::BORN.lt(1850))
        .follow(Writer::VOLUMES)
        .order_by(Volume::ISBN.asc());
    let found = others.clone().all(&graph).await.unwrap();
    assert_eq!(numbers(&found), "12");
    assert_eq!(others.count(&graph).await.unwrap(), 2);
    let late = mine(&prefix)
        .follow_where(
            Volume::WRITERS,
            Wrote::YEAR.lt(1990).and(Wrote::YEAR.gt(1900)),
        )
        .load(Writer::VOLUMES)
        .get(&graph)
        .await
        .unwrap();
    assert_eq!(late.name, format!("{prefix}Pratchett"));
    assert_eq!(late.volumes.get().unwrap().len(), 1);
}

async fn a_step_starts_from_a_page(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let writers = mine(&prefix)
        .order_by(Volume::PAGES.asc())
        .skip(1)
        .limit(2)
        .follow(Volume::WRITERS)
        .order_by(Writer::BORN.asc())
        .select(Writer::BORN)
        .all(&graph)
        .await
        .unwrap();
    // Good Omens and Anna Karenina.
    assert_eq!(writers, [Some(1828), Some(1948), Some(1960)]);
}

async fn steps_over_several(backend: Backend) {
    let (graph, prefix) = library(&backend).await;
    let from = || Volume::find_by_isbn(format!("{prefix}1"));
    let reached = from()
        .follow(Volume::LEADS_TO.hops(2..=3))
        .order_by(Volume::ISBN.asc())
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(numbers(&reached), "34");
    let reached = from()
        .follow_where(Volume::LEADS_TO.hops(0..), Leads::STEPS.lt(3))
        .order_by(Volume::ISBN.asc())
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(numbers(&reached), "123");
}
