//! A fuzzer's bytes, taken from the front as they are needed.

pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next byte, if there is one.
    pub(super) fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next byte, or zero behind the end.
    pub(super) fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    /// As many bytes as the next byte says, or what is left.
    pub(super) fn sized(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (sized, rest) = self.0.split_at(len);
        self.0 = rest;
        sized
    }

    /// All that is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }
}

/// Pieces of `bytes`, of a size that varies with `cut`; whole where that is zero.
pub(super) fn pieces(bytes: &[u8], cut: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    let mut turn = 0_usize;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let size = match cut {
            0 => rest.len(),
            cut => {
                // One piece of one size, one of another, so that they do not stay in step.
                turn += 1;
                let (short, long) = (usize::from(cut & 0x0F), usize::from(cut >> 4));
                1 + if turn.is_multiple_of(2) { short } else { long }
            }
        };
        let (piece, behind) = rest.split_at(size.min(rest.len()));
        rest = behind;
        Some(piece)
    })
}
