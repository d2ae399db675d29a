//! What programs do with a graph, from end to end.

mod organisation;
mod playlists;
mod recommendations;
mod repeated_import;
mod search_form;
mod transfers;
