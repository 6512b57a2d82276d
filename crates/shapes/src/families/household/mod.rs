//! Things of the kitchen, the bathroom, the desk and the workshop.

pub(super) mod appliances;
pub(super) mod bags;
pub(super) mod bathroom;
pub(super) mod containers;
pub(super) mod cutlery;
pub(super) mod electronics;
pub(super) mod gadgets;
pub(super) mod stationery;
pub(super) mod tableware;
pub(super) mod toiletries;
pub(super) mod tools;
