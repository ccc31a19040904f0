//! The members of an envelope in any order whatever.
//!
//! An envelope has six members, and the resource among them five: 86,400 orders. Deliberately absent: documents with
//! more, and more than one object within.

use super::json::{Node, parse};
use crate::diagnosis::budget::Budget;

/// Members that an object may have: 720 orders.
const MEMBERS_MAX: usize = 6;

/// Calls `check` with the document in every order, written without blanks, until it says to stop or the budget is spent.
pub(super) fn permutations<T>(
    text: &str,
    budget: &Budget,
    mut check: impl FnMut(&str) -> Option<T>,
) -> Option<T> {
    let Node::Object(outer) = parse(text)? else { return None };
    let inner = outer.iter().position(|(_, node)| matches!(node, Node::Object(_)));
    let inner_members = match inner.map(|at| &outer[at].1) {
        Some(Node::Object(members)) => members.as_slice(),
        _ => &[],
    };
    if outer.len() > MEMBERS_MAX || inner_members.len() > MEMBERS_MAX {
        return None;
    }
    let inner_parts: Vec<String> = inner_members.iter().map(member).collect();
    let mut outer_parts: Vec<String> = outer.iter().map(member).collect();
    // Some(None) ends it: nothing was found, and nothing is to be looked for any more.
    let found = each_order(&inner_parts, &mut |order| {
        if let Some(at) = inner {
            outer_parts[at] =
                format!("{}:{}", Node::Text(outer[at].0.clone()).compact(), object(&inner_parts, order));
        }
        each_order(&outer_parts, &mut |order| match check(&object(&outer_parts, order)) {
            None if !budget.is_spent() => None,
            found => Some(found),
        })
    });
    found.flatten()
}

fn member((name, node): &(String, Node)) -> String {
    format!("{}:{}", Node::Text(name.clone()).compact(), node.compact())
}

fn object(parts: &[String], order: &[usize]) -> String {
    let bytes = parts.iter().map(|part| part.len() + 1).sum::<usize>() + 2;
    let mut object = String::with_capacity(bytes);
    object.push('{');
    for (number, at) in order.iter().enumerate() {
        if number > 0 {
            object.push(',');
        }
        object.push_str(&parts[*at]);
    }
    object.push('}');
    object
}

/// Heap's algorithm, one call an order.
fn each_order<T>(parts: &[String], visit: &mut impl FnMut(&[usize]) -> Option<T>) -> Option<T> {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let mut counters = vec![0; parts.len()];
    if let Some(found) = visit(&order) {
        return Some(found);
    }
    let mut at = 1;
    while at < parts.len() {
        if counters[at] < at {
            order.swap(if at % 2 == 0 { 0 } else { counters[at] }, at);
            if let Some(found) = visit(&order) {
                return Some(found);
            }
            counters[at] += 1;
            at = 1;
        } else {
            counters[at] = 0;
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::permutations;
    use crate::diagnosis::budget::Budget;

    #[test]
    fn every_order_once() {
        let mut seen = HashSet::new();
        let text = r#"{"a":1,"b":{"x":"1","y":null,"z":[2, 3]},"c":"ü/"}"#;
        let found = permutations(text, &Budget::new(), |written| {
            assert!(seen.insert(written.to_owned()));
            None::<()>
        });
        assert_eq!((found, seen.len()), (None, 36));
        let wanted = r#"{"c":"ü/","b":{"z":[2,3],"x":"1","y":null},"a":1}"#;
        assert!(seen.contains(wanted));
    }
}
