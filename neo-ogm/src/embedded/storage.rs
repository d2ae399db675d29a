//! The file of a database: checked before it is opened, and made where there is to be none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::EmbeddedError;

/// The first bytes of every SQLite file.
const SQLITE_MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How the directories of in-memory databases begin.
const SCRATCH_PREFIX: &str = "neo-ogm-memory-";
/// The file that is locked for as long as its directory is in use.
const LOCK_FILE: &str = "in-use";
/// A directory younger than this is left alone: its owner may not have locked it yet.
const SWEEP_AFTER: Duration = Duration::from_secs(60);

/// Looks at the file before any engine does, so that nothing that is no database, or only a
/// part of one, is written to.
pub(super) fn check(path: &Path) -> Result<(), EmbeddedError> {
    let io = |source| EmbeddedError::Io {
        path: path.to_owned(),
        source,
    };
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io(error)),
    };
    let metadata = file.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(io(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    let mut header = [0_u8; 32];
    if file.read_exact(&mut header).is_err() || !header.starts_with(SQLITE_MAGIC) {
        return Err(EmbeddedError::NotADatabase {
            path: path.to_owned(),
            reason: "it does not begin like a database file".into(),
        });
    }
    let size = |bytes: [u8; 2]| match u16::from_be_bytes(bytes) {
        1 => 65_536,
        size => u64::from(size),
    };
    let page_size = size([header[16], header[17]]);
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    let expected = page_size * u64::from(pages);
    // Pages may still stand in the write-ahead log, where there is one.
    if metadata.len() < expected && !has_log(path) {
        return Err(EmbeddedError::Truncated {
            path: path.to_owned(),
            expected,
            found: metadata.len(),
        });
    }
    Ok(())
}

fn has_log(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    fs::metadata(log).is_ok_and(|log| log.len() > 0)
}

/// A private directory that is removed with the database in it.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: PathBuf,
    lock: Option<File>,
}

impl Scratch {
    pub(super) fn new() -> Result<Self, EmbeddedError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        static SWEPT: Once = Once::new();
        let root = std::env::temp_dir();
        SWEPT.call_once(|| sweep(&root));
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let unique = uuid::Uuid::now_v7().simple();
        let directory = root.join(format!(
            "{SCRATCH_PREFIX}{}-{number}-{unique}",
            std::process::id()
        ));
        let io = |source| EmbeddedError::Io {
            path: directory.clone(),
            source,
        };
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&directory).map_err(io)?;
        let lock = File::create(directory.join(LOCK_FILE)).map_err(io)?;
        lock.lock().map_err(io)?;
        Ok(Self {
            directory,
            lock: Some(lock),
        })
    }

    pub(super) fn file(&self) -> PathBuf {
        self.directory.join("graph.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.lock = None;
        // What can't be removed now is swept when the next process starts.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Removes what processes that were killed have left.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for entry in entries.flatten() {
        let ours = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(SCRATCH_PREFIX));
        let old = entry
            .metadata()
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > SWEEP_AFTER));
        if ours && old {
            let lock = File::open(entry.path().join(LOCK_FILE));
            if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_database_is_refused_and_left_alone() {
        let scratch = Scratch::new().unwrap();
        for (bytes, said) in [
            (&b"hello"[..], "does not begin like"),
            (&[0_u8; 4096][..], "does not begin like"),
        ] {
            fs::write(scratch.file(), bytes).unwrap();
            assert!(
                check(&scratch.file())
                    .unwrap_err()
                    .to_string()
                    .contains(said)
            );
            assert_eq!(fs::read(scratch.file()).unwrap(), bytes);
        }
        let mut truncated = SQLITE_MAGIC.to_vec();
        truncated.extend_from_slice(&[0x10, 0, 2, 2, 0, 64, 32, 32, 0, 0, 0, 1, 0, 0, 0, 9]);
        fs::write(scratch.file(), &truncated).unwrap();
        assert!(matches!(
            check(&scratch.file()).unwrap_err(),
            EmbeddedError::Truncated {
                expected: 36_864,
                found: 32,
                ..
            }
        ));
    }

    #[test]
    fn nothing_is_left_behind() {
        let scratch = Scratch::new().unwrap();
        let directory = scratch.directory.clone();
        fs::write(scratch.file(), "x").unwrap();
        drop(scratch);
        assert!(!directory.exists());
    }
}
