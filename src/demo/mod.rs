//! `planthread demo`: a simulated plant, the sandbox, the bridge between them,
//! and the page where a planner sees the numbers land.

pub mod plant;
