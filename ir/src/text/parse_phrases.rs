//! Reads phrases that need the tables: types, strides, functions, places, values.

use super::cursor::Read;
use super::lex::Token;
use super::parse::Parser;
use super::tables::Written;
use crate::entity::{ExternalId, Loc, StridesId, TypeId, Value};
use crate::error::IrError;
use crate::program::SourceLoc;
use std::sync::Arc;

impl Parser<'_> {
    pub(super) fn type_id(&mut self) -> Read<TypeId> {
        let ty = self.text.ty()?;
        Ok(self.tables.intern(ty))
    }

    /// The function of the name that comes next.
    pub(super) fn external(&mut self) -> Read<ExternalId> {
        let line = self.text.line;
        let name = self.text.text()?;
        let known = self.tables.program.externals.iter().find(|(_, known)| known.name() == name);
        if let Some((id, _)) = known {
            return Ok(id);
        }
        match self.externals.iter().find(|external| external.name() == name) {
            Some(external) => Ok(self.tables.program.externals.push(external.clone())),
            None => {
                let message = format!("expected an external function that is supplied, found {name:?}");
                Err(IrError::Parse { line, message })
            }
        }
    }

    pub(super) fn strides(&mut self) -> Read<StridesId> {
        let strides = self.text.strides()?;
        Ok(self.tables.strides(strides))
    }

    /// What may follow a definition, each part being optional.
    pub(super) fn written(&mut self) -> Read<Written> {
        let mut written = Written::default();
        if self.text.next == Token::Word("of") {
            self.text.advance()?;
            written.of = Some(self.text.name()?);
        }
        written.loc = self.place()?;
        if self.text.at_text() {
            written.name = Some(Arc::from(self.text.text()?));
        }
        Ok(written)
    }

    pub(super) fn place(&mut self) -> Read<Loc> {
        if !self.text.skip('@')? {
            return Ok(Loc::UNKNOWN);
        }
        let file = Arc::from(self.text.text()?);
        self.text.mark(':')?;
        let line = self.text.number("a line")?;
        Ok(self.tables.place(SourceLoc { file, line }))
    }

    pub(super) fn values(&mut self) -> Read<Vec<Value>> {
        let mut values = Vec::new();
        if matches!(self.text.next, Token::Word(word) if word.starts_with('v')) {
            values.push(self.value()?);
            while self.text.skip(',')? {
                values.push(self.value()?);
            }
        }
        Ok(values)
    }

    /// A value of the innermost region.
    pub(super) fn value(&mut self) -> Read<Value> {
        let line = self.text.line;
        let name = self.text.name()?;
        let value = self.tables.known(line, name)?;
        if self.tables.program.value(value).region != self.current() {
            let message = format!("expected a value of this region, found {value} of another");
            return Err(IrError::Parse { line, message });
        }
        Ok(value)
    }
}
