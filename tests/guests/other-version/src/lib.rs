//! Made for a version of the contract that does not exist yet.

wit_bindgen::generate!({
    inline: "
        package changelings:template@0.2.0;

        interface template-api {
            describe: func() -> string;
        }

        world template {
            export template-api;
        }
    ",
});

struct Newer;

impl exports::changelings::template::template_api::Guest for Newer {
    fn describe() -> String {
        "newer".to_owned()
    }
}

export!(Newer);
