//! Lints, type checks and coverage switched off by a word in the source.

use changelings_sdk::prompt;

use super::{Signal, Source};

/// How the common tools are told to look away.
const SILENCERS: &[&str] = &[
    "#[allow(",
    "#![allow(",
    "# noqa",
    "# type: ignore",
    "# pylint: disable",
    "# pragma: no cover",
    "# nosec",
    "# mypy: ignore",
    "# pyright: ignore",
    "# fmt: off",
    "eslint-disable",
    "@ts-ignore",
    "@ts-expect-error",
    "@ts-nocheck",
    "biome-ignore",
    "istanbul ignore",
    "c8 ignore",
    "v8 ignore",
    "prettier-ignore",
    "//nolint",
    "// nolint",
    "#nosec",
    "@SuppressWarnings",
    "@Suppress(",
    "NOSONAR",
    "NOLINT",
    "rubocop:disable",
    "phpcs:ignore",
    "phpstan-ignore",
    "psalm-suppress",
    "swiftlint:disable",
    "#pragma warning disable",
    "[SuppressMessage",
    "credo:disable",
    "hlint: ignore",
    "ignore_for_file:",
    "// ignore:",
];

pub(super) fn find(source: &Source) -> Vec<Signal> {
    (1..)
        .zip(source.code_and_comments.lines().zip(source.text.lines()))
        .filter(|(_, (line, _))| SILENCERS.iter().any(|silencer| line.contains(silencer)))
        .map(|(number, (line, text))| {
            // One that names no rule silences everything.
            let is_broad = [
                "# noqa",
                "# type: ignore",
                "@ts-ignore",
                "@ts-nocheck",
                "//nolint",
            ]
            .iter()
            .any(|broad| line.trim_end().ends_with(broad));
            Signal {
                path: source.path.clone(),
                told: format!(
                    "{} {}",
                    prompt::place(&source.path, number),
                    prompt::code_bounded(text, 120)
                ),
                weight: 1 + usize::from(is_broad),
            }
        })
        .collect()
}
