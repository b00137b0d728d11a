//! The app in the Elm manner, pure: messages in, model changed, effects out; drawing reads the model and changes nothing.

pub mod command;
pub mod farewell;
pub mod foretold;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod msg;
pub mod overlay;
mod pressed;
mod sheet;
mod update;
pub mod verdict;
pub mod view;
pub mod window;

pub use pressed::pressed;
use update::matching as update_palette;
pub use update::update;
