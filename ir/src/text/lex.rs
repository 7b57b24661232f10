//! Cuts a text into tokens with their lines, in one pass and without copying but for strings.

use crate::error::IrError;

/// One token.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Token<'t> {
    /// A run of letters, digits, `_`, `.`, `+` and `-`: a keyword, a value, a number.
    Word(&'t str),
    /// A quoted string, unescaped.
    Text(String),
    /// `->`
    Arrow,
    /// Any of `( ) { } [ ] , : = @`.
    Mark(char),
    /// The end of a line that holds a token.
    Newline,
    /// The end of the text.
    End,
}

impl Token<'_> {
    /// The token as an error message shows it.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Word(word) => format!("`{}`", shortened(word)),
            Token::Text(text) => format!("the string {:?}", shortened(text)),
            Token::Arrow => "`->`".into(),
            Token::Mark(mark) => format!("`{mark}`"),
            Token::Newline => "the end of the line".into(),
            Token::End => "the end of the text".into(),
        }
    }
}

fn shortened(text: &str) -> String {
    const LENGTH: usize = 40;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into(),
    }
}

pub(super) struct Lexer<'t> {
    rest: &'t str,
    line: usize,
    /// Whether the line so far holds a token.
    in_line: bool,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lexer { rest: text, line: 1, in_line: false }
    }

    /// The next token and its line.
    pub(super) fn next(&mut self) -> Result<(Token<'t>, usize), IrError> {
        loop {
            self.skip_blanks();
            let line = self.line;
            let Some(first) = self.rest.chars().next() else {
                let last = std::mem::take(&mut self.in_line);
                return Ok((if last { Token::Newline } else { Token::End }, line));
            };
            if first != '\n' {
                self.in_line = true;
                return Ok((self.token(first)?, line));
            }
            self.rest = &self.rest[1..];
            self.line += 1;
            if std::mem::take(&mut self.in_line) {
                return Ok((Token::Newline, line));
            }
        }
    }

    /// Skips spaces, and the comment that may end the line.
    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
        if self.rest.starts_with(';') {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        }
    }

    fn token(&mut self, first: char) -> Result<Token<'t>, IrError> {
        if let Some(rest) = self.rest.strip_prefix("->") {
            self.rest = rest;
            return Ok(Token::Arrow);
        }
        match first {
            '(' | ')' | '{' | '}' | '[' | ']' | ',' | ':' | '=' | '@' => {
                self.rest = &self.rest[1..];
                Ok(Token::Mark(first))
            }
            '"' => self.string(),
            _ if is_word(first) => {
                let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
                let (word, rest) = self.rest.split_at(end);
                self.rest = rest;
                Ok(Token::Word(word))
            }
            _ => Err(self.error(format!("no token starts with {first:?}"))),
        }
    }

    fn string(&mut self) -> Result<Token<'t>, IrError> {
        let mut text = String::new();
        let mut chars = self.rest[1..].char_indices();
        loop {
            match chars.next() {
                Some((at, '"')) => {
                    self.rest = &self.rest[1 + at + 1..];
                    return Ok(Token::Text(text));
                }
                Some((_, '\\')) => match escape(&mut chars) {
                    Some(c) => text.push(c),
                    None => return Err(self.error("expected one of the escapes \\\\ \\\" \\n \\u{…}".into())),
                },
                Some((_, '\n' | ';')) | None => {
                    return Err(self.error("expected `\"` at the end of a string".into()));
                }
                Some((_, c)) => text.push(c),
            }
        }
    }

    fn error(&self, message: String) -> IrError {
        IrError::Parse { line: self.line, message }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '+' | '-')
}

/// The character of an escape whose backslash has been read.
fn escape(chars: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    match chars.next()?.1 {
        'n' => Some('\n'),
        c @ ('"' | '\\') => Some(c),
        'u' => {
            let '{' = chars.next()?.1 else { return None };
            let mut code = 0u32;
            for (_, digit) in chars {
                match digit {
                    '}' => return char::from_u32(code),
                    _ => code = code.checked_mul(16)?.checked_add(digit.to_digit(16)?)?,
                }
            }
            None
        }
        _ => None,
    }
}
