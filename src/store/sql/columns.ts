import { GatewayError } from "../../errors/gateway-error.ts";
import type { Row } from "./session.ts";

/** Reads what a row holds under one name. @throws GatewayError STORE_DAMAGED when that is something else */
export type Column<T> = (value: unknown) => T;

/** A column for each property of a record; the statement names its columns by the properties. */
export type Columns<T> = { readonly [Name in keyof T]-?: Column<T[Name]> };

export const text: Column<string> = (value) => (typeof value === "string" ? value : damaged());

export const integer: Column<number> = (value) => (typeof value === "number" ? value : damaged());

/** 0 or 1: SQLite has no truth values. */
export const flag: Column<boolean> = (value) => integer(value) === 1;

export const blob: Column<Uint8Array> = (value) => (value instanceof Uint8Array ? value : damaged());

/** Kept as JSON. */
export const list: Column<readonly string[]> = (value) => {
  const items: unknown = JSON.parse(text(value));
  return Array.isArray(items) ? items.map(text) : damaged();
};

/** NULL is how the database says undefined. */
export function optional<T>(column: Column<T>): Column<T | undefined> {
  return (value) => (value === null || value === undefined ? undefined : column(value));
}

/** One of the names of a table, such as a state. @param otherwise in the place of a name that is not in it; absent: it is damage */
export function keyOf<T extends object>(table: T, otherwise?: keyof T & string): Column<keyof T & string> {
  return (value) => (isKeyOf(table, value) ? value : (otherwise ?? damaged()));
}

export function oneOf<const T extends string>(words: readonly T[]): Column<T> {
  return (value) => words.find((word) => word === value) ?? damaged();
}

function isKeyOf<T extends object>(table: T, name: unknown): name is keyof T & string {
  return typeof name === "string" && Object.hasOwn(table, name);
}

/** Rows as records of one kind; columns that the record does not name are left behind. */
export function recordReader<T extends object>(columns: Columns<T>): (row: Row) => T {
  const names = Object.keys(columns) as (keyof T & string)[];
  return (row) => {
    const record: Partial<T> = {};
    for (const name of names) record[name] = columns[name](row[name]);
    // Whole, as the type of `columns` has every property.
    return record as T;
  };
}

function damaged(): never {
  throw new GatewayError("STORE_DAMAGED");
}
