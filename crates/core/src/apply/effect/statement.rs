//! A statement with named parameters, parsed once, for every database.

use std::{fmt, sync::Arc};

use super::scan::{Piece, scan};

/// What a statement may begin with: what reads or changes rows, and can be undone. A procedure could commit by itself.
const KINDS: [&str; 7] = ["INSERT", "UPDATE", "DELETE", "SELECT", "WITH", "REPLACE", "MERGE"];

/// One SQL statement with parameters such as `:out_trade_no`.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    source: String,
    names: Vec<String>,
    numbered: Arc<str>,
    marked: Arc<str>,
    /// For each parameter in the text, its place among the names.
    places: Vec<usize>,
}

/// Why a text is no statement that an effect may execute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Nothing but white space and comments.
    #[error("it is empty")]
    Empty,
    /// It begins with another word.
    #[error(
        "it begins with {word}; expected one of {}: what defines tables, ends the transaction or calls a procedure \
         (which may end it) cannot be undone together with the payment",
        KINDS.join(", ")
    )]
    Kind {
        /// The first word.
        word: String,
    },
    /// Something follows the semicolon.
    #[error("a second statement follows the semicolon; write one statement a text, in a list")]
    Second,
    /// A quote or a comment that nothing ends.
    #[error("what {opened_by} opens is not closed")]
    Unterminated {
        /// What opened it.
        opened_by: String,
    },
    /// A parameter of another style, or a variable.
    #[error(
        "{written} marks no parameter here and means other things in other databases; write parameters as :name, and \
         texts in single quotes"
    )]
    Placeholder {
        /// What was written.
        written: String,
    },
    /// A backslash before a quote.
    #[error(
        "a backslash stands before a quote, which databases read differently; double the quote in its place"
    )]
    Backslash,
    /// A comment that is none everywhere.
    #[error("databases read this comment differently; write -- and a space, or /* */ without another in it")]
    Comment,
    /// It has a NUL.
    #[error("a NUL character stands in it")]
    Nul,
}

