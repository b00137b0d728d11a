//! The app in the Elm manner, pure: messages in, model changed, effects out; drawing reads the model and changes nothing.

pub mod columns;
pub mod command;
pub mod farewell;
pub mod foretold;
pub mod key;
pub mod keymap;
pub mod layout;
mod lists;
pub mod model;
pub mod msg;
pub mod overlay;
mod palette;

mod possible;
mod pressed;
mod registry;
pub mod said;
mod screen;
mod sheet;
mod update;
pub mod verdict;
pub mod view;
pub mod window;

pub use palette::ALIASES;
pub use pressed::pressed;
pub use update::update;
