//! The database's format: one migration a version, never edited once released.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::RecordError;

/// `MIGRATIONS[n]` leads from format n to n + 1.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        changeling TEXT NOT NULL,
        repo TEXT NOT NULL,
        template TEXT NOT NULL,
        -- milliseconds since 1970, as every time here
        started_at INTEGER NOT NULL,
        ended_at INTEGER,
        -- the outcome's word and the whole of it as JSON; NULL while the run lives
        word TEXT,
        outcome TEXT,
        branch TEXT,
        cost_usd REAL,
        turns INTEGER,
        -- 1: nothing of the run is left running or lying about but its record and what was kept
        clean INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX runs_by_target ON runs (changeling, repo, started_at);
    CREATE INDEX runs_by_time ON runs (started_at);
    CREATE INDEX runs_alive ON runs (id) WHERE word IS NULL;
    CREATE INDEX runs_unclean ON runs (id) WHERE clean = 0;
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY,
        run TEXT NOT NULL,
        changeling TEXT NOT NULL,
        repo TEXT NOT NULL,
        kind TEXT NOT NULL,
        number INTEGER NOT NULL,
        url TEXT NOT NULL,
        title TEXT NOT NULL,
        branch TEXT,
        state TEXT NOT NULL,
        updated_at INTEGER NOT NULL,
        UNIQUE (repo, kind, number)
    ) STRICT;
    CREATE INDEX deliveries_by_target ON deliveries (changeling, repo, state);
", "
    -- when a person said that what the run left is dealt with
    ALTER TABLE runs ADD COLUMN settled_at INTEGER;
    DROP INDEX runs_by_target;
    DROP INDEX runs_by_time;
    DROP INDEX runs_alive;
    CREATE INDEX runs_by_time ON runs (started_at, id);
    CREATE INDEX runs_by_changeling ON runs (changeling, started_at, id);
    CREATE INDEX runs_by_target ON runs (changeling, repo, kind, started_at, id);
    CREATE INDEX runs_by_word ON runs (word, started_at, id);
    -- runs that tell whether a changeling works: what was skipped or interrupted says nothing
    CREATE INDEX runs_telling ON runs (changeling, repo, started_at, id)
        WHERE kind = 'run' AND word NOT IN ('skipped', 'interrupted');
    CREATE INDEX runs_costs ON runs (started_at, cost_usd) WHERE cost_usd IS NOT NULL;
    CREATE INDEX runs_costs_by_target ON runs (changeling, repo, started_at, cost_usd) WHERE cost_usd IS NOT NULL;
    CREATE INDEX deliveries_by_run ON deliveries (run);
    CREATE INDEX deliveries_by_state ON deliveries (state, changeling, repo);
    -- what removed records had cost: a budget forgets nothing
    CREATE TABLE spent (
        at INTEGER NOT NULL,
        changeling TEXT NOT NULL,
        repo TEXT NOT NULL,
        cost_usd REAL NOT NULL
    ) STRICT;
    CREATE INDEX spent_by_time ON spent (at, changeling, repo, cost_usd);
    CREATE INDEX spent_by_target ON spent (changeling, repo, at, cost_usd);
    -- failures up to then are forgiven
    CREATE TABLE resumed (
        changeling TEXT NOT NULL,
        repo TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (changeling, repo)
    ) STRICT;
", "
    -- names of the secrets the run had, one a line: whoever keeps what it left must take them out
    ALTER TABLE runs ADD COLUMN secrets TEXT;
", "
    -- the last of its commits that passed the check before publishing
    ALTER TABLE runs ADD COLUMN checked TEXT;
", "
    -- where it ran, when not on this machine: the place, its id of the call, which attempt at it, and
    -- who asked ('hand' or 'schedule')
    ALTER TABLE runs ADD COLUMN place TEXT;
    ALTER TABLE runs ADD COLUMN call TEXT;
    ALTER TABLE runs ADD COLUMN attempt TEXT;
    ALTER TABLE runs ADD COLUMN asked_by TEXT;
    CREATE INDEX runs_by_call ON runs (call) WHERE call IS NOT NULL;
", "
    -- 1: another attempt at the same call had started the agent
    ALTER TABLE runs ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
"];

/// The format this program writes.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// How long another process may keep the database to itself.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the database, making it when there is none, and brings its format up to date.
pub(super) fn open(file: &Path) -> Result<Connection, RecordError> {
    let failed = |error| RecordError::of(file, error);
    let mut connection = Connection::open(file).map_err(failed)?;
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    let found = version(&connection).map_err(failed)?;
    if found > VERSION {
        return Err(RecordError::Newer { found });
    }
    if found < VERSION {
        log_ahead(&connection).map_err(failed)?;
        // Others may open it at the same time: one migrates, the rest find it done.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found = version(&transaction).map_err(failed)?;
        if found > VERSION {
            return Err(RecordError::Newer { found });
        }
        migrate(transaction, found, VERSION).map_err(failed)?;
    }
    // Kept over a crash of the machine up to the last moments; a crash of the program loses nothing.
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(failed)?;
    Ok(connection)
}

/// Changes the journal, for good. `SQLite` does not wait by itself when others do the same just now.
fn log_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let done = connection.pragma_update(None, "journal_mode", "WAL");
        let code = done
            .as_ref()
            .err()
            .and_then(rusqlite::Error::sqlite_error_code);
        if code != Some(ErrorCode::DatabaseBusy) || Instant::now() >= give_up {
            return done;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn migrate(transaction: Transaction, from: u32, to: u32) -> rusqlite::Result<()> {
    for migration in &MIGRATIONS[from as usize..to as usize] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", to)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_open_a_new_one_at_once() {
        for _ in 0..20 {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("runs.sqlite");
            let start = std::sync::Barrier::new(8);
            let open = || {
                start.wait();
                open(&file).map(drop)
            };
            let opened: Vec<_> = std::thread::scope(|scope| {
                let openers = [(); 8].map(|()| scope.spawn(open));
                openers.map(|opener| opener.join().unwrap()).into()
            });
            assert!(opened.iter().all(Result::is_ok), "{opened:?}");
        }
    }

    /// Everything the database holds, as it was declared.
    fn shape(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn every_older_format_is_brought_up_to_date_with_what_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let fresh = shape(&open(&folder.path().join("fresh")).unwrap());
        for from in 1..VERSION {
            let file = folder.path().join(from.to_string());
            let mut connection = Connection::open(&file).unwrap();
            migrate(connection.transaction().unwrap(), 0, from).unwrap();
            connection
                .execute(
                    "INSERT INTO runs (id, kind, changeling, repo, template, started_at, word, outcome, cost_usd)
                     VALUES ('a', 'run', 'c', 'o/n', 't', 5, 'interrupted', '{\"outcome\":\"interrupted\"}', 1.5)",
                    [],
                )
                .unwrap();
            drop(connection);
            let connection = open(&file).unwrap();
            assert_eq!(version(&connection).unwrap(), VERSION);
            assert_eq!(shape(&connection), fresh, "from {from}");
            let cost: f64 = connection
                .query_row("SELECT cost_usd FROM runs WHERE id = 'a'", [], |row| {
                    row.get(0)
                })
                .unwrap();
            assert!((cost - 1.5).abs() < f64::EPSILON);
        }
    }
}
