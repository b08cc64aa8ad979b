/** Every bound of this agent. */

/** Bytes of one file; the contract's number. */
export const CONTENT_BYTES_MAX = 1024 * 1024;
/** Rows of one table; the contract's number. */
export const ROWS_MAX = 20_000;
/** Columns of one table; the contract's number. */
export const COLUMNS_MAX = 200;
/** Characters of Markdown and JSON in one answer. */
export const ANSWER_CHARACTERS_MAX = 4 * 1024 * 1024;
/** Remarks in one answer; the last one counts the others. */
export const REMARKS_MAX = 20;
/** Bytes at each end of a file that tell its kind: what the identifier looks at. */
export const TELLING_BYTES = 4096;
/** Lines that are looked at to find out what stands between fields. */
export const SAMPLE_LINES = 20;
/** Widest column that Markdown is padded to, in characters; longer values stick out. */
export const PADDED_MAX = 40;
