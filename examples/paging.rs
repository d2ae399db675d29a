//! Pages: by number with a total, and by cursor, forward and back.

use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Article {
    #[node(key)]
    id: u32,
    #[node(index)]
    title: String,
    /// Some have none yet: they come first in a descending order.
    rating: Option<i32>,
}

/// The question, made anew for each page as a web handler would.
fn best_first() -> neo_ogm::operation::Find<Article> {
    Article::find()
        .order_by(Article::RATING.desc())
        .order_by(Article::TITLE.asc())
}

fn ids(articles: &[Article]) -> Vec<u32> {
    articles.iter().map(|article| article.id).collect()
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        graph.apply_schema::<Article>().await?;
        let articles: Vec<Article> = (1..=10)
            .map(|id| {
                let mut article = Article::new(id, format!("Article {id:02}"));
                article.rating = (id % 3 != 0).then_some(i32::from(id > 5));
                article
            })
            .collect();
        graph.save_all(&articles).await?;

        // By number: where the user jumps to a page and wants to see how many there are.
        let page = best_first().page(2, 4, &graph).await?;
        println!(
            "page {} of {}: {:?}, {} in all",
            page.number,
            page.pages(),
            ids(&page.nodes),
            page.total
        );
        assert_eq!((page.nodes.len(), page.total, page.pages()), (4, 10, 3));
        assert!(page.has_next());
        let behind = best_first().page(9, 4, &graph).await?;
        assert_eq!(
            (behind.nodes.len(), behind.total, behind.has_next()),
            (0, 10, false)
        );

        // By cursor: each page begins where the one before ended, however far it is.
        let mut seen = Vec::new();
        let mut token: Option<String> = None; // what a client keeps between two requests
        loop {
            let cursor = token.as_deref().map(str::parse::<Cursor>).transpose()?;
            let page = best_first().cursor_page(cursor.as_ref(), 4, &graph).await?;
            println!("{:?}", ids(&page.nodes));
            seen.extend(ids(&page.nodes));
            match page.next {
                Some(next) => token = Some(next.to_string()),
                None => break,
            }
        }
        assert_eq!(seen, ids(&best_first().all(&graph).await?));

        // An article that comes in between moves no page.
        let first = best_first().cursor_page(None, 4, &graph).await?;
        Article::new(11, "Article 00").save(&graph).await?;
        let second = best_first()
            .cursor_page(first.next.as_ref(), 4, &graph)
            .await?;
        assert_eq!(ids(&second.nodes), seen[4..8]);

        // And back: the page that ends where this one begins, with the new article in front of it.
        let back = best_first()
            .cursor_page(second.previous.as_ref(), 4, &graph)
            .await?;
        println!("back: {:?}", ids(&back.nodes));
        assert_eq!(ids(&back.nodes), seen[..4]);
        let start = best_first()
            .cursor_page(back.previous.as_ref(), 4, &graph)
            .await?;
        assert_eq!(ids(&start.nodes), [11]);

        // A cursor belongs to its order; in another one it has no place.
        let by_title = Article::find().order_by(Article::TITLE.asc());
        let refused = by_title.cursor_page(first.next.as_ref(), 4, &graph).await;
        println!(
            "\nin another order: {}",
            refused.expect_err("it is of another question")
        );
        let garbled = "no-cursor".parse::<Cursor>();
        println!("garbled: {}", garbled.expect_err("it is none"));
        Ok(())
    })
    .await
}
