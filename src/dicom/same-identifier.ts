/**
 * Whether two systems mean the same patient or accession number: what passes through spreadsheets and warehouses loses leading zeros and blanks, and
 * PS3.4 C.2.2.2 lets archives match without regard to case. For two that are compared beside a UID which says so too, never to find a study by.
 */
export function isSameIdentifier(one: string, other: string): boolean {
  return plain(one) === plain(other);
}

function plain(identifier: string): string {
  return identifier
    .trim()
    .toUpperCase()
    .replace(/^0+(?=.)/, "");
}
