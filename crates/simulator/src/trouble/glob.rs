//! Patterns of order numbers and paths: `*` stands for any characters, none too.

/// Whether a text fits a pattern.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    // Splitting gives one part at least.
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, expected) in [
            ("ORDER1", "ORDER1", true),
            ("ORDER1", "ORDER12", false),
            ("ORDER*", "ORDER", true),
            ("ORDER*", "ORDER12", true),
            ("*12", "ORDER12", true),
            ("*12", "ORDER123", false),
            ("A*B*C", "AxxByyC", true),
            ("A*B*C", "AxxC", false),
            ("A*A", "A", false),
            ("*", "", true),
            ("", "", true),
            ("", "x", false),
            ("桌*", "桌7", true),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
