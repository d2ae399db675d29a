//! Names in Cypher.

/// Writes a name so that Cypher takes it for what it is, in backticks only where it must be.
pub(crate) fn escape(name: &str) -> std::borrow::Cow<'_, str> {
    let mut bytes = name.bytes();
    let plain = bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !is_reserved(name);
    if plain {
        name.into()
    } else {
        format!("`{}`", name.replace('`', "``")).into()
    }
}

/// The reserved words of openCypher 9 and the Cypher manual, where a bare name could be misread.
fn is_reserved(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "ADD",
        "ALL",
        "AND",
        "AS",
        "ASC",
        "ASCENDING",
        "BY",
        "CALL",
        "CASE",
        "CONSTRAINT",
        "CONTAINS",
        "COUNT",
        "CREATE",
        "DELETE",
        "DESC",
        "DESCENDING",
        "DETACH",
        "DISTINCT",
        "DO",
        "DROP",
        "ELSE",
        "END",
        "ENDS",
        "EXISTS",
        "FALSE",
        "FOR",
        "FOREACH",
        "IN",
        "IS",
        "LIMIT",
        "LOAD",
        "MANDATORY",
        "MATCH",
        "MERGE",
        "NOT",
        "NULL",
        "OF",
        "ON",
        "OPTIONAL",
        "OR",
        "ORDER",
        "REMOVE",
        "REQUIRE",
        "RETURN",
        "SCALAR",
        "SET",
        "SKIP",
        "STARTS",
        "THEN",
        "TRUE",
        "UNION",
        "UNIQUE",
        "UNWIND",
        "USING",
        "WHEN",
        "WHERE",
        "WITH",
        "XOR",
        "YIELD",
    ];
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}
