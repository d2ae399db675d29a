//! Where big downloads are kept between runs, and who may write there.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Cargo's target directory, which holds the caches.
///
/// The running test is inside it; the mark that Cargo leaves at its top tells where it begins,
/// whatever the profile and target triple. Documentation tests run elsewhere, so the environment
/// and the workspace's default are asked next.
pub(crate) fn target_dir() -> PathBuf {
    let of_executable = env::current_exe().ok().and_then(|exe| {
        exe.ancestors()
            .find(|dir| dir.join("CACHEDIR.TAG").is_file())
            .map(Path::to_path_buf)
    });
    of_executable
        .or_else(|| {
            env::var_os("CARGO_TARGET_DIR")
                .map(PathBuf::from)
                .filter(|p| p.is_absolute())
        })
        .unwrap_or_else(|| {
            // Without `..`, which Neo4j takes in none of its paths.
            let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
            workspace.unwrap_or(Path::new("")).join("target")
        })
}

/// Makes `dir` ready by `fill`, once for all processes that try at the same time.
///
/// `ready` tells whether a directory is already filled; `fill` works on `dir` itself, which does
/// not exist then, so an interrupted attempt leaves something that is not `ready` and is thrown
/// away by the next one.
pub(crate) fn once_for_all<E: From<io::Error>>(
    dir: &Path,
    ready: impl Fn(&Path) -> bool,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    if ready(dir) {
        return Ok(());
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    // Released when the file is closed, also when the process dies.
    let lock = File::create(with_suffix(dir, ".lock"))?;
    lock.lock()?;
    if ready(dir) {
        return Ok(());
    }
    if dir.exists() {
        fs::remove_dir_all(dir)?;
    }
    fill(dir)
}

/// `path` with `suffix` at the end of its last part.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn the_target_directory_is_found() {
        let exe = env::current_exe().expect("a test has an executable");
        assert!(
            exe.starts_with(target_dir()),
            "{} in {}",
            exe.display(),
            target_dir().display()
        );
    }

    #[test]
    fn only_one_fills_and_a_broken_attempt_is_redone() {
        let dir = target_dir()
            .join(format!("cache-test-{}", std::process::id()))
            .join("it");
        fs::create_dir_all(dir.join("left over")).unwrap();
        let ready = |dir: &Path| dir.join("complete").is_file();
        let fills = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    once_for_all(&dir, ready, |dir| {
                        fills.fetch_add(1, Ordering::SeqCst);
                        fs::create_dir(dir)?;
                        std::thread::sleep(std::time::Duration::from_millis(20));
                        File::create(dir.join("complete")).map(drop)
                    })
                    .unwrap();
                });
            }
        });
        assert_eq!(fills.load(Ordering::SeqCst), 1);
        assert!(ready(&dir) && !dir.join("left over").exists());
        fs::remove_dir_all(dir.parent().unwrap()).unwrap();
    }
}
