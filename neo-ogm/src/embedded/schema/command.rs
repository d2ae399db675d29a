//! `CREATE`, `DROP` and `SHOW` of constraints and indexes.

use neo_bolt::server::Failure;

use crate::embedded::cypher::gaps::missing;
use crate::embedded::cypher::token::{Kind, Tokens};

const SYNTAX: &str = "Neo.ClientError.Statement.SyntaxError";

/// What a rule of the schema is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntityType {
    Node,
    Relationship,
}

/// What a rule of the schema does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleKind {
    /// No two nodes of the label have the same values.
    Unique,
    /// A range index.
    Range,
    /// A text index.
    Text,
}

/// A constraint or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) kind: RuleKind,
    pub(crate) entity: EntityType,
    /// The label, or the relationship type.
    pub(crate) label: String,
    pub(crate) properties: Vec<String>,
}

/// A statement about the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Create {
        rule: Rule,
        if_not_exists: bool,
    },
    Drop {
        constraint: bool,
        name: String,
        if_exists: bool,
    },
    Show {
        constraints: bool,
        only: Option<RuleKind>,
        columns: Shown,
    },
}

/// Which columns `SHOW` is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    Default,
    /// `YIELD *`.
    All,
    /// `YIELD name, type AS t`: the column and what to call it.
    Named(Vec<(String, String)>),
}

/// Reads a statement about the schema; `None` for any other.
pub(crate) fn command(tokens: &Tokens<'_>) -> Option<Result<Command, Failure>> {
    let second = |words: &[&str]| words.iter().any(|word| tokens.is(1, word));
    let kinds = [
        "INDEX",
        "CONSTRAINT",
        "RANGE",
        "TEXT",
        "POINT",
        "LOOKUP",
        "FULLTEXT",
        "VECTOR",
        "BTREE",
    ];
    if tokens.is(0, "SHOW") {
        Some(Reader { tokens, at: 1 }.show())
    } else if tokens.is(0, "CREATE") && second(&kinds) {
        Some(Reader { tokens, at: 1 }.create())
    } else if tokens.is(0, "DROP") {
        Some(Reader { tokens, at: 1 }.drop())
    } else {
        None
    }
}

struct Reader<'a, 't> {
    tokens: &'a Tokens<'t>,
    at: usize,
}

impl Reader<'_, '_> {
    fn create(&mut self) -> Result<Command, Failure> {
        if self.take("CONSTRAINT") {
            return self.create_constraint();
        }
        let kind = if self.take("TEXT") {
            RuleKind::Text
        } else if self.take("RANGE") || self.tokens.is(self.at, "INDEX") {
            RuleKind::Range
        } else {
            return Err(missing(
                SYNTAX,
                &format!("{} indexes", self.tokens.source(self.at).to_uppercase()),
            ));
        };
        self.expect("INDEX")?;
        let name = self.rule_name()?;
        let if_not_exists = self.if_exists(true)?;
        self.expect("FOR")?;
        let (entity, label, variable) = self.target()?;
        self.expect("ON")?;
        let properties = self.properties(&variable)?;
        self.options()?;
        let rule = named(
            name,
            Rule {
                name: String::new(),
                kind,
                entity,
                label,
                properties,
            },
        );
        Ok(Command::Create {
            rule,
            if_not_exists,
        })
    }

    fn create_constraint(&mut self) -> Result<Command, Failure> {
        let name = self.rule_name()?;
        let if_not_exists = self.if_exists(true)?;
        self.expect("FOR")?;
        let (entity, label, variable) = self.target()?;
        self.expect("REQUIRE")?;
        let properties = self.properties(&variable)?;
        self.expect("IS")?;
        let feature = if self.take("NOT") {
            Some("property existence constraints (IS NOT NULL)")
        } else if self.tokens.mark(self.at, ':') || self.take("TYPED") {
            Some("property type constraints")
        } else {
            let of_relationship =
                self.take("RELATIONSHIP") || self.take("REL") || entity == EntityType::Relationship;
            let _ = self.take("NODE");
            if self.take("KEY") {
                Some("key constraints (IS NODE KEY)")
            } else {
                self.expect("UNIQUE")?;
                of_relationship.then_some("uniqueness constraints on relationships")
            }
        };
        if let Some(feature) = feature {
            return Err(missing(
                "Neo.DatabaseError.Schema.ConstraintCreationFailed",
                feature,
            ));
        }
        self.options()?;
        let kind = RuleKind::Unique;
        let rule = named(
            name,
            Rule {
                name: String::new(),
                kind,
                entity,
                label,
                properties,
            },
        );
        Ok(Command::Create {
            rule,
            if_not_exists,
        })
    }

