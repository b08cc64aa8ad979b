//! The form of a table: RFC 4180 with LF at the end of lines, one row a movement. Columns are only ever added at the right.

use std::io::{self, Write};

use hansa_economy::ledger::Head;

use super::escape::csv_cell;
use super::form::{Booked, Form};
use super::jsonl::Record;

pub(super) struct Csv;

const COLUMNS: &str = "ref,seq,time,kind,posts,asset,amount,debit,debit_name,credit,credit_name,cause,command,hold,code,\
user_data_128,user_data_64,user_data_32,reference,channel,receipts";

impl Form for Csv {
    fn head(&self, out: &mut dyn Write, _head: &Head) -> io::Result<()> {
        writeln!(out, "{COLUMNS}")
    }

    fn movement(&self, out: &mut dyn Write, booked: &Booked<'_>) -> io::Result<()> {
        let row = Record::of(booked);
        let cells = [
            row.name,
            row.seq.to_string(),
            row.time,
            row.kind.to_owned(),
            row.posts.to_string(),
            row.asset.to_owned(),
            row.amount,
            row.debit.to_string(),
            row.debit_name.to_owned(),
            row.credit.to_string(),
            row.credit_name.to_owned(),
            row.cause.to_string(),
            optional(row.command),
            optional(row.hold),
            optional(row.code),
            optional(row.user_data_128),
            optional(row.user_data_64),
            optional(row.user_data_32),
            row.reference.map_or_else(String::new, csv_cell),
            optional(row.channel),
            row.receipts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        ];
        writeln!(out, "{}", cells.join(","))
    }
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
