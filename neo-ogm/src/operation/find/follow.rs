//! From what a question finds to what its nodes are related with.

use super::Find;
use super::question::{Question, Start};
use crate::mapping::Entity;
use crate::query::{Filter, Follow};

impl<N: Entity> Find<N> {
    /// Goes over a relationship from the nodes found so far: what follows is about the nodes at its
    /// other end, each of which comes once.
    ///
    /// ```
    /// # use neo_ogm::prelude::*;
    /// # #[derive(Node)]
    /// # struct Book {
    /// #     #[node(key)] isbn: String, title: String,
    /// #     #[relationship(type = "WRITTEN_BY")] author: One<Person>,
    /// # }
    /// # #[derive(Node)]
    /// # struct Person {
    /// #     #[node(key)] name: String, born: Option<i32>,
    /// #     #[relationship(type = "WRITTEN_BY", direction = "in")] books: Many<Book>,
    /// # }
    /// # async fn example(graph: Graph) -> Result<(), neo_ogm::Error> {
    /// // What the author of a book has written.
    /// let books: Vec<Book> = Book::find_by_isbn("978-0-14-303500-8")
    ///     .follow(Book::AUTHOR)
    ///     .filter(Person::BORN.lt(1850))
    ///     .follow(Person::BOOKS)
    ///     .order_by(Book::TITLE.asc())
    ///     .all(&graph)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn follow<F: Follow<N>>(self, step: F) -> Find<F::End> {
        let mut question = Question::new(<F::End as Entity>::ENTITY);
        let mut earlier = self.question;
        earlier.loads.clear();
        question.start = Start::Walk(Box::new(earlier), step.into_step().0);
        Find::of(question)
    }

    /// As [`follow`](Self::follow), over those relationships only that pass `filter`.
    pub fn follow_where<F: Follow<N>>(
        self,
        step: F,
        filter: Filter<F::Relationship>,
    ) -> Find<F::End> {
        let mut find = self.follow(step);
        if let Start::Walk(_, hop) = &mut find.question.start {
            hop.relationship.push(filter.condition);
        }
        find
    }
}
