//! Properties of other crates' types.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::{Duration, UNIX_EPOCH};

use neo_ogm::prelude::*;

use crate::common::{Backend, on_every_backend};

on_every_backend!(they_are_kept_and_found);

#[derive(Node, Debug, Clone, PartialEq)]
struct Foreign {
    #[node(key)]
    id: String,
    naive_date: chrono::NaiveDate,
    naive_time: chrono::NaiveTime,
    naive: chrono::NaiveDateTime,
    utc: chrono::DateTime<chrono::Utc>,
    fixed: Option<chrono::DateTime<chrono::FixedOffset>>,
    delta: chrono::TimeDelta,
    date: time::Date,
    offset: time::OffsetDateTime,
    clock: Vec<time::Time>,
    civil: jiff::civil::DateTime,
    timestamp: jiff::Timestamp,
    zoned: jiff::ZonedDateTime,
    signed: jiff::SignedDuration,
    system: std::time::SystemTime,
    waits: Duration,
    address: IpAddr,
    tags: BTreeSet<String>,
    pair: [i64; 2],
}

/// Everything comes back as it was, and can be compared with in the database.
async fn they_are_kept_and_found(backend: Backend) {
    let graph = backend.graph().await;
    let date = chrono::NaiveDate::from_ymd_opt(1878, 4, 1).unwrap();
    let naive = date.and_hms_micro_opt(13, 5, 9, 120_000).unwrap();
    let offset = chrono::FixedOffset::east_opt(-5400).unwrap();
    let instant = jiff::Timestamp::from_second(1_700_000_000).unwrap();
    let foreign = Foreign {
        id: backend.key("foreign"),
        naive_date: date,
        naive_time: naive.time(),
        naive,
        utc: naive.and_utc(),
        fixed: Some(naive.and_local_timezone(offset).unwrap()),
        delta: chrono::TimeDelta::milliseconds(1500),
        date: time::Date::from_ordinal_date(2024, 366).unwrap(),
        offset: time::OffsetDateTime::UNIX_EPOCH,
        clock: vec![time::Time::MIDNIGHT],
        civil: jiff::civil::DateTime::constant(1999, 12, 31, 23, 59, 59, 1),
        timestamp: instant,
        zoned: instant.to_zoned_datetime(jiff::tz::TimeZone::fixed(jiff::tz::offset(2))),
        signed: jiff::SignedDuration::from_millis(-500),
        system: UNIX_EPOCH + Duration::from_secs(7),
        waits: Duration::from_millis(250),
        address: IpAddr::from([127, 0, 0, 1]),
        tags: BTreeSet::from(["a".to_owned(), "b".to_owned()]),
        pair: [1, 2],
    };
    graph.save(&foreign).await.unwrap();
    let found = Foreign::find()
        .filter(Foreign::ID.eq(foreign.id.as_str()))
        .filter(Foreign::NAIVE_DATE.le(date))
        .filter(Foreign::TIMESTAMP.lt(instant + jiff::SignedDuration::from_secs(1)))
        .all(&graph)
        .await
        .unwrap();
    assert_eq!(found, [foreign]);
}
