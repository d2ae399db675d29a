//! Derive macros of neo-ogm.
use proc_macro::TokenStream;
/// x
#[proc_macro_derive(Node, attributes(node, relationship))]
pub fn node(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
/// x
#[proc_macro_derive(Property, attributes(property))]
pub fn property(_: TokenStream) -> TokenStream {
    TokenStream::new()
}
/// x
#[proc_macro_attribute]
pub fn relationship(_: TokenStream, i: TokenStream) -> TokenStream {
    i
}
