//! Records that have come and not been read yet, as they came: most of them stand in the receive
//! buffer one behind the other, and are kept so.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};

use super::tag;

/// What stands before a record's list: its length, the structure's marker and its tag.
const HEAD: usize = 4;
/// The empty chunk behind a message.
const END: usize = 2;

/// Records in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct Records {
    blocks: VecDeque<Block>,
    len: usize,
}

/// Records that stand in one piece of memory.
#[derive(Debug)]
pub(crate) struct Block {
    bytes: Bytes,
    /// How many have not been passed yet, and where they begin.
    left: usize,
    at: usize,
    /// Each has its chunk's frame around it; otherwise there is one, without.
    framed: bool,
}

impl Records {
    pub(crate) const EMPTY: Self = Self {
        blocks: VecDeque::new(),
        len: 0,
    };

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::EMPTY;
    }

    /// Adds one: the list of its values.
    pub(super) fn push(&mut self, list: Bytes) {
        self.push_block(Block {
            bytes: list,
            left: 1,
            at: 0,
            framed: false,
        });
    }

    pub(super) fn push_block(&mut self, block: Block) {
        self.len += block.left;
        self.blocks.push_back(block);
    }

    /// Takes the first of the pieces.
    pub(crate) fn pop_block(&mut self) -> Option<Block> {
        let block = self.blocks.pop_front()?;
        self.len -= block.left;
        Some(block)
    }

    /// One record of this list of values.
    #[cfg(any(
        all(test, any(feature = "arrow", feature = "server")),
        all(feature = "server", feature = "fuzzing")
    ))]
    pub(crate) fn of(list: Bytes) -> Self {
        let mut records = Self::EMPTY;
        records.push(list);
        records
    }

    /// The lists of values, each by itself.
    #[cfg(any(test, all(feature = "server", feature = "fuzzing")))]
    pub(crate) fn into_lists(mut self) -> Vec<Bytes> {
        let mut lists = Vec::new();
        while let Some(mut block) = self.pop_block() {
            while let Some(at) = block.next() {
                lists.push(block.bytes.slice(at));
            }
        }
        lists
    }
}

impl Block {
    /// Takes the records at the start of a receive buffer that are whole and of one chunk each.
    pub(super) fn take_from(buffer: &mut BytesMut) -> Option<Self> {
        let (mut end, mut count) = (0, 0);
        while let Some(next) = end_of_record(buffer, end) {
            end = next;
            count += 1;
        }
        (count > 0).then(|| Self {
            bytes: buffer.split_to(end).freeze(),
            left: count,
            at: 0,
            framed: true,
        })
    }

    /// Passes the records at the start of a receive buffer, which nobody wants.
    pub(super) fn pass(buffer: &mut BytesMut) {
        while let Some(end) = end_of_record(buffer, 0) {
            buffer.advance(end);
        }
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many have not been passed yet.
    pub(crate) fn left(&self) -> usize {
        self.left
    }

    /// Where the next record's list stands in the bytes.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<std::ops::Range<usize>> {
        self.left = self.left.checked_sub(1)?;
        if !self.framed {
            return Some(0..self.bytes.len());
        }
        let len = self.bytes.get(self.at..)?.first_chunk::<2>()?;
        let end = self.at + 2 + usize::from(u16::from_be_bytes(*len));
        let list = self.at + HEAD..end;
        self.at = end + END;
        Some(list)
    }
}

/// Where a record that is whole and of one chunk ends, if one begins at `start`.
#[inline]
fn end_of_record(buffer: &[u8], start: usize) -> Option<usize> {
    let rest = buffer.get(start..)?;
    let [high, low, 0xB1, tag::RECORD, ..] = *rest else {
        return None;
    };
    let end = 2 + usize::from(u16::from_be_bytes([high, low]));
    // One without a list is left to be refused.
    if end > HEAD && rest.get(end..end + END)? == [0, 0] {
        Some(start + end + END)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_records_are_taken_together_and_others_left() {
        let stream = b"\x00\x04\xB1\x71\x91\x01\x00\x00\x00\x05\xB1\x71\x92\x01\x02\x00\x00";
        for (behind, rest) in [
            (&b""[..], 0),
            (b"\x00\x03\xB1\x70\xA0\x00\x00", 7),
            (b"\x00\x04\xB1\x71\x91\x01\x00", 7),
            (b"\x00\x03\xB1\x71\x91\x00\x01\x01\x00\x00", 10),
            (b"\x00\x02\xB1\x71\x00\x00", 6),
            (b"\x00", 1),
        ] {
            let mut buffer = BytesMut::from(&[&stream[..], behind].concat()[..]);
            let mut records = Records::default();
            records.push_block(Block::take_from(&mut buffer).unwrap());
            records.push(Bytes::from_static(b"\x91\x09"));
            assert_eq!(buffer.len(), rest, "{behind:02X?}");
            assert!(Block::take_from(&mut buffer).is_none());
            assert_eq!(records.len(), 3);
            let lists = [&b"\x91\x01"[..], b"\x92\x01\x02", b"\x91\x09"];
            assert_eq!(records.into_lists(), lists);
            let mut buffer = BytesMut::from(&[&stream[..], behind].concat()[..]);
            Block::pass(&mut buffer);
            assert_eq!(buffer.len(), rest);
        }
    }
}
