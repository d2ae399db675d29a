//! Structs whose fields are properties of the node that they are flattened into.

use neo_bolt::packstream::{DecodeError, Decoder, EncodeError, Encoder};

use super::{PropertySchema, RuleKind, RuleSchema, Violations};

/// A struct whose fields become properties of a node or a relationship by `#[node(flatten)]`.
/// `#[derive(Properties)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be flattened into a node",
    label = "no `#[derive(Properties)]` on this type",
    note = "put `#[derive(Properties)]` on the struct whose fields are to be properties of the node"
)]
pub trait Properties: Sized + Send + Sync + 'static {
    /// The struct without `Option`.
    type Plain;
    /// The fields while a node is being read.
    type Slots: Default;
    /// The properties, by the names that they have in this struct.
    const PROPERTIES: &'static [PropertySchema];

    /// The constraints and indexes of single properties, by the names that they have in this
    /// struct.
    const RULES: &'static [RuleSchema] = &[];

    /// Writes the entries of a property map for all properties that are written, by the names that
    /// they have in the outer struct; `names` are in the order of [`PROPERTIES`](Self::PROPERTIES).
    ///
    /// # Errors
    /// A value has no form in the dialect of the connection.
    fn encode(
        &self,
        names: &[PropertySchema],
        encoder: &mut Encoder<'_>,
    ) -> Result<(), EncodeError>;

    /// Reads the value of the property `name` where it is one of this struct's; whether it was.
    ///
    /// # Errors
    /// It is of another type.
    fn read(
        slots: &mut Self::Slots,
        name: &[u8],
        decoder: &mut Decoder<'_>,
    ) -> Result<bool, DecodeError>;

    /// Makes the struct of what was read.
    ///
    /// # Errors
    /// A property that is due is missing.
    fn finish(slots: Self::Slots) -> Result<Self, DecodeError>;

    /// Adds the rules that it breaks.
    fn check(&self, violations: &mut Violations) {
        let _ = violations;
    }
}

/// None of the properties is there, or all that are due.
impl<P: Properties> Properties for Option<P> {
    type Plain = P::Plain;
    type Slots = (bool, P::Slots);
    const PROPERTIES: &'static [PropertySchema] = P::PROPERTIES;
    const RULES: &'static [RuleSchema] = P::RULES;

    fn encode(
        &self,
        names: &[PropertySchema],
        encoder: &mut Encoder<'_>,
    ) -> Result<(), EncodeError> {
        if let Some(properties) = self {
            return properties.encode(names, encoder);
        }
        for property in names.iter().filter(|property| property.is_written()) {
            encoder.string(property.name)?;
            encoder.null();
        }
        Ok(())
    }

    fn read(
        (seen, slots): &mut Self::Slots,
        name: &[u8],
        decoder: &mut Decoder<'_>,
    ) -> Result<bool, DecodeError> {
        let read = P::read(slots, name, decoder)?;
        *seen |= read;
        Ok(read)
    }

    fn finish((seen, slots): Self::Slots) -> Result<Self, DecodeError> {
        if seen {
            P::finish(slots).map(Some)
        } else {
            Ok(None)
        }
    }

    fn check(&self, violations: &mut Violations) {
        if let Some(properties) = self {
            properties.check(violations);
        }
    }
}

/// A flattened struct within another, for the constants that list all properties.
#[derive(Debug, Clone, Copy)]
pub struct FlattenedSchema {
    /// What stands before the names of its properties.
    pub prefix: &'static str,
    /// Its properties, by the names that they have in the struct itself.
    pub properties: &'static [PropertySchema],
    /// Its constraints and indexes, by the same names.
    pub rules: &'static [RuleSchema],
}

/// How many of `properties` are written.
pub const fn written(properties: &[PropertySchema]) -> usize {
    let (mut count, mut index) = (0, 0);
    while index < properties.len() {
        count += properties[index].is_written() as usize;
        index += 1;
    }
    count
}

/// How many properties a struct has together with those flattened into it.
pub const fn joined_len(own: &[PropertySchema], flattened: &[FlattenedSchema]) -> usize {
    let (mut len, mut index) = (own.len(), 0);
    while index < flattened.len() {
        len += flattened[index].properties.len();
        index += 1;
    }
    len
}

/// How many bytes the names of flattened properties have.
pub const fn joined_bytes(flattened: &[FlattenedSchema]) -> usize {
    let (mut bytes, mut index) = (0, 0);
    while index < flattened.len() {
        let FlattenedSchema {
            prefix, properties, ..
        } = flattened[index];
        let mut property = 0;
        while property < properties.len() {
            bytes += prefix.len() + properties[property].name.len();
            property += 1;
        }
        index += 1;
    }
    bytes
}

/// The names of flattened properties, one behind the other.
pub const fn joined_names<const BYTES: usize>(flattened: &[FlattenedSchema]) -> [u8; BYTES] {
    let mut names = [0; BYTES];
    let (mut at, mut index) = (0, 0);
    while index < flattened.len() {
        let FlattenedSchema {
            prefix, properties, ..
        } = flattened[index];
        let mut property = 0;
        while property < properties.len() {
            let parts = [prefix.as_bytes(), properties[property].name.as_bytes()];
            let mut part = 0;
            while part < 2 {
                let mut byte = 0;
                while byte < parts[part].len() {
                    names[at] = parts[part][byte];
                    at += 1;
                    byte += 1;
                }
                part += 1;
            }
            property += 1;
        }
        index += 1;
    }
    names
}

