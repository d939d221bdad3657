//! Pure translation between cells and the service's rows.

pub(crate) mod decimal;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod messages;
pub(crate) mod question;
