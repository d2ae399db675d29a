//! Constraints and indexes of the model: what each option makes, apply with a report, compare, and
//! drop; and what a database can't have.

use std::time::Duration;

use neo_ogm::prelude::*;
use neo_ogm::schema::Schema;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
#[node(unique(title, edition), index(title, pages, name = "titles_by_length"))]
#[node(fulltext(title, blurb, analyzer = "english"))]
struct Book {
    /// A uniqueness constraint, which is an index, too.
    #[node(key)]
    isbn: String,
    /// An existence constraint, on Neo4j Enterprise.
    #[node(index = "text", required)]
    title: String,
    edition: u32,
    blurb: String,
    /// A type constraint, on Neo4j Enterprise.
    #[node(index, typed)]
    pages: Option<i64>,
    #[node(index = "point")]
    printed_at: Option<Point>,
    #[node(vector(dimensions = 3, similarity = "euclidean"))]
    embedding: Option<Vec<f32>>,
    #[relationship(type = "LENT_TO")]
    readers: Many<Reader, LentTo>,
}

#[derive(Node, Debug, Clone)]
#[node(node_key)]
struct Reader {
    /// A node key, on Neo4j Enterprise.
    #[node(key)]
    card: u32,
    #[node(unique)]
    email: Option<String>,
}

/// Comes along with the schema of `Book`, whose field has it.
#[relationship(type = "LENT_TO", index(from, until))]
#[derive(Debug, Clone)]
struct LentTo {
    #[relationship(key, index)]
    from: Date,
    until: Option<Date>,
    #[relationship(unique)]
    slip: u64,
    #[relationship(fulltext)]
    note: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    // What will be asked for, without a database.
    let statements = Schema::of::<(Book, Reader)>().to_cypher();
    println!("{}\n", statements.join("\n"));

    isolated(async |graph| {
        let before = graph.schema_diff::<(Book, Reader)>().await?;
        assert_eq!(before.missing.len(), statements.len());

        // Without more, what can't be had is an error. All the rest is made nevertheless, and the
        // error says what became of each.
        let strict = graph.apply_schema::<(Book, Reader)>().await;
        match &strict {
            Ok(_) => println!("This database has every kind.\n"),
            Err(error) => println!("{error}\n"),
        }

        // With a word more, it is told and left out; what is there is left as it is.
        let report = graph
            .apply_schema::<(Book, Reader)>()
            .skip_unsupported()
            .await_online(Duration::from_secs(60))
            .await?;
        assert_eq!(report.created().count(), 0);
        assert_eq!(
            report.unsupported().len() + report.present().len(),
            statements.len()
        );
        assert_eq!(report.unsupported().len() == 0, strict.is_ok());
        for missing in report.unsupported() {
            println!("can't have the {}: {}", missing.rule, missing.reason);
        }

        // The constraint works.
        Book::new("1", "Emma", 1_u32, "A match is made")
            .save(&graph)
            .await?;
        let twice = Book::new("2", "Emma", 1_u32, "And another")
            .save(&graph)
            .await;
        let twice = twice.expect_err("two books of a title and an edition");
        println!("\nrefused: {twice}");
        assert_eq!(
            twice.code(),
            Some("Neo.ClientError.Schema.ConstraintValidationFailed")
        );

        // Somebody has dropped an index, and made another: the comparison shows both.
        let text = report
            .present()
            .find(|rule| rule.name() == "Book_title_text");
        assert!(text.is_some());
        graph
            .cypher("CREATE INDEX FOR (b:Book) ON (b.blurb)")
            .execute(&graph)
            .await?;
        let diff = graph.schema_diff::<(Book, Reader)>().await?;
        println!("\n{diff}\n");
        assert_eq!(diff.extra.len(), 1);
        assert_eq!(diff.missing.len(), report.unsupported().len());

        // Dropping takes back what the model names, and nothing else.
        let dropped = graph.drop_schema::<(Book, Reader)>().await?;
        println!("dropped {}: the first was {}", dropped.len(), dropped[0]);
        assert_eq!(dropped.len(), report.present().len());
        assert_eq!(
            graph.schema_diff::<(Book, Reader)>().await?.missing.len(),
            statements.len()
        );
        Ok(())
    })
    .await
}
