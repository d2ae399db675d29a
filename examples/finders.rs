//! Typed questions: filters of every kind, orders, the last words of a finder, and projections.

use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
struct Film {
    #[node(key)]
    title: String,
    #[node(index)]
    year: i32,
    minutes: Option<u32>,
    tags: Vec<String>,
    opened: Option<Date>,
    #[relationship(type = "DIRECTED_BY")]
    director: ZeroOrOne<Person>,
    #[relationship(type = "PLAYED_BY")]
    cast: Many<Person, PlayedBy>,
}

#[derive(Node, Debug, Clone)]
struct Person {
    #[node(key)]
    name: String,
    born: Option<i32>,
    #[relationship(type = "DIRECTED_BY", direction = "in")]
    directed: Many<Film>,
}

#[relationship(type = "PLAYED_BY")]
#[derive(Debug, Clone)]
struct PlayedBy {
    role: String,
}

/// Some of a film and of its director, for `select_as`.
#[derive(Projection, Debug)]
#[projection(of = Film)]
struct Card {
    title: String,
    minutes: Option<u32>,
    #[projection(from = Film::DIRECTOR.to(Person::NAME).first())]
    director: Option<String>,
}

/// A row by the names of its columns, for `all_as`.
#[derive(serde::Deserialize, Debug, PartialEq)]
struct Listing {
    title: String,
    hours: i64,
}

async fn fill(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let people = [
        ("Akira Kurosawa", Some(1910)),
        ("Toshiro Mifune", Some(1920)),
        ("Takashi Shimura", Some(1905)),
        ("A stranger", None),
    ];
    let people = people.map(|(name, born)| {
        let mut person = Person::new(name);
        person.born = born;
        person
    });
    graph.save_all(&people).await?;
    let [kurosawa, mifune, shimura, _] = &people;

    let films = [
        ("Seven Samurai", 1954, Some(207), vec!["samurai", "epic"]),
        ("Ikiru", 1952, Some(143), vec!["drama"]),
        ("Yojimbo", 1961, Some(110), vec!["samurai"]),
        ("Lost", 1928, None, vec![]),
    ];
    let films = films.map(|(title, year, minutes, tags)| {
        let mut film = Film::new(title, year);
        film.tags = tags.into_iter().map(str::to_owned).collect();
        film.minutes = minutes;
        film
    });
    graph.save_all(&films).await?;
    let [samurai, ikiru, yojimbo, _] = &films;

    let directed = [samurai, ikiru, yojimbo].map(|film| (film, kurosawa));
    graph.connect_all(Film::DIRECTOR, directed).await?;
    let played = [
        (samurai, mifune, "Kikuchiyo"),
        (samurai, shimura, "Kambei"),
        (ikiru, shimura, "Watanabe"),
        (yojimbo, mifune, "Sanjuro"),
    ];
    let played = played.map(|(film, actor, role)| {
        (
            film,
            actor,
            PlayedBy {
                role: role.to_owned(),
            },
        )
    });
    graph.connect_all(Film::CAST, played).await
}

/// The titles of the films that pass a filter, by year.
async fn titles(
    graph: &Graph,
    what: &str,
    filter: Filter<Film>,
) -> Result<Vec<String>, neo_ogm::Error> {
    let films = Film::find()
        .filter(filter)
        .order_by(Film::YEAR.asc())
        .all(graph)
        .await?;
    let titles: Vec<String> = films.into_iter().map(|film| film.title).collect();
    println!("{what}: {}", titles.join(", "));
    Ok(titles)
}

