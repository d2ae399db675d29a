//! Object graph mapper for Neo4j.
