use neo_ogm::prelude::*;

#[derive(Node)]
struct Person {
    #[node(key)]
    name: String,
}

#[derive(Nodes)]
enum Party {
    Person(Person),
    Again(Person),
    Company { name: String },
    Nobody,
}

#[derive(Nodes)]
enum Nothing {}

#[derive(Nodes)]
struct Group {
    person: Person,
}

#[derive(Nodes)]
#[nodes(lable = "Party")]
enum Misspelt {
    Person(Person),
}

fn main() {
    let _ = Party::find();
}
