import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { expect } from "vitest";
import { tags } from "../dicom/dictionary/tags.ts";
import { readPart10File } from "../dicom/reader.ts";
import type { Tag } from "../dicom/tag.ts";
import { parseSeriesInstanceUid, parseSopInstanceUid, parseStudyInstanceUid } from "../dicom/uid.ts";
import { textOf } from "../dicom/values.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import { neverAborted } from "../units/abort.ts";
import type { Archive, StudyMatch } from "./archive.ts";
import { identifierFromKeys } from "./find-keys.ts";

/** What the archive under test holds. */
export interface KnownStudy {
  readonly studyInstanceUid: string;
  readonly patientId: string;
  readonly accessionNumber: string;
  readonly instances: readonly {
    readonly seriesInstanceUid: string;
    readonly sopInstanceUid: string;
    /** Of the data set's bytes. */
    readonly sha256: string;
  }[];
}

export interface ArchiveUnderTest {
  readonly archive: Archive;
  /** Where what is retrieved arrives; empty at first. */
  readonly staging: StagingArea;
  /** At least one with two series, no two of one patient. */
  readonly studies: readonly [KnownStudy, ...KnownStudy[]];
}

type ContractCase = (under: ArchiveUnderTest) => Promise<void>;

/** What every archive keeps to, whatever it is spoken to by. Each case has its own staging. */
export const ARCHIVE_CONTRACT: Readonly<Record<string, ContractCase>> = {
  "answers that it is there": async ({ archive }) => {
    await archive.echo(neverAborted());
  },

  "finds a study by its UID, and nothing under another's": async ({ archive, studies: [study] }) => {
    const byUid = (uid: string) =>
      archive.findStudies({ by: "study-uid", studyInstanceUid: parseStudyInstanceUid(uid) }, neverAborted());
    expect(await byUid(study.studyInstanceUid)).toEqual([matchOf(study)]);
    expect(await byUid(`${study.studyInstanceUid}.1`)).toEqual([]);
    expect(await byUid("1.2.3.4.5.6")).toEqual([]);
  },

  "finds a study by its accession number, exactly as written, of that patient only": async ({ archive, studies }) => {
    const [study] = studies;
    const byAccession = (accessionNumber: string, patientId?: string) =>
      archive.findStudies({ by: "accession-number", accessionNumber, patientId }, neverAborted());
    expect(await byAccession(study.accessionNumber)).toEqual([matchOf(study)]);
    expect(await byAccession(study.accessionNumber, study.patientId)).toEqual([matchOf(study)]);
    expect(await byAccession(study.accessionNumber, `${study.patientId}0`)).toEqual([]);
    expect(await byAccession(study.accessionNumber.slice(0, -1))).toEqual([]);
  },

  "describes a study where that is asked for": async ({ archive, studies: [study] }) => {
    const { accessionNumber, patientId } = study;
    const query = { by: "accession-number", accessionNumber, patientId, described: true } as const;
    const [match, ...others] = await archive.findStudies(query, neverAborted());
    expect(others).toEqual([]);
    expect(match?.described?.studyDate).toMatch(/^[0-9]{8}$/);
    expect(match?.described?.studyDescription).not.toBe("");
  },

  "lists every instance of a study with its series": async ({ archive, studies }) => {
    for (const study of studies) {
      const listing = await archive.listStudy(parseStudyInstanceUid(study.studyInstanceUid), neverAborted());
      if (archive.capabilities.lists === "counts") {
        expect(listing).toEqual({ kind: "count", count: study.instances.length });
        continue;
      }
      if (listing.kind !== "instances") throw new Error(`lists ${listing.kind}`);
      const listed = listing.instances.map(
        ({ seriesInstanceUid, sopInstanceUid }) => `${seriesInstanceUid} ${sopInstanceUid}`,
      );
      expect(listed.sort()).toEqual(
        study.instances.map((each) => `${each.seriesInstanceUid} ${each.sopInstanceUid}`).sort(),
      );
    }
  },

  "retrieves whole studies, their data sets byte for byte": async ({ archive, staging, studies }) => {
    for (const study of studies) {
      const studyInstanceUid = parseStudyInstanceUid(study.studyInstanceUid);
      const wanted = new Set(study.instances.map(({ sopInstanceUid }) => parseSopInstanceUid(sopInstanceUid)));
      await archive.retrieve({ studyInstanceUid, wanted, ...(await classesOf(archive, study)) }, neverAborted());
      expect(await staged(staging, study)).toEqual(
        new Map(study.instances.map(({ sopInstanceUid, sha256 }) => [sopInstanceUid, sha256])),
      );
    }
  },

  "retrieves a series alone": async ({ archive, staging, studies: [study] }) => {
    const series = parseSeriesInstanceUid(study.instances[0]?.seriesInstanceUid ?? "");
    const ofSeries = study.instances.filter(({ seriesInstanceUid }) => seriesInstanceUid === series);
    expect(ofSeries.length).toBeLessThan(study.instances.length);
    const request = {
      studyInstanceUid: parseStudyInstanceUid(study.studyInstanceUid),
      seriesInstanceUids: [series],
      wanted: new Set(ofSeries.map(({ sopInstanceUid }) => parseSopInstanceUid(sopInstanceUid))),
    };
    await archive.retrieve({ ...request, ...(await classesOf(archive, study)) }, neverAborted());
    expect([...(await staged(staging, study)).keys()].sort()).toEqual(
      ofSeries.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
    );
  },

  "retrieves the instances that are named, and no more than it must": async ({
    archive,
    staging,
    studies: [study],
  }) => {
    // Who can be asked for series alone gives the whole of one.
    const ends =
      archive.capabilities.retrieves === "instance"
        ? [study.instances.at(0), study.instances.at(-1)]
        : study.instances.filter(
            ({ seriesInstanceUid }) => seriesInstanceUid === study.instances[0]?.seriesInstanceUid,
          );
    const named = ends.flatMap((instance) => (instance ? [instance] : []));
    const instances = named.map(({ seriesInstanceUid, sopInstanceUid }) => ({
      seriesInstanceUid: parseSeriesInstanceUid(seriesInstanceUid),
      sopInstanceUid: parseSopInstanceUid(sopInstanceUid),
      sopClassUid: undefined,
    }));
    const studyInstanceUid = parseStudyInstanceUid(study.studyInstanceUid);
    const wanted = new Set(instances.map(({ sopInstanceUid }) => sopInstanceUid));
    await archive.retrieve(
      { studyInstanceUid, instances, wanted, ...(await classesOf(archive, study)) },
      neverAborted(),
    );
    expect([...(await staged(staging, study)).keys()].sort()).toEqual([...wanted].sort());
  },

  "brings nothing of a study that it does not hold": async ({ archive, staging }) => {
    const studyInstanceUid = parseStudyInstanceUid("1.2.3.4.5.6");
    await archive.retrieve({ studyInstanceUid }, neverAborted()).catch(() => undefined);
    expect(await staging.list(studyInstanceUid)).toEqual([]);
  },

  "stops at once when that is asked for, and leaves no half of an instance": async ({ archive, staging, studies }) => {
    const [study] = studies;
    const studyInstanceUid = parseStudyInstanceUid(study.studyInstanceUid);
    const stop = new AbortController();
    const retrieving = archive.retrieve({ studyInstanceUid }, stop.signal);
    stop.abort(new GatewayError("CANCELLED"));
    await expect(retrieving).rejects.toMatchObject({ code: "CANCELLED" });
    for (const [uid, sha256] of await staged(staging, study)) {
      expect(study.instances).toContainEqual(expect.objectContaining({ sopInstanceUid: uid, sha256 }));
    }
  },

  "lets people look round, and says when there is more": async ({ archive, studies }) => {
    const find = async (keys: readonly string[], maximumAnswers: number) => {
      const found: string[] = [];
      for await (const answer of archive.find(identifierFromKeys("STUDY", keys), maximumAnswers, neverAborted())) {
        found.push(textOf(answer, tags.StudyInstanceUID) ?? "");
      }
      return found.sort();
    };
    const [study] = studies;
    expect(await find([`PatientID=${study.patientId}`, "StudyInstanceUID"], 10)).toEqual([study.studyInstanceUid]);
    const all = studies.map(({ studyInstanceUid }) => studyInstanceUid).sort();
    expect(await find(["StudyInstanceUID", "PatientID=*"], 10)).toEqual(all);
    await expect(find(["StudyInstanceUID", "PatientID=*"], 1)).rejects.toMatchObject({ code: "FIND_LIMIT_REACHED" });
  },

  "lets people look within a study": async ({ archive, studies: [study] }) => {
    const find = async (level: "SERIES" | "IMAGE", tag: Tag, keys: readonly string[], maximumAnswers = 100) => {
      const found: string[] = [];
      for await (const answer of archive.find(identifierFromKeys(level, keys), maximumAnswers, neverAborted())) {
        expect(textOf(answer, tags.StudyInstanceUID) ?? study.studyInstanceUid).toBe(study.studyInstanceUid);
        found.push(textOf(answer, tag) ?? "");
      }
      return found.sort();
    };
    const within = `StudyInstanceUID=${study.studyInstanceUid}`;
    const series = [...new Set(study.instances.map(({ seriesInstanceUid }) => seriesInstanceUid))].sort();
    expect(await find("SERIES", tags.SeriesInstanceUID, [within])).toEqual(series);
    expect(await find("SERIES", tags.SeriesInstanceUID, [within, `SeriesInstanceUID=${series[0]}`])).toEqual([
      series[0],
    ]);
    expect(await find("SERIES", tags.SeriesInstanceUID, [within, "Modality=XA"])).toEqual([]);
    if (archive.capabilities.lists === "counts") return;
    for (const uid of series) {
      const ofSeries = study.instances.filter(({ seriesInstanceUid }) => seriesInstanceUid === uid);
      const keys = [within, `SeriesInstanceUID=${uid}`];
      expect(await find("IMAGE", tags.SOPInstanceUID, keys)).toEqual(
        ofSeries.map(({ sopInstanceUid }) => sopInstanceUid).sort(),
      );
      await expect(find("IMAGE", tags.SOPInstanceUID, keys, 1)).rejects.toMatchObject({ code: "FIND_LIMIT_REACHED" });
    }
    expect(await find("IMAGE", tags.SOPInstanceUID, ["StudyInstanceUID=1.2.3.4.5.6", "SeriesInstanceUID=1.2"])).toEqual(
      [],
    );
  },

  "can be tried without keeping anything": async ({ archive, staging }) => {
    expect(await archive.rehearseRetrieval(neverAborted())).toMatchObject({ kind: "tried" });
    expect(await staging.studies()).toEqual([]);
  },
};

