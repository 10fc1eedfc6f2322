import { DateTime, IANAZone } from "luxon";
import { isJsonObject, type JsonObject } from "./python-json.ts";

/** A date or datetime that jsonpickle made from CPython's pickling state, read as data. */
export interface PythonMoment {
  /** `YYYY-MM-DD`, or with `THH:MM:SS[.ffffff]`. */
  readonly local: string;
  readonly zone: PythonZone | undefined;
}

/** A fixed offset, or a name of the IANA time zone database. */
export type PythonZone = { readonly offsetSeconds: number } | { readonly name: string };

const DATE_BYTES = 4;
const DATETIME_BYTES = 10;
const DAY_SECONDS = 86_400;

/**
 * Reads `{"py/object": "datetime.…", "__reduce__": [{"py/type": …}, [state, zone?]]}`.
 * @param earlier what a `py/id` in this place can mean: an object met before
 * @returns undefined when it is anything else
 */
export function readMoment(value: unknown, earlier?: PythonMoment): PythonMoment | undefined {
  if (!isJsonObject(value)) return undefined;
  if (isReference(value)) return earlier;
  const kind = value["py/object"];
  const reduce = value.__reduce__;
  if (!hasOnly(value, ["py/object", "__reduce__"]) || !Array.isArray(reduce) || reduce.length !== 2) return undefined;
  const [type, args]: readonly unknown[] = reduce;
  if (!isJsonObject(type) || type["py/type"] !== kind || !Array.isArray(args)) return undefined;
  const [state, zone]: readonly unknown[] = args;
  if (typeof state !== "string") return undefined;
  const bytes = Buffer.from(state, "base64");
  if (kind === "datetime.date" && args.length === 1) return dateOf(bytes);
  if (kind !== "datetime.datetime" || args.length > 2) return undefined;
  const readZoneOf = args.length === 1 ? undefined : readZone(zone, earlier?.zone);
  if (args.length === 2 && readZoneOf === undefined) return undefined;
  return datetimeOf(bytes, readZoneOf);
}

/** CPython's `date.__reduce__`: year in two bytes, month, day. */
function dateOf(bytes: Buffer): PythonMoment | undefined {
  if (bytes.length !== DATE_BYTES) return undefined;
  return checked({ local: isoDate(bytes), zone: undefined });
}

/** CPython's `datetime.__reduce__`: the date with the fold in the month's highest bit, then time, then microseconds in three bytes. */
function datetimeOf(bytes: Buffer, zone: PythonZone | undefined): PythonMoment | undefined {
  if (bytes.length !== DATETIME_BYTES) return undefined;
  const [hour, minute, second] = [4, 5, 6].map((at) => twoDigits(bytes.readUInt8(at)));
  const microseconds = bytes.readUIntBE(7, 3);
  if (microseconds >= 1_000_000) return undefined;
  const fraction = microseconds === 0 ? "" : `.${`${microseconds}`.padStart(6, "0")}`;
  return checked({ local: `${isoDate(bytes)}T${hour}:${minute}:${second}${fraction}`, zone });
}

function isoDate(bytes: Buffer): string {
  const year = `${bytes.readUInt16BE(0)}`.padStart(4, "0");
  return `${year}-${twoDigits(bytes.readUInt8(2) & 0x7f)}-${twoDigits(bytes.readUInt8(3))}`;
}

function checked(moment: PythonMoment): PythonMoment | undefined {
  return DateTime.fromISO(moment.local).isValid ? moment : undefined;
}

function twoDigits(number: number): string {
  return `${number}`.padStart(2, "0");
}

/** `timezone(timedelta(days, seconds, µs)[, name])` or `ZoneInfo._unpickle(name, 1)`; nothing is called. */
function readZone(value: unknown, earlier: PythonZone | undefined): PythonZone | undefined {
  if (!isJsonObject(value)) return undefined;
  if (isReference(value)) return earlier;
  const call = readCall(value);
  if (call === undefined) return undefined;
  const [first] = call.args;
  if (call.callee["py/function"] === "zoneinfo.ZoneInfo._unpickle" && typeof first === "string") {
    return IANAZone.isValidZone(first) ? { name: first } : undefined;
  }
  if (call.callee["py/type"] !== "datetime.timezone" || !isJsonObject(first)) return undefined;
  const delta = readCall(first);
  if (delta?.callee["py/type"] !== "datetime.timedelta") return undefined;
  const [days, seconds] = delta.args;
  if (typeof days !== "number" || typeof seconds !== "number") return undefined;
  const offsetSeconds = days * DAY_SECONDS + seconds;
  return Math.abs(offsetSeconds) < DAY_SECONDS ? { offsetSeconds } : undefined;
}