async fn filters(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let fifties = Film::YEAR.between(1950, 1959);
    assert_eq!(
        titles(graph, "of the fifties", fifties).await?,
        ["Ikiru", "Seven Samurai"]
    );

    let named = Film::TITLE
        .contains_ignore_case("SAM")
        .or(Film::TITLE.in_list(["Lost", "Found"]));
    assert_eq!(
        titles(graph, "by title", named).await?,
        ["Lost", "Seven Samurai"]
    );

    let short = Film::MINUTES.lt(150).and(Film::TAGS.has("samurai"));
    assert_eq!(
        titles(graph, "short, with swords", short).await?,
        ["Yojimbo"]
    );

    let unknown = Film::MINUTES.is_null().and(!Film::DIRECTOR.exists());
    assert_eq!(
        titles(graph, "nobody knows much of", unknown).await?,
        ["Lost"]
    );

    // Through relationships, at any depth, and by what they carry.
    let colleague = Person::DIRECTED
        .has(Film::CAST.has_both(Person::BORN.lt(1910), PlayedBy::ROLE.eq("Watanabe")));
    let deep = Film::DIRECTOR.has(colleague).and(Film::CAST.count().ge(2));
    assert_eq!(
        titles(graph, "by the director of Watanabe, with two", deep).await?,
        ["Seven Samurai"]
    );

    // Computed by the database.
    let computed = (Film::YEAR % 2).eq(0).and(Film::TITLE.len().lt(8));
    assert_eq!(
        titles(graph, "of even years, with short titles", computed).await?,
        ["Lost", "Ikiru"]
    );
    Ok(())
}

async fn last_words(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let ikiru = Film::find_by_title("Ikiru").get(graph).await?;
    assert_eq!(ikiru.year, 1952);
    assert!(
        Film::find_by_title("Ran")
            .get_or_none(graph)
            .await?
            .is_none()
    );

    let missing = Film::find_by_title("Ran").get(graph).await;
    println!("Ran: {}", missing.expect_err("it is not there"));
    let several = Film::find().one(graph).await;
    println!("the film: {}", several.expect_err("there are four"));

    let oldest = Film::find().order_by(Film::YEAR.asc()).first(graph).await?;
    assert_eq!(oldest.map(|film| film.title).as_deref(), Some("Lost"));
    assert_eq!(
        Film::find()
            .exclude(Film::MINUTES.gt(150))
            .count(graph)
            .await?,
        3
    );
    assert!(
        Person::find()
            .filter(Person::DIRECTED.is_empty())
            .exists(graph)
            .await?
    );
    Ok(())
}

async fn projections(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let rows: Vec<(String, i32, Vec<String>, Option<String>)> = Film::find()
        .order_by(Film::CAST.count().desc())
        .order_by(Film::TITLE.lower().asc())
        .limit(2)
        .select((
            Film::TITLE,
            Film::YEAR,
            Film::CAST.to_relationship(PlayedBy::ROLE),
            Film::DIRECTOR.to(Person::NAME).first(),
        ))
        .all(graph)
        .await?;
    for (title, year, roles, director) in &rows {
        println!(
            "{title} ({year}), by {}: {} role(s)",
            director.as_deref().unwrap_or("?"),
            roles.len()
        );
    }
    assert_eq!(rows[0].2.len(), 2);

    let cards: Vec<Card> = Film::find_by_year(1961)
        .select_as::<Card>()
        .all(graph)
        .await?;
    println!("{:?}", cards[0]);
    assert_eq!(cards[0].director.as_deref(), Some("Akira Kurosawa"));
    assert_eq!(
        (cards[0].title.as_str(), cards[0].minutes),
        ("Yojimbo", Some(110))
    );

    let listings: Vec<Listing> = Film::find()
        .filter(Film::MINUTES.ge(120))
        .order_by(Film::YEAR.desc())
        .select((Film::TITLE, named("hours", Film::MINUTES / 60)))
        .all_as(graph)
        .await?;
    let expected = [("Seven Samurai", 3), ("Ikiru", 2)];
    assert_eq!(
        listings,
        expected.map(|(title, hours)| Listing {
            title: title.to_owned(),
            hours
        })
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    // What is sent can be read at any time; values stay parameters.
    let find = Film::find()
        .filter(Film::CAST.has(Person::NAME.starts_with("Toshiro")))
        .limit(5);
    println!("{}\n", find.to_cypher());

    isolated(async |graph| {
        graph.apply_schema::<(Film, Person)>().await?;
        fill(&graph).await?;
        filters(&graph).await?;
        last_words(&graph).await?;
        projections(&graph).await
    })
    .await
}
