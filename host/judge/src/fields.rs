// SPDX-License-Identifier: MIT OR Apache-2.0

//! Reads the tables of a contract. Every error names the file and the line, and the words that
//! are nearest to an unknown one.

use std::{ops::Range, path::PathBuf, time::Duration};

use koru_error::{Error, Kind, Result};
use koru_kernels::nearest;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::names::Names;

/// The text of a contract, for the places of errors.
pub struct Text {
    pub path: PathBuf,
    pub text: String,
}

impl Text {
    /// Returns the number of the line at an offset.
    pub fn line(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or(&self.text);
        before.matches('\n').count() + 1
    }

    pub fn error(&self, at: &Range<usize>, message: impl Into<String>) -> Error {
        let place = format!(
            "reading {}, line {}",
            self.path.display(),
            self.line(at.start)
        );
        Error::new(Kind::Usage, place, message)
    }

    /// Returns the error for a word that is none of `known`.
    pub fn unknown<'a>(
        &self,
        at: &Range<usize>,
        message: impl Into<String>,
        word: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Error {
        let known: Vec<&str> = known.into_iter().collect();
        let near = nearest(word, known.iter().copied());
        let error = self.error(at, message);
        match &near[..] {
            [] if known.is_empty() => error,
            [] => error.help(format!("there are: {}", known.join(", "))),
            near => error.help(format!("did you mean {}?", near.join(" or "))),
        }
    }

    /// Parses the text.
    pub fn parse(&self) -> Result<DeTable<'_>> {
        let table = DeTable::parse(&self.text).map_err(|e| {
            let at = e.span().unwrap_or(0..0);
            self.error(&at, format!("it is not TOML: {}", e.message()))
                .output(e.to_string())
        })?;
        Ok(table.into_inner())
    }
}

/// A field of a table: its value, with the place.
pub type Field<'t> = Spanned<DeValue<'t>>;

/// A text, with its place.
pub type Placed = (String, Range<usize>);

