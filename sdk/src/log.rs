//! Messages for whoever runs the host with `-v`. One line each, cut at 2,000 characters.

use crate::backend;

pub fn debug(message: impl AsRef<str>) {
    backend::debug(message.as_ref());
}

pub fn info(message: impl AsRef<str>) {
    backend::info(message.as_ref());
}

pub fn warn(message: impl AsRef<str>) {
    backend::warn(message.as_ref());
}
