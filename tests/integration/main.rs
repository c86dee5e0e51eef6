//! What can be tested from outside only. All of it is one binary, so that polars is linked once.

mod architecture;
mod command_line;
mod screen;
