//! Search: by words in a full-text index and by nearness in a vector index, ranked and combined
//! with filters; how an index is hinted at, and what the database makes of a question.
//!
//! All of it needs a Neo4j server; the embedded engine says so, and the program goes on.

use std::time::Duration;

use neo_ogm::prelude::*;
use neo_ogm_examples::isolated;

#[derive(Node, Debug, Clone)]
#[node(fulltext(title, summary, analyzer = "english"))]
struct Recipe {
    #[node(key)]
    name: String,
    #[node(fulltext)]
    title: String,
    summary: String,
    #[node(index)]
    minutes: i64,
    /// How sweet, how salty and how hot it is; elsewhere it would come from a language model.
    #[node(vector(dimensions = 3, similarity = "cosine"))]
    taste: Vec<f32>,
    #[relationship(type = "COOKED_BY")]
    cook: ZeroOrOne<Cook>,
}

#[derive(Node, Debug, Clone)]
struct Cook {
    #[node(key)]
    name: String,
}

async fn fill(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let recipes = [
        (
            "cake",
            "Honey cake",
            "Baked with honey and almonds",
            90,
            [0.9, 0.1, 0.0],
        ),
        (
            "curry",
            "Hot curry",
            "Cooked slowly: the hotter the better",
            60,
            [0.2, 0.4, 0.9],
        ),
        (
            "soup",
            "Curry soup",
            "A quick soup of yesterday's curry",
            15,
            [0.1, 0.6, 0.7],
        ),
        (
            "bread",
            "Flat bread",
            "Baking it takes no oven",
            30,
            [0.1, 0.7, 0.0],
        ),
    ];
    let recipes = recipes.map(|(name, title, summary, minutes, taste)| {
        let mut recipe = Recipe::new(name, title, summary, minutes);
        recipe.taste = taste.to_vec();
        recipe
    });
    graph.save_all(&recipes).await?;
    let cook = Cook::new("Madhur");
    cook.save(graph).await?;
    graph
        .connect_all(Recipe::COOK, [(&recipes[1], &cook), (&recipes[2], &cook)])
        .await
}

fn names(recipes: &[Recipe]) -> Vec<&str> {
    recipes.iter().map(|recipe| recipe.name.as_str()).collect()
}

/// Prints why something can't be done here. On a server that is a failure.
fn not_here(graph: &Graph, what: &str, error: neo_ogm::Error) -> Result<(), neo_ogm::Error> {
    if !graph.is_embedded() {
        return Err(error);
    }
    println!("{what}: {error}\n");
    Ok(())
}

async fn by_words(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let hits = Recipe::find()
        .search(Recipe::TITLE, "curry")
        .load(Recipe::COOK)
        .all(graph)
        .await?;
    for hit in &hits {
        let cook = hit.node.cook.get()?.map_or("nobody", |cook| &cook.name);
        println!("{:.2} {} by {cook}", hit.score, hit.node.title);
    }
    assert_eq!(hits.len(), 2);
    assert!(hits[0].score >= hits[1].score);

    // The index over both knows English, so that `baked` finds `baking`; and a filter goes along.
    let baked = Recipe::find()
        .filter(Recipe::MINUTES.lt(60))
        .search((Recipe::TITLE, Recipe::SUMMARY), "baked")
        .nodes(graph)
        .await?;
    assert_eq!(names(&baked), ["bread"]);

    // What a user types is words and nothing else, whatever signs are in it.
    for typed in [
        "\"curry",
        "curry) OR (*:*",
        "title:cake AND",
        "'} RETURN 1 //",
        "***",
        "",
    ] {
        let found = Recipe::find()
            .search(Recipe::TITLE, typed)
            .nodes(graph)
            .await?;
        println!("{typed:?} finds {:?}", names(&found));
    }
    // A program's own query may use the language of the index.
    let lucene = "title:soup OR summary:alm*";
    let found = Recipe::find()
        .search_lucene((Recipe::TITLE, Recipe::SUMMARY), lucene)
        .order_by(Recipe::NAME.asc())
        .nodes(graph)
        .await?;
    assert_eq!(names(&found), ["cake", "soup"]);
    Ok(())
}

async fn by_nearness(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let near = Recipe::find()
        .filter(Recipe::COOK.exists())
        .nearest(Recipe::TASTE, &[0.0, 0.5, 1.0], 3)
        .min_score(0.5)
        .all(graph)
        .await?;
    for hit in &near {
        println!("{:.2} {}", hit.score, hit.node.title);
    }
    assert_eq!(near[0].node.name, "curry");
    assert_eq!(near.len(), 2); // the third of the nearest has no cook
    Ok(())
}

async fn plans(graph: &Graph) -> Result<(), neo_ogm::Error> {
    let quick = Recipe::find()
        .filter(Recipe::MINUTES.lt(20))
        .using_index(Recipe::MINUTES);
    assert_eq!(names(&quick.clone().all(graph).await?), ["soup"]);
    let plan = quick.clone().explain(graph).await?;
    println!("\n{} would begin the answer", plan.operator_type());
    let profile = quick.profile(graph).await?;
    println!("{} gave {} row(s)", profile.operator_type(), profile.rows());
    assert_eq!(profile.rows(), 1);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), neo_ogm::Error> {
    isolated(async |graph| {
        let report = graph
            .apply_schema::<(Recipe, Cook)>()
            .skip_unsupported()
            .await_online(Duration::from_secs(60))
            .await?;
        println!("{report}\n");
        fill(&graph).await?;
        if let Err(error) = by_words(&graph).await {
            not_here(&graph, "words", error)?;
        }
        if let Err(error) = by_nearness(&graph).await {
            not_here(&graph, "nearness", error)?;
        }
        if let Err(error) = plans(&graph).await {
            not_here(&graph, "plans", error)?;
        }
        Ok(())
    })
    .await
}
