// SPDX-License-Identifier: GPL-2.0-or-later
//! The core library of functions (XPath 1.0, 4).

use super::XPathErrorKind;
use super::ast::{Expr, Kind};
use super::eval::{Context, Evaluator};
use super::place::{Item, Order, Place};
use super::value::{NodeSet, Value, text_number, text_of};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The functions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Boolean,
    Ceiling,
    Concat,
    Contains,
    Count,
    False,
    Floor,
    Id,
    Lang,
    Last,
    LocalName,
    Name,
    NamespaceUri,
    NormalizeSpace,
    Not,
    Number,
    Position,
    Round,
    StartsWith,
    String,
    StringLength,
    Substring,
    SubstringAfter,
    SubstringBefore,
    Sum,
    Translate,
    True,
}

const MANY: usize = usize::MAX;

/// Name, function, how many arguments it takes at least and at most, what it gives.
type Row = (&'static str, Function, usize, usize, Kind);

const TABLE: [Row; 27] = [
    ("boolean", Function::Boolean, 1, 1, Kind::Boolean),
    ("ceiling", Function::Ceiling, 1, 1, Kind::Number),
    ("concat", Function::Concat, 2, MANY, Kind::String),
    ("contains", Function::Contains, 2, 2, Kind::Boolean),
    ("count", Function::Count, 1, 1, Kind::Number),
    ("false", Function::False, 0, 0, Kind::Boolean),
    ("floor", Function::Floor, 1, 1, Kind::Number),
    ("id", Function::Id, 1, 1, Kind::Nodes),
    ("lang", Function::Lang, 1, 1, Kind::Boolean),
    ("last", Function::Last, 0, 0, Kind::Number),
    ("local-name", Function::LocalName, 0, 1, Kind::String),
    ("name", Function::Name, 0, 1, Kind::String),
    ("namespace-uri", Function::NamespaceUri, 0, 1, Kind::String),
    ("normalize-space", Function::NormalizeSpace, 0, 1, Kind::String),
    ("not", Function::Not, 1, 1, Kind::Boolean),
    ("number", Function::Number, 0, 1, Kind::Number),
    ("position", Function::Position, 0, 0, Kind::Number),
    ("round", Function::Round, 1, 1, Kind::Number),
    ("starts-with", Function::StartsWith, 2, 2, Kind::Boolean),
    ("string", Function::String, 0, 1, Kind::String),
    ("string-length", Function::StringLength, 0, 1, Kind::Number),
    ("substring", Function::Substring, 2, 3, Kind::String),
    ("substring-after", Function::SubstringAfter, 2, 2, Kind::String),
    ("substring-before", Function::SubstringBefore, 2, 2, Kind::String),
    ("sum", Function::Sum, 1, 1, Kind::Number),
    ("translate", Function::Translate, 3, 3, Kind::String),
    ("true", Function::True, 0, 0, Kind::Boolean),
];

impl Function {
    pub fn named(name: &str) -> Option<Function> {
        TABLE.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    fn row(self) -> &'static Row {
        // The table is in the order of the variants; a test holds it to that.
        &TABLE[self as usize]
    }

    pub fn kind(self) -> Kind {
        self.row().4
    }

    /// True if its value depends on where the context node is among others.
    pub fn counts(self) -> bool {
        matches!(self, Function::Last | Function::Position)
    }

    /// True if an argument of it must be a set of nodes.
    pub fn takes_nodes(self) -> bool {
        use Function::{Count, LocalName, Name, NamespaceUri, Sum};
        matches!(self, Count | LocalName | Name | NamespaceUri | Sum)
    }

    pub fn check_count(self, given: usize, column: usize) -> Result<(), XPathErrorKind> {
        let &(name, _, least, most, _) = self.row();
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let expected = match (least, most) {
            (_, MANY) => format!("{least} arguments or more"),
            (0, 0) => "no argument".to_owned(),
            (1, 1) => "1 argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        Err(XPathErrorKind::Arguments { column, name, expected, given })
    }
}

/// The arguments of a call, evaluated when asked for.
struct Arguments<'e, 'c, 'a> {
    evaluator: &'e Evaluator<'a>,
    exprs: &'e [Expr],
    context: &'e Context<'c, 'a>,
}

impl<'a> Arguments<'_, '_, 'a> {
    /// An argument; where it is left out, the context node.
    fn value(&self, index: usize) -> Result<Value<'a>, XPathErrorKind> {
        match self.exprs.get(index) {
            Some(expr) => self.evaluator.value(expr, self.context),
            None => Ok(Value::Nodes(Rc::new(vec![Rc::clone(self.context.place)].into()))),
        }
    }

    fn text(&self, index: usize) -> Result<String, XPathErrorKind> {
        let text = self.value(index)?.text(&self.evaluator.budget)?;
        self.evaluator.budget.spend_text(&text)?;
        Ok(text)
    }

    fn number(&self, index: usize) -> Result<f64, XPathErrorKind> {
        self.value(index)?.number(&self.evaluator.budget)
    }

    fn nodes(&self) -> Result<Rc<NodeSet<'a>>, XPathErrorKind> {
        Ok(match self.value(0)? {
            Value::Nodes(nodes) => nodes,
            Value::Text(_) | Value::Number(_) | Value::Boolean(_) => Rc::default(),
        })
    }

    /// The name of the first node.
    fn name(&self) -> Result<String, XPathErrorKind> {
        Ok(self.nodes()?.first().map_or_else(String::new, |place| place.item.name().to_owned()))
    }
}

