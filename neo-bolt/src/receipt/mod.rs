//! Receipts: proof in the database that a write transaction was committed.
//!
//! If a connection is lost between COMMIT and its answer, the client cannot know whether the
//! transaction took effect. With exactly-once delivery, the transaction also sets the property `unit`
//! of one node, its *slot*, to a unique id. That is the receipt; it leaves in the flush that carries
//! COMMIT, so it costs no round trip. After a lost commit, a *claim* decides in a new transaction:
//!
//! ```text
//! COMMIT is answered ─▶ the slot is free for the next transaction
//! the answer is lost ─▶ claim: lock the slot, raise `epoch`, compare `unit`
//!                         ├─ equal ─────▶ the transaction was committed
//!                         └─ different ─▶ it was not committed and never will be
//! ```
//!
//! The claim waits for the lock of the slot while the original transaction is still open, and an
//! original that arrives after the claim fails because the epoch of its slot has passed. A claim can
//! be repeated, and one that arrives late changes nothing. Afterwards the slot is free in either
//! case. A slot is used by one transaction at a time, so a pool needs as many slots as it has
//! concurrent writers. Both statements are `MERGE`, which is only safe under concurrency with a
//! uniqueness constraint on the id of the slot; without the constraint the outcome of a lost commit
//! stays unknown.

use std::sync::{Arc, OnceLock};

mod claim;
mod constraint;
mod orphan;
mod slots;

pub(crate) use claim::{Claim, Claimant};
pub(crate) use constraint::{RECEIPT_CONSTRAINT, create_names, sweep};
pub(crate) use orphan::LostConnection;
pub(crate) use slots::{Receipts, Slot, SlotKey, Slots, WithReceipt};

/// The label of the nodes that have receipts.
pub const RECEIPT_LABEL: &str = "_NeoOgmReceipt";

/// The parameter that carries the ids of the slot and of the unit.
const PARAMETER: &str = "_receipt";

/// The clauses that store a receipt. A statement with these clauses has the variable `_r`.
///
/// Setting `unit` locks the node, so `epoch` is read when no claim can change it any more. The
/// property `guard` is never stored.
const STORE: &str = "MERGE (_r:_NeoOgmReceipt {id: $_receipt.id}) \
    ON CREATE SET _r.epoch = $_receipt.epoch SET _r.unit = $_receipt.unit \
    SET _r.guard = CASE WHEN _r.epoch > $_receipt.epoch THEN 1 / 0 ELSE null END";

/// The statement that only stores a receipt.
pub(crate) fn store_receipt() -> Arc<str> {
    static STATEMENT: OnceLock<Arc<str>> = OnceLock::new();
    Arc::clone(STATEMENT.get_or_init(|| STORE.into()))
}

/// How a transaction is delivered when its COMMIT gets no answer.
#[derive(Debug, Clone, Default)]
pub(crate) enum Delivery {
    /// The outcome is unknown.
    #[default]
    Plain,
    /// The outcome is unknown, because the database lacks the constraint.
    WithoutConstraint,
    /// A receipt decides.
    ExactlyOnce(Arc<Slots>),
}

/// How a statement stores its own receipt; see
/// [`ExecuteQuery::stores_receipt`](crate::ExecuteQuery::stores_receipt).
#[derive(Debug)]
pub struct ReceiptStatement;

impl ReceiptStatement {
    /// Appends the clauses that store the receipt, and with it the columns of the result.
    ///
    /// `body` is the statement without its RETURN clause. Each column is an expression and its name.
    /// The first `stored` columns are kept with the receipt; they must be values that a property
    /// can have, or null. The statement must have at most one row if anything is stored. It returns
    /// the rows that it would return by itself.
    pub fn append(body: &mut String, columns: &[(String, &'static str)], stored: usize) {
        if columns.is_empty() {
            body.push_str(" WITH count(*) AS _rows ");
            body.push_str(STORE);
            return;
        }
        let list = |item: &dyn Fn(usize, &str, &str) -> String| {
            let items = columns.iter().enumerate();
            let items = items.map(|(index, (expression, name))| item(index, expression, name));
            items.collect::<Vec<_>>().join(", ")
        };
        let named = list(&|_, expression, name| format!("{expression} AS {name}"));
        let names = list(&|_, _, name| name.to_owned());
        body.push_str(&format!(
            " WITH {named} WITH collect([{names}]) AS _rows {STORE}"
        ));
        if stored > 0 {
            body.push_str(" SET _r.rows = size(_rows)");
        }
        for index in 0..stored {
            body.push_str(&format!(
                ", _r.c{index} = [_row IN _rows WHERE _row[{index}] IS NOT NULL | _row[{index}]]"
            ));
        }
        let returned = list(&|index, _, name| format!("_row[{index}] AS {name}"));
        body.push_str(&format!(
            " WITH _rows UNWIND _rows AS _row RETURN {returned}"
        ));
    }
}
