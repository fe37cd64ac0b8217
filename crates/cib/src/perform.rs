// SPDX-License-Identifier: GPL-2.0-or-later
//! Performing a request: the operation, then everything that goes with a change.

use crate::acl::{self, Acl};
use crate::change::{self, Touched};
use crate::upgrade::Event;
use crate::version::raise;
use crate::{CallOptions, Operation, Refusal, Request, Version, patch, schema};
use model::{FeatureSet, Profile};
use xml::{Element, Escaping};

/// What an operation needs to know besides the CIB and the request. The same on all nodes, but for `last_written`, which
/// no digest covers.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Which Pacemaker we pass for.
    pub profile: Profile,
    /// CIBs that need more than this are refused; `None` for files, which may be anybody's.
    pub feature_set: Option<FeatureSet>,
    /// When the change happens, as [`crate::last_written`] writes it.
    pub last_written: String,
    /// What ACLs depend on besides the CIB.
    pub acl: acl::Facts,
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
    /// What was decided by ACLs.
    pub notes: Vec<acl::Note>,
    /// What happened on the way to another schema.
    pub events: Vec<Event>,
}

/// Reads what the asking user may see.
pub fn query(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    match Acl::enforced(cib, request.origin.user.as_deref(), &context.acl) {
        None => change::query(cib, request),
        Some(acl) => {
            let visible = acl::filter(&acl, cib).ok_or_else(|| Refusal::denied(&acl, Vec::new()))?;
            change::query(&visible, request)
        }
    }
}

/// Does what is asked for to a copy of the CIB, if the asking user may, raises its version, says what changed and checks
/// what came out.
pub fn perform(cib: &Element, request: &Request, context: &Context) -> Result<Outcome, Refusal> {
    let user = request.origin.user.as_deref();
    match Acl::enforced(cib, user, &context.acl) {
        None => change_and_finish(cib, request, context, None),
        Some(acl) => change_and_finish(cib, request, context, Some(&acl)).map_err(|refusal| match refusal {
            // What would have come out is shown as far as the user may see it.
            Refusal::Invalid { issues, cib } => {
                Refusal::Invalid { issues, cib: cib.and_then(|cib| acl::filter(&acl, &cib)).map(Box::new) }
            }
            refusal => refusal,
        }),
    }
}

fn change_and_finish(
    cib: &Element,
    request: &Request,
    context: &Context,
    acl: Option<&Acl>,
) -> Result<Outcome, Refusal> {
    let change::Changed { cib: mut new, touched, mut notes, events } = change::change(cib, request, context)?;
    if let Some(acl) = acl {
        let change = change::seen_by_acl(cib, request)?;
        let (allowed, decided) = acl::check(acl, cib, &new, &change);
        notes.extend(decided);
        if !allowed {
            return Err(denied(acl, request, notes));
        }
    }
    check_feature_set(&new, context)?;
    check_version(cib, &new)?;
    if !touched.any {
        let cib = cib.clone();
        return Ok(Outcome {
            cib,
            patch: None,
            configuration_changed: false,
            must_be_written: false,
            notes,
            events,
        });
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
            return Err(Refusal::Invalid { issues, cib: Some(Box::new(new)) });
        }
    }
    let must_be_written = request.operation.writes_through() || is_out_of_date(cib, &new, touched);
    Ok(Outcome {
        cib: new,
        patch: Some(patch),
        configuration_changed: touched.configuration,
        must_be_written,
        notes,
        events,
    })
}

/// A patch that says what must come out is not that patch any more when parts of it are denied.
fn denied(acl: &Acl, request: &Request, notes: Vec<acl::Note>) -> Refusal {
    let expected = request.input.as_ref().filter(|_| request.operation == Operation::ApplyPatch);
    match expected.and_then(|patch| patch.attr("digest")) {
        Some(digest) => {
            Refusal::DeniedPatch { user: acl.user().to_owned(), digest: digest.to_owned(), notes }
        }
        None => Refusal::denied(acl, notes),
    }
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
