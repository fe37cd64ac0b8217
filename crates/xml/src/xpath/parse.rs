//! Tokens to an expression.
// SPDX-License-Identifier: GPL-2.0-or-later

use super::XPathError;
use super::token::{Token, tokens};

/// How deeply expressions may be nested.
const MAX_DEPTH: usize = 100;

#[derive(Clone, Debug)]
pub(super) enum Expression {
    Or(Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Add(Box<Expression>, Box<Expression>),
    Subtract(Box<Expression>, Box<Expression>),
    Negate(Box<Expression>),
    Union(Box<Expression>, Box<Expression>),
    Text(String),
    Number(f64),
    Call(Function, Vec<Expression>),
    /// Steps from where one is, from the document, or from what an expression finds.
    Path {
        from: Start,
        steps: Vec<Step>,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Start {
    Here,
    Document,
    Found(Box<Expression>, Vec<Expression>),
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub axis: Axis,
    pub test: Test,
    pub predicates: Vec<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    Attribute,
    Itself,
    Parent,
    Descendant,
    DescendantOrSelf,
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Name(String),
    AnyName,
    AnyNode,
    Comment,
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Last,
    Position,
    Count,
    Name,
    Text,
    Concat,
    StartsWith,
    Contains,
    Length,
    Normalize,
    Boolean,
    Not,
    True,
    False,
    Number,
}

impl Function {
    fn named(name: &str) -> Option<Function> {
        Some(match name {
            "last" => Function::Last,
            "position" => Function::Position,
            "count" => Function::Count,
            "name" | "local-name" => Function::Name,
            "string" => Function::Text,
            "concat" => Function::Concat,
            "starts-with" => Function::StartsWith,
            "contains" => Function::Contains,
            "string-length" => Function::Length,
            "normalize-space" => Function::Normalize,
            "boolean" => Function::Boolean,
            "not" => Function::Not,
            "true" => Function::True,
            "false" => Function::False,
            "number" => Function::Number,
            _ => return None,
        })
    }

    /// How few and how many arguments it takes.
    const fn arity(self) -> (usize, usize) {
        match self {
            Function::Last | Function::Position | Function::True | Function::False => (0, 0),
            Function::Count | Function::Boolean | Function::Not => (1, 1),
            Function::StartsWith | Function::Contains => (2, 2),
            Function::Concat => (2, usize::MAX),
            Function::Name | Function::Text | Function::Length | Function::Normalize | Function::Number => {
                (0, 1)
            }
        }
    }
}

impl Expression {
    pub(super) fn finds_nodes(&self) -> bool {
        match self {
            Expression::Union(a, b) => a.finds_nodes() && b.finds_nodes(),
            Expression::Path { from: Start::Found(inner, _), .. } => inner.finds_nodes(),
            Expression::Path { .. } => true,
            _ => false,
        }
    }
}

pub(super) fn expression(path: &str) -> Result<Expression, XPathError> {
    let (tokens, end) = tokens(path)?;
    let mut parser = Parser { path, tokens, end, next: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.tokens.get(parser.next) {
        None => Ok(expression),
        Some(_) => Err(parser.error("the path could have ended here; what follows has no meaning")),
    }
}

struct Parser<'a> {
    path: &'a str,
    tokens: Vec<(usize, Token)>,
    end: usize,
    next: usize,
    depth: usize,
}

type Parsed<T> = Result<T, XPathError>;

impl Parser<'_> {
    fn error(&self, what: &str) -> XPathError {
        let at = self.tokens.get(self.next).map_or(self.end, |(at, _)| *at);
        XPathError { path: self.path.to_owned(), at, what: what.to_owned() }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.next + 1).map(|(_, token)| token)
    }

    fn take_mark(&mut self, mark: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Mark(found)) if *found == mark);
        self.next += usize::from(there);
        there
    }

    fn take_word(&mut self, word: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Name(found)) if found == word);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.take_mark(mark) { Ok(()) } else { Err(self.error(&format!("expected '{mark}'"))) }
    }

    fn or(&mut self) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let mut left = self.and()?;
        while self.take_word("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Expression> {
        let mut left = self.equality()?;
        while self.take_word("and") {
            left = Expression::And(Box::new(left), Box::new(self.equality()?));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Parsed<Expression> {
        let mut left = self.relation()?;
        loop {
            let comparison = if self.take_mark("=") {
                Comparison::Equal
            } else if self.take_mark("!=") {
                Comparison::NotEqual
            } else {
                return Ok(left);
            };
            left = Expression::Compare(comparison, Box::new(left), Box::new(self.relation()?));
        }
    }

    fn relation(&mut self) -> Parsed<Expression> {
        let mut left = self.sum()?;
        loop {
            let comparison = if self.take_mark("<=") {
                Comparison::LessEqual
            } else if self.take_mark("<") {
                Comparison::Less
            } else if self.take_mark(">=") {
                Comparison::GreaterEqual
            } else if self.take_mark(">") {
                Comparison::Greater
            } else {
                return Ok(left);
            };
            left = Expression::Compare(comparison, Box::new(left), Box::new(self.sum()?));
        }
    }

    fn sum(&mut self) -> Parsed<Expression> {
        let mut left = self.negation()?;
        loop {
            if self.take_mark("+") {
                left = Expression::Add(Box::new(left), Box::new(self.negation()?));
            } else if self.take_mark("-") {
                left = Expression::Subtract(Box::new(left), Box::new(self.negation()?));
            } else {
                return Ok(left);
            }
        }
    }

    fn negation(&mut self) -> Parsed<Expression> {
        let mut count = 0;
        while self.take_mark("-") {
            count += 1;
        }
        let inner = self.union()?;
        Ok(if count % 2 == 1 { Expression::Negate(Box::new(inner)) } else { inner })
    }

    fn union(&mut self) -> Parsed<Expression> {
        let mut left = self.path()?;
        while self.take_mark("|") {
            left = Expression::Union(Box::new(left), Box::new(self.path()?));
        }
        Ok(left)
    }

    fn path(&mut self) -> Parsed<Expression> {
        let primary = match self.peek() {
            None => return Err(self.error("the path ends, expected a value or a path")),
            Some(Token::Text(text)) => Some(Expression::Text(text.clone())),
            Some(Token::Number(number)) => Some(Expression::Number(*number)),
            _ => None,
        };
        if let Some(value) = primary {
            self.next += 1;
            return Ok(value);
        }
        if self.take_mark("(") {
            let inner = self.or()?;
            self.expect(")")?;
            let predicates = self.predicates()?;
            let more = matches!(self.peek(), Some(Token::Mark("/" | "//")));
            if predicates.is_empty() && !more {
                return Ok(inner);
            }
            let steps = self.further_steps()?;
            return Ok(Expression::Path { from: Start::Found(Box::new(inner), predicates), steps });
        }
        if let Some(call) = self.call()? {
            return Ok(call);
        }
        self.location()
    }

    fn call(&mut self) -> Parsed<Option<Expression>> {
        let (Some(Token::Name(name)), Some(Token::Mark("("))) = (self.peek(), self.peek_second()) else {
            return Ok(None);
        };
        if matches!(name.as_str(), "node" | "comment" | "text" | "processing-instruction") {
            return Ok(None);
        }
        let Some(function) = Function::named(name) else {
            return Err(self.error(&format!("function '{name}' is not supported")));
        };
        let (fewest, most) = function.arity();
        self.next += 2;
        let mut arguments = Vec::new();
        if !self.take_mark(")") {
            loop {
                arguments.push(self.or()?);
                if self.take_mark(")") {
                    break;
                }
                self.expect(",")?;
            }
        }
        if arguments.len() < fewest || arguments.len() > most {
            return Err(self.error("the function before this takes another number of arguments"));
        }
        if function == Function::Count && !arguments.iter().all(Expression::finds_nodes) {
            return Err(self.error("count() takes a path"));
        }
        Ok(Some(Expression::Call(function, arguments)))
    }

    fn location(&mut self) -> Parsed<Expression> {
        let starts_deep = matches!(self.peek(), Some(Token::Mark("//")));
        if starts_deep {
            let steps = self.further_steps()?;
            return Ok(Expression::Path { from: Start::Document, steps });
        }
        if self.take_mark("/") {
            let mut steps = Vec::new();
            if self.at_step() {
                steps.push(self.step()?);
                steps.extend(self.further_steps()?);
            }
            return Ok(Expression::Path { from: Start::Document, steps });
        }
        let mut steps = vec![self.step()?];
        steps.extend(self.further_steps()?);
        Ok(Expression::Path { from: Start::Here, steps })
    }

    fn at_step(&self) -> bool {
        matches!(self.peek(), Some(Token::Name(_) | Token::Mark("*" | "@" | "." | "..")))
    }

    fn further_steps(&mut self) -> Parsed<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            if self.take_mark("//") {
                steps.push(Step {
                    axis: Axis::DescendantOrSelf,
                    test: Test::AnyNode,
                    predicates: Vec::new(),
                });
            } else if !self.take_mark("/") {
                return Ok(steps);
            }
            steps.push(self.step()?);
        }
    }

    fn step(&mut self) -> Parsed<Step> {
        if self.take_mark("..") {
            return Ok(Step { axis: Axis::Parent, test: Test::AnyNode, predicates: self.predicates()? });
        }
        if self.take_mark(".") {
            return Ok(Step { axis: Axis::Itself, test: Test::AnyNode, predicates: self.predicates()? });
        }
        let axis = self.axis()?;
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn axis(&mut self) -> Parsed<Axis> {
        if self.take_mark("@") {
            return Ok(Axis::Attribute);
        }
        let (Some(Token::Name(name)), Some(Token::Mark("::"))) = (self.peek(), self.peek_second()) else {
            return Ok(Axis::Child);
        };
        let axis = match name.as_str() {
            "child" => Axis::Child,
            "attribute" => Axis::Attribute,
            "self" => Axis::Itself,
            "parent" => Axis::Parent,
            "descendant" => Axis::Descendant,
            "descendant-or-self" => Axis::DescendantOrSelf,
            other => return Err(self.error(&format!("axis '{other}' is not supported"))),
        };
        self.next += 2;
        Ok(axis)
    }

    fn test(&mut self) -> Parsed<Test> {
        if self.take_mark("*") {
            return Ok(Test::AnyName);
        }
        let Some(Token::Name(name)) = self.peek().cloned() else {
            let what = if self.peek().is_none() { "the path ends, expected" } else { "expected" };
            return Err(self.error(&format!("{what} the name of an element or attribute, '*' or '.'")));
        };
        if self.peek_second() != Some(&Token::Mark("(")) {
            self.next += 1;
            return Ok(Test::Name(name));
        }
        let test = match name.as_str() {
            "node" => Test::AnyNode,
            "comment" => Test::Comment,
            "text" => Test::Text,
            other => return Err(self.error(&format!("node type '{other}' is not supported"))),
        };
        self.next += 2;
        self.expect(")")?;
        Ok(test)
    }

    fn predicates(&mut self) -> Parsed<Vec<Expression>> {
        let mut predicates = Vec::new();
        while self.take_mark("[") {
            predicates.push(self.or()?);
            self.expect("]")?;
        }
        Ok(predicates)
    }
}
