//! The description of the API (`docs/perf-api.yaml`) beside what is answered.

use kadscope_perf::{API_ROUTES, OperationAnswer, ProvideOrder, RetrieveOrder};

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/perf-api.yaml");
    std::fs::read_to_string(path).expect("the description")
}

/// Each path of the description with its methods, as they are written.
fn described(page: &str) -> Vec<(String, Vec<String>)> {
    let paths =
        page.split_once("\npaths:\n").expect("paths").1.split("\ncomponents:").next().expect("their end");
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for line in paths.lines() {
        let name = line.trim().trim_end_matches(':');
        match line.len() - line.trim_start().len() {
            2 => all.push((name.to_owned(), Vec::new())),
            4 => all.last_mut().expect("a path").1.push(name.to_uppercase()),
            _ => {}
        }
    }
    all.sort();
    all
}

#[test]
fn every_route_is_described_with_its_methods_and_no_other() {
    let routes = API_ROUTES.iter().map(|(path, methods)| {
        ((*path).to_owned(), methods.iter().map(|&method| method.to_owned()).collect::<Vec<_>>())
    });
    assert_eq!(described(&page()), routes.collect::<Vec<_>>());
}

#[test]
fn the_examples_are_what_is_read_and_written() {
    let page = page();
    let examples = page.lines().filter_map(|line| line.trim().strip_prefix("example: "));
    let examples: Vec<&str> = examples.collect();
    let [provide, answer, retrieve] = examples[..] else { panic!("{examples:?}") };
    assert_eq!(ProvideOrder::read(provide.as_bytes()).expect("an order").content, b"gold");
    assert!(RetrieveOrder::read(retrieve.as_bytes()).is_ok());
    let read: OperationAnswer = serde_json::from_str(answer).expect("an answer");
    let written = serde_json::to_string(&read).expect("JSON");
    assert_eq!(written, answer.replace(": ", ":").replace(", ", ",").replace("{ ", "{").replace(" }", "}"));
    for name in ["id", "deadline", "connections", "persistence", "readback", "kept"] {
        assert!(page.contains(&format!("\n      name: {name}\n")), "{name}");
    }
}
