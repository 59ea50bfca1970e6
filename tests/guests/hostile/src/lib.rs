//! One component, many crimes. What it does stands in its bytes, where a test writes it: a word for the
//! phase it strikes in and one for the deed.

mod deeds;

wit_bindgen::generate!({
    path: "../../../wit/v0.1",
    world: "template",
});

use exports::changelings::template::template_api::{
    Brief, Composition, Context, Guest, Manifest, Param,
};

/// `changelings_tests::guests::hostile` finds the first bytes and overwrites what follows them.
static PLAN: [u8; 64] = *b"what to do: compose nothing                                     ";

/// The deed planned for this phase; `nothing` otherwise.
fn deed(phase: &str) -> String {
    let plan = std::hint::black_box(PLAN);
    let plan = String::from_utf8_lossy(&plan).into_owned();
    let mut words = plan.trim_start_matches("what to do:").split_whitespace();
    match (words.next(), words.next()) {
        (Some(planned), Some(deed)) if planned == phase => deed.to_owned(),
        _ => "nothing".to_owned(),
    }
}

struct Hostile;

impl Guest for Hostile {
    fn describe() -> Manifest {
        let mut manifest = Manifest {
            name: "hostile".to_owned(),
            version: "0.1.0".to_owned(),
            description: "Does what its bytes say".to_owned(),
            agent_type: None,
            params: vec![Param {
                name: "ask".to_owned(),
                description: "What to ask the host, a line each".to_owned(),
                required: false,
                default: None,
            }],
            permissions: ["repo:read", "github:read", "publish"]
                .map(str::to_owned)
                .to_vec(),
            default_message: "Do as you are told:\n{findings}".to_owned(),
            default_mngr_args: Vec::new(),
            extras: Vec::new(),
        };
        let deed = deed("describe");
        deeds::commit(&deed);
        deeds::lie(&deed, &mut manifest);
        manifest
    }

    fn compose(context: Context) -> Result<Composition, changelings::template::types::Failure> {
        let deed = deed("compose");
        deeds::commit(&deed);
        let mut brief = Brief {
            prompt: "Do as you are told.".to_owned(),
            mngr_args: Vec::new(),
            permissions: vec!["publish".to_owned()],
            delivery: "pull-request".to_owned(),
            slug: "deed".to_owned(),
            pr_title: Some("Done".to_owned()),
            pr_body: None,
            labels: Vec::new(),
            extras: Vec::new(),
        };
        deeds::forge(&deed, &mut brief);
        if deed == "ask" {
            brief.prompt = deeds::ask(&context);
        }
        match deed.as_str() {
            "skip" => Ok(Composition::Skip("nothing\nto do".to_owned())),
            "refuse" => Err(changelings::template::types::Failure {
                code: "no-way".to_owned(),
                message: "the moon is\u{1b}[31m wrong".to_owned(),
                hint: Some("wait a week".to_owned()),
            }),
            _ => Ok(Composition::Run(brief)),
        }
    }
}

export!(Hostile);
