use neo_ogm::prelude::*;

#[derive(Node)]
#[node(labels("Party"))]
struct Person {
    #[node(key)]
    name: String,
}

#[derive(Node)]
#[node(label = "Person")]
struct Human {
    #[node(key)]
    name: String,
}

#[derive(Nodes)]
enum Same {
    Person(Person),
    Human(Human),
}

#[derive(Nodes)]
#[nodes(label = "Party")]
enum Party {
    Person(Person),
    Human(Human),
}

fn main() {}
