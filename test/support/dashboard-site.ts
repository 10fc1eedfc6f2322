import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, textOf } from "../../src/dicom/values.ts";
import { encodeDataSet } from "../../src/dicom/writer.ts";
import { freePort } from "../peers/free-port.ts";
import { startPracticeArchive } from "../peers/practice-archive.ts";
import { type SyntheticStudy, syntheticStudy } from "../peers/synthetic-studies.ts";
import { ROOT } from "../tidy/repository.ts";
import { type ApiSite, openApiSite } from "./api.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** A gateway with its dashboard and an archive that has six studies: one that it will not give yet, and one whose patient stands in a lookup table. */
export interface DashboardSite extends AsyncDisposable {
  readonly api: ApiSite;
  readonly studies: readonly SyntheticStudy[];
  /** As people have it: the rows of the six, one of a study that nobody has, and two that say nothing. */
  readonly cohortFile: string;
  /** From now on the archive gives the study that it refused. */
  repairArchive(): void;
}

export async function openDashboardSite(): Promise<DashboardSite> {
  execFileSync("sh", [join(ROOT, "scripts/build-web.sh"), "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
  const plan = { modality: "CT", rows: 48, columns: 48, series: 2, instancesPerSeries: 3 } as const;
  const good = [81, 82, 83, 84, 85].map((seed) => syntheticStudy({ ...plan, seed }));
  const studies = [...good, withHiddenName(syntheticStudy({ ...plan, seed: 86 }))];
  const refused = studies[4]?.studyInstanceUid;
  let isBroken = true;
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await temporaryFolder());
  const keyOf = async (name: string, digit: string): Promise<string> => {
    const path = join(folder.path, `${name}.key`);
    await writeFile(path, `${digit.repeat(64)}\n`, { mode: 0o600 });
    return path;
  };
  const port = await freePort();
  const archive = opened.use(
    await startPracticeArchive({
      studies,
      destinations: [`RADFERRY@127.0.0.1:${port}`],
      faults: { refuses: (identifier) => isBroken && textOf(identifier, tags.StudyInstanceUID) === refused },
    }),
  );
  const project = { archives: ["practice"], destinations: ["store"], profile: "research" };
  const reading = { kind: "dimse", address: archive.address, retrieve: "move" };
  const api = opened.use(
    await openApiSite({
      settings: {
        dicom: { port },
        retry: { attempts: 2, firstDelaySeconds: 0.1, maximumDelaySeconds: 0.2 },
        archives: [
          { name: "practice", ...reading },
          {
            name: "night",
            ...reading,
            availability: { windows: ["Mon-Fri 20:00-06:00", "Sat-Sun 00:00-24:00"], timeZone: "Europe/London" },
          },
        ],
        destinations: [{ name: "store", kind: "folder", path: join(folder.path, "store") }],
        projects: [
          { name: "lung-ct", ...project, keyFile: await keyOf("lung-ct", "1") },
          { name: "brain-mr", ...project, keyFile: await keyOf("brain-mr", "2") },
        ],
      },
    }),
  );
  const closing = opened.move();
  return {
    api,
    studies,
    cohortFile: cohortOf(studies),
    repairArchive() {
      isBroken = false;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function cohortOf(studies: readonly SyntheticStudy[]): string {
  const rows = studies.map(({ studyInstanceUid }, index) => `${studyInstanceUid},row-${index + 1}`);
  const others = ["1.2.826.0.1.3680043.10.1561.99,nobody-has-it", "not a UID,typed-wrongly", ",empty"];
  return `${["study_instance_uid,our_row", ...rows, ...others].join("\n")}\n`;
}

/** The patient's name in the LUT Data (0028,3006) of every instance, which verification finds: nothing is left to deliver. */
function withHiddenName(study: SyntheticStudy): SyntheticStudy {
  const instances = study.instances.map((instance) => {
    const [name = ""] = textOf(instance.dataSet, tags.PatientName)?.split("^") ?? [];
    const planted = element(tagOf(0x00283006), "OW", Buffer.from(`..${name}..`.padEnd(32, ".")));
    const dataSet = dataSetOf([...instance.dataSet.values(), planted]);
    return { ...instance, dataSet, bytes: Buffer.from(encodeDataSet(dataSet, instance.transferSyntaxUid)) };
  });
  return { ...study, instances };
}