    fn drop(&mut self) -> Result<Command, Failure> {
        let constraint = self.take("CONSTRAINT");
        if !constraint {
            self.expect("INDEX")?;
        }
        let name = self.name()?;
        let if_exists = self.if_exists(false)?;
        self.end()?;
        Ok(Command::Drop {
            constraint,
            name,
            if_exists,
        })
    }

    fn show(&mut self) -> Result<Command, Failure> {
        let mut only = None;
        let constraints = loop {
            if self.take("CONSTRAINTS") || self.take("CONSTRAINT") {
                break true;
            }
            if self.take("INDEXES") || self.take("INDEX") {
                break false;
            }
            if self.take("UNIQUE") || self.take("UNIQUENESS") {
                only = Some(RuleKind::Unique);
            } else if self.take("RANGE") {
                only = Some(RuleKind::Range);
            } else if self.take("TEXT") {
                only = Some(RuleKind::Text);
            } else if !(self.take("ALL") || self.take("NODE") || self.take("PROPERTY")) {
                let what = self.tokens.source(self.at).to_uppercase();
                return Err(missing(SYNTAX, &format!("SHOW {what}")));
            }
        };
        let columns = if !self.take("YIELD") {
            Shown::Default
        } else if self.take_mark('*') {
            Shown::All
        } else {
            let mut columns = Vec::new();
            loop {
                let column = self.name()?;
                let alias = if self.take("AS") {
                    self.name()?
                } else {
                    column.clone()
                };
                columns.push((column, alias));
                if !self.take_mark(',') {
                    break Shown::Named(columns);
                }
            }
        };
        if self.at < self.tokens.len() && !self.tokens.mark(self.at, ';') {
            let word = self.tokens.source(self.at).to_uppercase();
            return Err(missing(SYNTAX, &format!("{word} behind SHOW … YIELD …")));
        }
        Ok(Command::Show {
            constraints,
            only,
            columns,
        })
    }

    /// `(n:Label)` or `()-[r:TYPE]-()`, with the variable's name.
    fn target(&mut self) -> Result<(EntityType, String, String), Failure> {
        self.expect_mark('(')?;
        if !self.take_mark(')') {
            let variable = self.name()?;
            self.expect_mark(':')?;
            let label = self.name()?;
            self.expect_mark(')')?;
            return Ok((EntityType::Node, label, variable));
        }
        let _ = self.take_mark('<');
        self.expect_mark('-')?;
        self.expect_mark('[')?;
        let variable = self.name()?;
        self.expect_mark(':')?;
        let label = self.name()?;
        for mark in [']', '-'] {
            self.expect_mark(mark)?;
        }
        let _ = self.take_mark('>');
        self.expect_mark('(')?;
        self.expect_mark(')')?;
        Ok((EntityType::Relationship, label, variable))
    }

    /// `n.a`, `(n.a)` or `(n.a, n.b)`.
    fn properties(&mut self, variable: &str) -> Result<Vec<String>, Failure> {
        let brackets = self.take_mark('(');
        let mut properties = Vec::new();
        loop {
            if self.name()? != variable {
                return Err(self.unexpected("a property of the variable before it"));
            }
            self.expect_mark('.')?;
            properties.push(self.name()?);
            if !(brackets && self.take_mark(',')) {
                break;
            }
        }
        if brackets {
            self.expect_mark(')')?;
        }
        Ok(properties)
    }

    fn rule_name(&mut self) -> Result<Option<String>, Failure> {
        if self.tokens.is(self.at, "FOR") || self.tokens.is(self.at, "IF") {
            return Ok(None);
        }
        self.name().map(Some)
    }

    /// `IF NOT EXISTS`, or `IF EXISTS`.
    fn if_exists(&mut self, not: bool) -> Result<bool, Failure> {
        if !self.take("IF") {
            return Ok(false);
        }
        if not {
            self.expect("NOT")?;
        }
        self.expect("EXISTS")?;
        Ok(true)
    }

    /// Options name index providers, of which there is one here.
    fn options(&mut self) -> Result<(), Failure> {
        if self.take("OPTIONS") {
            self.at = self.tokens.behind(self.at);
        }
        self.end()
    }

