//! The crate carries its own copy of the contract, so that it works wherever it is packaged.

#[test]
fn the_copy_of_the_contract_is_the_contract() {
    let contract = include_str!("../../wit/v0.1/template.wit");
    assert!(
        include_str!("../wit/template.wit") == contract,
        "copy wit/v0.1/template.wit to sdk/wit/"
    );
}
