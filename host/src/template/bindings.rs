//! The guest's shapes, generated from `wit/v0.1`. They stay inside `template`: `convert` checks
//! everything on its way to the types of `brief`.

#![allow(clippy::pedantic, unreachable_pub, reason = "generated code")]

wasmtime::component::bindgen!({
    path: "../wit/v0.1",
    world: "template",
    imports: { default: async | trappable },
    exports: { default: async },
});
