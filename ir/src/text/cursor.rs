//! Reads the phrases that need no table of the program: marks, numbers, names, types and constants.

use super::lex::{Lexer, Token};
use crate::entity::{CalleeId, Level};
use crate::error::IrError;
use crate::program::Role;
use crate::solver::{Method, Solver};
use crate::structure::{Aim, Checkpoint, LoopSpec, Reduction, Strides, Trips};
use crate::types::{Elem, Literal, Shape, Type};

/// The result of reading.
pub(super) type Read<T> = Result<T, IrError>;

/// A value as written: its number, and its role and level if these were given.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) number: u32,
    pub(super) suffix: Option<(Role, Level)>,
}

/// A place in the text, with one token of lookahead.
pub(super) struct Cursor<'t> {
    lexer: Lexer<'t>,
    pub(super) next: Token<'t>,
    /// The line of `next`.
    pub(super) line: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Read<Self> {
        let mut lexer = Lexer::new(text);
        let (next, line) = lexer.next()?;
        Ok(Cursor { lexer, next, line })
    }

    pub(super) fn advance(&mut self) -> Read<Token<'t>> {
        let (next, line) = self.lexer.next()?;
        self.line = line;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// An error at the next token.
    pub(super) fn fail<T>(&self, message: String) -> Read<T> {
        Err(IrError::Parse { line: self.line, message })
    }

    /// The error that the next token is not `what`.
    pub(super) fn expected<T>(&self, what: &str) -> Read<T> {
        self.fail(format!("expected {what}, found {}", self.next.describe()))
    }

    pub(super) fn word(&mut self, what: &str) -> Read<&'t str> {
        let Token::Word(word) = self.next else { return self.expected(what) };
        self.advance()?;
        Ok(word)
    }

    pub(super) fn keyword(&mut self, keyword: &str) -> Read<()> {
        self.token(Token::Word(keyword), &format!("`{keyword}`"))
    }

    pub(super) fn mark(&mut self, mark: char) -> Read<()> {
        if self.skip(mark)? { Ok(()) } else { self.expected(&format!("`{mark}`")) }
    }

    pub(super) fn arrow(&mut self) -> Read<()> {
        self.token(Token::Arrow, "`->`")
    }

    pub(super) fn end_line(&mut self) -> Read<()> {
        self.token(Token::Newline, "the end of the line")
    }

    fn token(&mut self, token: Token<'_>, what: &str) -> Read<()> {
        if self.next != token {
            return self.expected(what);
        }
        self.advance().map(drop)
    }

    /// Whether `mark` came next; it is read.
    pub(super) fn skip(&mut self, mark: char) -> Read<bool> {
        let comes = self.next == Token::Mark(mark);
        if comes {
            self.advance()?;
        }
        Ok(comes)
    }

    /// Whether this word came next; it is read.
    pub(super) fn skip_word(&mut self, word: &str) -> Read<bool> {
        let comes = self.next == Token::Word(word);
        if comes {
            self.advance()?;
        }
        Ok(comes)
    }

    /// A list of what `item` reads, in parentheses.
    pub(super) fn parenthesized(&mut self, mut item: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        self.mark('(')?;
        while !self.skip(')')? {
            item(self)?;
            if self.next != Token::Mark(')') {
                self.mark(',')?;
            }
        }
        Ok(())
    }

    /// What `read` makes of the next word, which is a `what`.
    fn word_as<T>(&mut self, what: &str, read: impl Fn(&str) -> Option<T>) -> Read<T> {
        match self.next {
            Token::Word(word) => match read(word) {
                Some(value) => self.advance().map(|_| value),
                None => self.expected(what),
            },
            Token::Text(_) | Token::Arrow | Token::Mark(_) | Token::Newline | Token::End => {
                self.expected(what)
            }
        }
    }

    pub(super) fn number(&mut self, what: &str) -> Read<u32> {
        self.word_as(what, digits)
    }

    fn integer(&mut self, what: &str) -> Read<i64> {
        self.word_as(what, |word| word.parse().ok().filter(|_| !word.starts_with('+')))
    }

    /// `from 2 by [4, 1]`.
    pub(super) fn strides(&mut self) -> Read<Strides> {
        self.keyword("from")?;
        let offset = self.integer("an offset")?;
        self.keyword("by")?;
        self.mark('[')?;
        let mut strides = Vec::new();
        while !self.skip(']')? {
            strides.push(self.integer("a stride")?);
            if self.next != Token::Mark(']') {
                self.mark(',')?;
            }
        }
        Ok(Strides { offset, strides: strides.into() })
    }

    /// `trips 10 reverse carries 1 rows 2 sums 0 ordered checkpoint sqrt`.
    pub(super) fn loop_spec(&mut self) -> Read<LoopSpec> {
        let trips: fn(u32) -> Trips = match self.next {
            Token::Word("trips") => Trips::Fixed,
            Token::Word("counted") => Trips::Counted,
            Token::Word("while") => Trips::While,
            _ => return self.expected("`trips`, `counted` or `while`"),
        };
        self.advance()?;
        let trips = trips(self.number("how often the loop runs")?);
        let aim =
            if matches!(trips, Trips::While(_)) && self.skip_word("to")? { self.aim()? } else { Aim::End };
        let reverse = self.skip_word("reverse")?;
        let [carries, rows, sums] = [self.count("carries")?, self.count("rows")?, self.count("sums")?];
        let ordered = self.skip_word("ordered")?;
        let checkpoint = self.checkpoint()?;
        Ok(LoopSpec { trips, reverse, carries, rows, sums, ordered, checkpoint, aim })
    }

    fn aim(&mut self) -> Read<Aim> {
        self.word_as("`converge`, `solve` or `accept`", |word| {
            Aim::NAMED.into_iter().find(|aim| aim.name() == word)
        })
    }

    fn checkpoint(&mut self) -> Read<Option<Checkpoint>> {
        if !self.skip_word("checkpoint")? {
            return Ok(None);
        }
        Ok(Some(if self.skip_word("sqrt")? {
            Checkpoint::Sqrt
        } else if self.skip_word("segments")? {
            Checkpoint::Segments(self.number("a number of segments")?)
        } else if self.skip_word("memory")? {
            Checkpoint::Memory(self.word_as("a number of bytes", digits)?)
        } else {
            return self.expected("`sqrt`, `segments` or `memory`");
        }))
    }

    /// `rows 2`; few enough that no sum of counts overflows.
    fn count(&mut self, keyword: &str) -> Read<u32> {
        self.keyword(keyword)?;
        let what = "a number below 2²⁸";
        self.word_as(what, |word| digits(word).filter(|&count| count < 1 << 28))
    }

    /// `by gmres 1e-12 within 200`.
    pub(super) fn solver(&mut self) -> Read<Solver> {
        self.keyword("by")?;
        let method = self.word_as("a method of solving", Method::from_name)?;
        let tolerance = self.word_as("a tolerance", |word| decimal(word, Elem::F64))?;
        self.keyword("within")?;
        let max_iterations = self.number("a number of iterations")?;
        Ok(Solver::new(method, tolerance.as_real().unwrap_or(0.0), max_iterations))
    }

    pub(super) fn reduction(&mut self) -> Read<Reduction> {
        self.word_as("a reduction", Reduction::from_name)
    }

    pub(super) fn name(&mut self) -> Read<Name> {
        self.word_as("a value", name)
    }

    pub(super) fn callee(&mut self) -> Read<CalleeId> {
        // As many as there can be, and no wrap of the number.
        let number = |word: &str| digits::<u32>(word.strip_prefix('f')?).filter(|&number| number < 1 << 28);
        self.word_as("a function, like f0", |word| number(word).map(CalleeId::from_u32))
    }

    pub(super) fn elem(&mut self) -> Read<Elem> {
        self.word_as("`f64`, `f32`, `i64` or `bool`", Elem::from_name)
    }

    /// Whether a string comes next.
    pub(super) fn at_text(&self) -> bool {
        matches!(self.next, Token::Text(_))
    }

    pub(super) fn text(&mut self) -> Read<String> {
        let Token::Text(text) = &mut self.next else { return self.expected("a string") };
        let text = std::mem::take(text);
        self.advance()?;
        Ok(text)
    }

    pub(super) fn ty(&mut self) -> Read<Type> {
        let elem = self.elem()?;
        if !self.skip('[')? {
            return Ok(Type::scalar(elem));
        }
        let mut extents = vec![self.number("an extent")? as usize];
        while self.skip(',')? {
            extents.push(self.number("an extent")? as usize);
        }
        let Some(ty) = Type::array(elem, &extents) else {
            return self.fail(format!("expected an array of at most {} elements", Shape::MAX_ELEMENTS));
        };
        self.mark(']')?;
        Ok(ty)
    }

    pub(super) fn literal(&mut self) -> Read<Literal> {
        let line = self.line;
        let word = self.word("a constant")?;
        if let "true" | "false" = word {
            return Ok(Literal::Bool(word == "true"));
        }
        let bits = match word {
            "nan" => Some(self.nan_bits()?),
            _ => None,
        };
        let elem = if self.skip(':')? { self.elem()? } else { Elem::F64 };
        let literal = match bits {
            Some(bits) => nan(bits, elem),
            None => decimal(word, elem),
        };
        let message = || format!("`{word}` does not read as a constant of type {elem}");
        literal.ok_or_else(|| IrError::Parse { line, message: message() })
    }

    fn nan_bits(&mut self) -> Read<u64> {
        self.mark('(')?;
        let hexadecimal = |word: &str| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok();
        let bits = self.word_as("the bits of a NaN, like 0x7ff8000000000000", hexadecimal)?;
        self.mark(')')?;
        Ok(bits)
    }
}

