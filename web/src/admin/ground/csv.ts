// What a list shows, as a file for a spreadsheet. The server makes those of lists that it pages; this one is for lists
// that the page holds whole. The same guard as `crates/server/src/spreadsheet.rs`.

/** The mark of UTF-8, without which spreadsheets take a file for their own encoding. */
const MARK = '\u{feff}';

/** A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe before it. A phone number
 *  keeps its `+`. */
export const harmless = (cell: string): string => (/^[=+\-@\t\r]/.test(cell) && !/^\+[0-9 ]*$/.test(cell) ? `'${cell}` : cell);

const quoted = (cell: string) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

/** Lines of cells as RFC 4180 has them. */
export const csv = (lines: readonly (readonly string[])[]): string =>
  MARK + lines.map((line) => line.map((cell) => quoted(harmless(cell.trim()))).join(',') + '\r\n').join('');

/** Gives the file to the browser. */
export function save(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  [link.href, link.download] = [address, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1_000);
}
