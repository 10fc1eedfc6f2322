import { GatewayError } from "../../errors/gateway-error.ts";
import type { FileSession } from "../../network/file-transfer/file-session.ts";
import { STUDY_REPORT } from "../../staging/study-folder-report.ts";
import { concurrently } from "../../units/concurrently.ts";
import type { DeliveredStudy } from "../inspection/inspection.ts";
import type { StudyRemoval } from "../removal/removal.ts";
import type { FileServer } from "./file-server.ts";
import { fileNameOf, REPORT_ASIDE, studyFolderOf } from "./layout.ts";

interface TreeToClear {
  readonly server: FileServer;
  readonly path: string;
  readonly parallel: number;
  /** Of one file more than those that are known: what the reports beside them vouch for. */
  reported(session: FileSession, study: string): Promise<ReadonlySet<string>>;
}

/** Folders below a study's are the series, and what came beside the images. */
const DEEPEST = 8;
const MOST_FILES = 1_000_000;
/** What a delivery that was cut short leaves behind: `.<instance>.part`, `.<instance>.old`, `.report.part`. */
const LEFT_BEHIND = /^(?:[0-9.]+\/\.[0-9.]+|processed\/(?:[^/]+\/)*\.[^/]+|\.report)\.(?:part|old)$/;

/** The one that counts goes last. */
const REPORTS: readonly string[] = [REPORT_ASIDE, STUDY_REPORT];

/** Takes studies out of a tree of files; folders that are empty then go, too. What nobody here delivered stays. */
export function treeRemoval(tree: TreeToClear): StudyRemoval {
  return {
    async remains(study, signal) {
      await using session = await tree.server.open(signal);
      const { ours, others } = await lookThrough(session, tree, study);
      return { ours: ours.length, others: others.length };
    },
    async remove(study, signal) {
      await using session = await tree.server.open(signal);
      const { folder, ours, folders } = await lookThrough(session, tree, study);
      const reports = REPORTS.filter((name) => ours.includes(name));
      await concurrently(
        ours.filter((name) => !reports.includes(name)),
        tree.parallel,
        async (name) => {
          signal.throwIfAborted();
          await session.remove(`${folder}/${name}`);
        },
      );
      // Last of all, since they tell which files are ours.
      for (const name of reports) await session.remove(`${folder}/${name}`);
      const patient = folder.slice(0, folder.lastIndexOf("/"));
      for (const path of [...folders.map((name) => `${folder}/${name}`).reverse(), folder, patient])
        await removeIfEmpty(session, path);
    },
  };
}

interface Contents {
  /** The study's. */
  readonly folder: string;
  readonly ours: readonly string[];
  readonly others: readonly string[];
  /** Below the study's, each after the one that it is in. */
  readonly folders: readonly string[];
}

async function lookThrough(session: FileSession, tree: TreeToClear, study: DeliveredStudy): Promise<Contents> {
  const folder = studyFolderOf(tree.path, study);
  const files: string[] = [];
  const folders: string[] = [];
  const walk = async (below: string, depth: number): Promise<void> => {
    for (const { name, isFolder } of (await session.list(`${folder}/${below}`)) ?? []) {
      const path = `${below}${name}`;
      if (!isFolder) files.push(path);
      else if (depth === DEEPEST) throw new GatewayError("REMOVAL_OTHERS_LEFT", { what: "depth" });
      else {
        folders.push(path);
        await walk(`${path}/`, depth + 1);
      }
    }
    if (files.length > MOST_FILES) throw new GatewayError("REMOVAL_OTHERS_LEFT", { what: "files" });
  };
  await walk("", 0);
  const reported = REPORTS.some((name) => files.includes(name))
    ? await tree.reported(session, folder)
    : new Set<string>();
  const known = new Set<string>(study.files.map(fileNameOf));
  const isOurs = (name: string): boolean =>
    known.has(name) || reported.has(name) || LEFT_BEHIND.test(name) || (name === STUDY_REPORT && reported.size > 0);
  const { ours = [], others = [] } = Object.groupBy(files, (name) => (isOurs(name) ? "ours" : "others"));
  return { folder, ours, others, folders };
}

/** One that holds something else stays, and so does one that somebody else removed meanwhile. */
async function removeIfEmpty(session: FileSession, path: string): Promise<void> {
  const entries = await session.list(path);
  if (entries?.length === 0) await session.removeFolder(path);
}
