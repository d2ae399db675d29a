//! Finding a Java that can run a line of Neo4j.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A Java installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Jdk {
    /// The `java` program.
    pub(crate) java: PathBuf,
    /// The installation's directory, where it is known.
    pub(crate) home: Option<PathBuf>,
    /// The feature release: 17, 21, 25.
    pub(crate) release: u32,
}

/// The first installation that `fits`, looked for in JAVA_HOME, on the PATH, and where systems
/// and tools put them.
pub(crate) fn find(fits: impl Fn(u32) -> bool) -> Option<Jdk> {
    let mut seen = Vec::new();
    for java in candidates() {
        let Ok(real) = java.canonicalize() else {
            continue;
        };
        if seen.contains(&real) {
            continue;
        }
        let jdk = examine(&real);
        seen.push(real);
        if let Some(jdk) = jdk.filter(|jdk| fits(jdk.release)) {
            return Some(jdk);
        }
    }
    None
}

fn candidates() -> Vec<PathBuf> {
    let program = if cfg!(windows) { "java.exe" } else { "java" };
    let mut found = Vec::new();
    // CI images name their installations JAVA_HOME_17_X64 and so on.
    let mut homes: Vec<_> = env::vars_os()
        .filter(|(name, _)| name.to_string_lossy().starts_with("JAVA_HOME"))
        .collect();
    homes.sort();
    found.extend(
        homes
            .into_iter()
            .map(|(_, home)| Path::new(&home).join("bin").join(program)),
    );
    let path = env::var_os("PATH").unwrap_or_default();
    found.extend(env::split_paths(&path).map(|dir| dir.join(program)));

    let user = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let collections = [
        ("/usr/lib/jvm".into(), ""),
        ("/usr/lib64/jvm".into(), ""),
        ("/usr/java".into(), ""),
        ("/opt/java".into(), ""),
        (user.join(".sdkman/candidates/java"), ""),
        (user.join(".jdks"), ""),
        ("/Library/Java/JavaVirtualMachines".into(), "Contents/Home"),
        (
            user.join("Library/Java/JavaVirtualMachines"),
            "Contents/Home",
        ),
        (
            "/opt/homebrew/opt".into(),
            "libexec/openjdk.jdk/Contents/Home",
        ),
        ("/usr/local/opt".into(), "libexec/openjdk.jdk/Contents/Home"),
    ];
    for (collection, inside) in collections {
        let entries = fs::read_dir::<PathBuf>(collection)
            .into_iter()
            .flatten()
            .flatten();
        let mut homes: Vec<_> = entries.map(|entry| entry.path().join(inside)).collect();
        homes.sort();
        found.extend(homes.into_iter().map(|home| home.join("bin").join(program)));
    }
    found
}

fn examine(java: &Path) -> Option<Jdk> {
    let home = java.parent()?.parent()?;
    // The release file costs nothing to read; a wrapper script on the PATH has none.
    if let Ok(text) = fs::read_to_string(home.join("release")) {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("JAVA_VERSION="));
        if let Some(release) = line.and_then(feature_release) {
            return Some(Jdk {
                java: java.into(),
                home: Some(home.into()),
                release,
            });
        }
    }
    let output = Command::new(java).arg("-version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let release = feature_release(text.split_once("version ")?.1)?;
    Some(Jdk {
        java: java.into(),
        home: None,
        release,
    })
}

/// The feature release out of `"17.0.15"`, `"1.8.0_392"`, `"21"`.
fn feature_release(quoted: &str) -> Option<u32> {
    let version = quoted.trim_start_matches('"');
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match numbers.next()?.ok()? {
        1 => numbers.next()?.ok(),
        release => Some(release),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_all_ages() {
        assert_eq!(feature_release("\"17.0.15\"\n"), Some(17));
        assert_eq!(feature_release("\"25\""), Some(25));
        assert_eq!(feature_release("\"1.8.0_392\""), Some(8));
        assert_eq!(feature_release("\"26-ea\" 2026-03-17"), Some(26));
        assert_eq!(feature_release("unknown"), None);
    }

    #[test]
    fn what_is_found_fits() {
        for release in [8, 11, 17, 21, 25] {
            if let Some(jdk) = find(|found| found == release) {
                assert_eq!(jdk.release, release);
                assert!(jdk.java.is_file());
            }
        }
        assert_eq!(find(|_| false), None);
    }
}
