//! Names that the engine does not take, in a form that it does.
//!
//! graphdblite takes names of ASCII letters, digits and underscores, other than its keywords.
//! Any other name is written as [`PREFIX`], then its characters: letters and digits as they are,
//! an underscore twice, and everything else as its code point in hexadecimal between two
//! underscores. That is reversible; a name that begins with the prefix by itself is encoded
//! too, so no two names ever meet.

use std::borrow::Cow;

/// How an encoded name begins.
const PREFIX: &str = "neo_q_";

/// Words that the engine reads as something else where a variable or a property may stand.
const RESERVED: &[&str] = &[
    "all",
    "allshortestpaths",
    "and",
    "any",
    "as",
    "asc",
    "ascending",
    "avg",
    "by",
    "case",
    "collect",
    "contains",
    "count",
    "create",
    "delete",
    "desc",
    "descending",
    "detach",
    "distinct",
    "else",
    "end",
    "ends",
    "exists",
    "explain",
    "false",
    "in",
    "is",
    "length",
    "limit",
    "match",
    "max",
    "merge",
    "min",
    "nodes",
    "none",
    "not",
    "null",
    "on",
    "optional",
    "or",
    "order",
    "remove",
    "return",
    "set",
    "shortestpath",
    "single",
    "skip",
    "starts",
    "sum",
    "then",
    "true",
    "union",
    "unwind",
    "when",
    "where",
    "with",
    "xor",
];

/// Whether a backticked name could stand without its backticks.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.starts_with(PREFIX)
}

fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// The form of a name that the engine takes; most names are their own.
pub(super) fn encode(name: &str) -> Cow<'_, str> {
    if is_plain(name) && !is_reserved(name) {
        return Cow::Borrowed(name);
    }
    let mut out = String::from(PREFIX);
    for c in name.chars() {
        match c {
            '_' => out.push_str("__"),
            c if c.is_ascii_alphanumeric() => out.push(c),
            c => {
                out.push('_');
                out.push_str(&format!("{:x}", u32::from(c)));
                out.push('_');
            }
        }
    }
    Cow::Owned(out)
}

/// The name behind an encoded one; any other is its own.
pub(super) fn decode(name: String) -> String {
    match name.strip_prefix(PREFIX).and_then(decode_rest) {
        Some(decoded) if encode(&decoded) == name => decoded,
        _ => name,
    }
}

/// A sentence with the names in it decoded.
pub(super) fn decode_all(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(PREFIX) {
        let (before, name) = rest.split_at(at);
        let end = name
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(name.len());
        let (name, behind) = name.split_at(end);
        out.push_str(before);
        out.push_str(&decode(name.to_owned()));
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn decode_rest(mut rest: &str) -> Option<String> {
    let mut out = String::new();
    while let Some((plain, behind)) = rest.split_once('_') {
        out.push_str(plain);
        let (code, behind) = behind.split_once('_')?;
        if code.is_empty() {
            out.push('_');
        } else {
            out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
        }
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_comes_back_and_is_plain_on_the_way() {
        for name in [
            "title",
            "_x",
            "publishedOn",
            "sort key",
            "Größe",
            "本",
            "a_b c__d",
            "neo_q_a",
            "neo_q__61_",
            "neo_q_",
            "1st",
            "",
            "`",
            "order",
            "Count",
            "-",
            "🦀_",
        ] {
            let encoded = encode(name);
            assert!(
                encoded
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_'),
                "{name}: {encoded}"
            );
            assert!(!is_reserved(&encoded));
            assert_eq!(decode(encoded.into_owned()), name);
        }
    }

    #[test]
    fn names_in_a_sentence() {
        let text = format!("no variable `{}`, {}", encode("größe"), encode("a b"));
        assert_eq!(decode_all(&text), "no variable `größe`, a b");
    }

    #[test]
    fn usual_names_stay() {
        for name in ["title", "Person", "WRITTEN_BY", "_neo_ogm_lock"] {
            assert_eq!(encode(name), name);
        }
    }

    #[test]
    fn what_only_looks_encoded_is_left_alone() {
        for name in ["neo_q_title", "neo_q__zz_", "neo_q__110000_", "neo_q_a_"] {
            assert_eq!(decode(name.to_owned()), name);
        }
    }
}
