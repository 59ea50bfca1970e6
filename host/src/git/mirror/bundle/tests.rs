use super::super::tests as mirror;
use super::*;

/// A machine that mirrors a repository, another one, and a folder where bundles are kept.
struct World(mirror::World);

impl World {
    fn new() -> Self {
        let world = mirror::World::new();
        world.sh("git -C origin branch other");
        Self(world)
    }

    fn repo(&self) -> RepoUrl {
        self.0.repo("origin")
    }

    fn home(&self, name: &str) -> Home {
        Home::at(self.0.folder.path().join(name))
    }

    fn bundles(&self) -> PathBuf {
        self.0.folder.path().join("bundles")
    }

    /// A mirror with the work of a run in it.
    fn mirror(&self) -> Mirror {
        let mirror = Mirror::update(&self.0.git, &self.home("there"), &self.repo()).unwrap();
        let main = mirror.commit_of("main").unwrap();
        let update = ["update-ref", "refs/runs/r1/heads/x", &main];
        checked(
            "update-ref",
            &self.0.git.in_dir(&mirror.git_dir).args(update),
        )
        .unwrap();
        mirror
    }

    fn unbundle(&self, home: &str) -> Unbundled {
        Mirror::unbundle(&self.0.git, &self.home(home), &self.repo(), &self.bundles()).unwrap()
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        names(&self.bundles(), &self.repo())
    }
}

#[test]
fn a_mirror_travels_as_one_file() {
    let world = World::new();
    assert_eq!(world.unbundle("here"), Unbundled::None);
    let there = world.mirror();
    assert!(there.bundle(&world.0.git, &world.bundles()).unwrap());
    // Written again only when there is something new.
    assert!(!there.bundle(&world.0.git, &world.bundles()).unwrap());

    assert_eq!(world.unbundle("here"), Unbundled::Whole);
    let open = |name: &str| {
        let opened = Mirror::open(&world.0.git, &world.home(name), &world.repo());
        opened.unwrap().unwrap()
    };
    let here = open("here");
    let refs = |mirror: &Mirror| all_refs(&world.0.git, &mirror.git_dir).unwrap();
    assert_eq!(refs(&here), refs(&there));
    assert_eq!(here.default_branch().unwrap(), "main");
    assert!(here.holds_run_commit(&world.0.git, &here.commit_of("main").unwrap()));
    // A mirror that is there is not replaced.
    assert_eq!(world.unbundle("here"), Unbundled::None);

    // From here on it follows the remote as any mirror does.
    world.0.sh("cd origin; echo 2 > a; git commit -qam 2");
    let updated = Mirror::update(&world.0.git, &world.home("here"), &world.repo()).unwrap();
    assert_eq!(
        updated.commit_of("main").unwrap(),
        world.0.sh("git -C origin rev-parse HEAD")
    );
    assert!(updated.bundle(&world.0.git, &world.bundles()).unwrap());
    let left: Vec<_> = fs::read_dir(world.bundles()).unwrap().collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_bundle_in_doubt_is_no_mirror() {
    let world = World::new();
    world
        .mirror()
        .bundle(&world.0.git, &world.bundles())
        .unwrap();
    let (bundle, note) = world.files();
    let (whole, noted) = (fs::read(&bundle).unwrap(), fs::read(&note).unwrap());
    let text = String::from_utf8(noted.clone()).unwrap();
    let mut said = Vec::new();
    let mut refused = |bytes: &[u8], text: Option<&str>| {
        fs::write(&bundle, bytes).unwrap();
        match text {
            Some(text) => fs::write(&note, text).unwrap(),
            None => fs::remove_file(&note).unwrap(),
        }
        let Unbundled::Doubtful(why) = world.unbundle("here") else {
            panic!("must be doubted")
        };
        said.push(why);
        let opened = Mirror::open(&world.0.git, &world.home("here"), &world.repo());
        assert!(opened.unwrap().is_none());
    };
    refused(&whole, None);
    refused(&whole, Some("{"));
    refused(&whole[..whole.len() - 10], Some(&text));
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    refused(&flipped, Some(&text));
    refused(&whole, Some(&text.replace("/heads/x", "/heads/y")));
    // Damaged, and the note knows nothing of it: git does.
    let of = |bytes: &[u8]| Digest::of(bytes).to_string();
    let mut middle = whole.clone();
    let place = middle.len() - 40;
    middle[place] ^= 1;
    refused(&middle, Some(&text.replace(&of(&whole), &of(&middle))));
    let last = said.pop().unwrap();
    assert!(!last.is_empty());
    insta::assert_snapshot!(said.join("\n"));

    fs::write(&bundle, &whole).unwrap();
    fs::write(&note, &noted).unwrap();
    assert_eq!(world.unbundle("here"), Unbundled::Whole);
}