/** `{"py/reduce": [callee, {"py/tuple": [...]}]}` as data. */
function readCall(value: JsonObject): { readonly callee: JsonObject; readonly args: readonly unknown[] } | undefined {
  const parts = value["py/reduce"];
  if (!hasOnly(value, ["py/reduce"]) || !Array.isArray(parts) || parts.length !== 2) return undefined;
  const [callee, packed]: readonly unknown[] = parts;
  if (!isJsonObject(callee) || !isJsonObject(packed)) return undefined;
  const args = packed["py/tuple"];
  return Array.isArray(args) ? { callee, args } : undefined;
}

/** To an object that stands before, by its number. */
export function isReference(value: JsonObject): boolean {
  return hasOnly(value, ["py/id"]) && Number.isInteger(value["py/id"]);
}

function hasOnly(value: JsonObject, names: readonly string[]): boolean {
  const own = Object.keys(value);
  return own.length === names.length && names.every((name) => own.includes(name));
}

/** As a `Message` has it: a named zone in brackets after its offset (RFC 9557 4.1). */
export function isoOf({ local, zone }: PythonMoment): string {
  if (zone === undefined) return local;
  if ("name" in zone) {
    const { offset } = DateTime.fromISO(local, { zone: zone.name });
    return `${local}${offsetText(offset * 60)}[${zone.name}]`;
  }
  return `${local}${offsetText(zone.offsetSeconds)}`;
}

function offsetText(offsetSeconds: number): string {
  const size = Math.abs(offsetSeconds);
  const [hours, minutes, seconds] = [Math.floor(size / 3_600), Math.floor(size / 60) % 60, size % 60];
  const text = `${offsetSeconds < 0 ? "-" : "+"}${twoDigits(hours)}:${twoDigits(minutes)}`;
  return seconds === 0 ? text : `${text}:${twoDigits(seconds)}`;
}

const ISO =
  /^(?<date>\d{4}-\d\d-\d\d)(?:[T ](?<time>\d\d:\d\d:\d\d)(?:\.(?<fraction>\d{1,6}))?(?<offset>Z|[+-]\d\d:\d\d(?::\d\d)?)?(?:\[(?<name>[A-Za-z0-9_+/-]+)\])?)?$/;

/** Undefined: the text is no date or time of ISO 8601, and goes as a text. */
export function momentOf(text: string): PythonMoment | undefined {
  const { date, time, fraction, offset, name } = ISO.exec(text)?.groups ?? {};
  if (date === undefined) return undefined;
  const digits = fraction === undefined || /^0+$/.test(fraction) ? "" : `.${fraction.padEnd(6, "0")}`;
  const local = time === undefined ? date : `${date}T${time}${digits}`;
  if (name !== undefined) return IANAZone.isValidZone(name) ? checked({ local, zone: { name } }) : undefined;
  return checked({ local, zone: offset === undefined ? undefined : { offsetSeconds: secondsOf(offset) } });
}

function secondsOf(offset: string): number {
  if (offset === "Z") return 0;
  const [hours = 0, minutes = 0, seconds = 0] = offset.slice(1).split(":").map(Number);
  return (offset.startsWith("-") ? -1 : 1) * (hours * 3_600 + minutes * 60 + seconds);
}

/** The form that jsonpickle gives, and makes the object of again. */
export function pickledMoment({ local, zone }: PythonMoment): JsonObject {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = local.split(/[-T:.]/).map(Number);
  const isDate = local.length === "YYYY-MM-DD".length;
  const bytes = Buffer.alloc(isDate ? DATE_BYTES : DATETIME_BYTES);
  bytes.writeUInt16BE(year, 0);
  bytes.set([month, day], 2);
  if (!isDate) {
    bytes.set([hour, minute, second], 4);
    bytes.writeUIntBE(Number(local.split(".")[1] ?? 0), 7, 3);
  }
  const kind = isDate ? "datetime.date" : "datetime.datetime";
  const zones = zone === undefined ? [] : [pickledZone(zone)];
  return { "py/object": kind, __reduce__: [{ "py/type": kind }, [bytes.toString("base64"), ...zones]] };
}

function pickledZone(zone: PythonZone): JsonObject {
  if ("name" in zone) return pickledCall({ "py/function": "zoneinfo.ZoneInfo._unpickle" }, [zone.name, 1]);
  // timedelta keeps its seconds positive.
  const days = Math.floor(zone.offsetSeconds / DAY_SECONDS);
  const delta = pickledCall({ "py/type": "datetime.timedelta" }, [days, zone.offsetSeconds - days * DAY_SECONDS, 0]);
  return pickledCall({ "py/type": "datetime.timezone" }, [delta]);
}

function pickledCall(callee: JsonObject, args: readonly unknown[]): JsonObject {
  return { "py/reduce": [callee, { "py/tuple": args }] };
}