/// The fields of a table, of which each is taken once.
pub struct Fields<'t> {
    pub text: &'t Text,
    pub names: &'t Names,
    /// Where the table is.
    pub span: Range<usize>,
    fields: Vec<(String, Range<usize>, Field<'t>)>,
    /// The fields that somebody asked for.
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    pub fn new(text: &'t Text, names: &'t Names, span: Range<usize>, table: DeTable<'t>) -> Self {
        let fields = table.into_iter().map(|(key, value)| {
            let span = key.span();
            (key.into_inner().into_owned(), span, value)
        });
        let mut fields: Vec<_> = fields.collect();
        fields.sort_by_key(|(_, span, _)| span.start);
        Fields {
            text,
            names,
            span,
            fields,
            known: Vec::new(),
        }
    }

    pub fn take(&mut self, key: &'static str) -> Option<Field<'t>> {
        self.known.push(key);
        let at = self.fields.iter().position(|(k, _, _)| k == key)?;
        Some(self.fields.remove(at).2)
    }

    /// Takes the fields that nobody has asked for, with the places of their names.
    pub fn rest(&mut self) -> Vec<(String, Range<usize>, Field<'t>)> {
        std::mem::take(&mut self.fields)
    }

    /// Returns an error if there are fields that nobody has asked for.
    pub fn end(self, what: &str) -> Result<()> {
        let Some((key, span, _)) = self.fields.first() else {
            return Ok(());
        };
        let message = format!("{what} has no field `{key}`");
        Err(self
            .text
            .unknown(span, message, key, self.known.iter().copied()))
    }

    pub fn error(&self, message: impl Into<String>) -> Error {
        self.text.error(&self.span, message)
    }

    fn wrong(&self, key: &str, field: &Field, wanted: &str) -> Error {
        let message = format!("`{key}` is {wanted}, and not of type {}", type_of(field));
        self.text.error(&field.span(), message)
    }

    /// Returns the text of a field, with its names replaced by what they stand for.
    pub fn text_of(&self, key: &str, field: &Field) -> Result<String> {
        match field.get_ref() {
            DeValue::String(text) => self
                .names
                .replace(text)
                .map_err(|name| self.unknown_name(&field.span(), &name)),
            _ => Err(self.wrong(key, field, "a text")),
        }
    }

    fn unknown_name(&self, at: &Range<usize>, name: &str) -> Error {
        let message = format!("[names] has no `{name}`");
        self.text.unknown(at, message, name, self.names.keys())
    }

    pub fn string(&mut self, key: &'static str) -> Result<Option<String>> {
        let field = self.take(key);
        field.map(|f| self.text_of(key, &f)).transpose()
    }

    /// Takes a text or a list of texts.
    pub fn strings(&mut self, key: &'static str) -> Result<Option<Vec<Placed>>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        let all = match field.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![&field],
        };
        let text = |f: &Field| Ok((self.text_of(key, f)?, f.span()));
        all.into_iter().map(text).collect::<Result<_>>().map(Some)
    }

    pub fn boolean(&mut self, key: &'static str) -> Result<Option<bool>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        match field.get_ref() {
            DeValue::Boolean(yes) => Ok(Some(*yes)),
            _ => Err(self.wrong(key, &field, "true or false")),
        }
    }

    pub fn integer_of(&self, key: &str, field: &Field) -> Result<i64> {
        let text = match field.get_ref() {
            DeValue::Integer(number) => {
                let parsed = i64::from_str_radix(number.as_str(), number.radix());
                return parsed.map_err(|_| self.wrong(key, field, "a number of 64 bits"));
            }
            // A name may stand for a number.
            DeValue::String(text) if text.starts_with("${") => self.text_of(key, field)?,
            _ => return Err(self.wrong(key, field, "a whole number")),
        };
        text.parse().map_err(|_| {
            let message = format!("`{key}` is a whole number, and not `{text}`");
            self.text.error(&field.span(), message)
        })
    }

    pub fn integer(&mut self, key: &'static str) -> Result<Option<i64>> {
        let field = self.take(key);
        field.map(|f| self.integer_of(key, &f)).transpose()
    }

    /// Takes a number of bytes for one step.
    pub fn size(&mut self, key: &'static str) -> Result<Option<usize>> {
        /// The guest reports all bytes of a step in one line.
        const MOST: i64 = 1 << 20;
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        match self.integer_of(key, &field)? {
            size @ 0..=MOST => Ok(Some(size as usize)),
            _ => {
                let message = format!("`{key}` is a number of bytes, at most {MOST}");
                Err(self.text.error(&field.span(), message))
            }
        }
    }

    /// Takes a number of points.
    pub fn points(&mut self, key: &'static str) -> Result<Option<f64>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        let points = match field.get_ref() {
            DeValue::Integer(n) => n.as_str().parse::<f64>().ok(),
            DeValue::Float(n) => n.as_str().parse::<f64>().ok(),
            _ => None,
        };
        match points.filter(|p| p.is_finite() && (0.0..=1e6).contains(p)) {
            Some(points) => Ok(Some(points)),
            None => Err(self.wrong(key, &field, "a number of points, 0 or more")),
        }
    }

    /// Takes a time such as `50 ms`.
    pub fn duration(&mut self, key: &'static str) -> Result<Option<Duration>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        self.duration_of(key, &field).map(Some)
    }

    pub fn duration_of(&self, key: &str, field: &Field) -> Result<Duration> {
        let text = self.text_of(key, field)?;
        duration(&text).ok_or_else(|| {
            let message = format!("`{key}` is a time, and not `{text}`");
            self.text
                .error(&field.span(), message)
                .help("write `50 ms`, `1.5 s` or `1 min`, up to 10 min")
        })
    }

    pub fn table_of(&self, key: &str, field: Field<'t>) -> Result<Fields<'t>> {
        let span = field.span();
        if !matches!(field.get_ref(), DeValue::Table(_)) {
            return Err(self.wrong(key, &field, "a table"));
        }
        match field.into_inner() {
            DeValue::Table(table) => Ok(Fields::new(self.text, self.names, span, table)),
            _ => Err(self.text.error(&span, format!("`{key}` is a table"))),
        }
    }

    pub fn table(&mut self, key: &'static str) -> Result<Option<Fields<'t>>> {
        let field = self.take(key);
        field.map(|f| self.table_of(key, f)).transpose()
    }

    /// Takes a list of tables.
    pub fn tables(&mut self, key: &'static str) -> Result<Option<Vec<Fields<'t>>>> {
        let Some(field) = self.take(key) else {
            return Ok(None);
        };
        let span = field.span();
        if !matches!(field.get_ref(), DeValue::Array(_)) {
            return Err(self.wrong(key, &field, "a list of tables"));
        }
        match field.into_inner() {
            DeValue::Array(items) => {
                let tables = items.into_iter().map(|item| self.table_of(key, item));
                tables.collect::<Result<_>>().map(Some)
            }
            _ => Err(self.text.error(&span, format!("`{key}` is a list"))),
        }
    }
}

fn type_of(field: &Field) -> &'static str {
    field.get_ref().type_str()
}

fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let number: f64 = text[..unit].trim().parse().ok()?;
    let seconds = match &text[unit..] {
        "us" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "min" => number * 60.0,
        _ => return None,
    };
    (0.0..=600.0)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("50 ms"), Some(Duration::from_millis(50)));
        assert_eq!(duration("1.5s"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("2 min"), Some(Duration::from_secs(120)));
        for wrong in ["", "5", "-1 s", "5 h", "11 min", "s", "NaN s"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }
}
