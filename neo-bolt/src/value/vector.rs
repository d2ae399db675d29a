//! Vectors of numbers of one kind, as Bolt 6.0 carries them.

/// A vector of numbers, all of one kind.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Vector {
    /// 8-bit signed integers.
    Int8(Vec<i8>),
    /// 16-bit signed integers.
    Int16(Vec<i16>),
    /// 32-bit signed integers.
    Int32(Vec<i32>),
    /// 64-bit signed integers.
    Int64(Vec<i64>),
    /// 32-bit floating point numbers.
    Float32(Vec<f32>),
    /// 64-bit floating point numbers.
    Float64(Vec<f64>),
}

impl Vector {
    /// How many numbers the vector has.
    pub fn len(&self) -> usize {
        match self {
            Self::Int8(v) => v.len(),
            Self::Int16(v) => v.len(),
            Self::Int32(v) => v.len(),
            Self::Int64(v) => v.len(),
            Self::Float32(v) => v.len(),
            Self::Float64(v) => v.len(),
        }
    }

    /// Whether the vector has no numbers.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
