// SPDX-License-Identifier: GPL-2.0-or-later
//! A transaction: operations one after another, all or none. Each raises versions by itself.

use super::{Changed, Touched, required_input};
use crate::{Context, Refusal, Request, perform};
use xml::Element;

pub(super) fn commit(cib: &Element, request: &Request, context: &Context) -> Result<Changed, Refusal> {
    let transaction = required_input(request).map_err(|_| Refusal::NoTransaction)?;
    if transaction.name() != "cib_transaction" {
        return Err(Refusal::NoTransaction);
    }
    let mut new = cib.clone();
    for command in transaction.elements_named("cib_command") {
        let command = Request::from_message(command)?;
        if !command.operation.in_transaction() {
            return Err(Refusal::NotInTransaction(command.operation));
        }
        if let Some(host) = command.host {
            return Err(Refusal::HostInTransaction(command.operation, host));
        }
        new = perform(&new, &command, context)?.cib;
    }
    Ok(Changed { touched: Touched::by_content(cib, &new), cib: new })
}
