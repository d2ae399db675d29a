//! Values that not every backend has.

use neo_ogm::neo_bolt::value::{Point, Value, Vector};
use neo_ogm::prelude::*;

use crate::common::{Backend, on_every_backend};

on_every_backend!(points_and_bytes, vectors, paths);

/// A node with what the embedded engine has not.
#[derive(Node, Debug, Clone, PartialEq)]
struct Place {
    #[node(key)]
    name: String,
    at: Point,
    height: Option<Point>,
    map: Bytes,
}

async fn points_and_bytes(backend: Backend) {
    let graph = backend.graph().await;
    let place = Place {
        name: backend.key("place"),
        at: Point::wgs_84(12.5, 55.7),
        height: Some(Point::cartesian_3d(1.0, -2.0, 0.5)),
        map: Bytes::from_static(&[0, 255, 7]),
    };
    let saved = place.save(&graph).await;
    if backend.is_embedded() {
        let error = saved.unwrap_err();
        assert_eq!(
            error.code(),
            Some("Neo.ClientError.Statement.TypeError"),
            "{error}"
        );
        assert!(error.to_string().contains("Neo4j server"), "{error}");
        return;
    }
    saved.unwrap();
    let found = Place::find_by_name(place.name.as_str())
        .filter(Place::AT.eq(place.at))
        .filter(Place::MAP.eq(place.map.clone()))
        .one(&graph)
        .await
        .unwrap();
    assert_eq!(found, Some(place));
}

async fn vectors(backend: Backend) {
    let graph = backend.graph().await;
    for vector in [
        Vector::Int8(vec![1, -1]),
        Vector::Int64(vec![i64::MAX]),
        Vector::Float32(vec![0.25, -1.5]),
        Vector::Float64(vec![1e300]),
    ] {
        let value = Value::Vector(vector.clone());
        let back = graph
            .cypher("RETURN $v")
            .param("v", value)
            .fetch::<Vector>(&graph)
            .await;
        let info = graph.driver().server_info().await.unwrap();
        if info.protocol_version().major >= 6 {
            assert_eq!(back.unwrap(), [vector]);
        } else {
            let error = back.unwrap_err();
            assert!(error.to_string().contains("Bolt 6.0"), "{error}");
        }
    }
}

async fn paths(backend: Backend) {
    let graph = backend.graph().await;
    let name = backend.key("path");
    graph
        .cypher("MERGE (a:Step {name: $name})-[:TO {n: 1}]->(b:Step {name: $name + '2'}) MERGE (c:Step {name: $name + '3'}) MERGE (c)-[:TO]->(b)")
        .param("name", name.as_str())
        .execute(&graph)
        .await
        .unwrap();
    let paths: Vec<neo_ogm::neo_bolt::value::Path> = graph
        .cypher("MATCH p = (:Step {name: $name})-[:TO]->()<-[:TO]-() RETURN p")
        .param("name", name.as_str())
        .fetch(&graph)
        .await
        .unwrap();
    let path = &paths[0];
    let names: Vec<_> = path.nodes().map(|node| node.get("name").cloned()).collect();
    let expected = ["", "2", "3"].map(|end| Some(Value::from(format!("{name}{end}"))));
    assert_eq!(names, expected);
    let [first, second] = &path.segments[..] else {
        panic!("{path:?}")
    };
    assert_eq!(first.relationship.get("n"), Some(&Value::Integer(1)));
    assert_eq!(
        first.relationship.end_node_element_id,
        first.node.element_id
    );
    assert_eq!(
        second.relationship.start_node_element_id,
        second.node.element_id
    );
}
