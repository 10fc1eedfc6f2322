import { GatewayError } from "../errors/gateway-error.ts";
import { findKnownColumns } from "./columns.ts";
import { checkKey, trimIdentifier } from "./identifiers.ts";
import { readTable, TableError } from "./table-file.ts";

/**
 * Patient ids of opted-out patients: the column `patient_id` or `mrn`, else the first column, whose first line then counts too.
 * A list that may have lost patients is no list: whatever cannot be read, or could not be a patient id, is an error.
 * @throws GatewayError OPT_OUT_UNREADABLE
 */
export async function loadOptOut(paths: readonly string[]): Promise<ReadonlySet<string>> {
  const patients = new Set<string>();
  for (const [index, path] of paths.entries()) {
    for (const patient of await patientsIn(path, index)) patients.add(patient);
  }
  return patients;
}

async function patientsIn(path: string, list: number): Promise<readonly string[]> {
  const { columns, rows } = await read(path, list);
  const { places, twice } = findKnownColumns(columns);
  if (twice.includes("patient_id")) throw unreadable(list, "column-twice");
  const place = places.get("patient_id");
  const below = rows.map(({ cells }) => cells);
  const records = place !== undefined ? below : columns.length === 0 ? [] : [columns, ...below];
  const index = place?.index ?? 0;
  if (records.some((record) => record.length <= index || isShifted(record, index, columns.length)))
    throw unreadable(list, "row-malformed");
  const patients = records.map((record) => trimIdentifier(record[index] ?? "")).filter((patient) => patient !== "");
  const damage = patients.map((patient) => checkKey("patient-id", patient)).find((code) => code !== undefined);
  if (damage !== undefined) throw unreadable(list, damage);
  return patients;
}

/** A separator within an earlier cell, such as the comma of a name, puts another cell in the id's place. */
function isShifted(record: readonly string[], index: number, count: number): boolean {
  return index > 0 && record.slice(count).some((cell) => cell.trim() !== "");
}

async function read(path: string, list: number): ReturnType<typeof readTable> {
  try {
    return await readTable(path, (columns) => findKnownColumns(columns).places.size);
  } catch (thrown) {
    if (!(thrown instanceof TableError)) throw thrown;
    if (thrown.fault === "empty") return { columns: [], rows: [] };
    throw unreadable(list, thrown.fault);
  }
}

function unreadable(list: number, reason: string): GatewayError {
  return new GatewayError("OPT_OUT_UNREADABLE", { list: list + 1, reason });
}
