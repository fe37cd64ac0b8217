// SPDX-License-Identifier: GPL-2.0-or-later
//! Performing a request: the operation, then everything that goes with a change.

use crate::acl::{self, Acl};
use crate::change::{self, Touched};
use crate::upgrade::Event;
use crate::version::{FIELDS, number, raise};
use crate::{CallOptions, Operation, Refusal, Request, Version, depth, patch, schema};
use model::{FeatureSet, Profile};
use std::cmp::Ordering;
use xml::{Element, Escaping, Name};

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
    /// The CIB is known to be valid under the schema it claims, so that what a change leaves alone needs no second look;
    /// see [`Outcome::is_valid`].
    pub cib_is_valid: bool,
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
    /// The new CIB is known to be valid, see [`Context::cib_is_valid`]. (It may be so without being known to be: where only
    /// the status is concerned, nobody looks.)
    pub is_valid: bool,
    /// What was decided by ACLs.
    pub notes: Vec<acl::Note>,
    /// What happened on the way to another schema.
    pub events: Vec<Event>,
}

/// Reads what the asking user may see.
pub fn query(cib: &Element, request: &Request, context: &Context) -> Result<Element, Refusal> {
    match Acl::enforced(cib, request.origin.user.as_deref(), &context.acl) {
        None => change::query(cib, request, context.profile),
        Some(acl) => {
            let visible = acl::filter(&acl, cib).ok_or_else(|| Refusal::denied(&acl, Vec::new()))?;
            change::query(&visible, request, context.profile)
        }
    }
}

/// Does what is asked for to a copy of the CIB, if the asking user may, raises its version, says what changed and checks
/// what came out.
pub fn perform(cib: &Element, request: &Request, context: &Context) -> Result<Outcome, Refusal> {
    if request.input.as_ref().is_some_and(|input| depth::exceeds(input, depth::INPUT)) {
        return Err(Refusal::TooDeep { limit: depth::INPUT });
    }
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
    if depth::change_exceeds(Some(cib), &new, depth::CIB) {
        return Err(Refusal::TooDeep { limit: depth::CIB });
    }
    if let Some(acl) = acl {
        let change = change::seen_by_acl(cib, request, context.profile)?;
        let (allowed, decided) = acl::check(acl, cib, &new, &change);
        notes.extend(decided);
        if !allowed {
            return Err(denied(acl, request, notes));
        }
    }
    check_feature_set(&new, context)?;
    check_version(cib, &new)?;
    if !request.keeps_version && touched.any {
        keep_version(cib, &mut new, touched, request.operation);
    }
    if !touched.any {
        // What has only moved has moved all the same.
        let is_valid = context.cib_is_valid && schema::stays_valid(cib, &new);
        let (configuration_changed, must_be_written) = (false, false);
        return Ok(Outcome {
            cib: new,
            patch: None,
            configuration_changed,
            must_be_written,
            is_valid,
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
    let mut is_valid = context.cib_is_valid && schema::stays_valid(cib, &new);
    let status_only =
        request.section.as_deref().is_some_and(|section| section.eq_ignore_ascii_case("status"));
    if !is_valid && !status_only {
        let issues = schema::validate(&new);
        if !issues.is_empty() {
            return Err(Refusal::Invalid { issues, cib: Some(Box::new(new)) });
        }
        is_valid = true;
    }
    let must_be_written = request.operation.writes_through() || is_out_of_date(cib, &new, touched);
    Ok(Outcome {
        cib: new,
        patch: Some(patch),
        configuration_changed: touched.configuration,
        must_be_written,
        is_valid,
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

/// What is no version at all is not newer than ours.
fn check_feature_set(new: &Element, context: &Context) -> Result<(), Refusal> {
    let (Some(ours), Some(text)) = (context.feature_set, new.attr("crm_feature_set")) else { return Ok(()) };
    match rules::compare_versions(text, &ours.to_string()) {
        Ordering::Greater => Err(Refusal::FeatureSet { found: text.to_owned(), ours }),
        Ordering::Less | Ordering::Equal => Ok(()),
    }
}

/// Neither `admin_epoch` nor, within one, `epoch` may fall. (What `num_updates` does is nobody's concern.) What is not
/// there any more counts as it was.
fn check_version(old: &Element, new: &Element) -> Result<(), Refusal> {
    let current = Version::of(old);
    let field = |name| match new.attr(name) {
        Some(_) => number(new, name).unwrap_or(0),
        None => number(old, name).unwrap_or(0),
    };
    let [admin_epoch, epoch, num_updates] = FIELDS.map(field);
    let offered = Version::new(admin_epoch, epoch, num_updates);
    if (offered.admin_epoch, offered.epoch) < (current.admin_epoch, current.epoch) {
        return Err(Refusal::Old { current, offered });
    }
    Ok(())
}

/// A number of the version that was taken away cannot be raised; so it is there again before it is: in its old place
/// after a patch (which takes things away from where they are), last after a replacement.
fn keep_version(old: &Element, new: &mut Element, touched: Touched, operation: Operation) {
    let raised: &[&'static str] =
        if touched.configuration { &["num_updates", "epoch"] } else { &["num_updates"] };
    for field in raised {
        let (None, Some(value)) = (new.attr(field), old.attr(field)) else { continue };
        if operation != Operation::ApplyPatch {
            new.set_attr(*field, value);
            continue;
        }
        let before = old.attributes().iter().take_while(|attribute| attribute.name().as_str() != *field);
        let mut place = before.filter(|attribute| new.attr(attribute.name()).is_some()).count();
        let mut attributes: Vec<(Name, String)> =
            new.attributes().iter().map(|a| (a.name().clone(), a.value().to_owned())).collect();
        place = place.min(attributes.len());
        attributes.insert(place, (Name::from(*field), value.to_owned()));
        new.set_attrs(attributes);
    }
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

/// On disk is the configuration with its version, so any of these being other than before matters there.
fn is_out_of_date(old: &Element, new: &Element, touched: Touched) -> bool {
    let version = |cib: &Element| (Version::of(cib).admin_epoch, Version::of(cib).epoch);
    touched.configuration
        || version(old) != version(new)
        || Touched::by_copies(old, new).configuration && Touched::by_content(old, new).configuration
}
