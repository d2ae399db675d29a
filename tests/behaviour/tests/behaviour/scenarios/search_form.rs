//! A form with fields that may be left empty: questions that are put together at run time.

use crate::common::{Backend, on_every_backend};
use neo_ogm::Error;
use neo_ogm::prelude::*;
use neo_ogm::query::Order;

on_every_backend!(what_is_left_empty_is_not_asked, an_order_is_chosen_by_name,);

#[derive(Node, Debug, Clone)]
#[node(label = "FormHouse")]
struct House {
    #[node(key)]
    address: String,
    town: String,
    price: i64,
    rooms: u32,
    garden: bool,
    tags: Vec<String>,
    #[relationship(type = "FORM_SOLD_BY")]
    agent: ZeroOrOne<Agent>,
}

#[derive(Node, Debug, Clone)]
#[node(label = "FormAgent")]
struct Agent {
    #[node(key)]
    name: String,
}

#[derive(Default)]
struct Form<'a> {
    towns: Vec<&'a str>,
    at_most: Option<i64>,
    rooms: Option<u32>,
    garden: Option<bool>,
    tags: Vec<&'a str>,
    agent: Option<String>,
    without_agent: bool,
    order: &'a str,
}

impl Form<'_> {
    fn filter(&self) -> Filter<House> {
        let mut all = vec![];
        if !self.towns.is_empty() {
            let towns = self.towns.iter();
            all.push(Filter::any(
                towns.map(|town| House::TOWN.eq_ignore_case(*town)),
            ));
        }
        all.extend(self.at_most.map(|price| House::PRICE.le(price)));
        all.extend(self.rooms.map(|rooms| House::ROOMS.ge(rooms)));
        all.extend(self.garden.map(|garden| House::GARDEN.eq(garden)));
        if !self.tags.is_empty() {
            all.push(House::TAGS.has_all(self.tags.iter().copied()));
        }
        let agent = self.agent.as_deref();
        let agent = agent.map(|name| House::AGENT.has(Agent::NAME.eq(name)));
        let none = self.without_agent.then(|| House::AGENT.is_empty());
        all.extend(match (agent, none) {
            (Some(agent), Some(none)) => Some(agent | none),
            (agent, none) => agent.or(none),
        });
        Filter::all(all)
    }

    /// Words such as `-price,address`.
    fn order(&self) -> Vec<Order<House>> {
        let words = self.order.split(',');
        words
            .filter_map(|word| match word {
                "price" => Some(House::PRICE.asc()),
                "-price" => Some(House::PRICE.desc()),
                "rooms" => Some(House::ROOMS.asc()),
                "-rooms" => Some(House::ROOMS.desc()),
                "address" => Some(House::ADDRESS.asc()),
                _ => None,
            })
            .collect()
    }
}

/// Four houses, and the end of each address in the order that the form asks for.
struct Town {
    graph: Graph,
    prefix: String,
}

impl Town {
    async fn build(backend: &Backend, name: &str) -> Self {
        let (graph, prefix) = (backend.graph().await, backend.key(name));
        let house = |n: u32, town: &str, price, rooms, garden, tags: &[&str]| {
            let mut house = House::new(format!("{prefix}-{n}"), town, price, rooms, garden);
            house.tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
            house
        };
        let houses = [
            house(1, "Uppsala", 300, 4, true, &["quiet", "lake"]),
            house(2, "Uppsala", 200, 2, false, &["centre"]),
            house(3, "Lund", 200, 5, true, &["quiet"]),
            house(4, "Lund", 900, 9, true, &[]),
        ];
        graph.save_all(&houses).await.unwrap();
        let agent = Agent::new(format!("{prefix}-Anna"));
        graph.save(&agent).await.unwrap();
        houses[0].agent.connect(&agent).await.unwrap();
        houses[3].agent.connect(&agent).await.unwrap();
        Self { graph, prefix }
    }

    async fn ask(&self, form: Form<'_>) -> Result<Vec<u32>, Error> {
        let mine = House::ADDRESS.starts_with(format!("{}-", self.prefix));
        let found = House::find()
            .filter(mine & form.filter())
            .order_by(form.order())
            .order_by((House::PRICE.asc(), House::ADDRESS.asc()))
            .all(&self.graph)
            .await?;
        let ends = found
            .iter()
            .filter_map(|house| house.address.rsplit('-').next());
        Ok(ends.filter_map(|end| end.parse().ok()).collect())
    }
}

async fn what_is_left_empty_is_not_asked(backend: Backend) {
    let town = Town::build(&backend, "form").await;
    let ask = async |form| town.ask(form).await.unwrap();
    let any = Form::default;
    assert_eq!(ask(any()).await, [2, 3, 1, 4]);
    let form = Form {
        towns: vec!["uppsala", "Gävle"],
        ..any()
    };
    assert_eq!(ask(form).await, [2, 1]);
    let form = Form {
        at_most: Some(300),
        garden: Some(true),
        ..any()
    };
    assert_eq!(ask(form).await, [3, 1]);
    let form = Form {
        tags: vec!["lake", "quiet"],
        rooms: Some(4),
        ..any()
    };
    assert_eq!(ask(form).await, [1]);
    let anna = Some(format!("{}-Anna", town.prefix));
    let form = Form {
        agent: anna.clone(),
        ..any()
    };
    assert_eq!(ask(form).await, [1, 4]);
    let form = Form {
        without_agent: true,
        ..any()
    };
    assert_eq!(ask(form).await, [2, 3]);
    let form = Form {
        agent: anna,
        without_agent: true,
        towns: vec!["Lund"],
        ..any()
    };
    assert_eq!(ask(form).await, [3, 4]);
}

async fn an_order_is_chosen_by_name(backend: Backend) {
    let town = Town::build(&backend, "order").await;
    let ask = async |order| {
        let form = Form {
            order,
            ..Form::default()
        };
        town.ask(form).await.unwrap()
    };
    assert_eq!(ask("").await, [2, 3, 1, 4]);
    assert_eq!(ask("-price").await, [4, 1, 2, 3]);
    assert_eq!(ask("price,-rooms").await, [3, 2, 1, 4]);
    assert_eq!(ask("nonsense,address").await, [1, 2, 3, 4]);
}
