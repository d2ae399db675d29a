//! Writes the inputs that the fuzzers begin with into `corpus/`.

use std::path::Path;
use std::{fs, io};

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (index, (target, bytes)) in neo_bolt::fuzzing::seeds().into_iter().enumerate() {
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("seed-{index}")), bytes)?;
    }
    Ok(())
}