function matchOf({ studyInstanceUid, patientId, accessionNumber }: KnownStudy): StudyMatch {
  return { studyInstanceUid: parseStudyInstanceUid(studyInstanceUid), patientId, accessionNumber };
}

/** As the pipeline asks: by what the archive itself listed. */
async function classesOf(archive: Archive, { studyInstanceUid }: KnownStudy) {
  const listing = await archive.listStudy(parseStudyInstanceUid(studyInstanceUid), neverAborted());
  const listed = listing.kind === "instances" ? listing.instances : [];
  const sopClassUids = [
    ...new Set(listed.flatMap(({ sopClassUid }) => (sopClassUid === undefined ? [] : [sopClassUid]))),
  ];
  return sopClassUids.length === 0 ? {} : { sopClassUids };
}

/** Digests of the data sets in staging, by SOP Instance UID. */
async function staged(staging: StagingArea, study: KnownStudy): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const { path, sopInstanceUid } of await staging.list(parseStudyInstanceUid(study.studyInstanceUid))) {
    digests.set(sopInstanceUid, await dataSetDigest(path));
  }
  return digests;
}

async function dataSetDigest(path: string): Promise<string> {
  await using file = await readPart10File(path);
  const hash = createHash("sha256");
  await using handle = await open(path);
  for await (const piece of handle.createReadStream({ start: file.dataSetOffset, autoClose: false }))
    hash.update(piece);
  return hash.digest("hex");
}
