import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";

/** One column of a Parquet file, with its type as the writer names it. */
export interface ParquetColumn {
  readonly name: string;
  readonly type: "INT64" | "DOUBLE" | "FLOAT" | "STRING" | "TIMESTAMP" | "BOOLEAN";
  readonly data: readonly unknown[];
}

export async function writeParquet(path: string, columns: readonly ParquetColumn[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const columnData = columns.map(({ data, ...column }) => ({ ...column, data: [...data], nullable: true }));
  await writeFile(path, new Uint8Array(parquetWriteBuffer({ columnData })));
}

/** A procedure of an OMOP extract. */
export interface OmopProcedure {
  readonly id: number;
  readonly mrn: string;
  readonly accession?: string | undefined;
  readonly studyUid?: string | undefined;
}

export interface OmopExtractOptions {
  readonly batched?: boolean;
  /** As PIXL's summary has it; its slug is the project. */
  readonly project?: string;
  readonly datetime?: string;
}

/** Part files as Spark and pyarrow write them: numbers as floating-point ones, days as instants. */
const BATCHED = { number: "DOUBLE", day: "TIMESTAMP" } as const;
const SINGLE = { number: "INT64", day: "STRING" } as const;
const DAY = "2022-11-22";

/** A folder as OMOP ES writes it, with one person for each MRN. */
export async function writeOmopExtract(
  folder: string,
  procedures: readonly OmopProcedure[],
  { batched = false, project = "Trial", datetime = "2023-12-07T14:08:58" }: OmopExtractOptions = {},
): Promise<void> {
  const mrns = [...new Set(procedures.map(({ mrn }) => mrn))];
  const types = batched ? BATCHED : SINGLE;
  const numbers = (values: readonly number[]) => (batched ? values : values.map((value) => BigInt(value)));
  const column = (name: string, type: ParquetColumn["type"], data: readonly unknown[]) => ({ name, type, data });
  const ids = column("procedure_occurrence_id", types.number, numbers(procedures.map(({ id }) => id)));
  const tables = {
    "private/PERSON_LINKS": [
      column("person_id", types.number, numbers(mrns.map((_, index) => index + 1))),
      column("PrimaryMrn", "STRING", mrns),
    ],
    "private/PROCEDURE_OCCURRENCE_LINKS": [
      ids,
      column(
        "AccessionNumber",
        "STRING",
        procedures.map(({ accession }) => accession),
      ),
      column(
        "StudyUid_X",
        "STRING",
        procedures.map(({ studyUid }) => studyUid),
      ),
    ],
    "public/omop/PROCEDURE_OCCURRENCE": [
      ids,
      column("person_id", types.number, numbers(procedures.map(({ mrn }) => mrns.indexOf(mrn) + 1))),
      column(
        "procedure_date",
        types.day,
        procedures.map(() => (batched ? new Date(`${DAY}T00:00:00Z`) : DAY)),
      ),
    ],
  };
  for (const [name, columns] of Object.entries(tables)) {
    if (batched)
      await writeParts(join(folder, dirname(name), name.slice(name.lastIndexOf("/") + 1).toLowerCase()), columns);
    else await writeParquet(join(folder, `${name}.parquet`), columns);
  }
  const summary = { datetime, settings: { cdm_source_name: project } };
  await writeFile(join(folder, "extract_summary.json"), JSON.stringify(summary));
}

/** The first row in a part of its own. */
async function writeParts(folder: string, columns: readonly ParquetColumn[]): Promise<void> {
  for (const [index, [from, to]] of [[0, 1], [1]].entries()) {
    const part = columns.map(({ data, ...column }) => ({ ...column, data: data.slice(from, to) }));
    await writeParquet(join(folder, `part-${index}.parquet`), part);
  }
}
