//! The form of JSON lines: one object a movement. Keys are those of the table's columns; more may be added.

use std::io::{self, Write};

use hansa_economy::Digest;
use hansa_economy::channel::{AccountId, ChannelId};
use hansa_economy::ledger::{CommandId, Head, Id128};
use serde::Serialize;

use super::form::{Booked, Form};
use crate::day::moment;
use crate::replay::kind_name;

pub(super) struct Jsonl;

/// A row, also of the table. Amounts are decimals of the asset's scale as text; what does not apply is `null`.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    #[serde(rename = "ref")]
    pub(super) name: String,
    pub(super) seq: u64,
    pub(super) time: String,
    pub(super) kind: &'static str,
    pub(super) posts: bool,
    pub(super) asset: &'a str,
    pub(super) amount: String,
    pub(super) debit: AccountId,
    pub(super) debit_name: &'a str,
    pub(super) credit: AccountId,
    pub(super) credit_name: &'a str,
    pub(super) cause: Id128,
    pub(super) command: Option<CommandId>,
    pub(super) hold: Option<Id128>,
    pub(super) code: Option<u16>,
    pub(super) user_data_128: Option<Id128>,
    pub(super) user_data_64: Option<u64>,
    pub(super) user_data_32: Option<u32>,
    pub(super) reference: Option<&'a str>,
    pub(super) channel: Option<ChannelId>,
    pub(super) receipts: &'a [Digest],
}

impl<'a> Record<'a> {
    pub(super) fn of(booked: &'a Booked<'_>) -> Record<'a> {
        let (line, movement) = (booked.line, booked.line.movement);
        let transfer = line.transfer;
        Record {
            name: line.name(),
            seq: line.seq,
            time: moment(movement.timestamp_ns),
            kind: kind_name(movement.kind),
            posts: line.posts(),
            asset: &booked.asset.code,
            amount: booked.amount(),
            debit: movement.debit,
            debit_name: booked.debit,
            credit: movement.credit,
            credit_name: booked.credit,
            cause: movement.cause,
            command: line.command,
            hold: line.hold(),
            code: transfer.map(|transfer| transfer.code),
            user_data_128: transfer.map(|transfer| transfer.user_data_128),
            user_data_64: transfer.map(|transfer| transfer.user_data_64),
            user_data_32: transfer.map(|transfer| transfer.user_data_32),
            reference: line.reference,
            channel: line.channel,
            receipts: &line.receipts,
        }
    }
}

impl Form for Jsonl {
    fn head(&self, _out: &mut dyn Write, _head: &Head) -> io::Result<()> {
        Ok(())
    }

    fn movement(&self, out: &mut dyn Write, booked: &Booked<'_>) -> io::Result<()> {
        serde_json::to_writer(&mut *out, &Record::of(booked))?;
        writeln!(out)
    }
}
