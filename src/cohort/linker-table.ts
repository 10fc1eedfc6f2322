import { parquetWriteBuffer } from "hyparquet-writer";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ExportRow } from "../store/records.ts";

/** An OMOP procedure and the study that was delivered for it. */
export interface LinkedStudy {
  readonly procedureOccurrenceId: bigint;
  readonly pseudoStudyUid: string;
}

/** PIXL's table IMAGE_LINKER: two columns, none of which may be empty. */
export function linkerTable(links: readonly LinkedStudy[]): Uint8Array {
  const columnData = [
    {
      name: "procedure_occurrence_id",
      type: "INT64",
      data: links.map(({ procedureOccurrenceId }) => procedureOccurrenceId),
      nullable: false,
    },
    {
      name: "pseudo_study_uid",
      type: "STRING",
      data: links.map(({ pseudoStudyUid }) => pseudoStudyUid),
      nullable: false,
    },
  ] as const;
  return new Uint8Array(parquetWriteBuffer({ columnData: [...columnData] }));
}

/** PIXL's CSV extracts, and our tables of OMOP extracts; PIXL's own name for it after reading. */
const PROCEDURE_COLUMNS: ReadonlySet<string> = new Set(["procedure_id", "procedure_occurrence_id"]);
/** A whole number, also as tools write it that keep numbers as floating-point ones. */
const PROCEDURE = /^(-?\d{1,19})(?:\.0+)?$/;

/**
 * What was delivered for each row that names its procedure, once however often it was asked for.
 * @throws GatewayError COHORT_NOT_LINKABLE
 */
export async function linkedStudies(cohort: {
  readonly columns: readonly string[];
  readonly rows: AsyncIterable<ExportRow>;
}): Promise<readonly LinkedStudy[]> {
  const place = cohort.columns.findIndex((name) => PROCEDURE_COLUMNS.has(name.trim().toLowerCase()));
  if (place < 0) throw new GatewayError("COHORT_NOT_LINKABLE");
  const links = new Map<string, LinkedStudy>();
  for await (const { rowNumber, cells, jobs } of cohort.rows) {
    const delivered = jobs.filter(({ state }) => state === "delivered");
    if (delivered.length === 0) continue;
    const procedure = procedureIn(cells[place] ?? "");
    if (procedure === undefined) throw new GatewayError("COHORT_NOT_LINKABLE", { row: rowNumber });
    for (const { pseudoStudyInstanceUid: uid } of delivered) {
      if (uid === undefined) continue;
      links.set(`${procedure} ${uid}`, { procedureOccurrenceId: procedure, pseudoStudyUid: uid });
    }
  }
  return [...links.values()];
}

/** As OMOP's tables have it: 64 bits, below zero too. Undefined: it is none. */
function procedureIn(cell: string): bigint | undefined {
  const [, digits] = PROCEDURE.exec(cell.trim()) ?? [];
  const whole = digits === undefined ? undefined : BigInt(digits);
  return whole !== undefined && BigInt.asIntN(64, whole) === whole ? whole : undefined;
}
