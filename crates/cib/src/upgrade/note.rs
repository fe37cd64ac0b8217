// SPDX-License-Identifier: GPL-2.0-or-later
//! What a transform has to say of what it did, for those who should know or look.

use super::second::table::{Entry, Table};
use std::fmt;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration means something else now; somebody should look.
    Warning,
    /// Something without effect is gone.
    Info,
    /// The same is said in another way.
    Debug,
}

impl Severity {
    /// How lines of this severity begin where it is told in the text.
    pub const fn label(self) -> &'static str {
        match self {
            Severity::Warning => "WARNING: ",
            Severity::Info => "INFO: ",
            Severity::Debug => "DEBUG: ",
        }
    }
}

/// What a permission of the first series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclScope {
    /// An element by its id.
    Reference,
    /// All elements of a name.
    ObjectType,
    /// What a path finds.
    XPath,
}

/// A kind of resource that may have nothing left in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A group.
    Group,
    /// A clone.
    Clone,
}

/// What a transform did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// 2.0: an ACL's limit to one attribute could not stay as it was.
    AclAttribute {
        /// What the permission is about.
        scope: AclScope,
        /// Its id.
        permission: String,
    },
    /// 3.0: something was renamed, moved, redefined or dropped by a table.
    Table {
        /// Which.
        table: &'static Table,
        /// The entry that fit.
        entry: &'static Entry,
        /// Where: ids, as Pacemaker puts them.
        context: String,
    },
    /// 3.0: what an `id-ref` named is gone, so its content stands where the reference was.
    ReferencedGone {
        /// The element's name.
        element: String,
        /// The id it referred to.
        id: String,
    },
    /// 4.0: there are no phases of the moon any more.
    Moon {
        /// The id of the `date_spec`.
        date_spec: String,
    },
    /// 4.0: there is no `remove-after-stop` any more.
    RemoveAfterStop {
        /// The id of the `nvpair`.
        nvpair: String,
    },
    /// 4.0: there is no lifetime of colocations and orders any more.
    Lifetime {
        /// The constraint's id.
        constraint: String,
    },
    /// 4.0: a resource, or template, of a class that is gone.
    Class {
        /// Whether it is a template.
        template: bool,
        /// Its id.
        id: String,
        /// The class, as the configuration writes it.
        class: String,
    },
    /// 4.0: a group or clone of which nothing is left.
    Emptied {
        /// What it is.
        holder: Holder,
        /// Its id.
        id: String,
    },
    /// 4.0: there are no rkt containers any more.
    Rkt {
        /// The bundle's id.
        bundle: String,
    },
    /// 4.0: a meta-attribute that is gone.
    MetaAttribute {
        /// Its name.
        name: String,
        /// The id of the set it was in.
        set: String,
        /// What does its work now.
        instead: &'static str,
    },
    /// 4.0: permissions by XPath may fit other elements than before.
    AclXPath,
}

impl Note {
    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Note::Table { entry, .. } => entry.severity(),
            Note::ReferencedGone { .. } => Severity::Debug,
            Note::Emptied { .. } => Severity::Info,
            _ => Severity::Warning,
        }
    }

    /// What a line of it begins with where the severity is told in the text. (The oldest notes have none.)
    pub fn label(&self) -> &'static str {
        match self {
            Note::AclAttribute { .. } => "",
            other => other.severity().label(),
        }
    }

    /// The lines of it, without label.
    pub fn lines(&self) -> Vec<String> {
        self.to_string().lines().map(str::to_owned).collect()
    }
}

impl fmt::Display for Note {
    /// One line, or two: what was done, and what to do about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::AclAttribute { scope, .. } => match scope {
                AclScope::Reference => f.write_str(
                    "ACLs: @attribute cannot accompany @ref for upgrade-1.3.xsl purposes, ignoring",
                ),
                AclScope::ObjectType => f.write_str(
                    "ACLs: @attribute (with @tag) handling generalized a bit for upgrade-1.3.xsl purposes",
                ),
                AclScope::XPath => f.write_str(
                    "ACLs: @attribute (with @xpath) handling generalized a bit for upgrade-1.3.xsl purposes",
                ),
            },
            Note::Table { table, entry, context } => {
                // A pair given by reference has no id to name.
                let colon = if context.is_empty() { "" } else { ": " };
                write!(f, "{}: {context}{colon}{entry}", table.subject)?;
                match entry.advice {
                    Some(advice) => write!(f, "\n{}: ... {advice}", table.subject),
                    None => Ok(()),
                }
            }
            Note::ReferencedGone { element, id } => {
                write!(
                    f,
                    "{element}: original element pointed to with @id-ref ({id}) disappeared during upgrade"
                )
            }
            Note::Moon { date_spec } => write!(
                f,
                "Dropping moon attribute from date spec {date_spec} because moon phase is no longer supported"
            ),
            Note::RemoveAfterStop { nvpair } => {
                write!(f, "Dropping nvpair {nvpair} because the remove-after-stop property is unsupported")
            }
            Note::Lifetime { constraint } => write!(
                f,
                "Dropping lifetime element from constraint {constraint} because lifetime elements are no longer \
                 supported. Any rules contained there will no longer apply to the constraint"
            ),
            Note::Class { template, id, class } => {
                let what = if *template { "template" } else { "resource" };
                write!(f, "Dropping {what} {id} because {class} resources are no longer supported")
            }
            Note::Emptied { holder, id } => {
                let what = match holder {
                    Holder::Group => "group",
                    Holder::Clone => "clone",
                };
                write!(f, "Dropping {what} {id} because it would become empty")
            }
            Note::Rkt { bundle } => {
                write!(
                    f,
                    "Dropping bundle resource {bundle} because rkt containers are no longer supported"
                )
            }
            Note::MetaAttribute { name, set, instead } => write!(
                f,
                "Dropping {name} meta-attribute from {set} because it is no longer supported. Consider setting \
                 {instead}"
            ),
            Note::AclXPath => f.write_str(
                "CIB syntax changes may invalidate ACLs that use \"xpath\". It is strongly recommended to run \
                 \"cibadmin --upgrade\" and then examine the updated CIB carefully to ensure ACLs still match the \
                 desired intent.",
            ),
        }
    }
}