    fn name(&mut self) -> Result<String, Failure> {
        let plain = matches!(self.tokens.kind(self.at), Some(Kind::Word | Kind::Quoted));
        match self.tokens.name(self.at).filter(|_| plain) {
            Some(name) => {
                self.at += 1;
                Ok(name.into_owned())
            }
            None => Err(self.unexpected("a name")),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.tokens.is(self.at, word);
        self.at += usize::from(found);
        found
    }

    fn take_mark(&mut self, mark: char) -> bool {
        let found = self.tokens.mark(self.at, mark);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, word: &str) -> Result<(), Failure> {
        if self.take(word) {
            Ok(())
        } else {
            Err(self.unexpected(word))
        }
    }

    fn expect_mark(&mut self, mark: char) -> Result<(), Failure> {
        if self.take_mark(mark) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("'{mark}'")))
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        let _ = self.take_mark(';');
        if self.at == self.tokens.len() {
            Ok(())
        } else {
            Err(self.unexpected("the end"))
        }
    }

    fn unexpected(&self, expected: &str) -> Failure {
        let found = match self.tokens.source(self.at) {
            "" => "the end",
            found => found,
        };
        Failure::new(
            SYNTAX,
            format_args!("Invalid input '{found}': expected {expected} in the schema statement"),
        )
    }
}

/// Gives a rule its name: the one that the statement has, or one made of what it says.
fn named(name: Option<String>, rule: Rule) -> Rule {
    let name = name.unwrap_or_else(|| {
        let kind = if rule.kind == RuleKind::Unique {
            "constraint"
        } else {
            "index"
        };
        let text = format!(
            "{:?} {:?} {} {:?}",
            rule.kind, rule.entity, rule.label, rule.properties
        );
        // FNV-1a: the same name for the same rule, in every process.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{kind}_{:08x}", hash & 0xFFFF_FFFF)
    });
    Rule { name, ..rule }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Result<Command, Failure>> {
        command(&Tokens::new(text))
    }

    fn rule(text: &str) -> Rule {
        match read(text) {
            Some(Ok(Command::Create { rule, .. })) => rule,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn neo4j_5_forms() {
        let one =
            rule("CREATE CONSTRAINT Book_isbn IF NOT EXISTS FOR (n:Book) REQUIRE n.isbn IS UNIQUE");
        assert_eq!(
            (one.name.as_str(), one.kind),
            ("Book_isbn", RuleKind::Unique)
        );
        let two = rule(
            "create constraint `a b` for (`n`:`Order`) require (n.a, n.`b c`) is node unique;",
        );
        assert_eq!(
            (two.label.as_str(), two.properties),
            ("Order", vec!["a".into(), "b c".into()])
        );
        let index = rule("CREATE RANGE INDEX FOR ()-[r:KNOWS]-() ON (r.since, r.till) OPTIONS {}");
        assert_eq!(index.entity, EntityType::Relationship);
        assert!(index.name.starts_with("index_"), "{}", index.name);
        assert_eq!(
            rule("CREATE TEXT INDEX t FOR (n:A) ON (n.x)").kind,
            RuleKind::Text
        );
        assert_eq!(
            read("DROP INDEX x IF EXISTS").unwrap().unwrap(),
            Command::Drop {
                constraint: false,
                name: "x".into(),
                if_exists: true
            }
        );
        assert_eq!(
            read("SHOW INDEXES YIELD name, type AS t").unwrap().unwrap(),
            Command::Show {
                constraints: false,
                only: None,
                columns: Shown::Named(vec![
                    ("name".into(), "name".into()),
                    ("type".into(), "t".into())
                ]),
            }
        );
    }

    #[test]
    fn other_statements_are_not_about_the_schema() {
        for text in [
            "CREATE (n:INDEX)",
            "MATCH (show) RETURN show",
            "CREATE p = ()-->()",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn what_can_not_be_kept_is_refused() {
        for (text, said) in [
            (
                "CREATE CONSTRAINT FOR (n:A) REQUIRE n.x IS NOT NULL",
                "existence",
            ),
            (
                "CREATE CONSTRAINT FOR (n:A) REQUIRE n.x IS NODE KEY",
                "key constraints",
            ),
            (
                "CREATE CONSTRAINT FOR (n:A) REQUIRE n.x IS :: STRING",
                "type constraints",
            ),
            (
                "CREATE CONSTRAINT FOR ()-[r:A]-() REQUIRE r.x IS UNIQUE",
                "on relationships",
            ),
            ("CREATE VECTOR INDEX v FOR (n:A) ON (n.x)", "VECTOR indexes"),
            (
                "CREATE CONSTRAINT FOR (n:A) REQUIRE m.x IS UNIQUE",
                "variable before it",
            ),
            (
                "CREATE CONSTRAINT FOR (n:A) REQUIRE n.x IS UNIQUE x",
                "expected the end",
            ),
            ("SHOW INDEXES YIELD name WHERE name = 'x'", "WHERE"),
            ("SHOW DATABASES", "SHOW DATABASES"),
            ("DROP DATABASE x", "INDEX"),
        ] {
            let failure = read(text).expect(text).expect_err(text);
            assert!(failure.message.contains(said), "{text}: {failure}");
        }
    }
}
