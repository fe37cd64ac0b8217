// SPDX-License-Identifier: GPL-2.0-or-later
//! One step: the same request for `cibadmin` and for us.

use crate::random::Random;
use cib::{CallOptions, Operation, Request, patch};
use model::Profile;
use xml::{Element, Escaping, Node};

/// A request, and how `cibadmin` is asked for it (its input comes with `-x`).
pub struct Step {
    pub arguments: Vec<String>,
    pub request: Request,
}

impl Step {
    /// The request as `cibadmin` makes it: a CIB to replace another has a status.
    pub fn request(&self) -> Request {
        let mut request = self.request.clone();
        if let (Operation::Replace, Some(input)) = (request.operation, &mut request.input)
            && input.name() == "cib"
            && cib::find_section(input, Some("status")).is_none()
        {
            input.push(Element::new("status"));
        }
        request
    }

    pub fn is_query(&self) -> bool {
        self.request.operation == Operation::Query
    }

    /// What `cibadmin` prints for an answer.
    pub fn printed(&self, answer: &Element) -> String {
        if self.request.options.has(CallOptions::XPATH_ADDRESS) && answer.name() == "xpath-query" {
            return answer.elements().map(|path| format!("{}\n", path.id().unwrap_or_default())).collect();
        }
        xml::write_indented(answer)
    }
}

const SECTIONS: [&str; 16] = [
    "configuration",
    "resources",
    "resources",
    "constraints",
    "nodes",
    "crm_config",
    "status",
    "status",
    "rsc_defaults",
    "op_defaults",
    "acls",
    "tags",
    "alerts",
    "fencing-topology",
    "all",
    "cib",
];

/// A random step.
pub fn next(random: &mut Random, cib: &Element, profile: Profile) -> Step {
    loop {
        let step = any(random, cib, profile);
        // A CIB in a CIB is beyond what anybody need agree on; and nothing good comes of deleting the document.
        let input = step.request.input.as_ref();
        let nested = |input: &Element| {
            input.descendants().skip(1).any(|element| element.name() == "cib")
                || input.name() == "cib" && input.id().is_some()
        };
        if input.is_some_and(nested) || step.request.section.as_deref() == Some("//cib/..") {
            continue;
        }
        return step;
    }
}

fn any(random: &mut Random, cib: &Element, profile: Profile) -> Step {
    match random.below(16) {
        0 | 1 => create(random, cib),
        2..=4 => modify(random, cib),
        5 | 6 => delete(random, cib),
        7..=9 => replace(random, cib),
        10 => of("-E", Request::new(Operation::Erase)).forced(),
        11 => of("-B", Request::new(Operation::Bump)),
        12 | 13 => apply(random, cib, profile),
        _ => look(random, cib),
    }
}

fn of(command: &str, request: Request) -> Step {
    Step { arguments: vec![command.to_owned()], request }
}

impl Step {
    fn forced(mut self) -> Step {
        self.arguments.push("--force".to_owned());
        self
    }

    fn section(mut self, random: &mut Random) -> Step {
        if random.once_in(4) {
            return self;
        }
        let section = *random.one_of(&SECTIONS);
        self.arguments.extend(["-o".to_owned(), section.to_owned()]);
        self.request = self.request.section(section);
        self
    }

    fn at_xpath(mut self, random: &mut Random, cib: &Element) -> Step {
        let xpath = xpath(random, cib);
        self.arguments.extend(["-A".to_owned(), xpath.clone()]);
        self.request = self.request.xpath(&xpath);
        self
    }

    fn input(mut self, input: Element) -> Step {
        self.request = self.request.input(input);
        self
    }
}

/// What people look for.
fn xpath(random: &mut Random, cib: &Element) -> String {
    let element = random.element(cib);
    let name = element.name();
    let id = element.id().filter(|id| !id.contains('\'')).unwrap_or("none").to_owned();
    match random.below(12) {
        0 => format!("//{name}"),
        1..=3 => format!("//{name}[@id='{id}']"),
        4 => format!("//{name}[1]"),
        5 => format!("//{name}[last()]"),
        6 => format!("//*[@id='{id}']"),
        7 => format!("/cib/configuration/*/{name}"),
        8 => "//comment()".to_owned(),
        9 => format!("//{name}/@id"),
        10 => format!("//{name}/.."),
        _ => (*random.one_of(&["/cib", "//nvpair", "//status/*", "//nothing", "//*[not(@id)]"])).to_owned(),
    }
}

