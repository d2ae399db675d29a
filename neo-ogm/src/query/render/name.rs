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
    } else if name.contains(r"\u") {
        // Neo4j reads `\u0060` as a backtick, also inside of backticks: the name would end there.
        let name = name.replace('\\', r"\u005C").replace('`', "``");
        format!("`{name}`").into()
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

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn names_stay_what_they_are() {
        for (name, written) in [
            ("title", "title"),
            ("order", "`order`"),
            ("a`b", "`a``b`"),
            (r"C:\temp", r"`C:\temp`"),
            // What Neo4j would read as a backtick.
            (r"a\u0060b", r"`a\u005Cu0060b`"),
            (r"a\\u0060`", r"`a\u005C\u005Cu0060```"),
        ] {
            assert_eq!(escape(name), written);
        }
    }
}