pub(super) fn call<'a>(
    evaluator: &Evaluator<'a>,
    function: Function,
    exprs: &[Expr],
    context: &Context<'_, 'a>,
) -> Result<Value<'a>, XPathErrorKind> {
    let of = Arguments { evaluator, exprs, context };
    Ok(match function {
        Function::Boolean => Value::Boolean(of.value(0)?.boolean()),
        Function::Ceiling => Value::Number(of.number(0)?.ceil()),
        Function::Concat => Value::Text(concat(&of)?),
        Function::Contains => Value::Boolean(of.text(0)?.contains(&of.text(1)?)),
        Function::Count => Value::Number(of.nodes()?.len() as f64),
        Function::False => Value::Boolean(false),
        Function::Floor => Value::Number(of.number(0)?.floor()),
        Function::Id => Value::Nodes(Rc::new(with_ids(&of)?.into())),
        Function::Lang => Value::Boolean(is_in_language(context.place, &of.text(0)?)),
        Function::Last => Value::Number(context.size as f64),
        Function::LocalName => {
            let name = of.name()?;
            Value::Text(name.rsplit_once(':').map_or(name.clone(), |(_, local)| local.to_owned()))
        }
        Function::Name => Value::Text(of.name()?),
        Function::NamespaceUri => Value::Text(String::new()),
        Function::NormalizeSpace => Value::Text(words(&of.text(0)?).collect::<Vec<_>>().join(" ")),
        Function::Not => Value::Boolean(!of.value(0)?.boolean()),
        Function::Number => Value::Number(of.number(0)?),
        Function::Position => Value::Number(context.position as f64),
        Function::Round => Value::Number(round(of.number(0)?)),
        Function::StartsWith => Value::Boolean(of.text(0)?.starts_with(&of.text(1)?)),
        Function::String => Value::Text(of.text(0)?),
        Function::StringLength => Value::Number(of.text(0)?.chars().count() as f64),
        Function::Substring => Value::Text(substring(&of)?),
        Function::SubstringAfter => {
            let (text, mark) = (of.text(0)?, of.text(1)?);
            Value::Text(text.split_once(&mark).map_or_else(String::new, |(_, after)| after.to_owned()))
        }
        Function::SubstringBefore => {
            let (text, mark) = (of.text(0)?, of.text(1)?);
            Value::Text(text.split_once(&mark).map_or_else(String::new, |(before, _)| before.to_owned()))
        }
        Function::Sum => {
            let mut sum = 0.0;
            for place in of.nodes()?.iter() {
                sum += text_number(&text_of(place, &evaluator.budget)?);
            }
            Value::Number(sum)
        }
        Function::Translate => Value::Text(translate(&of)?),
        Function::True => Value::Boolean(true),
    })
}

fn concat(of: &Arguments<'_, '_, '_>) -> Result<String, XPathErrorKind> {
    (0..of.exprs.len()).map(|index| of.text(index)).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty())
}

/// The nearest whole number, the greater one of two that are as near.
fn round(number: f64) -> f64 {
    let floor = number.floor();
    // A negative number that becomes zero becomes the negative zero.
    if number - floor >= 0.5 { (floor + 1.0).copysign(number) } else { floor }
}

/// Characters count from 1, and everything is rounded first, so that even odd numbers have a meaning.
fn substring(of: &Arguments<'_, '_, '_>) -> Result<String, XPathErrorKind> {
    let text = of.text(0)?;
    let first = round(of.number(1)?);
    let end = if of.exprs.len() > 2 { first + round(of.number(2)?) } else { f64::INFINITY };
    let inside = |index: usize| {
        let position = (index + 1) as f64;
        position >= first && position < end
    };
    Ok(text.chars().enumerate().filter(|&(index, _)| inside(index)).map(|(_, c)| c).collect())
}

fn translate(of: &Arguments<'_, '_, '_>) -> Result<String, XPathErrorKind> {
    let (text, from, to) = (of.text(0)?, of.text(1)?, of.text(2)?);
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    of.evaluator.budget.spend(text.len() as u64 * (1 + from.len() as u64 / 4))?;
    let replaced = text.chars().filter_map(|c| match from.iter().position(|&other| other == c) {
        Some(index) => to.get(index).copied(),
        None => Some(c),
    });
    Ok(replaced.collect())
}

/// Elements by their id. Without a document type only `xml:id` is one, so that `id()` finds nothing in a CIB: there,
/// `@id` has to be asked for by name.
fn with_ids<'a>(of: &Arguments<'_, '_, 'a>) -> Result<Vec<Rc<Place<'a>>>, XPathErrorKind> {
    let budget = &of.evaluator.budget;
    let mut wanted = BTreeSet::new();
    match of.value(0)? {
        Value::Nodes(nodes) => {
            for place in nodes.iter() {
                wanted.extend(words(&text_of(place, budget)?).map(str::to_owned));
            }
        }
        other => wanted.extend(words(&other.text(budget)?).map(str::to_owned)),
    }
    let (mut found, mut open) = (Vec::new(), vec![Rc::clone(&of.evaluator.document)]);
    while let Some(place) = open.pop() {
        budget.spend(16)?;
        for index in (0..place.item.width()).rev() {
            if let Some(item @ Item::Element(_)) = place.item.child(index) {
                open.push(Place::below(&place, Order::Child(index), item));
            }
        }
        // Of several with one id only the first has it.
        if place.item.attr("xml:id").is_some_and(|id| wanted.remove(id)) {
            found.push(place);
        }
    }
    Ok(found)
}

fn is_in_language(place: &Rc<Place<'_>>, wanted: &str) -> bool {
    let mut next = Some(place);
    while let Some(place) = next {
        if let Some(language) = place.item.attr("xml:lang") {
            let head = language.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted));
            return head && matches!(language.as_bytes().get(wanted.len()), None | Some(b'-'));
        }
        next = place.parent.as_ref();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_functions() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.1 as usize, index, "{}", row.0);
            assert_eq!(row.1.row().0, row.0);
        }
    }
}
