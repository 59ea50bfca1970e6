//! A component that is no template at all.

wit_bindgen::generate!({
    inline: "
        package shop:prices@1.0.0;

        interface total {
            total: func(prices: list<u32>) -> u32;
        }

        world till {
            export total;
        }
    ",
});

struct Till;

impl exports::shop::prices::total::Guest for Till {
    fn total(prices: Vec<u32>) -> u32 {
        prices.into_iter().sum()
    }
}

export!(Till);
