//! A Java process that can't outlive the test process.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// Runs its arguments and kills them when stdin closes, which happens when the test process ends
/// in whatever way: `Drop` alone would not do, it is not run for statics or after a kill -9.
/// $1 is the directory for logs, $2 the home, which is removed at the end unless it holds a file
/// `.keep`. The logs go too, unless the process ended by itself.
const WATCHDOG: &str = r#"
logs=$1 home=$2
shift 2
exec 3<&0
"$@" 3<&- </dev/null >>"$logs/console.log" 2>&1 &
java=$!
(
  while read -r _ <&3; do :; done
  kill -9 "$java"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&- </dev/null
wait "$java"
code=$?
kill -9 "$watcher" 2>/dev/null
if [ ! -e "$home/.keep" ]; then
  rm -rf "$home"
  [ "$code" = 137 ] && rm -rf "$logs"
fi
exit "$code"
"#;

/// The process, with the home that it works on.
#[derive(Debug)]
pub(crate) struct Guarded {
    child: Child,
    home: PathBuf,
}

impl Guarded {
    /// Starts `command` (program and arguments).
    pub(crate) fn start(command: &[OsString], logs: &Path, home: &Path) -> io::Result<Self> {
        let keep = home.join(".keep");
        if keep.exists() {
            fs::remove_file(keep)?;
        }
        fs::create_dir_all(logs)?;
        let mut shell = Command::new("sh");
        shell
            .args(["-c", WATCHDOG, "neo4j-watchdog"])
            .arg(logs)
            .arg(home)
            .args(command);
        shell
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // Out of the terminal's group: Ctrl-C must not end the watchdog before its ward.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        Ok(Guarded {
            child: shell.spawn()?,
            home: home.to_path_buf(),
        })
    }

    /// How it ended, if it did.
    pub(crate) fn exited(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// kill -9; the home stays.
    pub(crate) fn kill_keeping_home(mut self) -> io::Result<()> {
        fs::write(self.home.join(".keep"), "")?;
        drop(self.child.stdin.take());
        self.child.wait().map(drop)
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends by itself in any case; waiting only keeps the order of things.
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::env;
    use std::io::{BufRead, BufReader};
    use std::time::{Duration, Instant};

    const ROLE: &str = "NEO_TEST_SUPPORT_PARENT_OF";

    fn home(name: &str) -> PathBuf {
        let name = format!("watchdog-{name}-{}", std::process::id());
        let home = crate::cache::target_dir()
            .join("neo4j")
            .join("run")
            .join(name);
        fs::create_dir_all(&home).expect("a home can be made");
        home
    }

    /// A command that writes its process id into the home and sleeps.
    fn sleeper(home: &Path) -> Vec<OsString> {
        let script = "echo $$ > \"$0/pid\"; exec sleep 1000";
        vec!["sh".into(), "-c".into(), script.into(), home.into()]
    }

    fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !done() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn pid(home: &Path) -> Option<u32> {
        fs::read_to_string(home.join("pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn alive(pid: u32) -> bool {
        let mut probe = Command::new("kill");
        probe.args(["-0", &pid.to_string()]).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }

    /// Not a test by itself: the process that the next test kills.
    #[test]
    fn parent_to_be_killed() {
        let Some(home) = env::var_os(ROLE).map(PathBuf::from) else {
            return;
        };
        let guarded = Guarded::start(
            &sleeper(&home),
            &crate::cache::with_suffix(&home, ".logs"),
            &home,
        )
        .unwrap();
        println!("\nstarted");
        std::thread::sleep(Duration::from_secs(1000));
        drop(guarded);
    }

    #[test]
    fn a_killed_test_process_leaves_nothing() {
        let home = home("orphan");
        let mut parent = Command::new(env::current_exe().unwrap());
        parent.args([
            "--exact",
            "neo4j::process::tests::parent_to_be_killed",
            "--nocapture",
        ]);
        let mut parent = parent
            .env(ROLE, &home)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(parent.stdout.take().unwrap());
        assert!(stdout.lines().any(|line| line.unwrap() == "started"));
        wait_for("the ward starts", || pid(&home).is_some());
        let ward = pid(&home).unwrap();
        assert!(alive(ward));
        parent.kill().unwrap();
        parent.wait().unwrap();
        wait_for("the ward dies", || !alive(ward));
        let logs = crate::cache::with_suffix(&home, ".logs");
        wait_for("the home goes", || !home.exists() && !logs.exists());
    }

    #[test]
    fn a_kill_keeps_the_home_and_drop_removes_it() {
        let home = home("keep");
        let start = || {
            Guarded::start(
                &sleeper(&home),
                &crate::cache::with_suffix(&home, ".logs"),
                &home,
            )
            .unwrap()
        };
        let first = start();
        wait_for("the ward starts", || pid(&home).is_some());
        let ward = pid(&home).unwrap();
        first.kill_keeping_home().unwrap();
        assert!(!alive(ward) && home.exists());
        fs::remove_file(home.join("pid")).unwrap();
        let second = start();
        wait_for("the ward starts again", || pid(&home).is_some());
        drop(second);
        assert!(!home.exists());
    }

    #[test]
    fn the_end_of_the_ward_is_seen() {
        let home = home("end");
        let command = ["sh", "-c", "exit 3"].map(OsString::from);
        let mut guarded =
            Guarded::start(&command, &crate::cache::with_suffix(&home, ".logs"), &home).unwrap();
        let mut status = None;
        wait_for("the end", || {
            status = guarded.exited().unwrap();
            status.is_some()
        });
        assert_eq!(status.and_then(|status| status.code()), Some(3));
        fs::remove_dir_all(crate::cache::with_suffix(&home, ".logs")).unwrap();
    }
}
