// SPDX-License-Identifier: GPL-2.0-or-later
//! Performing a request: the operation, then everything that goes with a change.

use crate::change::{self, Touched};
use crate::version::raise;
use crate::{CallOptions, Refusal, Request, Version, patch, schema};
use model::{FeatureSet, Profile};
use xml::{Element, Escaping};

/// What an operation needs to know besides the CIB and the request. The same on all nodes, but for `last_written`, which
/// no digest covers.
#[derive(Clone, Debug)]
pub struct Context {
    /// Which Pacemaker we pass for.
    pub profile: Profile,
    /// CIBs that need more than this are refused; `None` for files, which may be anybody's.
    pub feature_set: Option<FeatureSet>,
    /// When the change happens, as [`crate::last_written`] writes it.
    pub last_written: String,
}

impl Context {
    pub(crate) const fn escaping(&self) -> Escaping {
        match self.profile {
            Profile::V3_0 => Escaping::Modern,
            Profile::V2_1 => Escaping::Legacy,
        }
    }
}

/// What a request came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The CIB now. With [`CallOptions::DRY_RUN`], what it would be.
    pub cib: Element,
    /// What changed; `None` if nothing did.
    pub patch: Option<Element>,
    /// The configuration counts as changed.
    pub configuration_changed: bool,
    /// What is on disk is out of date.
    pub must_be_written: bool,
}

/// Reads.
pub fn query(cib: &Element, request: &Request) -> Result<Element, Refusal> {
    change::query(cib, request)
}

/// Does what is asked for to a copy of the CIB, raises its version, says what changed and checks what came out.
pub fn perform(cib: &Element, request: &Request, context: &Context) -> Result<Outcome, Refusal> {
    let change::Changed { cib: mut new, touched } = change::change(cib, request, context)?;
    check_feature_set(&new, context)?;
    check_version(cib, &new)?;
    if !touched.any {
        let cib = cib.clone();
        return Ok(Outcome { cib, patch: None, configuration_changed: false, must_be_written: false });
    }
    if !request.keeps_version {
        raise_version(&mut new, touched);
    }
    let patch = patch::make_always(cib, &new);
    if touched.configuration && !request.options.has(CallOptions::NO_MTIME) {
        stamp(&mut new, request, context)?;
    }
    let status_only =
        request.section.as_deref().is_some_and(|section| section.eq_ignore_ascii_case("status"));
    if !status_only && needs_validation(cib, &new) {
        let issues = schema::validate(&new);
        if !issues.is_empty() {
            return Err(Refusal::Invalid { issues, cib: Box::new(new) });
        }
    }
    let must_be_written = request.operation.writes_through() || is_out_of_date(cib, &new, touched);
    Ok(Outcome {
        cib: new,
        patch: Some(patch),
        configuration_changed: touched.configuration,
        must_be_written,
    })
}

fn check_feature_set(new: &Element, context: &Context) -> Result<(), Refusal> {
    let (Some(ours), Some(text)) = (context.feature_set, new.attr("crm_feature_set")) else { return Ok(()) };
    match text.parse::<FeatureSet>() {
        Ok(found) if found <= ours => Ok(()),
        _ => Err(Refusal::FeatureSet { found: text.to_owned(), ours }),
    }
}

/// Neither `admin_epoch` nor, within one, `epoch` may fall. (What `num_updates` does is nobody's concern.)
fn check_version(old: &Element, new: &Element) -> Result<(), Refusal> {
    let (current, offered) = (Version::of(old), Version::of(new));
    if (offered.admin_epoch, offered.epoch) < (current.admin_epoch, current.epoch) {
        return Err(Refusal::Old { current, offered });
    }
    Ok(())
}

fn raise_version(new: &mut Element, touched: Touched) {
    if touched.configuration {
        new.set_attr("num_updates", 0);
        raise(new, "epoch");
    } else {
        raise(new, "num_updates");
    }
}

/// Writes down when and by whom the configuration was changed.
fn stamp(new: &mut Element, request: &Request, context: &Context) -> Result<(), Refusal> {
    let schema = new.attr("validate-with").ok_or(Refusal::NoSchema)?;
    // Older schemas have no place for the origin.
    let has_origin = !matches!(
        schema,
        "pacemaker-0.6" | "transitional-0.6" | "pacemaker-0.7" | "pacemaker-1.0" | "pacemaker-1.1"
    );
    new.set_attr("cib-last-written", &context.last_written);
    if has_origin {
        let origin = &request.origin;
        let values = [
            ("update-origin", &origin.node),
            ("update-client", &origin.client),
            ("update-user", &origin.user),
        ];
        for (name, value) in values {
            match value {
                Some(value) => new.set_attr(name, value),
                None => {
                    new.remove_attr(name);
                }
            }
        }
    }
    Ok(())
}

/// A configuration that was valid before needs no second look.
fn needs_validation(old: &Element, new: &Element) -> bool {
    let configuration = match (old.child("configuration"), new.child("configuration")) {
        (Some(old), Some(new)) => !old.ptr_eq(new),
        _ => true,
    };
    configuration
        || old.attr("validate-with") != new.attr("validate-with")
        || old.elements().count() != new.elements().count()
}

/// On disk is the configuration with its version, so any of these being other than before matters there.
fn is_out_of_date(old: &Element, new: &Element, touched: Touched) -> bool {
    let version = |cib: &Element| (Version::of(cib).admin_epoch, Version::of(cib).epoch);
    touched.configuration
        || version(old) != version(new)
        || Touched::by_copies(old, new).configuration && Touched::by_content(old, new).configuration
}
