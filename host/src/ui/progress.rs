//! What is going on, for as long as it goes on.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::Screen;
use crate::names::printable;

/// Nothing is drawn for what ends sooner.
const PATIENCE: Duration = Duration::from_millis(500);

const TICK: Duration = Duration::from_millis(120);

const SPINNER: &str = "{spinner} {wide_msg} {elapsed}";
const BAR: &str = "{spinner} {wide_msg} [{bar:20}] {pos}/{len}";

/// Frames a second.
const RATE: u8 = 20;

/// The lines of standard error that are drawn over and over; none when nothing may be drawn.
pub(super) fn lines(drawable: bool) -> MultiProgress {
    MultiProgress::with_draw_target(if drawable {
        ProgressDrawTarget::term_like_with_hz(Box::<Screen>::default(), RATE)
    } else {
        ProgressDrawTarget::hidden()
    })
}

/// A spinner, or a bar once `advance` was called. Gone from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    /// Dropped to tell the waiting thread that it is over.
    over: Option<Sender<()>>,
    waiting: Option<JoinHandle<()>>,
}

impl Progress {
    /// `drawn`: where to draw; `None`: nowhere.
    pub(super) fn start(drawn: Option<&MultiProgress>, what: &str) -> Self {
        let Some(drawn) = drawn.cloned() else {
            return Self {
                bar: None,
                over: None,
                waiting: None,
            };
        };
        let bar = ProgressBar::hidden()
            .with_style(template(SPINNER))
            .with_message(printable(what));
        let (over, ended) = mpsc::channel::<()>();
        let shown = bar.clone();
        let waiting = std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                drawn.add(shown.clone()).enable_steady_tick(TICK);
            }
        });
        Self {
            bar: Some(bar),
            over: Some(over),
            waiting: Some(waiting),
        }
    }

    /// Replaces the words.
    pub fn say(&self, what: impl std::fmt::Display) {
        if let Some(bar) = &self.bar {
            bar.set_message(printable(&what.to_string()));
        }
    }

    /// So much of so much is done: the spinner becomes a bar.
    pub fn advance(&self, done: u64, total: u64) {
        if let Some(bar) = &self.bar {
            if bar.length() != Some(total) {
                bar.set_length(total);
                bar.set_style(template(BAR));
            }
            bar.set_position(done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.over.take());
        if let Some(waiting) = self.waiting.take() {
            let _ = waiting.join();
        }
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_for_the_patience_of_the_spinner() {
        let started = std::time::Instant::now();
        let drawn = lines(false);
        for _ in 0..20 {
            drop(Progress::start(Some(&drawn), "quick"));
        }
        assert!(started.elapsed() < PATIENCE * 5);
    }

    #[test]
    fn templates_are_valid() {
        for text in [SPINNER, BAR] {
            assert!(ProgressStyle::with_template(text).is_ok());
        }
    }
}
