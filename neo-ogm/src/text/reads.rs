//! Whether a statement can only read.

use super::token::{Kind, Tokens};

/// The keywords without which no statement changes anything. `CALL` is one of them, because a
/// procedure may write.
const WRITING: &[&str] = &[
    "ALTER",
    "CALL",
    "CREATE",
    "DEALLOCATE",
    "DELETE",
    "DENY",
    "DETACH",
    "DROP",
    "ENABLE",
    "FOREACH",
    "GRANT",
    "INSERT",
    "LOAD",
    "MERGE",
    "REALLOCATE",
    "REMOVE",
    "RENAME",
    "REVOKE",
    "SET",
    "START",
    "STOP",
    "TERMINATE",
];

/// Whether a statement can only read, by the words in its text. A name that is spelt like a keyword
/// makes the answer `false`.
pub(crate) fn only_reads(statement: &str) -> bool {
    let tokens = Tokens::new(statement);
    (0..tokens.len()).all(|index| {
        // Cypher takes `\u0053ET` for `SET`.
        !tokens.mark(index, '\\')
            && (tokens.kind(index) != Some(Kind::Word)
                || WRITING.iter().all(|keyword| !tokens.is(index, keyword)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_reading_statements_by_their_words() {
        for statement in [
            "RETURN 1",
            "MATCH (n:Book {title: 'SET MERGE'}) WHERE n.`create` = $set RETURN n // DELETE",
            "MATCH (n) RETURN [x IN n.list | x] ORDER BY n.created",
            "SHOW CONSTRAINTS",
        ] {
            assert!(only_reads(statement), "{statement}");
        }
        for statement in [
            "MATCH (n) SET n.a = 1",
            "match (n) detach delete n",
            "CALL db.labels()",
            "MERGE (n)",
            "MATCH (n) REMOVE n:Old",
            "UNWIND [1] AS x foreach (y IN [x] | create (n))",
            "LOAD CSV FROM 'x' AS row RETURN row",
            "CREATE INDEX x FOR (n:A) ON (n.b)",
            "INSERT (:A)",
            "MATCH (n) RETURN n.a, n.set",
            "MATCH (n) \\u0053ET n.a = 1",
        ] {
            assert!(!only_reads(statement), "{statement}");
        }
    }
}
