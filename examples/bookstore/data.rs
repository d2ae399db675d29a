//! Real books, by real people, of the years when they were first published.

use crate::model::Genre::{self, Epic, Novel, Novella, Satire, ShortStories};

/// Name, year of birth and country.
pub(crate) const AUTHORS: [(&str, i32, &str); 16] = [
    ("Miguel de Cervantes", 1547, "Spain"),
    ("Jonathan Swift", 1667, "Ireland"),
    ("Jane Austen", 1775, "England"),
    ("Mary Shelley", 1797, "England"),
    ("Nikolai Gogol", 1809, "Russia"),
    ("Charles Dickens", 1812, "England"),
    ("Herman Melville", 1819, "United States"),
    ("Gustave Flaubert", 1821, "France"),
    ("Fyodor Dostoevsky", 1821, "Russia"),
    ("Leo Tolstoy", 1828, "Russia"),
    ("Mark Twain", 1835, "United States"),
    ("Anton Chekhov", 1860, "Russia"),
    ("James Joyce", 1882, "Ireland"),
    ("Virginia Woolf", 1882, "England"),
    ("Franz Kafka", 1883, "Bohemia"),
    ("Dante Alighieri", 1265, "Italy"),
];

/// Title, author, year, genre and (in a common edition) the number of pages.
pub(crate) const BOOKS: [(&str, &str, i32, Genre, Option<u32>); 26] = [
    ("Divine Comedy", "Dante Alighieri", 1321, Epic, Some(798)),
    (
        "Don Quixote",
        "Miguel de Cervantes",
        1605,
        Novel,
        Some(1072),
    ),
    (
        "Gulliver's Travels",
        "Jonathan Swift",
        1726,
        Satire,
        Some(306),
    ),
    (
        "Sense and Sensibility",
        "Jane Austen",
        1811,
        Novel,
        Some(409),
    ),
    ("Pride and Prejudice", "Jane Austen", 1813, Novel, Some(432)),
    ("Emma", "Jane Austen", 1815, Novel, Some(474)),
    ("Frankenstein", "Mary Shelley", 1818, Novel, Some(280)),
    ("Dead Souls", "Nikolai Gogol", 1842, Novel, Some(402)),
    (
        "David Copperfield",
        "Charles Dickens",
        1850,
        Novel,
        Some(882),
    ),
    ("Moby-Dick", "Herman Melville", 1851, Novel, Some(635)),
    ("Bleak House", "Charles Dickens", 1853, Novel, Some(1017)),
    ("Madame Bovary", "Gustave Flaubert", 1857, Novel, Some(329)),
    (
        "Great Expectations",
        "Charles Dickens",
        1861,
        Novel,
        Some(544),
    ),
    (
        "Notes from Underground",
        "Fyodor Dostoevsky",
        1864,
        Novella,
        Some(136),
    ),
    (
        "Crime and Punishment",
        "Fyodor Dostoevsky",
        1866,
        Novel,
        Some(671),
    ),
    ("War and Peace", "Leo Tolstoy", 1869, Novel, Some(1225)),
    ("Anna Karenina", "Leo Tolstoy", 1878, Novel, Some(864)),
    (
        "The Brothers Karamazov",
        "Fyodor Dostoevsky",
        1880,
        Novel,
        Some(796),
    ),
    (
        "Adventures of Huckleberry Finn",
        "Mark Twain",
        1884,
        Novel,
        Some(366),
    ),
    (
        "The Death of Ivan Ilyich",
        "Leo Tolstoy",
        1886,
        Novella,
        Some(86),
    ),
    (
        "The Lady with the Dog",
        "Anton Chekhov",
        1899,
        ShortStories,
        None,
    ),
    ("Dubliners", "James Joyce", 1914, ShortStories, Some(152)),
    ("The Metamorphosis", "Franz Kafka", 1915, Novella, Some(201)),
    ("Ulysses", "James Joyce", 1922, Novel, Some(730)),
    ("Mrs Dalloway", "Virginia Woolf", 1925, Novel, Some(194)),
    (
        "To the Lighthouse",
        "Virginia Woolf",
        1927,
        Novel,
        Some(209),
    ),
];

/// Which book left its mark on which.
pub(crate) const INFLUENCES: [(&str, &str); 7] = [
    ("Don Quixote", "Dead Souls"),
    ("Don Quixote", "Madame Bovary"),
    ("Don Quixote", "Moby-Dick"),
    ("Madame Bovary", "Anna Karenina"),
    ("Dead Souls", "Notes from Underground"),
    ("Notes from Underground", "The Metamorphosis"),
    ("Ulysses", "Mrs Dalloway"),
];
