// SPDX-License-Identifier: GPL-2.0-or-later
//! A transaction: operations one after another, all or none. Each raises versions by itself.

use super::{Changed, Touched, required_input};
use crate::acl::is_restricted;
use crate::{Context, Refusal, Request, perform};
use xml::Element;

pub(super) fn commit(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    let transaction = required_input(request, context.profile).map_err(|_| Refusal::NoTransaction)?;
    if transaction.name() != "cib_transaction" {
        return Err(Refusal::NoTransaction);
    }
    let mut new = cib.clone();
    let mut context = context.clone();
    let (mut notes, mut events) = (Vec::new(), Vec::new());
    for command in transaction.elements_named("cib_command") {
        let mut command = Request::from_message(command)?;
        if !command.operation.in_transaction() {
            return Err(Refusal::NotInTransaction(command.operation));
        }
        if let Some(host) = command.host {
            return Err(Refusal::HostInTransaction(command.operation, host));
        }
        // Nobody becomes somebody else by what is inside their own transaction.
        if request.origin.user.as_deref().is_some_and(is_restricted) {
            command.origin.user.clone_from(&request.origin.user);
        }
        let outcome = perform(&new, &command, &context)?;
        new = outcome.cib;
        context.cib_is_valid = outcome.is_valid;
        notes.extend(outcome.notes);
        events.extend(outcome.events);
    }
    Ok(Changed { touched: Touched::by_content(cib, &new), cib: new, notes, events })
}
