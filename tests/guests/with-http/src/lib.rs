//! A component that wants the network, like the default build of componentize-js.

wit_bindgen::generate!({
    inline: "
        package shop:web@1.0.0;

        world shopper {
            import wasi:http/fetching@0.2.0;
            export buy: func() -> u32;
        }

        package wasi:http@0.2.0 {
            interface fetching {
                handle: func(url: string) -> u32;
            }
        }
    ",
    generate_all,
});

struct Shopper;

impl Guest for Shopper {
    fn buy() -> u32 {
        wasi::http::fetching::handle("https://example.org/")
    }
}

export!(Shopper);
