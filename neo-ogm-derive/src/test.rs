//! `#[neo_ogm::test]`: small enough for one file.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{ItemFn, Type};

use crate::parse::{self, Setting, Value};

const USAGE: &str = "a test is an async function that takes a graph: \
                     `async fn a_book_is_saved(graph: Graph) { … }`";

/// Writes the test, or what is wrong with it.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => test(arguments, &function).unwrap_or_else(|error| {
            let error = error.to_compile_error();
            quote!(#error #function)
        }),
        Err(error) => {
            let error = syn::Error::new(error.span(), USAGE).to_compile_error();
            quote!(#error #item)
        }
    }
}

fn test(arguments: TokenStream, function: &ItemFn) -> syn::Result<TokenStream> {
    let options = options(arguments)?;
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        return Err(syn::Error::new(signature.fn_token.span(), USAGE));
    }
    if !signature.generics.params.is_empty() {
        return Err(syn::Error::new_spanned(
            &signature.generics,
            "a test has no type parameters or lifetimes",
        ));
    }
    if signature.inputs.len() != 1 {
        return Err(syn::Error::new(signature.ident.span(), USAGE));
    }
    let (attributes, vis) = (&function.attrs, &function.vis);
    let (ident, output, inputs, body) = (
        &signature.ident,
        &signature.output,
        &signature.inputs,
        &function.block,
    );
    let (on, schema) = options;
    // Said at the argument, so that one of another type is reported there.
    let call = quote_spanned! {inputs.span()=>
        ::neo_ogm::testing::run(#on, schema, test)
    };
    Ok(quote! {
        #(#attributes)*
        #[::core::prelude::v1::test]
        #vis fn #ident() #output {
            async fn test(#inputs) #output #body
            let schema = #schema;
            #call
        }
    })
}

/// What it runs on, and the schema that is applied first.
fn options(arguments: TokenStream) -> syn::Result<(TokenStream, TokenStream)> {
    let mut on = quote!(::neo_ogm::testing::On::Either);
    let mut schema = quote!(::core::option::Option::None);
    for setting in parse::settings(arguments)? {
        match setting.name.to_string().as_str() {
            "on" => on = place(&setting)?,
            "schema" => {
                let set = types(&setting)?;
                schema = quote_spanned! {set.span()=>
                    ::core::option::Option::Some(::neo_ogm::schema::Schema::of::<#set>())
                };
            }
            other => {
                return Err(syn::Error::new(
                    setting.span(),
                    format!("`{other}` is no option of a test; known are `schema`, `on`"),
                ));
            }
        }
    }
    Ok((on, schema))
}

fn place(setting: &Setting) -> syn::Result<TokenStream> {
    let text = setting.text()?;
    match text.value().as_str() {
        "embedded" => Ok(quote!(::neo_ogm::testing::On::Embedded)),
        "server" => Ok(quote!(::neo_ogm::testing::On::Server)),
        other => Err(syn::Error::new(
            text.span(),
            format!(
                "`{other}` is nowhere; it is \"embedded\" or \"server\", and left out it is the \
                 server of NEO4J_TEST_URI where there is one"
            ),
        )),
    }
}

/// `schema = (Book, Person)`: an expression by its syntax, and a type by its meaning.
fn types(setting: &Setting) -> syn::Result<Type> {
    if let Value::Is(expression) = &setting.value
        && let Ok(set) = syn::parse2(quote!(#expression))
    {
        return Ok(set);
    }
    Err(syn::Error::new(
        setting.span(),
        "`schema` takes node structs: `schema = Book` or `schema = (Book, Person)`",
    ))
}
