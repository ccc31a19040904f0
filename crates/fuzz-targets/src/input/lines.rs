//! Inputs whose first lines say how to take the rest. Invariant: any bytes are such an input.

/// The first line, without its end, and what comes behind it.
pub(crate) fn first(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}

/// The first line as text; what is not UTF-8 in it is replaced.
pub(crate) fn first_text(input: &[u8]) -> (String, &[u8]) {
    let (line, rest) = first(input);
    (String::from_utf8_lossy(line).into_owned(), rest)
}
