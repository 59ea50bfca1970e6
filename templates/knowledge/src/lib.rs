//! What the built-in templates know of the world.
