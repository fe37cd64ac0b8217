// SPDX-License-Identifier: GPL-2.0-or-later
//! Cores of different daemons behind one type, so that one world can hold them all.

use messages::core::{Core, Input, Output};
use model::{Instant, Now};
use std::any::Any;

/// What happened to one daemon only, of whatever type that daemon has for it.
pub type AnyEvent = Box<dyn Any>;
/// What one daemon only asks for, of whatever type that daemon has for it.
pub type AnyEffect = Box<dyn Any>;

/// A core whose own events and effects are of any type.
pub trait AnyCore {
    /// See [`Core::handle`].
    fn handle(&mut self, now: Now, input: Input<AnyEvent>);
    /// See [`Core::poll`].
    fn poll(&mut self) -> Option<Output<AnyEffect>>;
    /// See [`Core::next_timeout`].
    fn next_timeout(&self) -> Option<Instant>;
}

struct Erased<C>(C);

impl<C> AnyCore for Erased<C>
where
    C: Core,
    C::Event: 'static,
    C::Effect: 'static,
{
    fn handle(&mut self, now: Now, input: Input<AnyEvent>) {
        let typed = input.try_map(|event| event.downcast::<C::Event>().ok().map(|event| *event));
        // An event of another daemon's type is a mistake of the simulation, and must not pass unseen.
        assert!(typed.is_some(), "an event of the wrong daemon was delivered");
        if let Some(input) = typed {
            self.0.handle(now, input);
        }
    }

    fn poll(&mut self) -> Option<Output<AnyEffect>> {
        Some(self.0.poll()?.map(|effect| Box::new(effect) as AnyEffect))
    }

    fn next_timeout(&self) -> Option<Instant> {
        self.0.next_timeout()
    }
}

/// Hides a core's own types.
pub fn erase<C>(core: C) -> Box<dyn AnyCore>
where
    C: Core + 'static,
    C::Event: 'static,
    C::Effect: 'static,
{
    Box::new(Erased(core))
}
