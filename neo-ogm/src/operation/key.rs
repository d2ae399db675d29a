//! The parameters of a statement that finds one node by its key.

use neo_bolt::packstream::{EncodeError, Encoder, ToBolt};

use crate::mapping::KeyOf;
use crate::relation::key_parameters;

/// Writes `{k0: …, k1: …}`.
pub(super) struct KeyParameters<'a>(pub(super) &'a KeyOf);

impl ToBolt for KeyParameters<'_> {
    fn to_bolt(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        encoder.map(self.0.values.len())?;
        key_parameters(encoder, "k", self.0)
    }
}
