/** A statement as PostgreSQL takes it: `$1`, `$2` … stand for the names in order. */
export interface SqlText {
  readonly text: string;
  readonly names: readonly string[];
}

/** What SQLite spells otherwise, wherever it stands. */
const SPELLINGS: readonly (readonly [RegExp, string])[] = [
  [/ INDEXED BY \w+/g, ""],
  // SQLite keeps the order of a CROSS JOIN and lets it have a condition.
  [/\bCROSS JOIN (\w+(?: AS \w+)?) (ON|USING)\b/g, "JOIN $1 $2"],
  // A name without quotes is folded to small letters. https://www.postgresql.org/docs/15/sql-syntax-lexical.html 4.1.1
  [/\bAS ([a-z]+[A-Z]\w*)/g, 'AS "$1"'],
  [/json_each\((:\w+)\)/g, "json_array_elements_text(CAST($1 AS json))"],
];

/** `:name` that is no cast (`::type`), and whether it is asked if it is there at all. */
const PARAMETER = /(?<!:):([a-zA-Z]\w*)( IS NULL)?/g;

/**
 * One of the shared statements for PostgreSQL. A name that stands several times is one parameter, but for `:name IS NULL`, which tells
 * nothing of its type: that is a parameter of its own, a text.
 */
export function toPostgres(statement: string): SqlText {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (key: string, name: string): number => {
    const number = numbers.get(key) ?? names.push(name);
    numbers.set(key, number);
    return number;
  };
  const spelt = SPELLINGS.reduce((text, [pattern, spelling]) => text.replaceAll(pattern, spelling), statement);
  const text = spelt.replaceAll(PARAMETER, (_, name: string, isNull: string | undefined) =>
    isNull === undefined ? `$${numberOf(name, name)}` : `CAST($${numberOf(`${name} IS NULL`, name)} AS TEXT) IS NULL`,
  );
  return { text, names };
}
