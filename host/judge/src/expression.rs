// SPDX-License-Identifier: MIT OR Apache-2.0

//! Comparisons such as `abs(now - before - 1) <= 0.05`.

use std::cmp::Ordering;

use crate::value::{Number, Value, Variables};

/// A comparison of two values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    pub text: String,
    left: Expression,
    operator: &'static str,
    right: Expression,
}

/// What a value is computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    Constant(Value),
    Variable(String),
    Operation(Box<Expression>, char, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Abs,
    Min,
    Max,
}

/// The deepest nesting of an expression, so that no contract exhausts the stack.
const DEEPEST: usize = 40;

/// A sign, and which orders of its sides it allows.
type Sign = (&'static str, fn(Ordering) -> bool);

const COMPARISONS: [Sign; 6] = [
    ("<=", Ordering::is_le),
    (">=", Ordering::is_ge),
    ("==", Ordering::is_eq),
    ("!=", Ordering::is_ne),
    ("<", Ordering::is_lt),
    (">", Ordering::is_gt),
];

impl Comparison {
    pub fn parse(text: &str) -> Result<Comparison, String> {
        let mut parser = Parser {
            rest: text,
            depth: 0,
        };
        let left = parser.sum()?;
        let found = COMPARISONS.iter().find(|(sign, _)| parser.eat(sign));
        let Some((operator, _)) = found else {
            return Err(format!(
                "`{text}` compares nothing: write one of <= >= == != < > in it"
            ));
        };
        let right = parser.sum()?;
        parser.end()?;
        Ok(Comparison {
            text: text.to_owned(),
            left,
            operator,
            right,
        })
    }

    pub fn variables(&self) -> Vec<&str> {
        [self.left.variables(), self.right.variables()].concat()
    }

    /// Returns whether the comparison holds, and what it compared.
    pub fn holds(&self, variables: &Variables) -> Result<(bool, String), String> {
        let (left, right) = (self.left.value(variables)?, self.right.value(variables)?);
        let sign = COMPARISONS.iter().find(|(sign, _)| *sign == self.operator);
        let order = left.compare(&right)?;
        let holds = sign.is_some_and(|(_, holds)| holds(order));
        let mut names = self.variables();
        names.sort_unstable();
        names.dedup();
        let known = names
            .iter()
            .filter_map(|name| Some(format!("{name} is {}", variables.get(*name)?)));
        let known: Vec<String> = known.collect();
        Ok((holds, known.join(", ")))
    }
}

impl Expression {
    pub fn parse(text: &str) -> Result<Expression, String> {
        let mut parser = Parser {
            rest: text,
            depth: 0,
        };
        let expression = parser.sum()?;
        parser.end()?;
        Ok(expression)
    }

    pub fn variables(&self) -> Vec<&str> {
        match self {
            Expression::Constant(_) => Vec::new(),
            Expression::Variable(name) => vec![name],
            Expression::Operation(a, _, b) => [a.variables(), b.variables()].concat(),
            Expression::Call(_, arguments) => {
                arguments.iter().flat_map(Expression::variables).collect()
            }
        }
    }

    pub fn value(&self, variables: &Variables) -> Result<Value, String> {
        let number = |e: &Expression| match e.value(variables)? {
            Value::Number(number) => Ok(number),
            Value::Text(text) => Err(format!("`{text}` is no number")),
        };
        Ok(match self {
            Expression::Constant(value) => value.clone(),
            Expression::Variable(name) => variables
                .get(name)
                .cloned()
                .ok_or_else(|| format!("there is no value `{name}`"))?,
            Expression::Operation(a, operator, b) => {
                Value::Number(number(a)?.checked(*operator, number(b)?)?)
            }
            Expression::Call(function, arguments) => {
                let numbers: Vec<Number> =
                    arguments.iter().map(number).collect::<Result<_, _>>()?;
                let result = match function {
                    Function::Abs => numbers.first().map(|n| n.abs()),
                    Function::Min => numbers.into_iter().min(),
                    Function::Max => numbers.into_iter().max(),
                };
                Value::Number(result.ok_or("a function without an argument")?)
            }
        })
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn eat(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(sign);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    fn end(&mut self) -> Result<(), String> {
        match self.rest.trim() {
            "" => Ok(()),
            rest => Err(format!("`{rest}` does not belong there")),
        }
    }

    fn sum(&mut self) -> Result<Expression, String> {
        self.chain(&['+', '-'], Self::product)
    }

    fn product(&mut self) -> Result<Expression, String> {
        self.chain(&['*', '/', '%'], Self::atom)
    }

    fn chain(
        &mut self,
        operators: &[char],
        part: fn(&mut Self) -> Result<Expression, String>,
    ) -> Result<Expression, String> {
        let mut left = part(self)?;
        while let Some(operator) = operators.iter().find(|o| self.eat(&o.to_string())) {
            let right = part(self)?;
            left = Expression::Operation(Box::new(left), *operator, Box::new(right));
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err("it is nested too deep".to_owned());
        }
        let atom = self.atom_inside();
        self.depth -= 1;
        atom
    }

    fn atom_inside(&mut self) -> Result<Expression, String> {
        if self.eat("(") {
            let inner = self.sum()?;
            return match self.eat(")") {
                true => Ok(inner),
                false => Err("a `)` is missing".to_owned()),
            };
        }
        if self.eat("-") {
            let zero = Expression::Constant(Value::Number(Number::whole(0)));
            return Ok(Expression::Operation(
                Box::new(zero),
                '-',
                Box::new(self.atom()?),
            ));
        }
        if self.eat("'") {
            let (text, rest) = self.rest.split_once('\'').ok_or("a `'` is missing")?;
            self.rest = rest;
            return Ok(Expression::Constant(Value::Text(text.to_owned())));
        }
        let word = self.word();
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let number = Number::parse(word).ok_or_else(|| format!("`{word}` is no number"))?;
            return Ok(Expression::Constant(Value::Number(number)));
        }
        let function = match word {
            "" => return Err("a number or a name is missing".to_owned()),
            "abs" => Function::Abs,
            "min" => Function::Min,
            "max" => Function::Max,
            name => return Ok(Expression::Variable(name.to_owned())),
        };
        if !self.eat("(") {
            return Err(format!("a `(` follows `{word}`"));
        }
        let mut arguments = vec![self.sum()?];
        while self.eat(",") {
            arguments.push(self.sum()?);
        }
        match self.eat(")") {
            true if function != Function::Abs || arguments.len() == 1 => {
                Ok(Expression::Call(function, arguments))
            }
            true => Err("abs has one argument".to_owned()),
            false => Err("a `)` is missing".to_owned()),
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let length = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(length);
        self.rest = behind;
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(text: &str) -> bool {
        let mut variables = Variables::default();
        variables.insert("now".into(), Value::captured("10.5"));
        variables.insert("before".into(), Value::captured("9.45"));
        variables.insert("who".into(), Value::captured("ada"));
        let comparison = Comparison::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        comparison.holds(&variables).unwrap().0
    }

    #[test]
    fn comparisons() {
        for right in [
            "abs(now - before - 1) <= 0.05",
            "now>before",
            "2 + 3 * 4 == 14",
            "(2 + 3) * 4 == 20",
            "10 - 3 - 2 == 5",
            "-now < 0",
            "max(1, 2, 3) == min(3, 4)",
            "who == 'ada'",
            "7 % 4 == 3",
            "1 / 4 == 0.25",
        ] {
            assert!(holds(right), "{right}");
        }
        assert!(!holds("abs(now - before - 1) < 0.05"));
        assert!(!holds("who != 'ada'"));
    }

    #[test]
    fn what_is_no_comparison() {
        let deep = format!("{}1 == 1", "(".repeat(1000));
        for wrong in [
            "now",
            "now <",
            "1 == 2 == 3",
            "abs(1, 2) == 1",
            "(1 == 1",
            "1x == 1",
            "abs 1 == 1",
            "'a == 1",
            &deep,
            "",
        ] {
            assert!(Comparison::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_are_named() {
        let mut variables = Variables::default();
        variables.insert("a".into(), Value::captured("3"));
        let comparison = Comparison::parse("a + a > 7").unwrap();
        let (holds, compared) = comparison.holds(&variables).unwrap();
        assert_eq!((holds, &*compared), (false, "a is 3"));
        let error = Comparison::parse("b == 1").unwrap().holds(&variables);
        assert_eq!(error.unwrap_err(), "there is no value `b`");
    }
}