impl Statement {
    /// Parses a statement: `:name` is a parameter unless it stands in a text, a quoted name or a comment; `::` is
    /// PostgreSQL's cast.
    ///
    /// # Errors
    /// [`StatementError`], which says what to write instead.
    pub fn parse(sql: &str) -> Result<Self, StatementError> {
        let (pieces, first_word) = scan(sql)?;
        if !KINDS.contains(&first_word.to_ascii_uppercase().as_str()) {
            return Err(StatementError::Kind { word: first_word.to_owned() });
        }
        let (mut names, mut places) = (Vec::new(), Vec::new());
        let (mut numbered, mut marked) = (String::with_capacity(sql.len()), String::with_capacity(sql.len()));
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    numbered.push_str(text);
                    marked.push_str(text);
                }
                Piece::Parameter(name) => {
                    let known = names.iter().position(|known| known == name);
                    let place = known.unwrap_or(names.len());
                    if known.is_none() {
                        names.push(name.to_owned());
                    }
                    places.push(place);
                    numbered.push_str(&format!("${}", place + 1));
                    marked.push('?');
                }
            }
        }
        let source = sql.trim().to_owned();
        Ok(Self { source, names, numbered: numbered.into(), marked: marked.into(), places })
    }

    /// As it was written.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The names of its parameters, each once, in the order in which they come.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// With `$1`, `$2` … for its names.
    #[must_use]
    pub fn numbered(&self) -> &Arc<str> {
        &self.numbered
    }

    /// With `?` for each parameter.
    #[must_use]
    pub fn marked(&self) -> &Arc<str> {
        &self.marked
    }

    /// For each `?`, the place of its name among the [names](Self::names).
    #[must_use]
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// Of arguments for its [names](Self::names), one for each `?`.
    pub fn in_order<'s, T>(&'s self, arguments: &'s [T]) -> impl Iterator<Item = &'s T> {
        self.places.iter().filter_map(|&place| arguments.get(place))
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Statement").field(&self.source).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn parsed(sql: &str) -> Statement {
        Statement::parse(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    #[test]
    fn parameters_are_named_once_and_rendered_for_each_database() {
        let sql = "UPDATE shop_orders SET paid = :amount, seen = :amount WHERE no = :out_trade_no;";
        let statement = parsed(sql);
        assert_eq!(statement.names(), ["amount", "out_trade_no"]);
        assert_eq!(&**statement.numbered(), "UPDATE shop_orders SET paid = $1, seen = $1 WHERE no = $2");
        assert_eq!(&**statement.marked(), "UPDATE shop_orders SET paid = ?, seen = ? WHERE no = ?");
        assert_eq!(statement.in_order(&["1", "N"]).copied().collect::<Vec<_>>(), ["1", "1", "N"]);
        assert_eq!(statement.source(), sql);
    }

    #[test]
    fn what_only_looks_like_a_parameter_is_none() {
        for (sql, names) in [
            ("SELECT ':a', \":b\", `:c`", &[][..]),
            ("SELECT 'it''s :a', :b", &["b"]),
            ("SELECT \"a\"\":b\", :c", &["c"]),
            ("SELECT :a::jsonb -> 'x', '{}'::jsonb", &["a"]),
            ("SELECT f(n := 1, m => :b)", &["b"]),
            ("SELECT x[1:2], :a", &["a"]),
            ("SELECT :a -- :b 'x\n, :c", &["a", "c"]),
            ("SELECT :a /* :b ' -- */, :c", &["a", "c"]),
            ("SELECT '-- /*', :a", &["a"]),
            ("SELECT 'c:\\temp\\\\', :a", &["a"]),
            ("SELECT :body::jsonb #>> '{data,detail}', :a @> b, d @@ :e", &["body", "a", "e"]),
            ("SELECT :a:b", &["a", "b"]),
            ("SELECT 12:30, :_x9", &["_x9"]),
            ("SELECT 订单$1, a$b FROM 表 WHERE x = :a", &["a"]),
            ("( select :a )", &["a"]),
            ("-- comment\nwith x as (select 1) update y set z = :a ; -- end\n", &["a"]),
        ] {
            assert_eq!(parsed(sql).names(), names, "{sql}");
        }
    }

    #[test]
    fn what_cannot_be_undone_or_means_two_things_is_refused() {
        use StatementError as E;
        let kind = |word: &str| E::Kind { word: word.to_owned() };
        let placeholder = |written: &str| E::Placeholder { written: written.to_owned() };
        let open = |opened_by: &str| E::Unterminated { opened_by: opened_by.to_owned() };
        for (sql, error) in [
            ("", E::Empty),
            (" ; -- nothing\n", E::Empty),
            ("COMMIT", kind("COMMIT")),
            ("/* x */ rollback", kind("rollback")),
            ("BEGIN", kind("BEGIN")),
            ("START TRANSACTION", kind("START")),
            ("SAVEPOINT a", kind("SAVEPOINT")),
            ("RELEASE a", kind("RELEASE")),
            ("SET autocommit = 1", kind("SET")),
            ("CREATE TABLE a (b int)", kind("CREATE")),
            ("DROP TABLE a", kind("DROP")),
            ("ALTER TABLE a ADD b int", kind("ALTER")),
            ("TRUNCATE a", kind("TRUNCATE")),
            ("CALL pay(:a)", kind("CALL")),
            ("DO 1", kind("DO")),
            ("DO $$ BEGIN END $$", placeholder("$")),
            ("ATTACH 'x' AS y", kind("ATTACH")),
            ("PRAGMA journal_mode = OFF", kind("PRAGMA")),
            ("LOCK TABLE a", kind("LOCK")),
            ("12", kind("12")),
            ("SELECT 1; SELECT 2", E::Second),
            ("SELECT 1;;", E::Second),
            ("SELECT 1; COMMIT", E::Second),
            ("SELECT 'a", open("'")),
            ("SELECT 'a''", open("'")),
            ("SELECT \"a", open("\"")),
            ("SELECT `a", open("`")),
            ("SELECT 1 /* a", open("/*")),
            ("UPDATE a SET b = ?", placeholder("?")),
            ("UPDATE a SET b = $1", placeholder("$")),
            ("SELECT $$a$$", placeholder("$")),
            ("SELECT @a", placeholder("@")),
            ("SELECT @@autocommit", placeholder("@")),
            ("SELECT 'it\\'s :a'", E::Backslash),
            ("SELECT \"\\\\\\\"", E::Backslash),
            ("SELECT 1 # :a", E::Comment),
            ("SELECT 1 --:a", E::Comment),
            ("SELECT 1 /*! , 2 */", E::Comment),
            ("SELECT 1 /*M! , 2 */", E::Comment),
            ("SELECT 1 /* a /* b */ c */", E::Comment),
            ("SELECT '\0'", E::Nul),
            ("SELECT \0", E::Nul),
        ] {
            assert_eq!(Statement::parse(sql), Err(error), "{sql}");
        }
    }

    proptest! {
        /// Whatever stands in quotes stays there, and what follows is still a parameter.
        #[test]
        fn a_text_never_becomes_a_parameter(inside in "[a-z:;?$@#/*' \"\u{8ba2}\n-]{0,12}") {
            let quoted = inside.replace('\'', "''");
            let sql = format!("UPDATE a SET b = '{quoted}' WHERE c = :d");
            let statement = parsed(&sql);
            prop_assert_eq!(statement.names(), ["d"]);
            prop_assert_eq!(&**statement.marked(), format!("UPDATE a SET b = '{quoted}' WHERE c = ?"));
        }

        /// Any text at all is parsed or refused, and what is parsed is all there.
        #[test]
        fn no_text_makes_it_panic(text in "(SELECT )?([':;?$@#/*\"`\\\\ a-c\u{1f600}\n-]|::|:x|--|/\\*){0,16}") {
            if let Ok(statement) = Statement::parse(&text) {
                prop_assert_eq!(statement.marked().matches('?').count() >= statement.names().len(), true);
                prop_assert!(statement.source().len() <= text.len());
            }
        }
    }
}
