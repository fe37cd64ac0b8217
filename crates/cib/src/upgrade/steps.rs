// SPDX-License-Identifier: GPL-2.0-or-later
//! Which steps lead from one series of schemas to the next.

use super::note::Note;
use super::{first, second, third};
use crate::schema::SchemaVersion;
use xml::Element;

/// A step could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// A reference to nothing.
    #[error("<{element} id-ref=\"{id}\"> refers to nothing; expected the id of a <{element}>")]
    Reference {
        /// The name of the element that refers.
        element: String,
        /// To what.
        id: String,
    },
    /// Several elements could be meant.
    #[error("there are several <{element}> with the id \"{id}\", to which others refer; expected one")]
    Ambiguous {
        /// The elements' name.
        element: String,
        /// Their id.
        id: String,
    },
    /// References within references within ...
    #[error("elements, or references, are nested deeper than {}", super::walk::MAX_DEPTH)]
    TooDeep,
    /// More by reference than anybody needs.
    #[error("references stand for more than {} elements", super::COPIES_MAX)]
    TooManyCopies,
}

/// One step of the way from one series to the next.
#[derive(Debug)]
pub struct Step {
    /// The name of the transform that does the same in Pacemaker.
    pub name: &'static str,
    run: fn(&Element, &mut Vec<Note>) -> Result<Element, StepError>,
}

impl Step {
    /// Does the step. What it was about goes to `notes`.
    pub fn run(&self, cib: &Element, notes: &mut Vec<Note>) -> Result<Element, StepError> {
        (self.run)(cib, notes)
    }
}

/// The steps to the version after this one; none if the next takes a configuration as it is.
pub fn steps(from: SchemaVersion) -> &'static [Step] {
    match (from.major(), from.minor()) {
        (1, 3) => &FIRST,
        (2, 10) => &SECOND,
        (3, 10) => &THIRD,
        _ => &[],
    }
}

static FIRST: [Step; 1] =
    [Step { name: "upgrade-1.3-0.xsl", run: |cib, notes| Ok(first::upgrade(cib, notes)) }];

static SECOND: [Step; 3] = [
    Step { name: "upgrade-2.10-0.xsl", run: |cib, _| second::references::copy_out(cib) },
    Step { name: "upgrade-2.10-1.xsl", run: |cib, notes| Ok(second::by_tables(cib, notes)) },
    Step { name: "upgrade-2.10-2.xsl", run: second::references::refer_again },
];

static THIRD: [Step; 6] = [
    Step { name: "upgrade-3.10-0.xsl", run: |cib, _| third::references::copy_out(cib) },
    Step { name: "upgrade-3.10-1.xsl", run: |cib, notes| Ok(third::values::upgrade(cib, notes)) },
    Step { name: "upgrade-3.10-2.xsl", run: |cib, _| Ok(third::legacy::upgrade(cib)) },
    Step { name: "upgrade-3.10-3.xsl", run: |cib, notes| Ok(third::lifetime::upgrade(cib, notes)) },
    Step { name: "upgrade-3.10-4.xsl", run: |cib, notes| Ok(third::unsupported::upgrade(cib, notes)) },
    Step { name: "upgrade-3.10-99.xsl", run: |cib, notes| Ok(third::references::refer_again(cib, notes)) },
];
