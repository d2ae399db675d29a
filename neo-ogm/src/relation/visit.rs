//! What nodes in memory lead to: collected for one save of all of it.

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::future::IntoFuture;

use bytes::BytesMut;
use neo_bolt::packstream::{Dialect, EncodeError, Encoder};

use super::{Origin, Related};
use crate::error::{Error, ErrorKind};
use crate::executor::{BoxFuture, Target};
use crate::mapping::{
    Direction, Entity, HookContext, KeyOf, Managed, Node, NodeSchema, RelationSchema, Relationship,
    RelationshipEvent, check_relationship,
};

/// Walks through nodes in memory, from one to what its relationship fields hold, nearest first.
pub struct Visitor<'v> {
    /// What waits to be looked at, with how many relationships lead there.
    waiting: VecDeque<(&'v dyn AnyNode, usize)>,
    /// The fields of the node that is being looked at.
    fields: Vec<VisitedField<'v>>,
    level: usize,
    /// What an entity has shown itself to be.
    shown: Option<&'v dyn AnyNode>,
}

impl fmt::Debug for Visitor<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visitor").finish_non_exhaustive()
    }
}

/// One relationship field of one node.
struct VisitedField<'v> {
    source: &'v dyn AnyNode,
    relation: &'static RelationSchema,
    related: Vec<(&'v dyn AnyNode, &'v dyn AnyRelationship)>,
}

impl<'v> Visitor<'v> {
    /// Shows a node as the struct that it is.
    pub fn node<N: Node>(&mut self, node: &'v N) {
        self.shown = Some(node);
    }

    pub(super) fn field<N: Node, T: Entity, R: Relationship>(
        &mut self,
        source: &'v N,
        relation: &'static RelationSchema,
        related: &'v [Related<T, R>],
    ) {
        let mut ends: Vec<(&'v dyn AnyNode, &'v dyn AnyRelationship)> = Vec::new();
        for one in related {
            one.node.visit(self);
            if let Some(node) = self.shown.take() {
                self.waiting.push_back((node, self.level + 1));
                ends.push((node, &one.relationship));
            }
        }
        self.fields.push(VisitedField {
            source,
            relation,
            related: ends,
        });
    }
}

/// A node without its type.
pub(crate) trait AnyNode: Send + Sync {
    fn schema(&self) -> &'static NodeSchema;
    fn write_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
    fn write_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
    fn labels(&self) -> u64;
    fn key(&self) -> Result<KeyOf, EncodeError>;
    fn visit<'v>(&'v self, visitor: &mut Visitor<'v>);
    fn bind(&self, target: &Target) -> Result<(), EncodeError>;
    fn as_any(&self) -> &dyn Any;
    /// Saves nodes that are all of this one's struct.
    fn save_all<'s>(
        &self,
        nodes: &[&'s dyn AnyNode],
        target: &Target,
    ) -> BoxFuture<'s, Result<(), Error>>;
}

impl<N: Node> AnyNode for N {
    fn schema(&self) -> &'static NodeSchema {
        N::SCHEMA
    }

    fn write_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.encode_key(index, encoder)
    }

    fn write_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.encode_properties(encoder)
    }

    fn labels(&self) -> u64 {
        self.optional_labels()
    }

    fn key(&self) -> Result<KeyOf, EncodeError> {
        KeyOf::new(self)
    }

    fn visit<'v>(&'v self, visitor: &mut Visitor<'v>) {
        self.visit_relations(visitor);
    }

    fn bind(&self, target: &Target) -> Result<(), EncodeError> {
        if !N::SCHEMA.relations.is_empty() {
            Node::bind(self, Origin::written(self, target.graph())?);
        }
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn save_all<'s>(
        &self,
        nodes: &[&'s dyn AnyNode],
        target: &Target,
    ) -> BoxFuture<'s, Result<(), Error>> {
        let nodes = nodes.iter();
        let nodes = nodes.filter_map(|node| node.as_any().downcast_ref::<N>());
        let save = crate::operation::SaveAll::new(nodes, target.clone());
        save.batch_size(usize::MAX).into_future()
    }
}

/// What a relationship carries, without its type.
pub(crate) trait AnyRelationship: Send + Sync {
    fn write_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
    fn write_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
    fn check(&self) -> Result<(), Error>;
    /// The fields that the mapper fills.
    fn managed(&self) -> Managed<'_>;
    /// The hook of the struct, where it has hooks.
    fn hooked<'h>(
        &'h self,
        event: RelationshipEvent,
        cx: &'h HookContext,
    ) -> Option<BoxFuture<'h, Result<(), Error>>>;
}

impl<R: Relationship> AnyRelationship for R {
    fn write_key(&self, index: usize, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.encode_key(index, encoder)
    }

    fn write_properties(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        self.encode_properties(encoder)
    }

    fn check(&self) -> Result<(), Error> {
        check_relationship(self)
    }

    fn managed(&self) -> Managed<'_> {
        Relationship::managed(self)
    }

    fn hooked<'h>(
        &'h self,
        event: RelationshipEvent,
        cx: &'h HookContext,
    ) -> Option<BoxFuture<'h, Result<(), Error>>> {
        R::HOOKS.then(|| R::hook(Some(self), event, cx))
    }
}

