//! Statements of the mapper that write.

use std::fmt;

use neo_bolt::ReceiptStatement;

/// A statement that writes, and the columns that it returns.
///
/// On a graph handle it is a transaction of its own in one flush, so it stores its receipt itself,
/// and with the receipt its result: if the result is lost with the answer to COMMIT, it can be read
/// again.
#[derive(Debug)]
pub(crate) struct WriteStatement {
    /// All but the RETURN clause.
    body: String,
    columns: Vec<(String, &'static str)>,
    /// So many of the first columns can be stored as properties.
    stored: usize,
    has_rows: bool,
}

impl WriteStatement {
    /// A statement without columns; `body` has no RETURN clause.
    pub(crate) fn new(body: String) -> Self {
        Self {
            body,
            columns: Vec::new(),
            stored: 0,
            has_rows: false,
        }
    }

    /// The same, which may return more than one row. The rows are received before COMMIT is sent,
    /// because they would be too many to store.
    pub(crate) fn with_rows(body: String) -> Self {
        Self {
            has_rows: true,
            ..Self::new(body)
        }
    }

    /// Adds a column whose value can be stored as a property, or is null.
    pub(crate) fn column(&mut self, name: &'static str, expression: impl fmt::Display) {
        debug_assert_eq!(self.stored, self.columns.len());
        self.columns.push((expression.to_string(), name));
        self.stored += 1;
    }

    /// Adds a column that cannot be stored, such as a node. It must be the last.
    pub(crate) fn transient_column(&mut self, name: &'static str, expression: impl fmt::Display) {
        self.columns.push((expression.to_string(), name));
    }

    /// Whether the rows must be received before COMMIT is sent.
    pub(super) fn must_be_received_first(&self) -> bool {
        self.has_rows && !self.columns.is_empty()
    }

    /// The statement with the clauses that store its receipt, and the columns stored with it.
    pub(super) fn with_receipt(&self) -> (String, Vec<&'static str>) {
        let mut text = String::with_capacity(self.body.len() + 512);
        text.push_str(&self.body);
        ReceiptStatement::append(&mut text, &self.columns, self.stored);
        let stored = self.columns.iter().take(self.stored);
        (text, stored.map(|(_, name)| *name).collect())
    }
}

/// The statement without a receipt.
impl fmt::Display for WriteStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.body)?;
        for (index, (expression, name)) in self.columns.iter().enumerate() {
            f.write_str(if index == 0 { " RETURN " } else { ", " })?;
            write!(f, "{expression} AS {name}")?;
        }
        Ok(())
    }
}
