//! Opens `queue.db`, and when it is damaged, takes over what can be read of it. The damaged file is only read, and set
//! aside once the new one is complete: a fall in between begins again and loses nothing more.
//!
//! SQLite reads the rows of intact pages as long as the way to them is intact. Rows are read by ascending number; where
//! a page can't be read, the next readable number is searched for.

mod rows;

use super::{QueueError, failed};
use crate::store::open::{self, OpenError, Schema, suffixed};
use rows::{DamagedFile, Tally};
use sqlx::sqlite::SqlitePool;
use std::path::Path;

/// Opens the queue; the notices say what was set aside and taken over.
pub(super) async fn open(path: &Path, schema: Schema, stamp: &str) -> Result<(SqlitePool, Vec<String>), OpenError> {
    let fresh = path.with_extension("salvaged.db");
    if !path.exists() && fresh.exists() {
        // The last start fell between the two renames below.
        rename(&fresh, path, schema)?;
    }
    let detail = match open::open(path, schema).await {
        Err(OpenError::Damaged { detail, .. }) => detail,
        other => return other,
    };
    for left in [fresh.clone(), suffixed(&fresh, "-wal"), suffixed(&fresh, "-shm")] {
        let _ = std::fs::remove_file(left);
    }
    let (pool, _) = open::open(&fresh, schema).await?;
    let taken = take_over(path, &pool).await;
    // The last connection takes the log into the file: one file is all there is to rename.
    pool.close().await;
    let tally = taken.map_err(|error| OpenError::Damaged {
        what: schema.what,
        path: path.to_owned(),
        detail: format!("{detail}; what it holds could not be copied: {error}"),
    })?;

    let aside = path.with_extension(format!("damaged-{stamp}.db"));
    rename(path, &aside, schema)?;
    let _ = std::fs::rename(suffixed(path, "-wal"), suffixed(&aside, "-wal"));
    let _ = std::fs::remove_file(suffixed(path, "-shm"));
    rename(&fresh, path, schema)?;
    let (pool, mut notices) = open::open(path, schema).await?;
    notices.push(format!(
        "The {} was damaged ({detail}). It was set aside as {} and a new one was begun. {}",
        schema.what,
        aside.display(),
        tally.words()
    ));
    Ok((pool, notices))
}

fn rename(from: &Path, to: &Path, schema: Schema) -> Result<(), OpenError> {
    std::fs::rename(from, to).map_err(|error| OpenError::Sql {
        operation: "set aside",
        what: schema.what,
        path: from.to_owned(),
        source: sqlx::Error::Io(error),
    })
}

/// Copies every readable row and settles the ledger. What can't be read is no error; what can't be written is.
async fn take_over(damaged: &Path, into: &SqlitePool) -> Result<Tally, QueueError> {
    let Some(mut file) = DamagedFile::open(damaged).await else { return Ok(Tally::default()) };
    let ledgers = file.ledgers().await;
    let mut tally = Tally::default();
    file.queue(into, &mut tally).await?;
    file.dead_letters(into, &mut tally).await?;
    file.retained(into).await?;
    file.close().await;
    tally.settle(ledgers, into).await?;
    Ok(tally)
}

impl Tally {
    fn words(&self) -> String {
        let (waiting, dead, lost) = (self.waiting(), self.dead(), self.lost);
        if waiting + dead == 0 && self.whole_relays == 0 {
            return "Nothing could be read of it: messages that waited in it are lost to relaying.".into();
        }
        let missing = match lost {
            0 => "Some may be missing.".to_owned(),
            1 => "1 that it held could not be read and counts as dropped.".to_owned(),
            more => format!("{more} that it held could not be read and count as dropped."),
        };
        let plural = |count: u64, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
        format!("{} and {} were taken over. {missing}", plural(waiting, "waiting message"), plural(dead, "dead letter"))
    }
}

pub(super) fn unwritten(error: sqlx::Error) -> QueueError {
    failed("write to")(error)
}
