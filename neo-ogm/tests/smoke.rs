use neo_ogm::prelude::*;
#[derive(Node, Debug, Clone)]
struct Book {
    #[node(key)]
    isbn: String,
    #[node(index)]
    title: String,
    pages: Option<u32>,
    #[node(rename = "publishedOn")]
    published: Option<Date>,
    tags: Vec<String>,
    #[relationship(type = "WRITTEN_BY")]
    author: One<Person, WrittenBy>,
    #[relationship(type = "SIMILAR_TO")]
    similar: Many<Book>,
}
#[derive(Node, Debug, Clone)]
struct Person {
    #[node(key)]
    name: String,
    born: Option<i32>,
    #[relationship(type = "WRITTEN_BY", direction = "in")]
    books: Many<Book, WrittenBy>,
}
#[relationship(type = "WRITTEN_BY")]
#[derive(Debug, Clone, PartialEq)]
struct WrittenBy {
    year: i32,
}
#[tokio::test]
async fn smoke() -> Result<(), neo_ogm::Error> {
    let graph = Graph::connect(&std::env::var("NEO4J_URI").unwrap(), Auth::none()).await?;
    graph.apply_schema::<(Book, Person)>().await?;
    graph
        .cypher("MATCH (n) DETACH DELETE n")
        .execute(&graph)
        .await?;
    let book = Book::new("978-0-14-303500-8", "Anna Karenina");
    let mut author = Person::new("Leo Tolstoy");
    author.born = Some(1828);
    graph.save(&author).await?;
    book.save(&graph).await?;
    book.author
        .connect(&author)
        .properties(WrittenBy { year: 1878 })
        .await?;
    book.author
        .connect(&author)
        .properties(WrittenBy { year: 1879 })
        .await?;
    let found = Book::find_by_isbn("978-0-14-303500-8")
        .one(&graph)
        .await?
        .unwrap();
    assert_eq!(found.title, "Anna Karenina");
    println!("{:?}", found.author.get().map(|_| ()));
    let f = Book::find()
        .filter(
            Book::TITLE
                .starts_with("Anna")
                .and(Book::AUTHOR.has(Person::BORN.lt(1850))),
        )
        .order_by(Book::TITLE.asc())
        .limit(20)
        .load(Book::AUTHOR.then(Person::BOOKS));
    println!("{}", f.to_cypher());
    let early = f.all(&graph).await?;
    let tolstoy = early[0].author.get()?;
    assert_eq!(tolstoy.name, "Leo Tolstoy");
    assert_eq!(early[0].author.relationship()?.year, 1879);
    assert_eq!(tolstoy.books.get()?.count(), 1);
    let other = Person::new("Fyodor");
    println!(
        "{}",
        book.author
            .connect(&other)
            .properties(WrittenBy { year: 1 })
            .await
            .unwrap_err()
    );
    other.save(&graph).await?;
    println!(
        "{}",
        book.author
            .connect(&other)
            .properties(WrittenBy { year: 1 })
            .await
            .unwrap_err()
    );
    book.author
        .replace(&other)
        .properties(WrittenBy { year: 2 })
        .await?;
    assert_eq!(book.author.fetch().await?.name, "Fyodor");
    let b2 = Book::new("2", "War");
    let g2 = graph.clone();
    tokio::spawn(async move {
        g2.transaction(async |tx| {
            b2.save(&tx).await?;
            b2.author
                .connect(&other)
                .properties(WrittenBy { year: 3 })
                .on(&tx)
                .await
        })
        .await
    })
    .await
    .unwrap()?;
    println!("{}", book.insert(&graph).await.unwrap_err());
    let rows: Vec<(Book, WrittenBy, Person)> = graph
        .cypher("MATCH (b:Book)-[r:WRITTEN_BY]->(p) WHERE r.year > $y RETURN b, r, p")
        .param("y", 1)
        .fetch(&graph)
        .await?;
    assert_eq!(rows.len(), 2);
    let mut s = Book::find()
        .order_by(Book::ISBN.asc())
        .stream(&graph)
        .await?;
    let mut n = 0;
    while let Some(b) = s.next().await {
        println!("{:?}", b?);
        n += 1;
    }
    assert_eq!(n, 2);
    assert_eq!(Book::find().count(&graph).await?, 2);
    book.delete(&graph).await?;
    println!("{}", book.update(&graph).await.unwrap_err());
    println!(
        "{:?}",
        graph.cypher("RETURN x").execute(&graph).await.unwrap_err()
    );
    Ok(())
}