/// A number without sign.
fn digits<T: std::str::FromStr>(word: &str) -> Option<T> {
    if word.bytes().all(|b| b.is_ascii_digit()) { word.parse().ok() } else { None }
}

fn name(word: &str) -> Option<Name> {
    let word = word.strip_prefix('v')?;
    let Some((number, suffix)) = word.split_once('.') else {
        return Some(Name { number: digits(word)?, suffix: None });
    };
    let (role, level) = suffix.split_at_checked(1)?;
    let role = match role {
        "p" => Role::Primal,
        "t" => Role::Tangent,
        "a" => Role::Cotangent,
        _ => return None,
    };
    Some(Name { number: digits(number)?, suffix: Some((role, Level::from_u32(digits(level)?))) })
}

/// A decimal number. A real one has a point or an exponent, so that 1 is not taken for 1.0, and one that only
/// rounding makes infinite is refused.
fn decimal(word: &str, elem: Elem) -> Option<Literal> {
    let magnitude = word.strip_prefix('-').unwrap_or(word);
    let infinite = magnitude == "inf";
    let real =
        infinite || (magnitude.starts_with(|c: char| c.is_ascii_digit()) && magnitude.contains(['.', 'e']));
    match elem {
        Elem::F64 => {
            let x: f64 = word.parse().ok()?;
            (real && x.is_infinite() == infinite).then(|| Literal::F64(x.to_bits()))
        }
        Elem::F32 => {
            let x: f32 = word.parse().ok()?;
            (real && x.is_infinite() == infinite).then(|| Literal::F32(x.to_bits()))
        }
        Elem::I64 => word.parse().ok().map(Literal::I64),
        Elem::Bool => None,
    }
}

fn nan(bits: u64, elem: Elem) -> Option<Literal> {
    match elem {
        Elem::F64 => f64::from_bits(bits).is_nan().then_some(Literal::F64(bits)),
        Elem::F32 => {
            let bits = u32::try_from(bits).ok()?;
            f32::from_bits(bits).is_nan().then_some(Literal::F32(bits))
        }
        Elem::I64 | Elem::Bool => None,
    }
}
