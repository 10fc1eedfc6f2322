const DATE = /^([0-9]{4})[.]?([0-9]{2})[.]?([0-9]{2})/;
const MONTHS = "january february march april may june july august september october november december".split(" ");

/** A day as people write it. */
interface SpeltDate {
  readonly inDigits: readonly string[];
  /** Folded. */
  readonly inWords: readonly string[];
}

/** Undefined: no day, or a placeholder. Many a number of a version is a day of this century: years in two digits are sought of birthdays alone. */
export function speltDate(value: string, isBirthday: boolean): SpeltDate | undefined {
  const [, year, month, day] = DATE.exec(value) ?? [];
  if (year === undefined || month === undefined || day === undefined || year < "1800") return undefined;
  const spellings = [
    `${year}${month}${day}`,
    `${year}-${month}-${day}`,
    `${year}/${month}/${day}`,
    ...["/", ".", "-", ""].flatMap((mark) => [day + mark + month + mark + year, month + mark + day + mark + year]),
    ...["/", ".", "-"].flatMap((mark) => [
      Number(day) + mark + Number(month) + mark + year,
      Number(month) + mark + Number(day) + mark + year,
    ]),
  ];
  const shortly = isBirthday
    ? ["/", ".", "-"].flatMap((mark) => [
        [day, month, year.slice(2)].join(mark),
        [month, day, year.slice(2)].join(mark),
      ])
    : [];
  const inWords = monthNames(month).flatMap((name) => [
    Number(day) + name + year,
    name + Number(day) + year,
    name + day + year,
  ]);
  return { inDigits: [...new Set([...spellings, ...shortly])], inWords: [...new Set(inWords)] };
}

/** Folded, short and long: descriptions are mostly English, whatever the language of the country. */
function monthNames(month: string): readonly string[] {
  const name = MONTHS[Number(month) - 1];
  return name === undefined ? [] : [name.slice(0, 3), name];
}
