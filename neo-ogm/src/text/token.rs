//! Cypher's text as tokens: enough to tell names from strings, and clauses from each other.

use std::borrow::Cow;
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, a function's name or a plain name.
    Word,
    /// A name in backticks.
    Quoted,
    /// A string in either kind of quotes.
    Text,
    /// A number.
    Number,
    /// `$name` or `` $`name` ``.
    Parameter,
    /// One character of punctuation.
    Mark(char),
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Range<usize>,
}

/// A statement with its tokens. Comments are no tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'t> {
    pub(crate) text: &'t str,
    pub(crate) all: Vec<Token>,
}

impl<'t> Tokens<'t> {
    /// Splits a statement; what can't be split (a string without end) is left to the engine to
    /// refuse.
    pub(crate) fn new(text: &'t str) -> Self {
        let mut all = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            let Some(first) = rest.chars().next() else {
                break;
            };
            if first.is_whitespace() {
                at += first.len_utf8();
                continue;
            }
            if let Some(len) = comment(rest) {
                at += len;
                continue;
            }
            let (kind, len) = token(rest, first);
            all.push(Token {
                kind,
                span: at..at + len,
            });
            at += len;
        }
        Self { text, all }
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        self.all.get(index).map(|token| token.kind)
    }

    /// The source of a token; nothing behind the end.
    pub(crate) fn source(&self, index: usize) -> &'t str {
        self.all
            .get(index)
            .and_then(|token| self.text.get(token.span.clone()))
            .unwrap_or("")
    }

    /// The source from one token up to another, which is left out.
    pub(crate) fn source_of(&self, range: Range<usize>) -> &'t str {
        let (Some(first), Some(last)) = (
            self.all.get(range.start),
            range.end.checked_sub(1).and_then(|last| self.all.get(last)),
        ) else {
            return "";
        };
        self.text.get(first.span.start..last.span.end).unwrap_or("")
    }

    /// Whether a token is this keyword, in any case.
    pub(crate) fn is(&self, index: usize, keyword: &str) -> bool {
        self.kind(index) == Some(Kind::Word) && self.source(index).eq_ignore_ascii_case(keyword)
    }

    /// Whether a token is this character.
    pub(crate) fn mark(&self, index: usize, mark: char) -> bool {
        self.kind(index) == Some(Kind::Mark(mark))
    }

    /// The name that a token stands for: a word, a backticked name, or a parameter's name.
    pub(crate) fn name(&self, index: usize) -> Option<Cow<'t, str>> {
        match self.kind(index)? {
            Kind::Word => Some(Cow::Borrowed(self.source(index))),
            Kind::Quoted => Some(unquoted(self.source(index))),
            Kind::Parameter => {
                let name = self.source(index).strip_prefix('$')?;
                Some(if name.starts_with('`') {
                    unquoted(name)
                } else {
                    Cow::Borrowed(name)
                })
            }
            _ => None,
        }
    }

    /// The index behind the bracket that closes the one at `open`.
    pub(crate) fn behind(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for index in open..self.len() {
            match self.kind(index) {
                Some(Kind::Mark('(' | '[' | '{')) => depth += 1,
                Some(Kind::Mark(')' | ']' | '}')) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return index + 1;
                    }
                }
                _ => {}
            }
        }
        self.len()
    }
}

fn unquoted(quoted: &str) -> Cow<'_, str> {
    let inner = quoted.strip_prefix('`').unwrap_or(quoted);
    let inner = inner.strip_suffix('`').unwrap_or(inner);
    if inner.contains("\\u") {
        Cow::Owned(without_escapes(&inner.replace("``", "`")))
    } else if inner.contains("``") {
        Cow::Owned(inner.replace("``", "`"))
    } else {
        Cow::Borrowed(inner)
    }
}

/// Reads each `\u005C` as the character that it stands for, unless its backslash is itself behind
/// one.
fn without_escapes(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        let digits = rest.strip_prefix("\\u").and_then(|rest| rest.get(..4));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let (taken, c) = match number.and_then(char::from_u32) {
            Some(escaped) => (6, escaped),
            None if rest.starts_with(r"\\") => {
                plain.push(c);
                (2, c)
            }
            None => (c.len_utf8(), c),
        };
        plain.push(c);
        rest = &rest[taken..];
    }
    plain
}

fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        Some(rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        Some(rest.find("*/").map_or(rest.len(), |end| end + 2))
    } else {
        None
    }
}

fn token(rest: &str, first: char) -> (Kind, usize) {
    match first {
        '\'' | '"' => (Kind::Text, string(rest, first)),
        '`' => (Kind::Quoted, quoted(rest)),
        '$' => match rest.get(1..).and_then(|rest| rest.chars().next()) {
            Some('`') => (Kind::Parameter, 1 + quoted(&rest[1..])),
            Some(c) if is_name(c) => (Kind::Parameter, 1 + run(&rest[1..], is_name)),
            _ => (Kind::Mark('$'), 1),
        },
        c if c.is_ascii_digit() => (Kind::Number, number(rest)),
        c if is_name(c) => (Kind::Word, run(rest, is_name)),
        c => (Kind::Mark(c), c.len_utf8()),
    }
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// The length of a number: `1`, `1.5`, `1e-5`, `0x1F`; in `1..3` only the `1`.
fn number(text: &str) -> usize {
    let mut len = run(text, is_name);
    let fraction = text.get(len..).and_then(|rest| rest.strip_prefix('.'));
    if let Some(fraction) = fraction.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        len += 1 + run(fraction, is_name);
    }
    let signed = text
        .get(..len)
        .is_some_and(|text| text.ends_with(['e', 'E']))
        && !text.starts_with("0x")
        && text
            .get(len..)
            .is_some_and(|rest| rest.starts_with(['+', '-']));
    if signed {
        len += 1 + text
            .get(len + 1..)
            .map_or(0, |rest| run(rest, |c| c.is_ascii_digit()));
    }
    len
}

fn string(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn quoted(text: &str) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('`')) {
        let end = at + found + 1;
        if text.get(end..).is_some_and(|rest| rest.starts_with('`')) {
            at = end + 1;
        } else {
            return end;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> Vec<&str> {
        let tokens = Tokens::new(text);
        (0..tokens.len())
            .map(|index| tokens.source(index))
            .collect()
    }

    #[test]
    fn escapes_in_names_are_read() {
        for (written, name) in [
            (r"`a\u005Cu0060b`", r"a\u0060b"),
            (r"`a\u005C\u005Cu0060```", r"a\\u0060`"),
            (r"`a\\u0060b`", r"a\\u0060b"),
            (r"`a\u00zz\ud800`", r"a\u00zz\ud800"),
            (r"`a\u`", r"a\u"),
        ] {
            assert_eq!(Tokens::new(written).name(0).as_deref(), Some(name));
        }
    }

    #[test]
    fn names_strings_numbers_and_comments() {
        assert_eq!(
            sources("MATCH (n:`a ``b`) // x`'\nWHERE n.Größe>=1.5e-3/* ' */AND $p='it\\'s'"),
            [
                "MATCH", "(", "n", ":", "`a ``b`", ")", "WHERE", "n", ".", "Größe", ">", "=",
                "1.5e-3", "AND", "$p", "=", "'it\\'s'",
            ]
        );
        assert_eq!(sources("[*1..3]"), ["[", "*", "1", ".", ".", "3", "]"]);
        assert_eq!(sources("$`a b`.c"), ["$`a b`", ".", "c"]);
    }

    #[test]
    fn what_has_no_end_is_taken_whole() {
        for text in [
            "'a",
            "\"a\\",
            "`a",
            "/* a",
            "$`",
            "$",
            "``",
            "1e+",
            "\u{1F980}$",
        ] {
            Tokens::new(text);
        }
        assert_eq!(sources("RETURN 'a"), ["RETURN", "'a"]);
    }

    #[test]
    fn quoted_names_lose_their_quotes() {
        let tokens = Tokens::new("`a ``b` $`c d` $e");
        let names: Vec<_> = (0..3).map(|index| tokens.name(index).unwrap()).collect();
        assert_eq!(names, ["a `b", "c d", "e"]);
    }
}