fn wrapped(random: &mut Random, input: Element, section: Option<&str>) -> Element {
    match section {
        Some(section) if random.once_in(4) => {
            Element::new(section.to_owned()).with_child(Node::Comment(" in it ".into())).with_child(input)
        }
        _ => input,
    }
}

fn create(random: &mut Random, cib: &Element) -> Step {
    let step = of("-C", Request::new(Operation::Create)).section(random);
    let element = random.element(cib).clone();
    let mut input = if random.once_in(2) { random.small(cib) } else { random.like(&element, cib) };
    if random.once_in(2) {
        input.set_attr("id", format!("new-{}", random.below(9)));
    }
    let input = wrapped(random, input, step.request.section.as_deref());
    step.input(input)
}

fn modify(random: &mut Random, cib: &Element) -> Step {
    // `cibadmin` counts always.
    let mut step = of("-M", Request::new(Operation::Modify).with(CallOptions::SCORE_UPDATE));
    step = if random.once_in(4) { step.at_xpath(random, cib) } else { step.section(random) };
    if random.once_in(3) {
        step.arguments.push("-c".to_owned());
        step.request = step.request.with(CallOptions::CAN_CREATE);
    }
    let element = random.element(cib).clone();
    let input = random.like(&element, cib);
    step.input(input)
}

fn delete(random: &mut Random, cib: &Element) -> Step {
    let delete = || Request::new(Operation::Delete);
    match random.below(4) {
        0 => of("-D", delete()).at_xpath(random, cib),
        1 => of("-d", delete().with(CallOptions::MULTIPLE)).at_xpath(random, cib).forced(),
        _ => {
            let step = of("-D", delete()).section(random);
            let element = random.element(cib);
            let mut input = Element::new(element.name_shared().clone());
            input.replace_attrs(element);
            if random.once_in(3) {
                let names: Vec<String> = element.attributes().iter().map(|a| a.name().to_string()).collect();
                for name in names.iter().filter(|name| *name != "id") {
                    input.remove_attr(name);
                }
            }
            let input = wrapped(random, input, step.request.section.as_deref());
            step.input(input)
        }
    }
}

fn replace(random: &mut Random, cib: &Element) -> Step {
    let replace = || Request::new(Operation::Replace);
    match random.below(5) {
        0 => {
            let mut input = random.like(cib, cib);
            let field = *random.one_of(&["admin_epoch", "epoch", "num_updates", "epoch"]);
            let value = *random.one_of(&["0", "1", "5", "99", "-1", "x"]);
            if !random.once_in(3) {
                input.set_attr(field, value);
            }
            of("-R", replace()).section(random).input(input)
        }
        1 => {
            let step = of("-R", replace()).at_xpath(random, cib);
            let element = random.element(cib).clone();
            let input = random.like(&element, cib);
            step.input(input)
        }
        _ => {
            let step = of("-R", replace()).section(random);
            let element = random.element(cib).clone();
            let input = random.like(&element, cib);
            step.input(input)
        }
    }
}

fn apply(random: &mut Random, cib: &Element, profile: Profile) -> Step {
    let mut new = cib.clone();
    for _ in 0..=random.below(4) {
        new = random.edited(&new, cib, 0);
    }
    if !random.once_in(5) {
        new.set_attr(
            "num_updates",
            1 + cib.attr("num_updates").and_then(|n| n.parse::<i64>().ok()).unwrap_or(0),
        );
    }
    let escaping = if profile == Profile::V3_0 { Escaping::Modern } else { Escaping::Legacy };
    let patch = patch::make(cib, &new).unwrap_or_else(|| Element::new("diff").with_attr("format", 2));
    let patch = if random.once_in(2) { patch::with_digest(patch, &new, escaping) } else { patch };
    let patch = if random.once_in(6) { random.edited(&patch, &patch, 0) } else { patch };
    of("-P", Request::new(Operation::ApplyPatch)).input(patch)
}

fn look(random: &mut Random, cib: &Element) -> Step {
    let mut step = of("-Q", Request::new(Operation::Query));
    step = if random.once_in(2) { step.at_xpath(random, cib) } else { step.section(random) };
    match random.below(4) {
        0 => {
            step.arguments.push("-n".to_owned());
            step.request = step.request.with(CallOptions::NO_CHILDREN);
        }
        1 if step.request.options.has(CallOptions::XPATH) => {
            step.arguments.push("-e".to_owned());
            step.request = step.request.with(CallOptions::XPATH_ADDRESS);
        }
        _ => {}
    }
    step
}
