//! Points in the coordinate reference systems that Cypher knows.

/// SRID of WGS 84 with longitude and latitude.
pub const WGS_84_2D: i32 = 4326;
/// SRID of WGS 84 with longitude, latitude and height in metres.
pub const WGS_84_3D: i32 = 4979;
/// SRID of the plane Cartesian system.
pub const CARTESIAN_2D: i32 = 7203;
/// SRID of the Cartesian system in space.
pub const CARTESIAN_3D: i32 = 9157;

/// A point in two or three dimensions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Which coordinate reference system the numbers are of.
    pub srid: i32,
    /// First coordinate; the longitude in WGS 84.
    pub x: f64,
    /// Second coordinate; the latitude in WGS 84.
    pub y: f64,
    /// Third coordinate, in systems that have one; the height in WGS 84.
    pub z: Option<f64>,
}

impl Point {
    /// A point of the plane Cartesian system.
    pub fn cartesian(x: f64, y: f64) -> Self {
        Self {
            srid: CARTESIAN_2D,
            x,
            y,
            z: None,
        }
    }

    /// A point of the Cartesian system in space.
    pub fn cartesian_3d(x: f64, y: f64, z: f64) -> Self {
        Self {
            srid: CARTESIAN_3D,
            x,
            y,
            z: Some(z),
        }
    }

    /// A place on Earth, in degrees.
    pub fn wgs_84(longitude: f64, latitude: f64) -> Self {
        Self {
            srid: WGS_84_2D,
            x: longitude,
            y: latitude,
            z: None,
        }
    }

    /// A place on or above Earth, in degrees and metres.
    pub fn wgs_84_3d(longitude: f64, latitude: f64, height: f64) -> Self {
        Self {
            srid: WGS_84_3D,
            x: longitude,
            y: latitude,
            z: Some(height),
        }
    }
}
