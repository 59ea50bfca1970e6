//! The database's format: one migration a version, never edited once released.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

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
"];

/// The format this program writes.
#[expect(clippy::cast_possible_truncation, reason = "a handful of migrations")]
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

pub(super) fn open(file: &Path) -> Result<Connection, RecordError> {
    let failed = |error| RecordError::Database(file.to_owned(), error);
    let mut connection = Connection::open(file).map_err(failed)?;
    connection
        .busy_timeout(Duration::from_secs(20))
        .map_err(failed)?;
    if version(&connection).map_err(failed)? != VERSION {
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        // Others may open it at the same time: one migrates, the rest find it done.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let found = version(&transaction).map_err(failed)?;
        if found > VERSION {
            return Err(RecordError::Newer { found });
        }
        migrate(transaction, found).map_err(failed)?;
    }
    // Kept over a crash of the machine up to the last moments; a crash of the program loses nothing.
    connection
        .pragma_update(None, "synchronous", "NORMAL")
        .map_err(failed)?;
    Ok(connection)
}

fn migrate(transaction: Transaction, from: u32) -> rusqlite::Result<()> {
    for migration in &MIGRATIONS[from as usize..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