/// A struct's own properties and behind them those of the structs flattened into it, by the names
/// that they have in the database; `names` comes from [`joined_names`].
pub const fn joined<const LEN: usize>(
    own: &[PropertySchema],
    flattened: &[FlattenedSchema],
    names: &'static [u8],
) -> [PropertySchema; LEN] {
    let mut all = [PropertySchema::PLAIN; LEN];
    let mut at = 0;
    while at < own.len() {
        all[at] = own[at];
        at += 1;
    }
    let (mut rest, mut index) = (names, 0);
    while index < flattened.len() {
        let FlattenedSchema {
            prefix, properties, ..
        } = flattened[index];
        let mut property = 0;
        while property < properties.len() {
            let (name, behind) = rest.split_at(prefix.len() + properties[property].name.len());
            // Texts one behind the other are text.
            let name = match std::str::from_utf8(name) {
                Ok(name) => name,
                Err(_) => "",
            };
            all[at] = PropertySchema {
                field: name,
                name,
                ..properties[property]
            };
            rest = behind;
            at += 1;
            property += 1;
        }
        index += 1;
    }
    all
}

/// How many names the constraints and indexes of flattened structs have in all.
pub const fn ruled_len(flattened: &[FlattenedSchema]) -> usize {
    let (mut len, mut index) = (0, 0);
    while index < flattened.len() {
        let rules = flattened[index].rules;
        let mut rule = 0;
        while rule < rules.len() {
            len += rules[rule].properties.len();
            rule += 1;
        }
        index += 1;
    }
    len
}

/// The names that constraints and indexes of flattened structs have in the outer one, one behind
/// the other; `all` are the flattened properties by the names that they have there.
pub const fn ruled_names<const LEN: usize>(
    flattened: &[FlattenedSchema],
    all: &[PropertySchema],
) -> [&'static str; LEN] {
    let mut names = [""; LEN];
    let (mut at, mut start, mut index) = (0, 0, 0);
    while index < flattened.len() {
        let FlattenedSchema {
            properties, rules, ..
        } = flattened[index];
        let mut rule = 0;
        while rule < rules.len() {
            let mut name = 0;
            while name < rules[rule].properties.len() {
                let mut property = 0;
                while property < properties.len() {
                    if super::same_text(properties[property].name, rules[rule].properties[name]) {
                        names[at] = all[start + property].name;
                    }
                    property += 1;
                }
                at += 1;
                name += 1;
            }
            rule += 1;
        }
        start += properties.len();
        index += 1;
    }
    names
}

/// How many constraints and indexes a struct has together with those flattened into it.
pub const fn joined_rules_len(own: &[RuleSchema], flattened: &[FlattenedSchema]) -> usize {
    let (mut len, mut index) = (own.len(), 0);
    while index < flattened.len() {
        len += flattened[index].rules.len();
        index += 1;
    }
    len
}

/// A struct's own constraints and indexes and behind them those of the structs flattened into it;
/// `names` comes from [`ruled_names`].
pub const fn joined_rules<const LEN: usize>(
    own: &[RuleSchema],
    flattened: &[FlattenedSchema],
    names: &'static [&'static str],
) -> [RuleSchema; LEN] {
    const NONE: RuleSchema = RuleSchema {
        kind: RuleKind::Range,
        properties: &[],
        name: None,
    };
    let mut all = [NONE; LEN];
    let mut at = 0;
    while at < own.len() {
        all[at] = own[at];
        at += 1;
    }
    let (mut rest, mut index) = (names, 0);
    while index < flattened.len() {
        let rules = flattened[index].rules;
        let mut rule = 0;
        while rule < rules.len() {
            let (properties, behind) = rest.split_at(rules[rule].properties.len());
            all[at] = RuleSchema {
                kind: rules[rule].kind,
                properties,
                name: None,
            };
            rest = behind;
            at += 1;
            rule += 1;
        }
        index += 1;
    }
    all
}

/// Whether one of them wants a property to be there.
pub const fn requires(rules: &[RuleSchema]) -> bool {
    let mut index = 0;
    while index < rules.len() {
        if matches!(rules[index].kind, RuleKind::Exists) {
            return true;
        }
        index += 1;
    }
    false
}

/// `count` of the properties, from the one at `start`.
pub const fn part_of(
    all: &'static [PropertySchema],
    start: usize,
    count: usize,
) -> &'static [PropertySchema] {
    all.split_at(start).1.split_at(count).0
}

/// Whether two of the properties have the same name.
pub const fn distinct_names(all: &[PropertySchema]) -> bool {
    let mut index = 0;
    while index < all.len() {
        let mut other = 0;
        while other < index {
            if super::same_text(all[index].name, all[other].name) {
                return false;
            }
            other += 1;
        }
        index += 1;
    }
    true
}
