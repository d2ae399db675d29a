//! What the behaviour tests share: the backends they run on, and a model.

mod backend;
mod model;

pub(crate) use backend::Backend;
pub(crate) use model::{
    Account, Author, Book, Edition, Everything, Genre, Holder, Isbn, Label, Member, Passport,
    Sample, Team, Wrote,
};

/// Makes a test of `async fn $name(backend: Backend)` for each backend: on the embedded engine,
/// and on both lines of Neo4j where they can be started.
macro_rules! on_every_backend {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn embedded() {
                if let Some(backend) = crate::common::Backend::embedded().await {
                    super::$name(backend).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn neo4j_5_26() {
                if let Some(backend) = crate::common::Backend::neo4j_5_26().await {
                    super::$name(backend).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn neo4j_2026_08() {
                if let Some(backend) = crate::common::Backend::neo4j_2026_08().await {
                    super::$name(backend).await;
                }
            }
        }
    )*};
}
pub(crate) use on_every_backend;
