//! The official Python driver, over TCP, on the embedded engine.

use neo_ogm::prelude::*;
use neo_test_support::python::run_script;

const SCRIPT: &str = include_str!("scripts/embedded.py");

#[tokio::test(flavor = "multi_thread")]
async fn what_python_programs_do_works() {
    for scheme in ["bolt", "neo4j"] {
        let graph = Graph::in_memory().await.expect("the engine opens");
        let serving = graph.serve("127.0.0.1:0").await.expect("a port is free");
        let uri = format!("{scheme}://{}", serving.local_addr());
        let ran = tokio::task::spawn_blocking(move || run_script(SCRIPT, &[&uri]))
            .await
            .expect("the script's thread lives");
        match ran {
            Ok(output) => assert_eq!(output.expect_success().trim(), "done"),
            Err(missing) => return missing.skip_or_fail("the Python driver on the engine"),
        }
        serving.shutdown().await;
    }
}
