import type { StudyMatch, StudyQuery } from "../archive/archive.ts";
import { AVAILABILITY_CODES } from "../archive/availability/govern-archive.ts";
import { toGatewayError } from "../errors/gateway-error.ts";
import type { JobEvent } from "../store/records.ts";
import { TRIED_AGAIN } from "./retry.ts";
import type { StepContext } from "./step.ts";

/** Archives that said that they have not what is wanted. */
export interface Absences {
  note(archive: string, by: StudyQuery["by"]): void;
  /** Of an archive that may not be asked now: what it said when it could be. @throws what was thrown, where it said nothing */
  insteadOf(thrown: unknown, archive: string, by: StudyQuery["by"]): Promise<readonly StudyMatch[]>;
  /** Writes down what was noted, where it is needed another time. */
  keepAfter(thrown: unknown): Promise<void>;
}

type Absence = { readonly archive: string; readonly by: StudyQuery["by"] };

const EVENT = "not in archive";
/** Whatever else happened to the job since makes an answer out of date. */
const STANDS_BEHIND: ReadonlySet<string> = new Set([EVENT, TRIED_AGAIN]);
/** Windows come again every week. */
const HOLDS_MS = 8 * 86_400_000;

/** Archives whose windows never overlap cannot be asked one behind the other: what one says is kept until the next may be asked. */
export function absencesOf({ services, job, write }: StepContext): Absences {
  const noted: Absence[] = [];
  const isUnavailable = (thrown: unknown): boolean => AVAILABILITY_CODES.has(toGatewayError(thrown).code);
  const kept = async (): Promise<readonly JobEvent[]> => {
    const events = await services.store.events(job.id);
    const last = events.findLastIndex(({ event }) => !STANDS_BEHIND.has(event));
    const sinceMs = services.clock.nowMs() - HOLDS_MS;
    return events.slice(last + 1).filter(({ event, atMs }) => event === EVENT && atMs >= sinceMs);
  };
  return {
    note: (archive, by) => void noted.push({ archive, by }),
    async insteadOf(thrown, archive, by) {
      if (isUnavailable(thrown) && (await kept()).some(isOf({ archive, by }))) return [];
      throw thrown;
    },
    async keepAfter(thrown) {
      if (noted.length === 0 || !isUnavailable(thrown)) return;
      const before = await kept();
      const news = noted.filter((absence) => !before.some(isOf(absence)));
      if (news.length > 0) await write({ events: news.map((detail) => ({ event: EVENT, detail })) });
    },
  };
}

function isOf({ archive, by }: Absence): (event: JobEvent) => boolean {
  return ({ detail }) => detail.archive === archive && detail.by === by;
}
