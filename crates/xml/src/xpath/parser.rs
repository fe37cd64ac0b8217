// SPDX-License-Identifier: GPL-2.0-or-later
//! Tokens to expressions: the grammar of XPath 1.0, with everything checked that can be without a tree.

use super::ast::{
    Arithmetic, AttributeIs, Axis, Comparison, Expr, Kind, NodeTest, Path, Predicate, Start, Step,
};
use super::functions::Function;
use super::lexer::{Token, tokens};
use super::{MAX_EXPRESSION_BYTES, MAX_NESTING, XPathErrorKind};

/// Reads an expression; also says how many slots for kept results it uses.
pub(super) fn parse(text: &str) -> Result<(Expr, usize), XPathErrorKind> {
    if text.len() > MAX_EXPRESSION_BYTES {
        return Err(XPathErrorKind::TooMuch { what: "bytes", limit: MAX_EXPRESSION_BYTES });
    }
    let end = text.chars().count() + 1;
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end, depth: 0, slots: 0 };
    let expr = parser.or()?;
    match parser.peek() {
        None => Ok((expr, parser.slots)),
        Some(_) => Err(parser.expected("an operator or the end")),
    }
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    end: usize,
    depth: usize,
    slots: usize,
}

type Parsed = Result<Expr, XPathErrorKind>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.next + ahead).map(|(token, _)| token)
    }

    fn column(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |&(_, column)| column)
    }

    fn expected(&self, what: &str) -> XPathErrorKind {
        let found = self.peek().map_or_else(|| "the end".to_owned(), Token::to_string);
        XPathErrorKind::Syntax { column: self.column(), expected: what.to_owned(), found }
    }

    fn take(&mut self, token: &Token) -> bool {
        let there = self.peek() == Some(token);
        self.next += usize::from(there);
        there
    }

    fn take_mark(&mut self, mark: &'static str) -> bool {
        self.take(&Token::Mark(mark))
    }

    fn take_operator(&mut self, operator: &'static str) -> bool {
        self.take(&Token::Operator(operator))
    }

    fn need_mark(&mut self, mark: &'static str) -> Result<(), XPathErrorKind> {
        if self.take_mark(mark) { Ok(()) } else { Err(self.expected(&format!("'{mark}'"))) }
    }

    /// The first of these operators that comes next, taken.
    fn one_of<T: Copy>(&mut self, operators: &[(&'static str, T)]) -> Option<T> {
        operators.iter().find(|(text, _)| self.take_operator(text)).map(|&(_, operator)| operator)
    }

    /// Goes a level down; what is not allowed to nest without end passes through here.
    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Parser) -> Result<T, XPathErrorKind>,
    ) -> Result<T, XPathErrorKind> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return Err(XPathErrorKind::TooMuch { what: "levels of nesting", limit: MAX_NESTING });
        }
        let result = inner(self);
        self.depth -= 1;
        result
    }

    // --- operators, from the loosest to the tightest ---------------------------------------------------------------

    fn or(&mut self) -> Parsed {
        self.nested(|parser| parser.list("or", Parser::and, Expr::Or))
    }

    fn and(&mut self) -> Parsed {
        self.list("and", Parser::equality, Expr::And)
    }

    fn list(
        &mut self,
        operator: &'static str,
        operand: fn(&mut Parser) -> Parsed,
        join: fn(Vec<Expr>) -> Expr,
    ) -> Parsed {
        let first = operand(self)?;
        if self.peek() != Some(&Token::Operator(operator)) {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take_operator(operator) {
            operands.push(operand(self)?);
        }
        Ok(join(operands))
    }

    /// A chain of operators that group to the left, so that each link is a level of nesting.
    fn chain<T: Copy>(
        &mut self,
        operators: &[(&'static str, T)],
        operand: fn(&mut Parser) -> Parsed,
        join: fn(T, Box<Expr>, Box<Expr>) -> Expr,
    ) -> Parsed {
        let mut left = operand(self)?;
        let mut links = 0;
        while let Some(operator) = self.one_of(operators) {
            links += 1;
            if self.depth + links > MAX_NESTING {
                return Err(XPathErrorKind::TooMuch { what: "operators in a row", limit: MAX_NESTING });
            }
            let right = operand(self)?;
            left = join(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn equality(&mut self) -> Parsed {
        const OPERATORS: [(&str, Comparison); 2] = [("=", Comparison::Eq), ("!=", Comparison::Ne)];
        self.chain(&OPERATORS, Parser::relation, compare)
    }

    fn relation(&mut self) -> Parsed {
        const OPERATORS: [(&str, Comparison); 4] =
            [("<=", Comparison::Le), (">=", Comparison::Ge), ("<", Comparison::Lt), (">", Comparison::Gt)];
        self.chain(&OPERATORS, Parser::sum, compare)
    }

    fn sum(&mut self) -> Parsed {
        const OPERATORS: [(&str, Arithmetic); 2] = [("+", Arithmetic::Add), ("-", Arithmetic::Subtract)];
        self.chain(&OPERATORS, Parser::product, Expr::Arithmetic)
    }

    fn product(&mut self) -> Parsed {
        const OPERATORS: [(&str, Arithmetic); 3] =
            [("*", Arithmetic::Multiply), ("div", Arithmetic::Divide), ("mod", Arithmetic::Remainder)];
        self.chain(&OPERATORS, Parser::negation, Expr::Arithmetic)
    }

    fn negation(&mut self) -> Parsed {
        let mut signs = 0_usize;
        while self.take_operator("-") {
            signs += 1;
        }
        let of = self.union()?;
        Ok(match signs {
            0 => of,
            // Two signs still turn the operand into a number.
            _ if signs.is_multiple_of(2) => Expr::Negate(Box::new(Expr::Negate(Box::new(of)))),
            _ => Expr::Negate(Box::new(of)),
        })
    }

    fn union(&mut self) -> Parsed {
        let column = self.column();
        let first = self.path()?;
        if self.peek() != Some(&Token::Operator("|")) {
            return Ok(first);
        }
        let mut operands = vec![nodes(first, column)?];
        while self.take_operator("|") {
            let column = self.column();
            let operand = self.path()?;
            operands.push(nodes(operand, column)?);
        }
        Ok(Expr::Union(operands))
    }

    // --- paths -----------------------------------------------------------------------------------------------------

    fn path(&mut self) -> Parsed {
        let mut steps = Vec::new();
        if self.take_operator("/") {
            let slot = self.slot();
            if self.step_follows() {
                self.steps(&mut steps, false)?;
            }
            return Ok(path(Start::Document { slot }, steps));
        }
        if self.take_operator("//") {
            let slot = self.slot();
            self.more_slashes();
            self.steps(&mut steps, true)?;
            return Ok(path(Start::Document { slot }, steps));
        }
        if !self.primary_follows() {
            self.steps(&mut steps, false)?;
            return Ok(path(Start::Context, steps));
        }
        let column = self.column();
        let primary = self.primary()?;
        let mut predicates = Vec::new();
        while self.peek() == Some(&Token::Mark("[")) {
            predicates.push(self.predicate()?);
        }
        let deep = self.peek() == Some(&Token::Operator("//"));
        if deep || self.peek() == Some(&Token::Operator("/")) {
            self.next += 1;
            if deep {
                self.more_slashes();
            }
            self.steps(&mut steps, deep)?;
        }
        if predicates.is_empty() && steps.is_empty() {
            return Ok(primary);
        }
        Ok(path(Start::Filter { primary: nodes(primary, column)?, predicates }, steps))
    }

    /// At the begin of a path, `///` and `////` have always been taken for `//`.
    fn more_slashes(&mut self) {
        let _ = self.take_operator("/") || self.take_operator("//");
    }

    fn slot(&mut self) -> usize {
        self.slots += 1;
        self.slots - 1
    }

    fn step_follows(&self) -> bool {
        matches!(self.peek(), Some(Token::Name(_) | Token::Star | Token::Mark("." | ".." | "@")))
    }

    fn primary_follows(&self) -> bool {
        match self.peek() {
            Some(Token::Literal(_) | Token::Number(_) | Token::Mark("(")) => true,
            Some(Token::Name(name)) => {
                self.peek_at(1) == Some(&Token::Mark("(")) && node_type(name).is_none()
            }
            _ => false,
        }
    }

    /// Steps up to the end of the path; `deep` if `//` came before the first.
    fn steps(&mut self, steps: &mut Vec<Step>, mut deep: bool) -> Result<(), XPathErrorKind> {
        loop {
            let mut step = self.step()?;
            if deep && step.axis == Axis::Child && step.is_position_free() {
                // `//x` is one walk over all below, unless positions among siblings matter.
                step.axis = Axis::Descendant;
            } else if deep {
                steps.push(plain(Axis::DescendantOrSelf, NodeTest::Node));
            }
            steps.push(step);
            deep = self.peek() == Some(&Token::Operator("//"));
            if !deep && self.peek() != Some(&Token::Operator("/")) {
                return Ok(());
            }
            self.next += 1;
        }
    }

    fn step(&mut self) -> Result<Step, XPathErrorKind> {
        if self.take_mark(".") {
            return Ok(plain(Axis::SelfNode, NodeTest::Node));
        }
        if self.take_mark("..") {
            return Ok(plain(Axis::Parent, NodeTest::Node));
        }
        let axis = self.axis()?;
        let mut step = plain(axis, self.node_test()?);
        while self.peek() == Some(&Token::Mark("[")) {
            let predicate = self.predicate()?;
            match predicate.expr {
                Expr::AttributeIs(condition) if step.predicates.is_empty() => step.attributes.push(condition),
                Expr::And(of) if step.predicates.is_empty() && of.iter().all(is_attribute_condition) => {
                    step.attributes.extend(of.into_iter().filter_map(|expr| match expr {
                        Expr::AttributeIs(condition) => Some(condition),
                        _ => None,
                    }));
                }
                expr => step.predicates.push(Predicate { expr, ..predicate }),
            }
        }
        Ok(step)
    }

    fn axis(&mut self) -> Result<Axis, XPathErrorKind> {
        if self.take_mark("@") {
            return Ok(Axis::Attribute);
        }
        let Some(Token::Name(name)) = self.peek() else {
            return Ok(Axis::Child);
        };
        if self.peek_at(1) != Some(&Token::Mark("::")) {
            return Ok(Axis::Child);
        }
        match Axis::NAMES.iter().find(|(word, _)| word == name) {
            Some(&(_, axis)) => {
                self.next += 2;
                Ok(axis)
            }
            None => Err(self.expected("the name of an axis, like 'child' or 'ancestor'")),
        }
    }

    fn node_test(&mut self) -> Result<NodeTest, XPathErrorKind> {
        if self.take(&Token::Star) {
            return Ok(NodeTest::Any);
        }
        let Some(Token::Name(name)) = self.peek() else {
            return Err(self.expected("the name of an element or attribute, '*', '.', '..' or '@'"));
        };
        let name = name.clone();
        if self.peek_at(1) == Some(&Token::Mark("("))
            && let Some(test) = node_type(&name)
        {
            self.next += 2;
            if test == NodeTest::Instruction && matches!(self.peek(), Some(Token::Literal(_))) {
                self.next += 1;
            }
            self.need_mark(")")?;
            return Ok(test);
        }
        self.next += 1;
        Ok(match name.strip_suffix('*') {
            Some(prefix) => NodeTest::Prefix(prefix.to_owned()),
            None => NodeTest::Name(name),
        })
    }

    fn predicate(&mut self) -> Result<Predicate, XPathErrorKind> {
        self.need_mark("[")?;
        let expr = self.or()?;
        self.need_mark("]")?;
        Ok(Predicate::new(expr))
    }

    fn primary(&mut self) -> Parsed {
        let column = self.column();
        match self.peek().cloned() {
            Some(Token::Literal(text)) => {
                self.next += 1;
                Ok(Expr::Literal(text))
            }
            Some(Token::Number(number)) => {
                self.next += 1;
                Ok(Expr::Number(number))
            }
            Some(Token::Name(name)) => {
                self.next += 1;
                self.call(&name, column)
            }
            _ => {
                self.need_mark("(")?;
                let expr = self.or()?;
                self.need_mark(")")?;
                Ok(expr)
            }
        }
    }

    fn call(&mut self, name: &str, column: usize) -> Parsed {
        let Some(function) = Function::named(name) else {
            return Err(XPathErrorKind::UnknownFunction { column, name: name.to_owned() });
        };
        self.need_mark("(")?;
        let (mut arguments, mut columns) = (Vec::new(), Vec::new());
        if !self.take_mark(")") {
            loop {
                columns.push(self.column());
                arguments.push(self.or()?);
                if self.take_mark(")") {
                    break;
                }
                if !self.take_mark(",") {
                    return Err(self.expected("',' or ')'"));
                }
            }
        }
        function.check_count(arguments.len(), column)?;
        if function.takes_nodes()
            && let (Some(first), Some(&at)) = (arguments.first(), columns.first())
            && first.kind() != Kind::Nodes
        {
            return Err(XPathErrorKind::NotNodes { column: at, found: first.kind() });
        }
        Ok(Expr::Call(function, arguments))
    }
}

fn node_type(name: &str) -> Option<NodeTest> {
    match name {
        "node" => Some(NodeTest::Node),
        "text" => Some(NodeTest::Text),
        "comment" => Some(NodeTest::Comment),
        "processing-instruction" => Some(NodeTest::Instruction),
        _ => None,
    }
}

fn plain(axis: Axis, test: NodeTest) -> Step {
    Step { axis, test, attributes: Vec::new(), predicates: Vec::new() }
}

fn path(start: Start, steps: Vec<Step>) -> Expr {
    Expr::Path(Box::new(Path { start, steps }))
}

fn nodes(expr: Expr, column: usize) -> Parsed {
    match expr.kind() {
        Kind::Nodes => Ok(expr),
        found => Err(XPathErrorKind::NotNodes { column, found }),
    }
}

fn is_attribute_condition(expr: &Expr) -> bool {
    matches!(expr, Expr::AttributeIs(_))
}

fn compare(operator: Comparison, left: Box<Expr>, right: Box<Expr>) -> Expr {
    if operator == Comparison::Eq {
        for (path, literal) in [(&left, &right), (&right, &left)] {
            if let (Some(name), Expr::Literal(value)) = (attribute_name(path), &**literal) {
                return Expr::AttributeIs(AttributeIs { name: name.to_owned(), value: value.clone() });
            }
        }
    }
    Expr::Compare(operator, left, right)
}

/// The name, if the expression is `@name` and nothing else.
fn attribute_name(expr: &Expr) -> Option<&str> {
    let Expr::Path(path) = expr else { return None };
    match (&path.start, path.steps.as_slice()) {
        (
            Start::Context,
            [Step { axis: Axis::Attribute, test: NodeTest::Name(name), attributes, predicates }],
        ) if attributes.is_empty() && predicates.is_empty() => Some(name),
        _ => None,
    }
}