/// Nodes and relationships, each once, by kind.
#[derive(Default)]
pub(crate) struct Collected<'v> {
    /// For each struct its nodes.
    pub(crate) nodes: Vec<(TypeId, Vec<&'v dyn AnyNode>)>,
    /// Further values of the same nodes, which want to know where they are, too.
    pub(crate) copies: Vec<&'v dyn AnyNode>,
    pub(crate) relations: Vec<Kind<'v>>,
    /// What each field holds, whoever has written it.
    pub(crate) fields: Vec<Kind<'v>>,
}

/// The relationships of one field of one struct to nodes of one struct.
pub(crate) struct Kind<'v> {
    pub(crate) source: &'static NodeSchema,
    pub(crate) relation: &'static RelationSchema,
    pub(crate) target: &'static NodeSchema,
    pub(crate) rows: Vec<KindRow<'v>>,
}

/// One node's relationships of a kind: one, or, of a field, all that it holds.
pub(crate) struct KindRow<'v> {
    pub(crate) source: &'v dyn AnyNode,
    pub(crate) related: Vec<(&'v dyn AnyNode, &'v dyn AnyRelationship)>,
}

fn kind<'k, 'v>(
    kinds: &'k mut Vec<Kind<'v>>,
    source: &'static NodeSchema,
    relation: &'static RelationSchema,
    target: &'static NodeSchema,
) -> &'k mut Vec<KindRow<'v>> {
    let known = kinds.iter().position(|kind| {
        kind.source == source && kind.relation.is_same(relation) && kind.target == target
    });
    let at = known.unwrap_or_else(|| {
        kinds.push(Kind {
            source,
            relation,
            target,
            rows: Vec::new(),
        });
        kinds.len() - 1
    });
    // It is there, or was made just now.
    &mut kinds[at].rows
}

/// How far a collection goes, and what it does about differences.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) depth: usize,
    pub(crate) nearest_wins: bool,
}

type Name = (&'static str, Vec<u8>);

/// Collects what `root` leads to.
pub(crate) fn collect<N: Node>(root: &N, limits: Limits) -> Result<Collected<'_>, Error> {
    let mut collected = Collected::default();
    let mut nodes: HashMap<Name, (Vec<u8>, u64)> = HashMap::new();
    let mut relationships: HashMap<(&'static str, Name, Name, Vec<u8>), Vec<u8>> = HashMap::new();
    let mut visitor = Visitor {
        waiting: VecDeque::from([(root as &dyn AnyNode, 0)]),
        fields: Vec::new(),
        level: 0,
        shown: None,
    };
    while let Some((node, level)) = visitor.waiting.pop_front() {
        let properties = encoded(|encoder| node.write_properties(encoder))?;
        let value = (properties, node.labels());
        match nodes.get(&name(node)?) {
            None => {
                nodes.insert(name(node)?, value);
                let id = node.as_any().type_id();
                match collected.nodes.iter_mut().find(|(of, _)| *of == id) {
                    Some((_, group)) => group.push(node),
                    None => collected.nodes.push((id, vec![node])),
                }
            }
            Some(known) if *known == value || limits.nearest_wins => collected.copies.push(node),
            Some(_) => {
                let what = node.key()?.to_string();
                return Err(Error::new(ErrorKind::Conflicting { what }));
            }
        }
        if level >= limits.depth {
            continue;
        }
        visitor.level = level;
        node.visit(&mut visitor);
        for field in visitor.fields.drain(..) {
            let (source, relation) = (field.source, field.relation);
            for (target, carried) in field.related.iter().copied() {
                let keys = relation.relationship.keys().count();
                let key = encoded(|encoder| {
                    (0..keys).try_for_each(|index| carried.write_key(index, encoder))
                })?;
                let properties = encoded(|encoder| carried.write_properties(encoder))?;
                let mut ends = [name(source)?, name(target)?];
                match relation.direction {
                    Direction::Out => {}
                    Direction::In => ends.reverse(),
                    Direction::Both => ends.sort(),
                }
                let [from, to] = ends;
                let identity = (relation.relationship_type, from, to, key);
                match relationships.get(&identity) {
                    None => {
                        relationships.insert(identity, properties);
                        let kinds = &mut collected.relations;
                        kind(kinds, source.schema(), relation, target.schema()).push(KindRow {
                            source,
                            related: vec![(target, carried)],
                        });
                    }
                    Some(known) if *known == properties || limits.nearest_wins => {}
                    Some(_) => {
                        let what = format!(
                            "the relationship `{}` from {} to {}",
                            relation.field,
                            source.key()?,
                            target.key()?
                        );
                        return Err(Error::new(ErrorKind::Conflicting { what }));
                    }
                }
            }
            let kinds = &mut collected.fields;
            kind(kinds, source.schema(), relation, (relation.target)()).push(KindRow {
                source,
                related: field.related,
            });
        }
    }
    Ok(collected)
}

/// What identifies a node.
fn name(node: &dyn AnyNode) -> Result<Name, EncodeError> {
    let keys = node.schema().keys().count();
    let key = encoded(|encoder| (0..keys).try_for_each(|index| node.write_key(index, encoder)))?;
    Ok((node.schema().label, key))
}

fn encoded(
    write: impl FnOnce(&mut Encoder<'_>) -> Result<(), EncodeError>,
) -> Result<Vec<u8>, EncodeError> {
    let mut buffer = BytesMut::new();
    write(&mut Encoder::new(&mut buffer, Dialect::NEWEST))?;
    Ok(buffer.to_vec())
}
