//! The cases, by subject.

mod connack;
mod connect;
mod errors;
mod flow;
mod keep;
mod properties;
mod publish;
mod qos;
mod retained;
mod session;
mod shared;
mod subscribe;
mod topics;
mod unsubscribe;
mod will;

use super::suite::Case;

/// All of them.
pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    let lists = [
        connect::CASES,
        connack::CASES,
        session::CASES,
        keep::CASES,
        will::CASES,
        publish::CASES,
        retained::CASES,
        properties::CASES,
        qos::CASES,
        flow::CASES,
        subscribe::CASES,
        unsubscribe::CASES,
        shared::CASES,
        topics::CASES,
        errors::CASES,
    ];
    lists.into_iter().flatten()
}
